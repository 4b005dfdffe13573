//! All of one user: what is asked of the daemon in one request, or not at all.

use std::collections::BTreeSet;

use mfa_proto::admin::{FactorKind, NewFactor, NewParams, NewTag, Request};
use mfa_proto::codec;
use mfa_proto::name::{FactorLabel, UserId, UserName};
use mfa_proto::secret::SecretText;
use mfactl::import::{Entry, Factor, Note, Params, shown_name};

use super::skip::{Place, Skip};

/// One user.
#[derive(Debug)]
pub(super) struct Person {
    /// Who.
    pub(super) name: UserName,
    /// What the user is to hold.
    pub(super) factors: Vec<Planned>,
    /// Codes that were brought along.
    pub(super) recovery: Vec<SecretText>,
    /// What is different from now on.
    pub(super) notes: Vec<(Place, Note)>,
    /// What cannot be imported, so that nothing of this user is.
    pub(super) troubles: Vec<Skip>,
}

/// One factor, where it stands and what it will be called.
#[derive(Debug)]
pub(super) struct Planned {
    /// Where it stands.
    pub(super) place: Place,
    /// Its label.
    pub(super) label: FactorLabel,
    /// The factor.
    pub(super) factor: Factor,
}

impl Planned {
    /// The word for its kind.
    pub(super) fn kind(&self) -> &'static str {
        kind(self.factor.params).word()
    }
}

impl Person {
    /// A user with nothing yet.
    pub(super) fn new(name: UserName) -> Self {
        let (factors, recovery, notes) = (Vec::new(), Vec::new(), Vec::new());
        Self { name, factors, recovery, notes, troubles: Vec::new() }
    }

    /// Takes up what stands at `place`.
    pub(super) fn add(&mut self, place: Place, entry: Entry) {
        let Entry { factor, recovery, notes, .. } = entry;
        let same =
            |held: &Planned| held.factor.key == factor.key && kind(held.factor.params) == kind(factor.params);
        if self.factors.iter().any(same) {
            return self.notes.push((place, Note::Twice));
        }
        self.notes.extend(notes.into_iter().map(|note| (place.clone(), note)));
        for code in recovery {
            if !self.recovery.iter().any(|held| held.expose() == code.expose()) {
                self.recovery.push(code);
            }
        }
        let taken: BTreeSet<&str> = self.factors.iter().map(|held| held.label.as_str()).collect();
        let Some(label) = label(&factor, &taken) else {
            let skip = Skip::at(place, Some(self.name.to_string()), "no label can be made for it");
            return self.troubles.push(skip);
        };
        self.factors.push(Planned { place, label, factor });
    }

    /// As the daemon names the user.
    pub(super) fn id(&self) -> UserId {
        UserId::local(self.name.clone())
    }

    /// Where the first of it stands.
    pub(super) fn place(&self) -> Place {
        let troubles = self.troubles.iter().map(|skip| &skip.place);
        self.factors
            .iter()
            .map(|planned| &planned.place)
            .chain(troubles)
            .next()
            .cloned()
            .unwrap_or_else(|| Place::of("-"))
    }

    /// The whole request; an error when it does not fit one.
    pub(super) fn request(&self, replace: bool) -> Result<Request, Skip> {
        let user = self.id();
        let factors: Vec<NewFactor> =
            self.factors.iter().filter_map(|planned| new_factor(&user, planned, replace)).collect();
        let recovery = self.recovery.iter().map(SecretText::again).collect();
        let request = Request::EnrollAll { user, factors, recovery, replace };
        if codec::encode(&request).is_ok() {
            return Ok(request);
        }
        let (factors, codes) = (self.factors.len(), self.recovery.len());
        let why =
            format!("{factors} factors and {codes} scratch codes are too many for one request of 4 KiB");
        Err(Skip::at(self.place(), Some(self.name.to_string()), why)
            .hint("a user's factors are imported all or none: take out what is not used any more"))
    }

    /// Everything of this user is skipped, because of its troubles.
    pub(super) fn into_skips(self) -> Vec<Skip> {
        let user = self.name.to_string();
        let left = |planned: Planned| {
            Skip::at(
                planned.place,
                Some(user.clone()),
                "left out too: a user's factors are imported all or none",
            )
        };
        self.troubles.into_iter().chain(self.factors.into_iter().map(left)).collect()
    }

    /// Everything of this user is skipped because of `why`.
    pub(super) fn skip(&self, why: impl Into<String>) -> Skip {
        Skip::at(self.place(), Some(self.name.to_string()), why)
    }
}

fn new_factor(user: &UserId, planned: &Planned, replace: bool) -> Option<NewFactor> {
    Some(NewFactor {
        user: user.clone(),
        label: Some(planned.label.clone()),
        params: NewParams::from(planned.factor.params),
        secret: Some(planned.factor.key.to_base32()?),
        activate: true,
        replace,
        current_code: None,
        invitation: None,
        tag: NewTag::default(),
    })
}

fn kind(params: Params) -> FactorKind {
    match params {
        Params::Totp(_) => FactorKind::Totp,
        Params::Hotp(_) => FactorKind::Hotp,
    }
}

/// What the input calls it when that can be a label, else its kind; with a number where that is taken.
fn label(factor: &Factor, taken: &BTreeSet<&str>) -> Option<FactorLabel> {
    let given = factor.label.as_deref().map(str::trim).filter(|text| shown_name(text).is_some());
    let given = given.and_then(|text| FactorLabel::new(text).ok());
    let mut base = given.map_or_else(|| kind(factor.params).word().to_owned(), String::from);
    let whole = base.clone();
    // Room for a number.
    while base.len() > FactorLabel::MAX.saturating_sub(5) {
        base.pop();
    }
    let numbered = (2..=1000_u32).map(|number| format!("{} {number}", base.trim_end()));
    std::iter::once(whole)
        .chain(numbered)
        .find(|text| !taken.contains(text.as_str()))
        .and_then(|text| FactorLabel::new(text).ok())
}

#[cfg(test)]
mod tests {
    use mfa_proto::admin::TotpParams;
    use mfactl::import::Key;

    use super::*;

    fn entry(key: u8, label: Option<&str>) -> Entry {
        let key = Key::from_hex(&format!("{key:02x}").repeat(20)).unwrap();
        let factor =
            Factor { params: Params::Totp(TotpParams::default()), key, label: label.map(Into::into) };
        let code = SecretText::new(format!("{:08}", 10_000_000)).unwrap();
        Entry {
            line: 1,
            whose: mfactl::import::Whose::default(),
            factor,
            recovery: vec![code],
            notes: Vec::new(),
        }
    }

    fn person(entries: impl IntoIterator<Item = Entry>) -> Person {
        let mut person = Person::new(UserName::new("alice").unwrap());
        for (line, entry) in (1..).zip(entries) {
            person.add(Place::line("f", line), entry);
        }
        person
    }

    #[test]
    fn labels_are_those_of_the_input_and_differ() {
        let long = "é".repeat(32);
        let given = [
            None,
            Some("JBSWY3DPEHPK3PXP"),
            Some("phone"),
            Some("a:b"),
            Some("phone"),
            Some(&*long),
            Some(&*long),
        ];
        let person = person((0_u8..).zip(given).map(|(key, label)| entry(key, label)));
        let labels: Vec<&str> = person.factors.iter().map(|planned| planned.label.as_str()).collect();
        let cut = format!("{} 2", "é".repeat(29));
        assert_eq!(labels, ["totp", "totp 2", "phone", "totp 3", "phone 2", &long, &cut]);
        assert_eq!(person.recovery.len(), 1, "a code given twice is one code");
    }

    #[test]
    fn the_same_factor_is_taken_once() {
        let person = person([entry(1, None), entry(1, Some("again"))]);
        assert_eq!(person.factors.len(), 1);
        assert_eq!(person.notes, [(Place::line("f", 2), Note::Twice)]);
    }

    #[test]
    fn what_does_not_fit_a_frame_is_skipped_whole() {
        assert!(person((0..20).map(|key| entry(key, None))).request(false).is_ok());
        let skip = person((0..90).map(|key| entry(key, None))).request(false).unwrap_err();
        assert_eq!(skip.why, "90 factors and 1 scratch codes are too many for one request of 4 KiB");
    }
}
