//! What is wrong with the settings of sshd where its PAM stack asks for a second factor.

use mfa_proto::module::DEFAULT_TIMEOUT;

use super::super::pam::Asking;
use super::CHECK;
use super::settings::Settings;
use crate::doctor::{Finding, Severity};

/// Seconds between the end of a login by the module and sshd hanging up.
const MARGIN: u64 = 10;
/// Seconds that sshd gives a login where nothing is said.
const DEFAULT_GRACE: u64 = 120;
/// Seconds that are advised beside the module's own: time to type the password.
const ROOM: u64 = 30;

/// Looks at the settings of one kind of login.
pub(super) fn check(settings: &Settings, asking: &[Asking]) -> Vec<Finding> {
    let service = match settings.get("pamservicename") {
        "" => "sshd",
        name => name,
    };
    let Some(asked) = asking.iter().find(|one| one.service == service) else {
        let what = format!(
            "the PAM service {service} does not hold pam_mfa.so: logins by ssh need no second factor"
        );
        return vec![
            note(what)
                .remedy("mfactl pam enable sshd; or by hand, as in /usr/share/doc/mfad/examples/pam.d/sshd"),
        ];
    };
    if !settings.is_on("usepam") {
        return vec![
            problem("UsePAM is off: sshd asks PAM for nothing, and so nobody for a second factor")
                .remedy("UsePAM yes; KbdInteractiveAuthentication yes"),
        ];
    }
    let ways = settings.ways();
    let mut found = Vec::new();
    found.extend(password_cannot_ask(settings, &ways));
    found.extend(nothing_can_ask(settings, &ways));
    found.extend(without_a_code(settings, &ways));
    found.extend(code_alone(asked, &ways));
    found.extend(hangs_up(settings, asked));
    found.extend(names_for_addresses(settings));
    if found.iter().all(|finding| finding.severity == Severity::Note) {
        found.push(Finding::new(CHECK, Severity::Ok, "every way to log in asks for the second factor"));
    }
    found
}

fn problem(what: impl AsRef<str>) -> Finding {
    Finding::new(CHECK, Severity::Problem, what)
}

fn warning(what: impl AsRef<str>) -> Finding {
    Finding::new(CHECK, Severity::Warning, what)
}

fn note(what: impl AsRef<str>) -> Finding {
    Finding::new(CHECK, Severity::Note, what)
}

fn has(way: &[String], method: &str) -> bool {
    way.iter().any(|one| one == method)
}

/// The password method answers every question with the password.
fn password_cannot_ask(settings: &Settings, ways: &[Vec<String>]) -> Option<Finding> {
    if !settings.is_on("passwordauthentication") || !ways.iter().any(|way| has(way, "password")) {
        return None;
    }
    let what = if settings.asks() {
        "both methods are on: the password method cannot ask for a code, and clients that prefer it fail"
    } else {
        "only the password method is on, which cannot ask for a code: nobody gets in by password and code"
    };
    let finding = if settings.asks() { warning(what) } else { problem(what) };
    Some(finding.remedy("PasswordAuthentication no; KbdInteractiveAuthentication yes; AuthenticationMethods keyboard-interactive"))
}

/// keyboard-interactive is needed, and off.
fn nothing_can_ask(settings: &Settings, ways: &[Vec<String>]) -> Option<Finding> {
    let named = settings.names_methods() && ways.iter().any(|way| has(way, "keyboard-interactive"));
    (named && !settings.asks()).then(|| {
        problem("AuthenticationMethods names keyboard-interactive, which is off: sshd refuses those logins")
            .remedy("KbdInteractiveAuthentication yes")
    })
}

/// Ways that never ask PAM: a key alone skips its `auth`.
fn without_a_code(settings: &Settings, ways: &[Vec<String>]) -> Option<Finding> {
    let asks = |way: &Vec<String>| has(way, "keyboard-interactive") || has(way, "password");
    let bare: Vec<String> = ways.iter().filter(|way| !asks(way)).map(|way| way.join(",")).collect();
    if bare.is_empty() {
        return None;
    }
    let root = match settings.get("permitrootlogin") {
        "no" => "",
        "forced-commands-only" => "; root, too, for the commands of its keys",
        _ => "; root, too (PermitRootLogin)",
    };
    let what = format!("logins by {} alone are never asked for a second factor{root}", bare.join(" or "));
    if settings.names_methods() {
        return Some(warning(what).remedy(
            "when it is not meant: AuthenticationMethods publickey,keyboard-interactive; to let some keys do without, a rule \
             on their type or fingerprint",
        ));
    }
    Some(problem(what).remedy(
        "AuthenticationMethods publickey,keyboard-interactive (key and code), or keyboard-interactive (password and code)",
    ))
}

/// A code is all that is asked.
fn code_alone(asked: &Asking, ways: &[Vec<String>]) -> Option<Finding> {
    let alone = |way: &Vec<String>| way.iter().all(|one| one == "keyboard-interactive");
    (!asked.first_factor && ways.iter().any(alone)).then(|| {
        problem("keyboard-interactive alone is enough, and its PAM stack asks for no password: a code opens the door")
            .remedy("AuthenticationMethods publickey,keyboard-interactive; or put common-auth before pam_mfa.so")
    })
}

fn hangs_up(settings: &Settings, asked: &Asking) -> Option<Finding> {
    let grace = settings.grace()?;
    let timeout = asked.arguments.timeout.unwrap_or(DEFAULT_TIMEOUT).as_secs();
    (grace < timeout.saturating_add(MARGIN)).then(|| {
        warning(format!(
            "LoginGraceTime is {grace} s, and pam_mfa.so takes up to {timeout} s: sshd hangs up before a code that comes late"
        ))
        .remedy(format!("LoginGraceTime {}", timeout.saturating_add(ROOM).max(DEFAULT_GRACE)))
    })
}

fn names_for_addresses(settings: &Settings) -> Option<Finding> {
    settings.is_on("usedns").then(|| {
        note("UseDNS is on: PAM is told a name in place of the address, which no rule on a network matches")
            .remedy("UseDNS no")
    })
}

#[cfg(test)]
mod tests {
    use mfa_proto::module::Arguments;

    use super::*;

    const GOOD: &str = "usepam yes\nkbdinteractiveauthentication yes\npasswordauthentication no\npubkeyauthentication yes\n\
                        authenticationmethods keyboard-interactive\nlogingracetime 120\npermitrootlogin no\nusedns no\n";

    fn asked(first_factor: bool) -> Vec<Asking> {
        vec![Asking { service: "sshd".to_owned(), arguments: Arguments::default(), first_factor }]
    }

    fn found(changes: &[(&str, &str)], first_factor: bool) -> Vec<(Severity, String)> {
        let mut text = GOOD.to_owned();
        for (key, value) in changes {
            let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with(&format!("{key} "))).collect();
            text = format!("{}\n{key} {value}\n", kept.join("\n"));
        }
        let all = check(&Settings::read(&text), &asked(first_factor));
        all.into_iter().filter(|f| f.severity != Severity::Ok).map(|f| (f.severity, f.what)).collect()
    }

    #[test]
    fn the_examples_are_silent() {
        assert_eq!(found(&[], true), []);
        assert_eq!(found(&[("authenticationmethods", "publickey,keyboard-interactive")], false), []);
        assert_eq!(found(&[("authenticationmethods", "publickey,keyboard-interactive:pam")], false), []);
        assert_eq!(found(&[("logingracetime", "0")], true), [], "it never hangs up");
    }

    #[test]
    fn each_bad_setting_is_told() {
        let any = ("authenticationmethods", "any");
        for (changes, first, severity, words) in [
            (&[("usepam", "no")][..], true, Severity::Problem, "UsePAM is off"),
            (
                &[("passwordauthentication", "yes"), any, ("pubkeyauthentication", "no")],
                true,
                Severity::Warning,
                "both methods are on",
            ),
            (
                &[
                    ("passwordauthentication", "yes"),
                    ("kbdinteractiveauthentication", "no"),
                    any,
                    ("pubkeyauthentication", "no"),
                ],
                true,
                Severity::Problem,
                "only the password method",
            ),
            (&[("kbdinteractiveauthentication", "no")], true, Severity::Problem, "which is off"),
            (&[any], true, Severity::Problem, "by publickey alone"),
            (&[any, ("permitrootlogin", "without-password")], true, Severity::Problem, "root, too"),
            (
                &[("authenticationmethods", "publickey keyboard-interactive")],
                true,
                Severity::Warning,
                "by publickey alone",
            ),
            (&[], false, Severity::Problem, "a code opens the door"),
            (&[("logingracetime", "60")], true, Severity::Warning, "hangs up"),
            (&[("usedns", "yes")], true, Severity::Note, "UseDNS"),
            (&[("pamservicename", "other-sshd")], true, Severity::Note, "does not hold"),
        ] {
            let all = found(changes, first);
            assert_eq!(all.len(), 1, "{changes:?}: {all:?}");
            assert!(all[0].0 == severity && all[0].1.contains(words), "{changes:?}: {all:?}");
        }
    }
}
