//! What a person sees and types: prompts, QR codes, Ctrl-C.

use mfa_proto::admin::{FactorState, RefusalCode, Reply, Request};
use mfa_proto::answer::AnswerShape;
use mfa_proto::login::{ClientMessage, ServerMessage, Verdict, Withheld};
use mfa_proto::text::ShownText;
use nix::sys::signal::{Signal, kill};

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden;
use crate::pty::Terminal;
use crate::sample;

const ENROLL: [&str; 3] = ["enroll", "totp", "alice"];
const PROMPT: &str = "Code that the authenticator shows now (Ctrl-C to confirm later): ";

fn codes(seen: &[Seen]) -> Vec<String> {
    let code = |seen: &Seen| {
        let Seen::Request(request) = seen else { return None };
        match &**request {
            Request::Confirm { code, .. } => Some(code.expose().to_owned()),
            Request::Disable { code, .. } | Request::Remove { code, .. } => {
                Some(code.as_ref().map_or("none".to_owned(), |code| code.expose().to_owned()))
            }
            Request::SetPin { code, .. } => {
                Some(code.as_ref().map_or("none".to_owned(), |code| code.expose().to_owned()))
            }
            Request::Enroll(new) => {
                Some(new.current_code.as_ref().map_or("none".to_owned(), |code| code.expose().to_owned()))
            }
            Request::List { .. }
            | Request::Show { .. }
            | Request::Enable { .. }
            | Request::Unlock { .. }
            | Request::Reset { .. }
            | Request::Status
            | Request::Audit(_)
            | Request::ConfigCheck
            | Request::Reload
            | Request::Resync { .. }
            | Request::RecoveryNew { .. }
            | Request::Send { .. }
            | Request::TokenIssue { .. }
            | Request::EnrollAll { .. }
            | Request::Backup
            | Request::Restore
            | Request::Invite { .. }
            | Request::Uninvite { .. }
            | Request::Remembered { .. }
            | Request::Forget { .. }
            | Request::Reassign { .. }
            | Request::PruneOrphaned { .. }
            | Request::AuditVerify
            | Request::Explain(_)
            | Request::ExplainClient(_)
            | Request::BreakGlass { .. }
            | Request::Metrics { .. }
            | Request::Devices { .. }
            | Request::Find { .. }
            | Request::Describe { .. }
            | Request::Assign { .. }
            | Request::Unassign { .. }
            | Request::LdapSeal { .. }
            | Request::LdapPull { .. }
            | Request::Lost { .. }
            | Request::Identify(_) => None,
        }
    };
    seen.iter().filter_map(code).collect()
}

#[test]
fn enrolling_shows_a_code_to_scan_and_asks_until_it_is_confirmed() {
    let daemon = FakeDaemon::admin(vec![
        sample::enrolled(FactorState::Pending),
        sample::refused(RefusalCode::WrongCode, "The code is not right."),
        Reply::Done { factors: 1 },
    ]);
    let mut terminal = Terminal::run(&daemon.socket(), &ENROLL, 80);
    terminal.wait_for(PROMPT);
    terminal.enter("what?\n");
    terminal.wait_for(PROMPT);
    terminal.enter("111111\n");
    terminal.wait_for(PROMPT);
    terminal.enter("222 222\n");
    terminal.wait_for("Confirmed");
    let (shown, code) = terminal.end();
    assert_eq!(code, 0);
    golden::check("terminal-enroll.txt", &shown);
    assert_eq!(codes(&daemon.finish()), ["none", "111111", "222222"]);
}

#[test]
fn giving_up_leaves_it_pending_and_says_how_to_go_on() {
    for keys in ["\u{3}", "\u{4}", "123\u{4}\u{3}"] {
        let daemon = FakeDaemon::admin(vec![sample::enrolled(FactorState::Pending)]);
        let mut terminal = Terminal::run(&daemon.socket(), &ENROLL, 80);
        terminal.wait_for(PROMPT);
        terminal.enter(keys);
        terminal.wait_for("hint: when the authenticator is set up: mfactl confirm alice --factor 3");
        assert!(terminal.echoes());
        let (shown, code) = terminal.end();
        assert_eq!(code, 130, "{shown}");
        assert!(shown.contains("mfactl: not confirmed: the factor is pending"), "{shown}");
        daemon.finish();
    }
}

#[test]
fn a_lock_ends_the_asking() {
    let daemon = FakeDaemon::admin(vec![
        sample::enrolled(FactorState::Pending),
        sample::refused(RefusalCode::Locked, "Too many wrong codes: wait 4 s."),
    ]);
    let mut terminal = Terminal::run(&daemon.socket(), &ENROLL, 80);
    terminal.wait_for(PROMPT);
    terminal.enter("111111\n");
    terminal.wait_for("mfactl: Too many wrong codes: wait 4 s.");
    assert_eq!(terminal.end().1, 5);
    daemon.finish();
}

#[test]
fn a_narrow_terminal_gets_the_key_as_text() {
    let daemon = FakeDaemon::admin(vec![sample::enrolled(FactorState::Active)]);
    let (shown, code) = Terminal::run(&daemon.socket(), &ENROLL, 40).end();
    assert_eq!(code, 0);
    assert!(shown.contains("(No QR code: the terminal has 40 columns, 41 are needed.)"), "{shown}");
    assert!(shown.contains("\n    JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP\n"), "{shown}");
    assert!(!shown.contains(['█', '▀', '▄']), "{shown}");
    daemon.finish();
}

#[test]
fn keys_are_not_echoed_and_echo_comes_back() {
    let daemon = FakeDaemon::admin(vec![sample::enrolled_with_own_key("totp", FactorState::Active)]);
    let arguments = ["enroll", "totp", "alice", "--secret-stdin", "--no-confirm"];
    let mut terminal = Terminal::run(&daemon.socket(), &arguments, 80);
    terminal.wait_for("key (base32): ");
    assert!(!terminal.echoes());
    terminal.enter("JBSWY3DPEHPK3PXP\n");
    terminal.wait_for("New factor 4 of alice");
    assert!(terminal.echoes());
    let (shown, code) = terminal.end();
    assert_eq!(code, 0);
    assert!(!shown.contains("JBSW"), "{shown}");
    daemon.finish();
}

#[test]
fn a_signal_at_a_prompt_does_not_leave_the_terminal_mute() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let daemon = FakeDaemon::admin(Vec::new());
        let arguments = ["enroll", "totp", "alice", "--secret-stdin"];
        let mut terminal = Terminal::run(&daemon.socket(), &arguments, 80);
        terminal.wait_for("key (base32): ");
        assert!(!terminal.echoes());
        kill(terminal.pid(), signal).unwrap();
        terminal.wait_for("mfactl: ");
        assert!(terminal.echoes());
        assert_eq!(terminal.end().1, 130);
        assert!(daemon.finish().is_empty());
    }
}

#[test]
fn a_current_code_is_asked_for_when_the_daemon_wants_one() {
    let needed = || sample::refused(RefusalCode::WrongCode, "A current code is needed.");
    let daemon = FakeDaemon::admin(vec![needed(), needed(), Reply::Done { factors: 1 }]);
    let mut terminal = Terminal::run(&daemon.socket(), &["disable", "alice"], 80);
    for code in ["111111\n", "222222\n"] {
        terminal.wait_for("Current code of an active factor: ");
        terminal.enter(code);
    }
    terminal.wait_for("Disabled: alice, 1 factor.");
    assert_eq!(terminal.end().1, 0);
    assert_eq!(codes(&daemon.finish()), ["none", "111111", "222222"]);
}

#[test]
fn deleting_is_asked_about_and_only_yes_is_yes() {
    for (answer, deleted) in [("y\n", true), ("YES\n", true), ("\n", false), ("n\n", false), ("\u{3}", false)]
    {
        let mut replies = vec![sample::detail(vec![sample::factor(3, "phone", FactorState::Active)])];
        replies.extend(deleted.then_some(Reply::Done { factors: 1 }));
        let daemon = FakeDaemon::admin(replies);
        let mut terminal = Terminal::run(&daemon.socket(), &["remove", "alice"], 80);
        terminal.wait_for("Delete factor 3, totp \"phone\", active of alice? [y/N] ");
        terminal.enter(answer);
        let last = if deleted { "Removed: alice, 1 factor." } else { "mfactl: nothing was deleted" };
        terminal.wait_for(last);
        assert_eq!(terminal.end().1, i32::from(!deleted));
        daemon.finish();
    }
}

#[test]
fn a_test_login_asks_as_the_daemon_says() {
    let prompt = || ServerMessage::Prompt {
        text: ShownText::clean("Verification code: "),
        echo: false,
        shape: AnswerShape::SIX_DIGITS,
    };
    let script = vec![prompt(), ServerMessage::Settled(Verdict::Accept)];
    let daemon = FakeDaemon::start(Script::Login(script));
    let mut terminal = Terminal::run(&daemon.socket(), &["test", "alice"], 80);
    terminal.wait_for("Verification code: ");
    terminal.enter("123456\n");
    terminal.wait_for("Verdict: ");
    let (shown, code) = terminal.end();
    assert_eq!(code, 0);
    assert!(shown.contains("\u{1b}[32maccept\u{1b}[0m") && !shown.contains("123456"), "{shown}");
    daemon.finish();

    let daemon = FakeDaemon::start(Script::Login(vec![prompt()]));
    let mut terminal = Terminal::run(&daemon.socket(), &["test", "alice"], 80);
    terminal.wait_for("Verification code: ");
    terminal.enter("\u{3}");
    terminal.wait_for("the login was given up");
    assert_eq!(terminal.end().1, 130);
    let seen = daemon.finish();
    let last = seen.last().unwrap();
    assert!(matches!(last, Seen::Login(ClientMessage::Withheld(Withheld::NoAnswer))), "{seen:?}");
}

#[test]
fn an_invitation_is_asked_for_when_the_daemon_wants_one() {
    let needed = || sample::refused(RefusalCode::Invitation, "a first factor needs an invitation here");
    let daemon = FakeDaemon::admin(vec![needed(), needed(), sample::enrolled(FactorState::Active)]);
    let mut terminal = Terminal::run(&daemon.socket(), &ENROLL, 80);
    terminal.wait_for("Invitation: ");
    terminal.enter("my password\n");
    terminal.wait_for("That is no code: an invitation looks like");
    terminal.wait_for("Invitation: ");
    terminal.enter("01-AAAA-AAAA-AAAA-AAAA\n");
    terminal.wait_for("Invitation: ");
    terminal.enter("01 gayt emzu gu3d oobz\n");
    terminal.wait_for("New factor");
    assert_eq!(terminal.end().1, 0);
    let sent: Vec<String> = daemon
        .finish()
        .iter()
        .filter_map(|seen| {
            let Seen::Request(request) = seen else { return None };
            let Request::Enroll(new) = &**request else { return None };
            Some(new.invitation.as_ref().map_or("none".to_owned(), |code| code.expose().to_owned()))
        })
        .collect();
    assert_eq!(sent, ["none", "01AAAAAAAAAAAAAAAA", "01GAYTEMZUGU3DOOBZ"]);
}
