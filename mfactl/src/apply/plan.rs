//! Where in a service's file the line goes: each place is tried in the model of libpam, and the first that is right is
//! taken.
//!
//! Refuses to write anything, and a place at which there is a way around the module, or at which it would be asked
//! before the password.

use std::path::PathBuf;

use mfactl::pam::{Insertion, insert, places, take_back};

use super::file::Original;
use crate::doctor::host::{Host, shown};
use crate::doctor::pam::{Judged, Model, said};
use crate::doctor::{Finding, Severity};
use crate::failure::Failure;

/// What the stack is to ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Form {
    /// The code after what is asked now.
    AfterPassword,
    /// The code in place of the password: sshd has checked a key.
    CodeAlone,
}

/// An edit of a service's file.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The file.
    pub(crate) path: PathBuf,
    /// It, as it was read; `None` where it is made new, of the one that the distribution ships elsewhere.
    pub(crate) original: Option<Original>,
    /// What libpam reads now.
    pub(crate) before: String,
    /// What it is to read.
    pub(crate) after: String,
    /// What that comes to.
    pub(crate) judged: Judged,
}

/// Where the file of a service is edited.
pub(crate) fn path_of(host: &Host, service: &str) -> PathBuf {
    host.path("/etc/pam.d").join(service)
}

/// What a finding is that keeps a question from being answered.
pub(crate) fn unanswered(finding: &Finding) -> Failure {
    Failure::local("judge the PAM stacks", &said(finding))
}

/// The edit that has `service` ask for a code by `module` (`pam_mfa.so` and its arguments); `None` where it asks
/// already.
pub(crate) fn plan(host: &Host, service: &str, form: Form, module: &str) -> Result<Option<Plan>, Failure> {
    let model = Model::of(host);
    if model.judge(service, None).map_err(|finding| unanswered(&finding))?.asking.is_some() {
        return Ok(None);
    }
    let path = path_of(host, service);
    let original = Original::read(&path)?;
    let before = match &original {
        Some(original) => original.text.clone(),
        None => shipped(&model, service, &path)?,
    };
    is_a_service(&model, service)?;
    let wanted = Wanted { model: &model, service, text: &before };
    let (after, judged) = match form {
        Form::AfterPassword => wanted.after_password(module)?,
        Form::CodeAlone => wanted.code_alone(module)?,
    };
    if take_back(&after) != before {
        return Err(Failure::withheld(
            format!("{} holds lines that look like mfactl's: the edit could not be taken back", shown(&path)),
            format!("mfactl pam disable {service} first"),
        ));
    }
    Ok(Some(Plan { path, original, before, after, judged }))
}

/// The file that the distribution ships where libpam looks second.
fn shipped(model: &Model<'_>, service: &str, path: &std::path::Path) -> Result<String, Failure> {
    let source = model.source(service).map_err(|finding| unanswered(&finding))?;
    source.map(|source| source.text).ok_or_else(|| Failure::NotFound {
        message: format!("there is no PAM service {service}: {} is not there", shown(path)),
        hint: match model.services() {
            Ok(all) => format!("services there are: {}", named(&all)),
            Err(finding) => said(&finding),
        },
    })
}

/// Files that others include are the distribution's to write.
fn is_a_service(model: &Model<'_>, service: &str) -> Result<(), Failure> {
    let services = model.services().map_err(|finding| unanswered(&finding))?;
    if services.iter().any(|known| known == service) {
        return Ok(());
    }
    Err(Failure::withheld(
        format!("{service} is no service of its own: other services include it"),
        format!(
            "name a service: {}; for all at once on Debian: mfactl pam enable common-auth",
            named(&services)
        ),
    ))
}

/// Services to name to people: a Debian's common files are none, whether others include them or not.
fn named(services: &[String]) -> String {
    let own: Vec<&str> =
        services.iter().map(String::as_str).filter(|name| !name.starts_with("common-")).collect();
    own.join(", ")
}

struct Wanted<'a> {
    model: &'a Model<'a>,
    service: &'a str,
    text: &'a str,
}

impl Wanted<'_> {
    fn judge(&self, text: &str) -> Result<Judged, Failure> {
        self.model.judge(self.service, Some(text)).map_err(|finding| unanswered(&finding))
    }

    fn after_password(&self, module: &str) -> Result<(String, Judged), Failure> {
        let line = format!("auth       required     {module}");
        let all = places(self.text);
        let plain =
            all.iter().map(|(after, _)| Insertion { after: *after, aside: false, lines: vec![line.clone()] });
        // A `sufficient` in a file that is included ends this stack as well; in a substack it ends that one.
        let below = all.iter().filter_map(|(after, said)| {
            let lines = vec![substack(said)?, line.clone()];
            Some(Insertion { after: *after, aside: true, lines })
        });
        let mut second_best = None;
        let mut why = None;
        for insertion in plain.chain(below) {
            let text = insert(self.text, &[insertion]);
            let judged = self.judge(&text)?;
            if judged.asking.is_none() || !judged.after_password {
                continue;
            }
            if let Some(problem) = judged.found.iter().find(|one| is_bad(one)) {
                why = Some(said(problem));
            } else if !judged.has(Severity::Warning) {
                return Ok((text, judged));
            } else if second_best.is_none() {
                second_best = Some((text, judged));
            }
        }
        second_best.ok_or_else(|| self.nowhere(why))
    }

    fn code_alone(&self, module: &str) -> Result<(String, Judged), Failure> {
        let passwords = self.first_factors(self.text)?;
        let mut insertions = Vec::new();
        for (after, _) in places(self.text) {
            let aside = Insertion { after, aside: true, lines: Vec::new() };
            if self.first_factors(&insert(self.text, std::slice::from_ref(&aside)))? < passwords {
                insertions.push(aside);
            }
        }
        if let Some(first) = insertions.first_mut() {
            // The second line is for logins that a rule lets do without: of the first alone, nothing says yes then.
            first.lines = vec![
                format!("auth       requisite    {module}"),
                "auth       required     pam_permit.so".to_owned(),
            ];
        }
        let text = insert(self.text, &insertions);
        let judged = self.judge(&text)?;
        let bad = judged.found.iter().find(|one| is_bad(one)).map(said);
        let asks_a_password = self.first_factors(&text)? > 0;
        if judged.asking.is_none() || asks_a_password || bad.is_some() {
            return Err(self.nowhere(bad));
        }
        Ok((text, judged))
    }

    fn first_factors(&self, text: &str) -> Result<usize, Failure> {
        self.model.first_factors(self.service, text).map_err(|finding| unanswered(&finding))
    }

    fn nowhere(&self, why: Option<String>) -> Failure {
        let why = why.unwrap_or_else(|| "no line in it is known to ask for a password".to_owned());
        Failure::withheld(
            format!("there is no safe place for pam_mfa.so in the stack of {}: {why}", self.service),
            "put `auth required pam_mfa.so` in by hand, where every way to a yes passes it after the password (pam_mfa(8)); \
             mfactl doctor says whether it is right",
        )
    }
}

fn is_bad(finding: &Finding) -> bool {
    matches!(finding.severity, Severity::Problem | Severity::Unchecked)
}

/// The line with `substack` for `include`.
fn substack(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let kind = words.next().filter(|kind| kind.eq_ignore_ascii_case("auth"))?;
    words.next().filter(|control| control.eq_ignore_ascii_case("include"))?;
    Some(format!("{kind}       substack     {}", words.next()?))
}

#[cfg(test)]
mod tests;
