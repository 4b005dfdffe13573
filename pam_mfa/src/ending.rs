//! From what became of a login to one PAM code: the only place that can let anyone pass.
//!
//! Refuses to turn an error into a pass: `PAM_SUCCESS` and `PAM_IGNORE` stand once each, in one exhaustive
//! match. `PAM_AUTHINFO_UNAVAIL` is kept for "nobody is there to judge", because administrators may branch
//! on it; nothing that a person can bring about at a prompt ends in it.

use mfa_proto::login::Verdict;
use pam::constants::PamResultCode;

use crate::fault::Fault;

/// How a login ends, for PAM. The values are far apart, so that no single flipped bit makes a pass.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
#[repr(u32)]
pub(crate) enum Ending {
    /// The daemon accepted.
    Accepted = 0x5ac3_19e6,
    /// The daemon says that a policy rule asks for no second factor.
    NotApplicable = 0xa53c_e619,
    /// Nobody is there to judge, and the administrator chose to go on without.
    Excused = 0x3c96_a5f1,
    /// No.
    Denied = 0xc369_5a0e,
    /// No, and asking again at once is of no use.
    Locked = 0x69f0_c35a,
    /// Nobody is there to judge; nothing was asked yet.
    Absent = 0x960f_3ca5,
    /// The daemon is there, and cannot judge.
    Unable = 0xf1a5_963c,
    /// Something is not as it must be: arguments, socket, protocol, system.
    Faulty = 0x0e5a_69c3,
}

impl Ending {
    /// What `outcome` means.
    pub(crate) fn of(outcome: &Result<Verdict, Fault>) -> Self {
        match outcome {
            Ok(Verdict::Accept) => Self::Accepted,
            Ok(Verdict::NotApplicable) => Self::NotApplicable,
            Ok(Verdict::Deny)
            | Err(Fault::TimedOut | Fault::NoAnswer | Fault::Name(_) | Fault::UserChanged) => Self::Denied,
            Ok(Verdict::Locked) => Self::Locked,
            // The relay lets this verdict through only before the person was asked.
            Ok(Verdict::Unavailable) | Err(Fault::Absent { .. } | Fault::Silent) => Self::Absent,
            Err(Fault::Busy | Fault::Unsupported { .. } | Fault::CannotJudge) => Self::Unable,
            Err(
                Fault::Untrusted(_)
                | Fault::HungUp
                | Fault::Misspoke(_)
                | Fault::OutOfTurn(_)
                | Fault::Unsayable(_)
                | Fault::System { .. }
                | Fault::Argument(_)
                | Fault::Libpam { .. },
            ) => Self::Faulty,
        }
    }

    /// The same, where the administrator has asked for `unavailable=ignore`: a daemon that is not there is
    /// excused, and nothing else.
    pub(crate) fn with_absence_ignored(self) -> Self {
        if self == Self::Absent { Self::Excused } else { self }
    }

    /// The code for libpam.
    pub(crate) fn code(self) -> PamResultCode {
        match self {
            Self::Accepted => PamResultCode::PAM_SUCCESS,
            Self::NotApplicable | Self::Excused => PamResultCode::PAM_IGNORE,
            Self::Denied => PamResultCode::PAM_AUTH_ERR,
            Self::Locked => PamResultCode::PAM_MAXTRIES,
            Self::Absent | Self::Unable => PamResultCode::PAM_AUTHINFO_UNAVAIL,
            Self::Faulty => PamResultCode::PAM_SERVICE_ERR,
        }
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::{codec::CodecError, name::UserName};
    use nix::errno::Errno;

    use super::*;

    fn absent() -> Fault {
        Fault::Absent { socket: "/run/mfad/mfad.sock".into(), cause: Errno::ENOENT }
    }

    fn every_other_fault() -> Vec<Fault> {
        vec![
            Fault::TimedOut,
            Fault::Busy,
            Fault::Unsupported { min: 7, max: 8 },
            Fault::CannotJudge,
            Fault::Untrusted("x".to_owned()),
            Fault::HungUp,
            Fault::Misspoke(CodecError::NotCanonical),
            Fault::OutOfTurn("x"),
            Fault::Unsayable(CodecError::Unencodable),
            Fault::System { doing: "opening a socket", cause: Errno::EMFILE },
            Fault::NoAnswer,
            Fault::Argument(crate::args::Arguments::parse(&[c"x"]).unwrap_err()),
            Fault::Name(UserName::new("").unwrap_err()),
            Fault::Libpam { doing: "x", code: PamResultCode::PAM_BUF_ERR },
            Fault::UserChanged,
        ]
    }

    #[test]
    fn each_verdict_has_its_code() {
        let expected = [
            (Verdict::Accept, PamResultCode::PAM_SUCCESS),
            (Verdict::NotApplicable, PamResultCode::PAM_IGNORE),
            (Verdict::Deny, PamResultCode::PAM_AUTH_ERR),
            (Verdict::Locked, PamResultCode::PAM_MAXTRIES),
            (Verdict::Unavailable, PamResultCode::PAM_AUTHINFO_UNAVAIL),
        ];
        for (verdict, code) in expected {
            assert_eq!(Ending::of(&Ok(verdict)).code(), code, "{verdict:?}");
        }
    }

    #[test]
    fn no_fault_passes_unless_absence_is_ignored() {
        for fault in every_other_fault().into_iter().chain([absent(), Fault::Silent]) {
            let outcome = Err(fault);
            let code = Ending::of(&outcome).code();
            assert!(!matches!(code, PamResultCode::PAM_SUCCESS | PamResultCode::PAM_IGNORE), "{outcome:?}");
        }
    }

    #[test]
    fn ignoring_absence_excuses_absence_alone() {
        for outcome in [Err(absent()), Err(Fault::Silent), Ok(Verdict::Unavailable)] {
            assert_eq!(Ending::of(&outcome).with_absence_ignored().code(), PamResultCode::PAM_IGNORE);
        }
        for outcome in
            every_other_fault().into_iter().map(Err).chain([Ok(Verdict::Deny), Ok(Verdict::Locked)])
        {
            let ending = Ending::of(&outcome);
            assert_eq!(ending.with_absence_ignored(), ending, "{outcome:?}");
        }
    }

    #[test]
    fn what_a_person_can_bring_about_does_not_look_like_an_absent_daemon() {
        for fault in [Fault::TimedOut, Fault::NoAnswer, Fault::UserChanged, Fault::HungUp] {
            let code = Ending::of(&Err(fault)).code();
            assert_ne!(code, PamResultCode::PAM_AUTHINFO_UNAVAIL);
        }
    }
}
