//! Each verb for people and as JSON: what is asked of the daemon, and all that is printed.

use mfa_proto::admin::{
    AuditPage, AuditReport, ConfigReport, FactorState, RefusalCode, Reply, Request, UserPage,
};
use mfa_proto::answer::AnswerShape;
use mfa_proto::login::{ServerMessage, Verdict};
use mfa_proto::text::ShownText;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden::both;
use crate::run::{binary, command, finish, run};
use crate::sample;

fn admin(replies: fn() -> Vec<Reply>) -> impl Fn() -> Script {
    move || Script::Admin(replies())
}

fn done() -> Vec<Reply> {
    vec![Reply::Done { factors: 1 }]
}

#[test]
fn enroll() {
    both(
        "enroll.txt",
        &["enroll", "totp", "alice", "--uri"],
        "",
        admin(|| vec![sample::enrolled(FactorState::Pending)]),
    );
    both(
        "enroll-own-key.txt",
        &["enroll", "hotp", "alice", "--secret-stdin", "--counter", "17", "--digits", "8", "--no-confirm"],
        "jbsw y3dp ehpk 3pxp\n",
        admin(|| vec![sample::enrolled_with_own_key("hotp", FactorState::Active)]),
    );
    both(
        "enroll-options.txt",
        &[
            "enroll",
            "totp",
            "alice",
            "--label",
            "spare key",
            "--algorithm",
            "sha512",
            "--period",
            "60",
            "--replace",
            "--code-stdin",
            "--qr",
            "inverted",
        ],
        "123 456\n",
        admin(|| vec![sample::enrolled(FactorState::Pending)]),
    );
    both(
        "enroll-code-needed.txt",
        &["enroll", "totp", "alice"],
        "",
        admin(|| {
            vec![sample::refused(
                RefusalCode::WrongCode,
                "alice has an active factor: a current code is needed",
            )]
        }),
    );
}

#[test]
fn invite() {
    both("invite.txt", &["invite", "alice", "--for", "24h"], "", admin(|| vec![sample::invited()]));
    both("invite-withdraw.txt", &["invite", "--withdraw", "alice"], "", admin(done));
    both(
        "enroll-invitation.txt",
        &["enroll", "totp", "alice", "--invitation-stdin", "--qr", "none"],
        "01-gayt emzu gu3d oobz\n",
        admin(|| vec![sample::enrolled(FactorState::Pending)]),
    );
    both(
        "enroll-invitation-needed.txt",
        &["enroll", "totp", "alice"],
        "",
        admin(|| vec![sample::refused(RefusalCode::Invitation, "a first factor needs an invitation here")]),
    );
    both("show-invited.txt", &["show", "alice"], "", admin(|| vec![sample::waiting()]));
}

#[test]
fn confirm() {
    both("confirm.txt", &["confirm", "alice", "123456"], "", admin(done));
    both("confirm-stdin.txt", &["confirm", "alice", "--factor", "3"], "123-456\n", admin(done));
    both(
        "confirm-wrong.txt",
        &["confirm", "alice", "123456"],
        "",
        admin(|| vec![sample::refused(RefusalCode::WrongCode, "the code is not right")]),
    );
}

#[test]
fn list_and_show() {
    both("list.txt", &["list"], "", admin(sample::users));
    both(
        "list-empty.txt",
        &["list"],
        "",
        admin(|| vec![Reply::Users(UserPage { users: Vec::new(), more: false })]),
    );
    both(
        "show.txt",
        &["show", "alice"],
        "",
        admin(|| {
            vec![sample::detail(vec![
                sample::factor(3, "phone", FactorState::Active),
                sample::factor(5, "tablet", FactorState::Pending),
            ])]
        }),
    );
    both("show-troubled.txt", &["show", "bob"], "", admin(|| vec![sample::troubled()]));
    both("show-none.txt", &["show", "alice"], "", admin(|| vec![sample::detail(Vec::new())]));
}

#[test]
fn switch() {
    both("disable.txt", &["disable", "alice", "--label", "phone"], "", admin(done));
    both("disable-code.txt", &["disable", "alice", "--code-stdin"], "123456\n", admin(done));
    both("enable.txt", &["enable", "alice", "--factor", "3", "--realm", "example.org"], "", admin(done));
    both("unlock.txt", &["unlock", "alice"], "", admin(done));
    both("reset.txt", &["reset", "alice"], "", admin(|| vec![Reply::Done { factors: 2 }]));
}

#[test]
fn remove() {
    let one = || {
        vec![
            sample::detail(vec![sample::factor(3, "phone", FactorState::Active)]),
            Reply::Done { factors: 1 },
        ]
    };
    let two = || {
        vec![sample::detail(vec![
            sample::factor(3, "phone", FactorState::Active),
            sample::factor(5, "phone", FactorState::Pending),
        ])]
    };
    let tampered = || {
        vec![
            sample::refused(RefusalCode::Tampered, "the rows of alice fail their integrity check"),
            Reply::Done { factors: 1 },
        ]
    };
    both("remove-only.txt", &["remove", "alice", "--yes"], "", admin(one));
    both(
        "remove-all.txt",
        &["remove", "alice", "--all", "-y"],
        "",
        admin(|| vec![Reply::Done { factors: 3 }]),
    );
    both("remove-ambiguous.txt", &["remove", "alice", "--label", "phone", "--yes"], "", admin(two));
    both("remove-none.txt", &["remove", "alice", "--label", "nix", "--yes"], "", admin(two));
    both("remove-tampered.txt", &["remove", "alice", "--factor", "3", "--yes"], "", admin(tampered));
    both("remove-unasked.txt", &["remove", "alice", "--all"], "", || Script::Admin(Vec::new()));
}

#[test]
fn the_daemon() {
    both("status.txt", &["status"], "", admin(|| vec![sample::status(Ok(()))]));
    both(
        "status-bad.txt",
        &["status"],
        "",
        admin(|| {
            vec![sample::status(Err(ShownText::clean("/var/lib/mfad/mfad.db: no space left on device")))]
        }),
    );
    let report = |valid, problems: &[&str], notes: &[&str]| {
        let [problems, notes] =
            [problems, notes].map(|lines| lines.iter().map(ToString::to_string).collect());
        Script::Admin(vec![Reply::Config(ConfigReport { valid, problems, notes })])
    };
    let noted = ["/etc/mfad/mfad.toml:9:19: there is no account \"jo\"", "y\u{1b}[31m"];
    both("config-check.txt", &["config", "check"], "", move || report(true, &[], &[]));
    both("config-check-notes.txt", &["config", "check"], "", move || report(true, &[], &noted));
    both("reload.txt", &["reload"], "", move || report(true, &[], &[]));
    both("reload-notes.txt", &["reload"], "", move || report(true, &[], &noted));
    both("reload-bad.txt", &["reload"], "", move || {
        report(false, &["/etc/mfad/mfad.toml:3:1: unknown key `limts`", "x\u{1b}[31m"], &noted)
    });
}

#[test]
fn status_as_figures() {
    let part = |text: &str, more| Reply::Metrics { text: text.to_owned(), more };
    let script = move || vec![part("# TYPE a gauge\n# HELP a é\n", true), part("a 1\n# EOF\n", false)];
    let daemon = FakeDaemon::admin(script());
    let ran = run(&daemon.socket(), &["status", "--metrics"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "# TYPE a gauge\n# HELP a é\na 1\n# EOF\n"));
    let asked = format!("{:?}", daemon.finish());
    assert!(asked.contains("Metrics { after: 0 }") && asked.contains("Metrics { after: 27 }"), "{asked}");
    let daemon = FakeDaemon::admin(vec![part("", true)]);
    assert_eq!(run(&daemon.socket(), &["status", "--metrics"], "").code, 3);
    daemon.finish();
}

#[test]
fn audit() {
    both("audit.txt", &["audit"], "", admin(sample::audit));
    both(
        "audit-filtered.txt",
        &["audit", "--user", "alice", "--service", "sshd", "--since", "2h", "--until", "2023-11-14 22:00"],
        "",
        admin(|| vec![sample::audit().remove(1)]),
    );
    both(
        "audit-none.txt",
        &["audit", "--last", "5"],
        "",
        admin(|| vec![Reply::Audit(AuditPage { rows: Vec::new(), more: false, upto: 9 })]),
    );
    both("audit-no-time.txt", &["audit", "--since", "soon"], "", || Script::Admin(Vec::new()));
    both(
        "audit-source.txt",
        &["audit", "--source", "192.0.2.1", "--verdict", "deny", "--event", "login", "--last", "5"],
        "",
        admin(|| vec![sample::audit().remove(1)]),
    );
}

fn text(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

#[test]
fn audit_verify() {
    both("audit-verify.txt", &["audit", "verify"], "", admin(|| vec![sample::audit_report(None)]));
    both("audit-verify-one.txt", &["audit", "verify"], "", || {
        let Reply::AuditReport(report) = sample::audit_report(None) else { panic!("it is a report") };
        let one = AuditReport { rows: 1, first: report.last, ..report };
        Script::Admin(vec![Reply::AuditReport(one)])
    });
    let daemon = FakeDaemon::admin(Vec::new());
    let ran = run(&daemon.socket(), &["audit", "--verdict", "denied"], "");
    assert_eq!((ran.code, daemon.finish().len()), (2, 0), "{ran:?}");
    assert!(ran.stderr.contains("accept, partial, deny, locked, skip"), "{}", ran.stderr);
    let problem = Some((7, "rows 7 to 9 are missing"));
    both("audit-verify-broken.txt", &["audit", "verify"], "", move || {
        Script::Admin(vec![sample::audit_report(problem)])
    });
    let link = |seq: i64, byte: &str| format!("{seq}:{}", byte.repeat(32));
    // Row 4 was the last that was pruned.
    let there = [link(3, "ab"), link(4, "c4"), link(7, "c4"), link(12, "c4")];
    let unlike = [link(4, "ab"), link(7, "ab"), link(12, "ab"), link(13, "c4")];
    let rows = || vec![sample::audit_report(None), sample::rows_from(7), sample::rows_from(12)];
    let beyond = || Reply::Audit(AuditPage { rows: Vec::new(), more: false, upto: 12 });
    let with = |links: [String; 4]| {
        let verify = ["audit", "verify"].map(str::to_owned);
        verify.into_iter().chain(links.into_iter().flat_map(|link| ["--expect".to_owned(), link])).collect()
    };
    let (there, unlike): (Vec<String>, Vec<String>) = (with(there), with(unlike));
    both("audit-verify-expect.txt", &text(&there), "", move || Script::Admin(rows()));
    both("audit-verify-unlike.txt", &text(&unlike), "", move || {
        Script::Admin(rows().into_iter().chain([beyond()]).collect())
    });
}

#[test]
fn test_login() {
    let prompt = |text: &str| ServerMessage::Prompt {
        text: ShownText::clean(text),
        echo: true,
        shape: AnswerShape::SIX_DIGITS,
    };
    let login = |verdict| {
        move || {
            let info = ServerMessage::Info(ShownText::clean("2 factors are enrolled."));
            Script::Login(vec![info, prompt("Verification code: "), ServerMessage::Settled(verdict)])
        }
    };
    both("test-accept.txt", &["test", "alice"], "123 456\n", login(Verdict::Accept));
    both("test-deny.txt", &["test", "alice", "--service", "sshd"], "not a code\n", login(Verdict::Deny));
    both("test-locked.txt", &["test", "alice"], "", login(Verdict::Locked));
    for (name, verdict) in
        [("test-not-applicable.txt", Verdict::NotApplicable), ("test-unavailable.txt", Verdict::Unavailable)]
    {
        both(name, &["test", "alice"], "", || Script::Login(vec![ServerMessage::Settled(verdict)]));
    }
}

#[test]
fn every_refusal_has_its_exit_code() {
    for (code, exit, word) in [
        (RefusalCode::NotAllowed, 6, "not_allowed"),
        (RefusalCode::UnknownUser, 7, "unknown_user"),
        (RefusalCode::NoSuchFactor, 7, "no_such_factor"),
        (RefusalCode::Ambiguous, 1, "ambiguous"),
        (RefusalCode::WrongCode, 4, "wrong_code"),
        (RefusalCode::Locked, 5, "locked"),
        (RefusalCode::WrongState, 1, "wrong_state"),
        (RefusalCode::Invalid, 2, "invalid"),
        (RefusalCode::TooMany, 1, "too_many"),
        (RefusalCode::Tampered, 1, "tampered"),
        (RefusalCode::Unavailable, 3, "unavailable"),
        (RefusalCode::TooSoon, 5, "too_soon"),
        (RefusalCode::NotSent, 3, "not_sent"),
    ] {
        for arguments in [
            &["disable", "alice", "--json"][..],
            &["show", "alice", "--json"],
            &["enroll", "totp", "alice", "--json"],
            &["confirm", "alice", "123456", "--json"],
            &["unlock", "alice", "--json"],
            &["send", "alice", "--json"],
            &["recovery", "new", "alice", "--stdout", "--json"],
            &["token", "issue", "alice", "--json"],
            &["status", "--json"],
            &["audit", "--json"],
            &["list", "--json"],
        ] {
            let daemon = FakeDaemon::admin(vec![sample::refused(code, "no, because\nof this")]);
            let ran = run(&daemon.socket(), arguments, "");
            assert_eq!(ran.code, exit, "{code:?} to {arguments:?}: {ran:?}");
            let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            assert_eq!(said["error"]["code"], word);
            assert_eq!(said["error"]["exit"], exit);
            assert!(ran.stderr.starts_with("mfactl: no, because\\u{a}of this\n"), "{}", ran.stderr);
            daemon.finish();
        }
    }
}

#[test]
fn without_user_it_is_for_the_account_it_runs_as_whatever_sudo_says() {
    let uid = nix::unistd::getuid();
    let own =
        nix::unistd::User::from_uid(uid).unwrap().expect("the tests run as an account of this host").name;
    let daemon = FakeDaemon::admin(vec![sample::detail(Vec::new())]);
    let mut command = command(binary(), &daemon.socket(), &["show"]);
    command.env("SUDO_USER", "mallory").env("USER", "mallory").env("LOGNAME", "mallory");
    let ran = finish(command, "");
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = format!("No USER given: this is for {own}, the account mfactl runs as.\n");
    assert_eq!(ran.stderr, if uid.is_root() { said } else { String::new() });
    let seen = daemon.finish();
    let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
    assert!(matches!(&**request, Request::Show { user } if *user == sample::user(&own)), "{request:?}");
}
