//! `doctor` and `explain`: stacks of distributions, broken one by one; what the daemon says; exit codes.

use std::fs;
use std::path::{Path, PathBuf};

use mfa_proto::admin::{
    AuditReport, ConfigReport, Counting, DirectoryState, Explanation, FactorDetail, FactorId, FactorKind,
    FactorState, LeftAlone, LockReason, LockState, OrphanPage, Outlook, RefusalCode, Reply, Request, Status,
    UserDetail, UserPage, UserSummary,
};
use mfa_proto::text::ShownText;
use serde_json::Value;
use tempfile::TempDir;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden::{both, check, transcript};
use crate::run::{NOW, run};
use crate::sample;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor").join(name)
}

/// A copy of a distribution's PAM files with other texts in some of them.
pub(crate) fn changed(base: &str, changes: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("etc/pam.d");
    fs::create_dir_all(&target).unwrap();
    for entry in fs::read_dir(fixture(base).join("etc/pam.d")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
    }
    for (name, text) in changes {
        fs::write(target.join(name), text).unwrap();
    }
    root
}

/// What is found of the stacks below `root`: `severity what @ file:line`.
pub(crate) fn stacks(root: &Path) -> Vec<String> {
    let nowhere = root.join("no-daemon");
    let ran = run(&nowhere, &["doctor", "--json", "--root", root.to_str().unwrap()], "");
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    let place = format!("{}/etc/pam.d/", root.display());
    value["findings"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|f| f["check"] == "pam" && f["severity"] != "ok")
        // The file of the module is another check's.
        .filter(|f| !f["what"].as_str().unwrap().contains("every login that reaches its line"))
        .map(|f| {
            assert!(f["remedy"].is_string(), "without remedy: {f}");
            let at = f["where"].as_str().unwrap_or("-").replace(&place, "");
            format!("{} {} @ {at}", f["severity"].as_str().unwrap(), f["what"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn stacks_as_they_should_be_are_silent() {
    for base in ["debian", "arch"] {
        assert_eq!(stacks(&fixture(base)), Vec::<String>::new(), "{base}");
    }
    let debian = |changes: &[(&str, &str)]| stacks(changed("debian", changes).path());
    // The examples that are shipped.
    let example = |name: &str| fs::read_to_string(fixture("../../../etc/pam.d").join(name)).unwrap();
    for (example_name, service) in
        [("sshd", "sshd"), ("sshd-key", "sshd"), ("sudo", "sudo"), ("su", "su"), ("openvpn", "openvpn")]
    {
        let found = debian(&[(service, &example(example_name))]);
        assert_eq!(found, Vec::<String>::new(), "etc/pam.d/{example_name}");
    }
    // With a directory beside local passwords: the first that says yes jumps to the same place.
    let two = "auth [success=2 default=ignore] pam_unix.so\nauth [success=1 default=ignore] pam_sss.so use_first_pass\n\
               auth requisite pam_deny.so\nauth required pam_permit.so\nauth required pam_mfa.so\n";
    assert_eq!(debian(&[("sshd", two)]), Vec::<String>::new());
    let requisite =
        "auth requisite pam_unix.so\nauth requisite pam_mfa.so\n-auth optional pam_gnome_keyring.so\n";
    assert_eq!(debian(&[("sshd", requisite)]), Vec::<String>::new());
}

/// A way to break a stack: the distribution, the file with its new text, and what is found.
type Broken = (&'static str, &'static str, &'static str, &'static str);

const AROUND: &[Broken] = &[
    (
        "debian",
        "sshd",
        "auth sufficient pam_unix.so\nauth required pam_mfa.so\n",
        "problem sshd: pam_unix.so (success, `sufficient`) ends the stack with yes before pam_mfa.so is asked @ sshd:1",
    ),
    (
        "debian",
        "sshd",
        "auth [success=2 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_mfa.so\nauth required pam_permit.so\n",
        "problem sshd: pam_unix.so (success, `success=2 default=ignore`) jumps over pam_mfa.so @ sshd:1",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth optional pam_mfa.so\n",
        "problem sshd: pam_mfa.so may fail (auth_err) and the stack grants all the same: `optional` passes over it @ sshd:2",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth [success=ok default=ignore] pam_mfa.so\n",
        "problem sshd: pam_mfa.so may fail (auth_err) and the stack grants all the same: `success=ok default=ignore` passes over it @ sshd:2",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth [success=ok ignore=ignore module_unknown=ignore default=bad] pam_mfa.so\n",
        "problem sshd: pam_mfa.so may fail (module_unknown) and",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth sufficient pam_mfa.so\n",
        "problem sshd: pam_mfa.so may fail (auth_err) and the stack grants all the same: `sufficient`",
    ),
    (
        "debian",
        "sshd",
        "auth sufficient pam_mfa.so\n@include common-auth\n",
        "problem sshd: pam_mfa.so may fail (auth_err) and",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth required pam_mfa.so\nauth [success=reset default=ignore] pam_x.so\nauth required pam_permit.so\n",
        "problem sshd: pam_mfa.so may fail (auth_err), and a later line resets that",
    ),
    (
        "debian",
        "sshd",
        "auth sufficient pam_rootok.so\n@include common-auth\nauth required pam_mfa.so\n",
        "problem sshd: pam_rootok.so (success, `sufficient`) ends the stack with yes",
    ),
    (
        "fedora",
        "sshd",
        "auth include password-auth\nauth required pam_mfa.so\n",
        "problem sshd: pam_unix.so (success, `sufficient`) ends the stack with yes before pam_mfa.so is asked @ password-auth:6",
    ),
    (
        "arch",
        "sshd",
        "auth sufficient pam_fprintd.so\nauth include system-remote-login\nauth required pam_mfa.so\n",
        "problem sshd: pam_fprintd.so",
    ),
    (
        "debian",
        "sshd",
        "auth sufficient pam_succeed_if.so user ingroup nomfa\n@include common-auth\nauth required pam_mfa.so\n",
        "note sshd: pam_succeed_if.so (success, `sufficient`) ends",
    ),
    (
        "debian",
        "sshd",
        "auth required pam_mfa.so\nauth requisite pam_deny.so\n",
        "problem sshd: nobody is let in",
    ),
    ("debian", "sshd", "auth required pam_mfa.so\n", "note sshd: a policy rule with `skip` denies here"),
    (
        "debian",
        "sshd",
        "auth [success=1 default=ignore] pam_mfa.so\nauth requisite pam_unix.so\nauth required pam_permit.so\n",
        "problem sshd: pam_mfa.so may fail (auth_err) and",
    ),
    (
        "debian",
        "sshd",
        "auth [success=1 default=die] pam_mfa.so\nauth requisite pam_unix.so\nauth required pam_permit.so\n",
        "problem sshd: with a right code the password may be wrong",
    ),
];

#[test]
fn each_way_around_is_found() {
    for (base, name, text, expected) in AROUND {
        let found = stacks(changed(base, &[(name, text)]).path());
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{text}\nexpected {expected}\nfound {found:#?}"
        );
    }
}

const DENIES: &str = "problem sshd: pam_mfa.so denies every login, because of";

const WRONG: &[Broken] = &[
    (
        "debian",
        "sshd",
        "auth required pam_mfa.so\n@include common-auth\n",
        "warning sshd: codes are asked for before the password",
    ),
    (
        "debian",
        "sshd",
        "auth required pam_unix.so\nauth required pam_mfa.so\n",
        "warning sshd: who types a wrong password is asked for a code all the same",
    ),
    (
        "fedora",
        "sshd",
        "auth substack password-auth\nauth required pam_mfa.so\n",
        "warning sshd: who types a wrong password",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth required pam_mfa.so combined\n",
        "warning sshd: `combined` stands after the password",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth required pam_mfa.so\nauth required pam_mfa.so\n",
        "warning sshd: pam_mfa.so stands twice",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth required pam_mfa.so unavailable=ignore\n",
        "warning sshd: without a daemon nobody is asked",
    ),
    ("debian", "sshd", "@include common-auth\nauth required pam_mfa.so nullok\n", DENIES),
    ("debian", "sshd", "@include common-auth\nauth required pam_mfa.so timeout=0\n", DENIES),
    ("debian", "sshd", "@include common-auth\nauth required pam_mfa.so \\\n  timeout=5 timeout=6\n", DENIES),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth reqired pam_mfa.so\n",
        "problem sshd: libpam does not understand `reqired`",
    ),
    (
        "debian",
        "sshd",
        "@include common-auht\nauth required pam_mfa.so\n",
        "problem sshd: libpam takes this line for one that always fails: it includes common-auht",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth required pam_mfa.so\naccount required pam_mfa.so\n",
        "problem sshd: pam_mfa.so in `account` denies every login",
    ),
    (
        "debian",
        "sshd",
        "@include common-auth\nauth required pam_mfa.so\nsession required pam_mfa.so\n",
        "note sshd: pam_mfa.so in `session` does nothing",
    ),
    (
        "debian",
        "common-auth",
        "auth sufficient pam_unix.so\n",
        "problem sshd, su, sudo: pam_unix.so (success, `sufficient`) ends",
    ),
    (
        "debian",
        "other",
        "auth required pam_unix.so\nauth optional pam_mfa.so\n",
        "problem other: pam_mfa.so may fail",
    ),
];

#[test]
fn each_line_in_a_wrong_place_or_form_is_found() {
    for (base, name, text, expected) in WRONG {
        let found = stacks(changed(base, &[(name, text)]).path());
        assert!(
            found.iter().any(|f| f.starts_with(expected)),
            "{text}\nexpected {expected}\nfound {found:#?}"
        );
    }
}

#[test]
fn one_file_for_all_services_and_none_at_all_are_looked_at() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("etc")).unwrap();
    let lines =
        "sshd auth sufficient pam_unix.so\nsshd auth required pam_mfa.so\nother auth required pam_deny.so\n";
    fs::write(root.path().join("etc/pam.conf"), lines).unwrap();
    let found = stacks(root.path());
    assert!(
        found[0].starts_with("problem sshd: pam_unix.so") && found[0].ends_with("pam.conf:1"),
        "{found:?}"
    );
    let bare = changed("debian", &[("sshd", "@include common-auth\n"), ("su", ""), ("sudo", "")]);
    assert!(stacks(bare.path())[0].starts_with("warning no PAM stack holds pam_mfa.so"));
}

#[test]
fn without_a_daemon_that_is_what_is_found() {
    let root = fixture("arch");
    let ran = run(&root.join("no-daemon"), &["doctor", "--root", root.to_str().unwrap()], "");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stdout.starts_with("PROBLEM   daemon: cannot reach mfad"), "{}", ran.stdout);
}

/// What the daemon answers to all that `doctor` asks, for the four accounts of the Debian tree: root, alice, bob
/// and carol, each for sshd, sudo and su.
fn told(deep: bool) -> Vec<Reply> {
    let summary = |name: &str| UserSummary {
        user: sample::user(name),
        factors: Vec::new(),
        last_used: None,
        lock: LockState::Open,
        tampered: false,
        emergency_until: None,
    };
    let page = |names: &[&str]| {
        Reply::Users(UserPage { users: names.iter().map(|name| summary(name)).collect(), more: false })
    };
    let config = ConfigReport {
        valid: true,
        problems: Vec::new(),
        notes: vec!["mfad.toml:12:1: the rule \"all\" is never reached".to_owned()],
    };
    let mut replies = vec![sample::status(Ok(())), Reply::Config(config)];
    if deep {
        replies.push(Reply::AuditReport(AuditReport {
            rows: 512,
            first: 1,
            last: 512,
            broken_at: Some(77),
            problem: Some(ShownText::clean("it was changed")),
            chain: [1; 32],
            cut_chain: [0; 32],
        }));
    }
    let stuck = LeftAlone { user: sample::user("erin"), why: ShownText::clean("the server is down") };
    let orphans = OrphanPage { orphaned: vec![summary("dora")], left_alone: vec![stuck], more_after: None };
    replies.extend([page(&["alice"]), holder(), Reply::Orphans(orphans)]);
    for (outlook, times) in [(Outlook::Asked, 3), (Outlook::Asked, 3), (Outlook::Denied, 3)] {
        for _ in 0..times {
            replies.push(outlook_of(outlook.clone()));
        }
    }
    // carol is let in as yet, but not in a week.
    for _ in 0..3 {
        replies.push(outlook_of(Outlook::Skipped));
        replies.push(outlook_of(Outlook::Denied));
    }
    replies
}

fn holder() -> Reply {
    let sms = FactorDetail { kind: FactorKind::Sms, ..sample::factor(5, "sms", FactorState::Active) };
    let Reply::User(detail) = sample::detail(vec![sms]) else { panic!("it is a user") };
    Reply::User(Box::new(UserDetail { ..*detail }))
}

fn outlook_of(outlook: Outlook) -> Reply {
    let factors =
        if outlook == Outlook::Asked { vec![counting(3, FactorKind::Totp, true)] } else { Vec::new() };
    Reply::Explained(Box::new(Explanation {
        rule: None,
        outlook,
        why: vec![ShownText::clean("why")],
        factors,
        needed: 1,
        remember: None,
        lock: LockState::Open,
        sees: None,
    }))
}

fn counting(id: i64, kind: FactorKind, counts: bool) -> Counting {
    Counting { factor: FactorId(id), kind, label: sample::label("phone"), counts, lock: LockState::Open }
}

#[test]
fn all_findings_are_told_with_their_remedies() {
    let root = fixture("debian");
    let settings = root.join("etc/sshd-settings");
    let mut text = String::new();
    for more in [&[][..], &["--deep", "--verbose"], &["--json"]] {
        let mut arguments = vec!["doctor"];
        arguments.extend(more);
        arguments.extend(["--root", root.to_str().unwrap(), "--sshd-settings", settings.to_str().unwrap()]);
        let daemon = FakeDaemon::admin(told(more.contains(&"--deep")));
        let socket = daemon.socket();
        let ran = run(&socket, &arguments, "");
        assert_eq!(ran.code, 2);
        let seen = daemon.finish();
        let asked =
            seen.iter().filter(|seen| matches!(seen, Seen::Request(r) if matches!(**r, Request::Explain(_))));
        assert_eq!(asked.count(), 15, "each account for each service, and the graced ones for next week");
        text.push_str(&transcript(&arguments, &[], &ran, &socket));
    }
    check("doctor.txt", &text.replace(root.to_str().unwrap(), "ROOT"));
}

#[test]
fn a_directory_that_cannot_be_asked_is_a_warning_with_what_to_do() {
    let root = fixture("arch");
    let found = |state: Option<DirectoryState>| {
        let Reply::Status(status) = sample::status(Ok(())) else { panic!("it is a status") };
        let status = Reply::Status(Box::new(Status { directory: state, ..*status }));
        let refused = || sample::refused(RefusalCode::Unavailable, "another matter");
        let daemon = FakeDaemon::admin(vec![status, refused(), refused(), refused()]);
        let socket = daemon.socket();
        let ran = run(&socket, &["doctor", "--json", "--root", root.to_str().unwrap()], "");
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        let findings = value["findings"].as_array().unwrap().clone();
        findings.into_iter().filter(|finding| finding["check"] == "directory").collect::<Vec<_>>()
    };
    assert!(found(None).is_empty());
    assert!(found(Some(DirectoryState::NotAsked)).is_empty());
    let why = ShownText::clean("no server answers");
    let failing = found(Some(DirectoryState::Fails { since: NOW - 3600, why }));
    let [finding] = failing.as_slice() else { panic!("{failing:?}") };
    assert_eq!(finding["severity"], "warning");
    let what = finding["what"].as_str().unwrap();
    assert!(what.contains("(1 h ago)") && what.ends_with(": no server answers"), "{what}");
    let remedy = finding["remedy"].as_str().unwrap();
    assert!(remedy.contains("mfad-egress") && remedy.contains("mfactl ldap pull USER --dry-run"), "{remedy}");
}

#[test]
fn what_the_daemon_does_not_tell_is_unchecked() {
    let root = fixture("arch");
    let daemon =
        FakeDaemon::admin(vec![sample::refused(RefusalCode::NotAllowed, "only root may see the status")]);
    let socket = daemon.socket();
    let ran = run(&socket, &["doctor", "--json", "--root", root.to_str().unwrap()], "");
    daemon.finish();
    let value: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(value["unchecked"], 1, "{}", ran.stdout);
}

fn explained() -> Explanation {
    let locked = LockState::Until { until: NOW + 860, reason: LockReason::Failures };
    Explanation {
        rule: Some("people who travel".to_owned()),
        outlook: Outlook::Asked,
        why: vec![
            ShownText::clean("The rule matches: service sshd, source 203.0.113.0/24."),
            ShownText::clean("Codes by SMS do not count for it."),
        ],
        factors: vec![
            counting(3, FactorKind::Totp, true),
            Counting { lock: locked, ..counting(4, FactorKind::Hotp, true) },
            counting(5, FactorKind::Sms, false),
        ],
        needed: 2,
        remember: Some(28_800),
        lock: LockState::Open,
        sees: Some(ShownText::clean("Verification code: ")),
    }
}

fn explains(explanation: Explanation) -> impl Fn() -> Script {
    move || Script::Admin(vec![Reply::Explained(Box::new(explanation.clone()))])
}

#[test]
fn explain() {
    both(
        "explain.txt",
        &[
            "explain",
            "alice",
            "--service",
            "sshd",
            "--source",
            "203.0.113.7",
            "--key-type",
            "ssh-ed25519",
            "--key-fingerprint",
            "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "--at",
            "2023-11-15 03:00",
        ],
        "",
        explains(explained()),
    );
    let skipped = Explanation {
        rule: Some("robots".to_owned()),
        outlook: Outlook::Skipped,
        why: vec![ShownText::clean("The rule says so.")],
        factors: Vec::new(),
        needed: 0,
        remember: None,
        sees: None,
        ..explained()
    };
    both("explain-skipped.txt", &["explain", "robot", "--service", "sshd"], "", explains(skipped.clone()));
    let denied = Explanation {
        rule: None,
        outlook: Outlook::Denied,
        needed: 1,
        lock: LockState::UntilAdmin { reason: LockReason::LongWindow },
        ..skipped.clone()
    };
    both(
        "explain-denied.txt",
        &["explain", "bob", "--service", "sudo", "--realm", "example.org"],
        "",
        explains(denied),
    );
    let of_client = ["explain", "alice", "--client", "vpn", "--source", "203.0.113.7"];
    both("explain-client.txt", &of_client, "", explains(explained()));
    both("explain-client-bare.txt", &["explain", "alice", "--client", "vpn"], "", explains(skipped.clone()));
    let enrolled = Explanation { rule: None, outlook: Outlook::Enrolled, needed: 1, ..skipped };
    both("explain-enrolled.txt", &["explain", "eve", "--service", "login"], "", explains(enrolled));
    both("explain-unknown.txt", &["explain", "nobody", "--service", "login"], "", || {
        Script::Admin(vec![sample::refused(RefusalCode::UnknownUser, "this host has no account nobody")])
    });
}

#[test]
fn a_login_is_through_a_service_or_a_client() {
    for arguments in [
        &["explain", "alice"][..],
        &["explain", "alice", "--client", "vpn", "--service", "sshd"],
        &["explain", "alice", "--client", "vpn", "--key-type", "ssh-ed25519"],
        &["explain", "alice", "--client", "a\nb"],
    ] {
        let ran = run(Path::new("/nowhere"), arguments, "");
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("--client"), "{ran:?}");
    }
}

#[test]
fn what_is_no_fingerprint_or_time_is_refused_before_the_daemon_is_asked() {
    for (more, words) in [
        (&["--key-type", "ssh-rsa", "--key-fingerprint", "MD5:00"][..], "is no fingerprint"),
        (&["--at", "soon"], "is no time"),
    ] {
        let arguments: Vec<&str> =
            ["explain", "alice", "--service", "sshd"].iter().chain(more).copied().collect();
        let ran = run(Path::new("/nowhere"), &arguments, "");
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
}
