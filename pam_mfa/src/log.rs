//! Lines for the system log, about what the daemon cannot know: that it was not reached, or not understood.
//!
//! Refuses to write anywhere else, to log what a person typed, and to call `openlog`, which would rename
//! the host's own lines. The facility is `LOG_AUTH`: nix does not offer `LOG_AUTHPRIV`.

use mfa_proto::{login::Verdict, text::escape_for_log};
use nix::syslog::{Facility, Priority, Severity, syslog};

use crate::{ending::Ending, fault::Fault};

/// Who a line is about.
#[derive(Debug)]
pub(crate) struct Subject {
    /// The PAM service.
    pub(crate) service: String,
    /// The account, when it is known.
    pub(crate) user: Option<String>,
}

/// Logs an `outcome` that only this module knows of; the daemon audits the others itself.
pub(crate) fn conclusion(subject: &Subject, outcome: &Result<Verdict, Fault>, ending: Ending) {
    let why = match outcome {
        Ok(Verdict::Accept | Verdict::Deny | Verdict::Locked | Verdict::NotApplicable) => return,
        Ok(Verdict::Unavailable) => "mfad says that it cannot judge at present; see its log".to_owned(),
        Err(fault) => fault.to_string(),
    };
    let by_the_person = matches!(outcome, Err(Fault::NoAnswer | Fault::TimedOut | Fault::Name(_)));
    let (severity, then) = match ending {
        Ending::Excused => (
            Severity::LOG_WARNING,
            "the login goes on WITHOUT a second factor, because of the argument unavailable=ignore",
        ),
        Ending::Accepted | Ending::NotApplicable => (Severity::LOG_NOTICE, "the login goes on"),
        Ending::Denied | Ending::Locked | Ending::Absent | Ending::Unable | Ending::Faulty => {
            (if by_the_person { Severity::LOG_NOTICE } else { Severity::LOG_ERR }, "denied")
        }
    };
    line(subject, "auth", severity, &format!("{why}: {then}"));
}

/// Logs that the module stands where it does not belong.
pub(crate) fn misplaced(subject: &Subject) {
    let text = "denied: pam_mfa.so has nothing to check in this phase, take it off the `account` lines; for ssh \
                keys set AuthenticationMethods publickey,keyboard-interactive in sshd_config";
    line(subject, "account", Severity::LOG_ERR, text);
}

fn line(subject: &Subject, phase: &str, severity: Severity, text: &str) {
    let who = subject.user.as_ref().map(|user| format!("user {user}: ")).unwrap_or_default();
    let whole = format!("pam_mfa({}:{phase}): {who}{text}", subject.service);
    // There is nobody to tell when logging fails, and a login must not fail of it.
    let _nobody_to_tell = syslog(Priority::new(severity, Facility::LOG_AUTH), &escape_for_log(&whole));
}
