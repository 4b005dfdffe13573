//! A lost phone: what is switched off, forgotten and made, in which order, and what is said.

use mfa_proto::admin::{FactorDetail, FactorId, FactorKind, FactorState, RefusalCode, Reply, Request};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::text::ShownText;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden::{self, both};
use crate::pty::Terminal;
use crate::run::{NOW, run};
use crate::sample;

fn of_kind(kind: FactorKind, id: i64, label: &str) -> FactorDetail {
    FactorDetail {
        kind,
        algorithm: None,
        digits: None,
        period: None,
        ..sample::factor(id, label, FactorState::Active)
    }
}

/// A phone with an app and a number, an old tablet, a mail address.
fn many() -> Reply {
    let sms = FactorDetail {
        target: Some(ShownText::clean("+49 *** **321")),
        ..of_kind(FactorKind::Sms, 4, "sms")
    };
    let tablet = sample::factor(5, "old tablet", FactorState::Disabled);
    let mail = of_kind(FactorKind::Mail, 6, "mail");
    sample::detail(vec![sample::factor(3, "phone", FactorState::Active), sms, tablet, mail])
}

fn with_codes(left: u32) -> Reply {
    let set = FactorDetail { left: Some(left), ..of_kind(FactorKind::Recovery, 7, "recovery") };
    sample::detail(vec![sample::factor(3, "phone", FactorState::Active), set])
}

fn alone() -> Reply {
    sample::detail(vec![sample::factor(3, "phone", FactorState::Active)])
}

fn done(factors: u32) -> Reply {
    Reply::Done { factors }
}

fn emergency() -> Reply {
    let code = sample::secret(&RecoveryCode::emergency(b"0123456789").grouped());
    Reply::BreakGlass { factor: FactorId(9), code, until: NOW + 7_200 }
}

#[test]
fn what_a_device_holds_is_switched_off_and_successes_are_forgotten() {
    let script = || Script::Admin(vec![many(), done(1), done(1), done(2)]);
    both("lost.txt", &["lost", "alice", "--yes"], "", script);
    let script = || Script::Admin(vec![with_codes(7), done(1), done(0)]);
    both("lost-codes-left.txt", &["lost", "alice", "--yes"], "", script);
    let script = || Script::Admin(vec![alone(), done(1), done(1)]);
    both("lost-all.txt", &["lost", "alice", "--yes"], "", script);
}

#[test]
fn an_emergency_code_is_left_while_it_counts() {
    for (until, file) in [(NOW + 60, "lost-code-left.txt"), (NOW, "lost-code-over.txt")] {
        let script = move || {
            let code =
                FactorDetail { until: Some(until), ..of_kind(FactorKind::BreakGlass, 9, "breakglass") };
            let held = vec![sample::factor(3, "phone", FactorState::Active), code];
            Script::Admin(vec![sample::detail(held), done(1), done(0)])
        };
        both(file, &["lost", "alice", "--yes"], "", script);
    }
}

#[test]
fn what_is_named_is_lost_by_id_or_label_and_what_is_off_stays_off() {
    let script = || Script::Admin(vec![many(), done(1), done(0)]);
    both("lost-named.txt", &["lost", "alice", "6", "old tablet", "6", "--yes"], "", script);
}

#[test]
fn a_code_for_the_day_is_made_when_what_was_lost_is_off() {
    let script = || Script::Admin(vec![alone(), done(1), done(1), emergency()]);
    let wish = ["lost", "alice", "--emergency", "--for", "8h", "--stdout", "--yes"];
    both("lost-emergency.txt", &wish, "", script);
}

#[test]
fn an_invitation_takes_all_that_is_held() {
    let script = || Script::Admin(vec![with_codes(0), done(2), done(1), sample::invited()]);
    both("lost-invite.txt", &["lost", "alice", "--invite", "--yes"], "", script);
}

#[test]
fn nothing_is_done_unasked_or_to_nothing() {
    both("lost-unasked.txt", &["lost", "alice"], "", || Script::Admin(vec![alone()]));
    both("lost-unknown.txt", &["lost", "alice", "tablet", "--yes"], "", || Script::Admin(vec![alone()]));
    let nothing = || Script::Admin(vec![sample::detail(vec![of_kind(FactorKind::Mail, 6, "mail")])]);
    both("lost-nothing.txt", &["lost", "alice", "--yes"], "", nothing);
    let doubled = || {
        let label = sample::factor(4, "3", FactorState::Active);
        Script::Admin(vec![sample::detail(vec![sample::factor(3, "phone", FactorState::Active), label])])
    };
    both("lost-ambiguous.txt", &["lost", "alice", "3", "--yes"], "", doubled);
    for arguments in [
        &["lost"][..],
        &["lost", "alice", "phone", "--invite"],
        &["lost", "alice", "--invite", "--emergency"],
        &["lost", "alice", "--emergency", "--for", "25h"],
        // Into a pipe that was not asked for.
        &["lost", "alice", "--emergency", "--yes"],
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        assert_eq!(run(&daemon.socket(), arguments, "").code, 2, "{arguments:?}");
        assert!(daemon.finish().is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_failure_on_the_way_says_what_was_done_before() {
    let refused = || sample::refused(RefusalCode::Unavailable, "the store takes no writes");
    both("lost-half.txt", &["lost", "alice", "--yes"], "", || {
        Script::Admin(vec![many(), done(1), refused()])
    });
    let late = || Script::Admin(vec![alone(), done(1), done(1), refused()]);
    both("lost-no-code.txt", &["lost", "alice", "--emergency", "--stdout", "--yes"], "", late);
    let not_allowed = || sample::refused(RefusalCode::NotAllowed, "a current code is needed");
    both("lost-not-root.txt", &["lost", "alice", "--yes"], "", || {
        Script::Admin(vec![alone(), not_allowed()])
    });
}

#[test]
fn on_a_terminal_it_says_what_it_means_asks_and_offers_a_way_in() {
    for (first, second, third) in [("n", "", ""), ("y", "y", ""), ("y", "n", "y"), ("y", "n", "n")] {
        let replies = match (first, second, third) {
            ("n", ..) => vec![alone()],
            (_, "y", _) => vec![alone(), done(1), done(1), emergency()],
            (.., "y") => vec![alone(), done(1), done(1), done(1), sample::invited()],
            _ => vec![alone(), done(1), done(1)],
        };
        let daemon = FakeDaemon::admin(replies);
        let mut terminal = Terminal::run(&daemon.socket(), &["lost", "alice"], 80);
        terminal.wait_for("What is left: nothing that counts");
        terminal.wait_for("forget remembered successes? [y/N] ");
        terminal.enter(&format!("{first}\n"));
        if first == "y" {
            terminal.wait_for("lets alice in once? [y/N] ");
            terminal.enter(&format!("{second}\n"));
        }
        if second == "n" {
            terminal.wait_for("an invitation to enroll anew? [y/N] ");
            terminal.enter(&format!("{third}\n"));
        }
        let (shown, code) = terminal.end();
        assert_eq!(code, i32::from(first == "n"), "{shown}");
        golden::check(&format!("terminal-lost-{first}{second}{third}.txt"), &shown);
        daemon.finish();
    }
}

#[test]
fn the_reason_says_what_is_lost_unless_another_is_given() {
    for (more, expected) in [(&[][..], "reported lost: factor 3"), (&["--reason", "stolen"], "stolen")] {
        let daemon = FakeDaemon::admin(vec![alone(), done(1), done(1), emergency()]);
        let arguments = [&["lost", "alice", "--emergency", "--stdout", "--yes"][..], more].concat();
        assert_eq!(run(&daemon.socket(), &arguments, "").code, 0);
        let seen = daemon.finish();
        let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
        let Request::BreakGlass { seconds: 7_200, reason, .. } = &**request else { panic!("{request:?}") };
        assert_eq!(reason.as_str(), expected);
    }
}
