//! Factors that are sent, judged elsewhere or signed; recovery codes; lost counters.

use std::os::unix::fs::PermissionsExt;

use mfa_proto::admin::{
    Enrolled, FactorDetail, FactorId, FactorKind, FactorState, NewParams, RefusalCode, Reply, Request,
};
use mfa_proto::secret::SecretText;
use mfa_proto::text::ShownText;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden::{self, both};
use crate::pty::Terminal;
use crate::run::{NOW, run};
use crate::sample;

fn admin(replies: impl Fn() -> Vec<Reply>) -> impl Fn() -> Script {
    move || Script::Admin(replies())
}

fn enrolled(label: &str, change: impl FnOnce(&mut Enrolled)) -> Reply {
    let mut new = Enrolled {
        factor: FactorId(5),
        label: sample::label(label),
        state: FactorState::Pending,
        secret: None,
        uri: None,
        signing_secret: None,
        sent_to: None,
    };
    change(&mut new);
    Reply::Enrolled(Box::new(new))
}

fn sent_to_number() -> Reply {
    enrolled("sms", |new| new.sent_to = Some(ShownText::clean("+49 *** **321")))
}

fn of_kind(kind: FactorKind, id: i64, change: impl FnOnce(&mut FactorDetail)) -> FactorDetail {
    let plain = sample::factor(id, kind.word(), FactorState::Active);
    let mut detail = FactorDetail { kind, algorithm: None, digits: None, period: None, ..plain };
    change(&mut detail);
    detail
}

fn set(left: u32) -> FactorDetail {
    of_kind(FactorKind::Recovery, 7, |detail| detail.left = Some(left))
}

fn codes(count: u8) -> Reply {
    Reply::RecoveryCodes { factor: FactorId(7), codes: sample::recovery_codes(count) }
}

#[test]
fn enroll() {
    let number = "+49 170 12345321\n";
    both(
        "enroll-sms.txt",
        &["enroll", "sms", "alice", "--address-stdin", "--digits", "7"],
        number,
        admin(|| vec![sent_to_number()]),
    );
    both(
        "enroll-mail-unsent.txt",
        &["enroll", "mail", "alice", "--address-stdin"],
        "alice@example.org\n",
        admin(|| {
            vec![sample::refused(RefusalCode::NotSent, "the code could not be sent: no gateway took it")]
        }),
    );
    both(
        "enroll-rest.txt",
        &["enroll", "rest", "alice", "--service", "corp", "--remote-user", "a.smith"],
        "",
        admin(|| vec![enrolled("rest", |_| {})]),
    );
    both(
        "enroll-token.txt",
        &["enroll", "token", "robot"],
        "",
        admin(|| {
            vec![enrolled("token", |new| {
                new.state = FactorState::Active;
                new.secret = Some(sample::secret(sample::SECRET));
                new.signing_secret = Some(sample::secret("JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7"));
            })]
        }),
    );
    both(
        "enroll-token-domain.txt",
        &["enroll", "token", "alice", "--domain", "example.org"],
        "",
        admin(|| vec![enrolled("token", |_| {})]),
    );
}

#[test]
fn show() {
    let all = || {
        let sms = of_kind(FactorKind::Sms, 2, |detail| {
            detail.digits = Some(6);
            detail.target = Some(ShownText::clean("+49 *** **321"));
        });
        let mail = of_kind(FactorKind::Mail, 3, |detail| {
            detail.digits = Some(8);
            detail.target = Some(ShownText::clean("a***@example.org"));
        });
        let rest =
            of_kind(FactorKind::Rest, 4, |detail| detail.target = Some(ShownText::clean("corp: a.smith")));
        let token = of_kind(FactorKind::Token, 5, |_| {});
        let domain =
            of_kind(FactorKind::Token, 6, |detail| detail.target = Some(ShownText::clean("example.org")));
        let emergency = of_kind(FactorKind::BreakGlass, 7, |detail| detail.until = Some(NOW + 7_200));
        vec![sample::detail(vec![sms, mail, rest, token, domain, set(2), emergency])]
    };
    both("show-kinds.txt", &["show", "alice"], "", admin(all));
}

#[test]
fn recovery() {
    both("recovery-new.txt", &["recovery", "new", "alice", "--stdout"], "", admin(|| vec![codes(10)]));
    both(
        "recovery-new-code.txt",
        &["recovery", "new", "alice", "--count", "1", "--stdout", "--code-stdin"],
        "123456\n",
        admin(|| vec![codes(1)]),
    );
    both("recovery-new-piped.txt", &["recovery", "new", "alice"], "", admin(Vec::new));
    for (name, left) in [("recovery-count.txt", 7), ("recovery-count-few.txt", 1)] {
        let detail = move || vec![sample::detail(vec![set(left)])];
        both(name, &["recovery", "count", "alice"], "", admin(detail));
    }
    let none = || vec![sample::detail(vec![sample::factor(3, "phone", FactorState::Active)])];
    both("recovery-count-none.txt", &["recovery", "count", "alice"], "", admin(none));
}

#[test]
fn recovery_codes_go_to_a_terminal_or_a_new_file_and_nowhere_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("codes");
    let output = path.to_str().unwrap();
    for (arguments, exists) in [
        (&["recovery", "new", "alice", "--output", output][..], false),
        (&["recovery", "new", "alice", "--output", output, "--json"], false),
        (&["recovery", "new", "alice", "--output", output], true),
        (&["recovery", "new", "alice"], true),
        (&["recovery", "new", "alice", "--json"], true),
    ] {
        if !exists {
            let _gone = std::fs::remove_file(&path);
        }
        let daemon = FakeDaemon::admin(if exists { Vec::new() } else { vec![codes(10)] });
        let ran = run(&daemon.socket(), arguments, "");
        assert_eq!(ran.code == 0, !exists, "{ran:?}");
        assert!(!format!("{ran:?}").contains("GAYT"), "{ran:?}");
        assert_eq!(daemon.finish().is_empty(), exists, "nothing is asked of the daemon for nothing");
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches("GAYT").count(), 10);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }
    let refused = directory.path().join("refused");
    let daemon = FakeDaemon::admin(vec![sample::refused(RefusalCode::NotAllowed, "no")]);
    let ran = run(&daemon.socket(), &["recovery", "new", "alice", "--output", refused.to_str().unwrap()], "");
    assert_eq!((ran.code, refused.exists()), (6, false), "a file without codes is not left");
    daemon.finish();
}

#[test]
fn recovery_codes_on_a_terminal() {
    let daemon = FakeDaemon::admin(vec![codes(10)]);
    let (shown, code) = Terminal::run(&daemon.socket(), &["recovery", "new", "alice"], 80).end();
    assert_eq!(code, 0);
    golden::check("terminal-recovery-new.txt", &shown);
    daemon.finish();
}

#[test]
fn what_are_no_recovery_codes_is_not_shown() {
    for count in [0, 9, 11] {
        let daemon = FakeDaemon::admin(vec![codes(count)]);
        let ran = run(&daemon.socket(), &["recovery", "new", "alice", "--stdout"], "");
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
        daemon.finish();
    }
    let odd = Reply::RecoveryCodes { factor: FactorId(7), codes: vec![sample::secret("\u{1b}[2J")] };
    let daemon = FakeDaemon::admin(vec![odd]);
    let ran = run(&daemon.socket(), &["recovery", "new", "alice", "--stdout", "--count", "1"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
    daemon.finish();
}

#[test]
fn send_resync_and_token() {
    let sent = || {
        let to = ShownText::clean("+49 *** **321");
        vec![Reply::Sent { to, digits: 6, until: NOW + 300 }]
    };
    both("send.txt", &["send", "alice", "--label", "sms"], "", admin(sent));
    let begun = || vec![Reply::Sent { to: ShownText::clean("corp"), digits: 0, until: NOW + 120 }];
    both("send-begun.txt", &["send", "alice"], "", admin(begun));
    let soon =
        || vec![sample::refused(RefusalCode::TooSoon, "a code was sent to alice a moment ago: wait 41 s")];
    both("send-too-soon.txt", &["send", "alice"], "", admin(soon));
    let done = || vec![Reply::Done { factors: 1 }];
    both("resync.txt", &["resync", "alice", "--label", "key"], "111 111\n222222\n", admin(done));
    both("resync-one-code.txt", &["resync", "alice"], "111111\n", admin(Vec::new));
    both("token-issue.txt", &["token", "issue", "robot"], "", admin(|| vec![token()]));
}

fn token() -> Reply {
    let text = "8095230901234567890123456789012345678901 WXbY0ciiLjRUajOrsRC8g7/HsqrN8erXnAoVYqMpIxI=";
    Reply::Token(sample::secret(text))
}

#[test]
fn what_is_no_token_is_not_printed() {
    let daemon = FakeDaemon::admin(vec![Reply::Token(sample::secret("evil\u{1b}[2J"))]);
    let ran = run(&daemon.socket(), &["token", "issue", "robot"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{ran:?}");
    daemon.finish();
}

#[test]
fn an_address_reaches_the_daemon_and_nothing_else() {
    let daemon = FakeDaemon::admin(vec![sent_to_number()]);
    let ran = run(&daemon.socket(), &["enroll", "sms", "alice", "--address-stdin"], " +49 170 12345321 \n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!format!("{ran:?}").contains("12345"), "{ran:?}");
    let seen = daemon.finish();
    let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
    let Request::Enroll(new) = &**request else { panic!("{request:?}") };
    let NewParams::Sms(sent) = &new.params else { panic!("{new:?}") };
    assert_eq!(sent.address.expose(), "+49 170 12345321");
    for arguments in [
        &["enroll", "sms", "alice"][..],
        &["enroll", "sms", "alice", "+4917012345321"],
        &["enroll", "sms", "+4917012345321"],
        &["enroll", "mail", "alice@example.org"],
        &["enroll", "sms", "alice", "--address", "+4917012345321"],
        &["enroll", "sms", "alice", "--address-stdin", "--no-confirm"],
        &["enroll", "token", "alice", "--domain", "example.org", "--secret-stdin"],
        &["enroll", "rest", "alice"],
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        assert_eq!(run(&daemon.socket(), arguments, "").code, 2, "{arguments:?}");
        assert!(daemon.finish().is_empty(), "{arguments:?} reached the daemon");
    }
}

#[test]
fn both_secrets_of_a_token_come_from_standard_input() {
    let daemon = FakeDaemon::admin(vec![enrolled("token", |_| {})]);
    let input = "xvgr 73km zh2m 4xmy\nJYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7\n";
    let ran = run(&daemon.socket(), &["enroll", "token", "robot", "--secret-stdin"], input);
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = daemon.finish();
    let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
    let Request::Enroll(new) = &**request else { panic!("{request:?}") };
    let NewParams::Token(token) = &new.params else { panic!("{new:?}") };
    assert_eq!(new.secret.as_ref().unwrap().expose(), "XVGR73KMZH2M4XMY");
    assert_eq!(token.signing_secret.as_ref().unwrap().expose(), "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7");
}

#[test]
fn a_number_is_asked_for_and_its_code_too() {
    let soon = || sample::refused(RefusalCode::TooSoon, "a code was sent to alice a moment ago: wait 41 s");
    let to = ShownText::clean("+49 *** **321");
    let daemon = FakeDaemon::admin(vec![
        sent_to_number(),
        soon(),
        Reply::Sent { to, digits: 6, until: NOW + 300 },
        sample::refused(RefusalCode::WrongCode, "wrong code: it has to be the one that was sent last"),
        Reply::Done { factors: 1 },
    ]);
    let mut terminal = Terminal::run(&daemon.socket(), &["enroll", "sms", "alice"], 80);
    terminal.wait_for("Telephone number with country code (+49 …): ");
    assert!(terminal.echoes(), "a typing error would send the code to somebody else");
    terminal.enter("\n");
    terminal.wait_for("Telephone number with country code (+49 …): ");
    terminal.enter("+49 170 12345321\n");
    for answer in ["\n", "\n", "111111\n", "222222\n"] {
        terminal.wait_for("Code that was sent (Enter: send again, Ctrl-C to confirm later): ");
        terminal.enter(answer);
    }
    terminal.wait_for("Confirmed");
    let (shown, code) = terminal.end();
    assert_eq!(code, 0);
    golden::check("terminal-enroll-sms.txt", &shown);
    daemon.finish();
}

#[test]
fn giving_up_says_how_to_go_on() {
    let daemon = FakeDaemon::admin(vec![sent_to_number()]);
    let mut terminal = Terminal::run(&daemon.socket(), &["enroll", "sms", "alice"], 80);
    terminal.wait_for("Telephone number with country code (+49 …): ");
    terminal.enter("+49 170 12345321\n");
    terminal.wait_for("confirm later): ");
    terminal.enter("\u{3}");
    terminal.wait_for("hint: when the code is there: mfactl confirm alice --factor 5");
    assert_eq!(terminal.end().1, 130);
    daemon.finish();
}

#[test]
fn two_codes_of_a_device_are_asked_for() {
    let daemon = FakeDaemon::admin(vec![Reply::Done { factors: 1 }]);
    let mut terminal = Terminal::run(&daemon.socket(), &["resync", "alice"], 80);
    terminal.wait_for("A code that the device shows: ");
    terminal.enter("111111\n");
    terminal.wait_for("The one it shows after that: ");
    terminal.enter("222222\n");
    terminal.wait_for("Resynchronized: alice, 1 factor.");
    assert_eq!(terminal.end().1, 0);
    let seen = daemon.finish();
    let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
    let Request::Resync { codes, .. } = &**request else { panic!("{request:?}") };
    assert_eq!(codes.each_ref().map(SecretText::expose), ["111111", "222222"]);
}

#[test]
fn a_recovery_code_is_a_current_code_and_an_empty_answer_has_one_sent() {
    let needed = || sample::refused(RefusalCode::WrongCode, "a current code of an active factor is needed");
    let to = ShownText::clean("a***@example.org");
    let daemon = FakeDaemon::admin(vec![
        needed(),
        Reply::Sent { to, digits: 6, until: NOW + 300 },
        Reply::Done { factors: 1 },
    ]);
    let mut terminal = Terminal::run(&daemon.socket(), &["disable", "alice", "--label", "phone"], 80);
    terminal.wait_for("Current code of an active factor: ");
    terminal.enter("\n");
    terminal.wait_for("Code sent to a***@example.org.");
    terminal.wait_for("Current code of an active factor: ");
    terminal.enter("07-gayt-emzu-gu3d-oobz\n");
    terminal.wait_for("Disabled: alice, 1 factor.");
    assert_eq!(terminal.end().1, 0);
    let seen = daemon.finish();
    let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
    let Request::Disable { code, .. } = &**request else { panic!("{request:?}") };
    assert_eq!(code.as_ref().unwrap().expose(), "07GAYTEMZUGU3DOOBZ");
}
