//! `[enrollment]`: who may add factors, how a first one comes about, and how long logins go on without.
//!
//! Refuses what contradicts `[policy]`: enrollment at login that nobody may do, and grace where nobody needs
//! a factor.

use std::time::Duration;

use jiff::civil::Date;

use super::{
    kinds::{choice, date, duration, number},
    policy::{Policy, Unenrolled},
    reader::{Reader, Section},
    tree::Place,
};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// The most factors of one user: what still fits one reply of the administration protocol.
const MAX_FACTORS: u32 = 16;
/// The widest QR code, in columns: what the texts of one login hold.
const MAX_QR: u16 = 100;

/// Who may add factors, and how many.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Enrollment {
    /// Whether a user may add a first factor without an administrator.
    pub first_by_self: SelfEnrollment,
    /// How long an invitation counts when its maker does not say.
    pub invite_lifetime: Duration,
    /// The most factors of one user.
    pub max_factors: u32,
    /// Who is asked before a user changes what its own account holds.
    pub self_auth: SelfAuth,
    /// Columns of a terminal that a QR code may take in a login; 0 for none.
    pub qr_width: u16,
    /// How long a login may take in which a factor is enrolled.
    pub timeout: Duration,
    /// The last day on which users without a factor get in without.
    pub enroll_by: Option<Date>,
    /// How often they do.
    pub grace_logins: Option<u32>,
}

/// Who is asked before a user changes what its own account holds, beside the codes that a change needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SelfAuth {
    /// Nobody: the uid of who asks is enough.
    None,
    /// polkit, which by default wants the account's password.
    Polkit,
}

/// Whether a user may add a first factor for itself. Whoever has the password could do so too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SelfEnrollment {
    /// Only root adds first factors.
    Never,
    /// A user without a factor may add one by an administrator's invitation.
    Invite,
    /// A user without a factor may add one.
    Open,
}

/// Where what has to agree with other sections was written.
#[derive(Debug)]
pub(super) struct Places {
    own: Option<Place>,
    grace: Option<Place>,
}

impl Enrollment {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> (Self, Places) {
        let mut section = reader.section(root, "enrollment");
        let s = &mut section;
        let words = choice(&[
            ("never", SelfEnrollment::Never),
            ("invite", SelfEnrollment::Invite),
            ("open", SelfEnrollment::Open),
        ]);
        let own = reader.value(s, "self", SelfEnrollment::Never, words);
        let asked = choice(&[("none", SelfAuth::None), ("polkit", SelfAuth::Polkit)]);
        let by = reader.optional(s, "enroll_by", date);
        let logins = reader.optional(s, "grace_logins", number(1..=1000));
        let read = Self {
            first_by_self: own.value,
            invite_lifetime: reader
                .value(s, "invite_lifetime", DAY * 3, duration(MINUTE * 10..=DAY * 30))
                .value,
            max_factors: reader.value(s, "max_factors", 8, number(1..=MAX_FACTORS)).value,
            self_auth: reader.value(s, "self_auth", SelfAuth::None, asked).value,
            qr_width: reader.value(s, "qr_width", 80, number(0..=MAX_QR)).value,
            timeout: reader.value(s, "timeout", MINUTE * 5, duration(MINUTE / 2..=MINUTE * 10)).value,
            enroll_by: by.value,
            grace_logins: logins.value,
        };
        reader.close(section);
        (read, Places { own: own.place, grace: by.place.or(logins.place) })
    }

    /// Tells what does not go with `[policy]`, of which `unenrolled` stands at `place`.
    pub(super) fn check(
        &self,
        reader: &mut Reader,
        places: &Places,
        (policy, place): (&Policy, Option<Place>),
    ) {
        if policy.enrolls() && self.first_by_self == SelfEnrollment::Never {
            let message = "`unenrolled = \"enroll\"` lets nobody in while users may not enroll: write \
                           `self = \"invite\"` (or \"open\") in [enrollment]";
            reader.fault(places.own.or(place), message);
        }
        if policy.unenrolled == Unenrolled::Skip && (self.enroll_by.is_some() || self.grace_logins.is_some())
        {
            let message = "there is no grace to give while `policy.unenrolled = \"skip\"` lets everybody \
                           in who has no factor: write \"deny\" or \"enroll\" there";
            reader.fault(places.grace, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Source};

    fn read(text: &str) -> Result<Config, String> {
        let source = Source { path: "mfad.toml".into(), text: text.to_owned() };
        Config::from_sources(&[source])
            .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    }

    #[test]
    fn without_a_word_nobody_enrolls_alone_and_there_is_no_grace() {
        let enrollment = read("").unwrap().enrollment().clone();
        assert_eq!(enrollment.first_by_self, SelfEnrollment::Never);
        assert_eq!((enrollment.enroll_by, enrollment.grace_logins), (None, None));
        assert_eq!((enrollment.invite_lifetime, enrollment.timeout), (DAY * 3, MINUTE * 5));
    }

    #[test]
    fn a_day_may_be_a_date_or_a_text() {
        for day in ["2027-01-31", "\"2027-01-31\""] {
            let config = read(&format!("[enrollment]\nenroll_by = {day}\n")).unwrap();
            assert_eq!(config.enrollment().enroll_by, Some(jiff::civil::date(2027, 1, 31)));
        }
        for bad in
            ["\"31.1.2027\"", "2027-01-31T10:00:00", "\"2027-02-30\"", "20270131", "\"tomorrow\"", "\"\""]
        {
            let told = read(&format!("[enrollment]\nenroll_by = {bad}\n")).unwrap_err();
            assert!(told.contains("write a day, as in 2027-01-31"), "{bad}: {told}");
        }
    }

    #[test]
    fn what_lets_nobody_in_or_everybody_is_told() {
        let told = read("[policy]\nunenrolled = \"enroll\"\n").unwrap_err();
        assert!(told.starts_with("mfad.toml:2:") && told.contains("self = \"invite\""), "{told}");
        let told = read("[policy]\nunenrolled = \"enroll\"\n[enrollment]\nself = \"never\"\n").unwrap_err();
        assert!(told.starts_with("mfad.toml:4:"), "{told}");
        for grace in ["grace_logins = 3", "enroll_by = 2027-01-31"] {
            let text = format!("[policy]\nunenrolled = \"skip\"\n[enrollment]\n{grace}\n");
            assert!(read(&text).unwrap_err().contains("no grace to give"), "{grace}");
        }
        for own in ["invite", "open"] {
            let text = format!("[policy]\nunenrolled = \"enroll\"\n[enrollment]\nself = \"{own}\"\n");
            assert!(read(&text).is_ok(), "{own}");
        }
        assert!(read("[enrollment]\ngrace_logins = 0\n").is_err());
    }
}
