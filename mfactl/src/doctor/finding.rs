//! What a check found.

use mfa_proto::text::escape_for_log;

/// How bad something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Severity {
    /// Lets in who should not be let in, or nobody.
    Problem,
    /// Will go wrong, or weakens what it should protect.
    Warning,
    /// Could not be looked at.
    Unchecked,
    /// Worth knowing.
    Note,
    /// As it should be.
    Ok,
}

impl Severity {
    /// The word for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Warning => "warning",
            Self::Unchecked => "unchecked",
            Self::Note => "note",
            Self::Ok => "ok",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Finding {
    /// Which check made it.
    pub(crate) check: &'static str,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// What is so.
    pub(crate) what: String,
    /// Where: a file, with the line when there is one.
    pub(crate) place: Option<String>,
    /// What to do.
    pub(crate) remedy: Option<String>,
}

impl Finding {
    /// A finding without place and remedy. Outside text is made fit to be shown.
    pub(crate) fn new(check: &'static str, severity: Severity, what: impl AsRef<str>) -> Self {
        Self { check, severity, what: escape_for_log(what.as_ref()), place: None, remedy: None }
    }

    /// Where it is.
    pub(crate) fn at(mut self, place: impl std::fmt::Display) -> Self {
        self.place = Some(escape_for_log(&place.to_string()));
        self
    }

    /// What to do.
    pub(crate) fn remedy(mut self, remedy: impl AsRef<str>) -> Self {
        self.remedy = Some(escape_for_log(remedy.as_ref()));
        self
    }
}

/// All findings.
#[derive(Debug, Default)]
pub(crate) struct Report {
    findings: Vec<Finding>,
}

impl Report {
    /// Adds one, unless it is there.
    pub(crate) fn add(&mut self, finding: Finding) {
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Adds one about what is as it should be.
    pub(crate) fn ok(&mut self, check: &'static str, what: impl AsRef<str>) {
        self.add(Finding::new(check, Severity::Ok, what));
    }

    /// How many there are of one severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// All, the worst first.
    pub(crate) fn sorted(&self) -> Vec<&Finding> {
        let mut all: Vec<&Finding> = self.findings.iter().collect();
        all.sort_by_key(|finding| finding.severity);
        all
    }
}
