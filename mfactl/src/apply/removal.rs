//! A file without our module, such that its stack is whole: the password lets in, and nothing less.

use std::path::Path;

use mfactl::pam::{Instead, take_back, without_module};

use super::plan::unanswered;
use crate::doctor::host::{Host, shown};
use crate::doctor::pam::Model;
use crate::failure::Failure;

/// A file without the module.
#[derive(Debug)]
pub(crate) struct Removed {
    /// What it says then.
    pub(crate) text: String,
    /// What deserves to be known of it.
    pub(crate) note: Option<String>,
}

/// The file of `service`, which says `text`, without our module. Lines that mfactl put in go, and what it set aside
/// comes back; lines that were written by hand go, unless the stack would then let in without a password or nobody.
pub(crate) fn removed(host: &Host, service: &str, path: &Path, text: &str) -> Result<Removed, Failure> {
    let model = Model::of(host);
    let back = take_back(text);
    let bare = without_module(text, Instead::Nothing);
    if back == bare {
        return Ok(Removed { text: back, note: None });
    }
    let mut first = None;
    // A jump over the line would end one line later than it did.
    let jumped = model.is_jumped_over(service, text).map_err(|finding| unanswered(&finding))?;
    let plain = (!jumped).then_some(Instead::Nothing);
    for instead in plain.into_iter().chain([Instead::Neutral]) {
        let left = without_module(text, instead);
        match model.unfit_without(service, text, &left).map_err(|finding| unanswered(&finding))? {
            None => return Ok(Removed { text: left, note: None }),
            Some(why) => first = first.or(Some(why)),
        }
    }
    let why = first.unwrap_or_default();
    Ok(Removed {
        text: without_module(text, Instead::Deny),
        note: Some(format!(
            "{}: {why}; it denies now: put the password back in (compare other services)",
            shown(path)
        )),
    })
}

/// Whether a file has lines with the module, or lines that were set aside for it.
pub(crate) fn holds_module(text: &str) -> bool {
    without_module(text, Instead::Nothing) != text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(text: &str) -> Removed {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("etc/pam.d");
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("app"), text).unwrap();
        removed(&Host::below(place.path()), "app", &directory.join("app"), text).unwrap()
    }

    #[test]
    fn lines_by_hand_go_and_the_password_stays() {
        let gone = left(
            "auth requisite pam_unix.so\nauth required pam_mfa.so timeout=30\naccount required pam_unix.so\n",
        );
        assert_eq!(gone.text, "auth requisite pam_unix.so\naccount required pam_unix.so\n");
        assert!(gone.note.is_none());
    }

    #[test]
    fn a_jump_over_the_line_still_ends_where_it_did() {
        let jump = "auth [success=1 default=ignore] pam_localuser.so\nauth required pam_mfa.so\nauth requisite pam_unix.so\n";
        let gone = left(jump);
        assert!(gone.text.contains("pam_permit.so # in the place") && gone.note.is_none(), "{gone:?}");
    }

    #[test]
    fn where_the_code_was_all_that_was_asked_nobody_is_let_in_without() {
        let gone = left("auth requisite pam_mfa.so\nauth required pam_permit.so\n");
        assert!(gone.text.starts_with("auth requisite pam_deny.so"), "{gone:?}");
        assert!(gone.note.is_some());
    }
}
