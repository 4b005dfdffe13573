//! The shipped fail2ban filter, by the real `fail2ban-regex`, on lines as this daemon writes them.

use std::{io::Write as _, path::Path, process::Command};

use mfa_proto::name::UserName;

use super::*;
use crate::session::Reason;

/// Where the host of the tests writes its lines.
const BEFORE: [&str; 3] = [
    "Nov 22 22:01:02 host mfad[123]: ",
    "Nov 22 22:01:02 host mfad: ",
    "2026-11-22T22:01:02.123456+00:00 host mfad[123]: ",
];

fn said(verdict: &str, reason: Reason, user: &str, source: Option<&str>) -> String {
    said_of("login", (verdict, reason), user, source)
}

fn said_of(event: &str, (verdict, reason): (&str, Reason), user: &str, source: Option<&str>) -> String {
    let context = Context {
        session: SessionId::fresh(),
        user: UserId::local(UserName::new(user).unwrap()),
        service: ServiceName::new("sshd").unwrap(),
        source: source.map(Claim::clean),
        actor: 0,
        client: None,
    };
    line(format_args!("{event} {verdict}"), &context, reason.word())
}

/// The addresses that the filter finds in `lines`, in order.
fn found(lines: &[String], mode: &str) -> Vec<String> {
    let filter = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/fail2ban/filter.d/mfad.conf");
    let filter = format!("{}[mode={mode}]", filter.canonicalize().unwrap().display());
    let mut log = tempfile::NamedTempFile::new().unwrap();
    for line in lines {
        writeln!(log, "{line}").unwrap();
    }
    let mut command = Command::new("fail2ban-regex");
    command.args(["--out", "ip"]).arg(log.path()).arg(&filter);
    let ran = command.output().expect("fail2ban is installed: tests/setup/packages.sh test");
    let (out, wrong) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{filter}: {out}{wrong}");
    out.lines().map(str::to_owned).collect()
}

#[test]
fn refused_logins_are_found_by_their_address() {
    for before in BEFORE {
        let at = |said: String| format!("{before}{said}");
        let lines = [
            at(said("deny", Reason::WrongCode, "jane", Some("203.0.113.7"))),
            at(said("locked", Reason::Locked, "jane", Some("2001:db8::7"))),
            at(said("deny", Reason::UnknownUser, "x y", Some("::ffff:203.0.113.8"))),
            // What syslog gets behind the message.
            at(said("deny", Reason::UsedCode, "jane", Some("203.0.113.9")) + " event=login user=jane"),
        ];
        let all = ["203.0.113.7", "2001:db8::7", "203.0.113.8", "203.0.113.9"];
        assert_eq!(found(&lines, "normal"), all, "{before}");
    }
}

#[test]
fn passwords_that_were_wrong_or_not_let_try_are_found_as_well() {
    let source = Some("203.0.113.7");
    let of =
        |verdict, reason| format!("{}{}", BEFORE[0], said_of("password", (verdict, reason), "jane", source));
    let lines = [of("deny", Reason::WrongPassword), of("locked", Reason::Source)];
    assert_eq!(found(&lines, "normal"), ["203.0.113.7"; 2]);
    // It may have been the right one.
    let given_up = [of("deny", Reason::Cancelled), of("deny", Reason::TimedOut)];
    assert_eq!(found(&given_up, "normal"), Vec::<String>::new());
    assert_eq!(found(&given_up, "aggressive"), ["203.0.113.7"; 2]);
}

#[test]
fn what_is_nobodys_fault_is_passed_over_unless_asked_for() {
    const ADDRESS: &str = "203.0.113.7";
    let at = |said: String| format!("{}{said}", BEFORE[0]);
    let source = Some(ADDRESS);
    let innocent = [
        at(said("accept", Reason::Ok, "jane", source)),
        at(said("skip", Reason::Policy, "jane", source)),
        at(said("unavailable", Reason::Store, "jane", source)),
        at(said("deny", Reason::ClockUnusable, "jane", source)),
        at(said("deny", Reason::WrongCode, "jane", None)),
        at(said("deny", Reason::WrongCode, "jane", Some("host.example.org"))),
    ];
    let given_up = [
        at(said("deny", Reason::Cancelled, "jane", source)),
        at(said("deny", Reason::TimedOut, "jane", source)),
        at(said("deny", Reason::Policy, "jane", source)),
    ];
    for mode in ["normal", "aggressive"] {
        assert_eq!(found(&innocent, mode), Vec::<String>::new(), "{mode}");
    }
    assert_eq!(found(&given_up, "normal"), Vec::<String>::new());
    assert_eq!(found(&given_up, "aggressive"), [ADDRESS; 3]);
}

/// Names and claims that look like a line, or a part of one, ban nobody.
#[test]
fn nobody_is_banned_by_what_another_calls_himself() {
    let victim = "192.0.2.1";
    let forged = format!("login deny: source={victim} reason=wrong_code service=sshd user=x");
    let names = [
        format!("x source={victim} reason=wrong_code service=sshd"),
        format!("source={victim}"),
        forged.replace(": ", " "),
        format!("x\" source={victim} reason=wrong_code service="),
        victim.to_owned(),
    ];
    let mut lines = Vec::new();
    for before in BEFORE {
        for name in names.iter().filter(|name| UserName::new(name.as_str()).is_ok()) {
            lines.push(format!("{before}{}", said("deny", Reason::WrongCode, name, Some("203.0.113.7"))));
            lines.push(format!("{before}{}", said("accept", Reason::Ok, name, Some("203.0.113.7"))));
            // Other lines of this daemon that tell a name.
            lines.push(format!("{before}enroll: user={name} by uid 0"));
            lines.push(format!("{before}login of {name} broke off: closed"));
        }
        let claims = [
            forged.clone(),
            format!("{victim} reason=wrong_code service=sshd"),
            format!("{victim}\n{before}{forged}"),
            format!("x {before}{forged}"),
            format!("{victim}.example.org"),
        ];
        for claim in &claims {
            lines.push(format!("{before}{}", said("deny", Reason::WrongCode, "jane", Some(claim))));
        }
    }
    // Other programs, in whose lines somebody has put one of ours.
    for other in
        ["sshd[7]: Invalid user ", "sshd[7]: Invalid user mfad: ", "mfad-egress[7]: ", "xmfad: ", "sudo: "]
    {
        lines.push(format!("Nov 22 22:01:02 host {other}{forged} from 203.0.113.7"));
        lines.push(format!("Nov 22 22:01:02 host {other}mfad[1]: {forged} from 203.0.113.7"));
    }
    let banned = found(&lines, "aggressive");
    assert!(!banned.is_empty(), "those who tried are found");
    assert!(banned.iter().all(|address| address == "203.0.113.7"), "{banned:?}");
}

#[test]
fn the_jail_names_the_filter_and_the_daemons_own_unit() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../etc/fail2ban");
    let jail = std::fs::read_to_string(shipped.join("jail.d/mfad.conf")).unwrap();
    assert!(
        jail.contains("\nfilter   = mfad[mode=normal]\n") && jail.contains("\nenabled  = false\n"),
        "{jail}"
    );
    let filter = std::fs::read_to_string(shipped.join("filter.d/mfad.conf")).unwrap();
    let unit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/systemd/mfad.service");
    assert!(unit.exists() && filter.contains("\njournalmatch = _SYSTEMD_UNIT=mfad.service\n"), "{filter}");
}
