//! Users whose account is gone or has another uid: listed, given to an account, removed; whom nobody was shown
//! is never named to the daemon.

use mfa_proto::admin::{
    FactorKind, FactorState, LeftAlone, LockState, OrphanPage, RefusalCode, Reply, UserSummary,
};
use mfa_proto::text::ShownText;

use crate::daemon::{FakeDaemon, Script};
use crate::golden::both;
use crate::pty::Terminal;
use crate::run::NOW;
use crate::sample;

fn summary(name: &str) -> UserSummary {
    UserSummary {
        user: sample::user(name),
        factors: vec![(FactorKind::Totp, FactorState::Active)],
        last_used: Some(NOW - 86_400 * 40),
        lock: LockState::Open,
        tampered: false,
        emergency_until: None,
    }
}

fn unsure(name: &str) -> LeftAlone {
    let why = ShownText::clean("the account database did not answer within 5s");
    LeftAlone { user: sample::user(name), why }
}

fn page(names: &[&str], left: &[&str], more_after: Option<&str>) -> Reply {
    Reply::Orphans(OrphanPage {
        orphaned: names.iter().map(|name| summary(name)).collect(),
        left_alone: left.iter().map(|name| unsure(name)).collect(),
        more_after: more_after.map(sample::user),
    })
}

/// A page with nobody on it goes on, too.
fn found() -> Vec<Reply> {
    vec![page(&["alice"], &[], Some("bob")), page(&[], &["dora"], Some("hank")), page(&["ivan"], &[], None)]
}

fn admin(replies: fn() -> Vec<Reply>) -> impl Fn() -> Script {
    move || Script::Admin(replies())
}

#[test]
fn list() {
    both("list-orphaned.txt", &["list", "--orphaned"], "", admin(found));
    both("list-orphaned-none.txt", &["list", "--orphaned"], "", admin(|| vec![page(&[], &[], None)]));
    let stuck = || vec![page(&[], &[], Some("bob")), page(&[], &[], Some("bob"))];
    both("list-orphaned-stuck.txt", &["list", "--orphaned"], "", admin(stuck));
}

#[test]
fn reassign() {
    let done = || vec![Reply::Done { factors: 2 }];
    both("reassign.txt", &["reassign", "alice"], "", admin(done));
    both(
        "reassign-to.txt",
        &["reassign", "alice", "--to", "alice.smith", "--realm", "example.org"],
        "",
        admin(done),
    );
    both(
        "reassign-refused.txt",
        &["reassign", "alice"],
        "",
        admin(|| vec![sample::refused(RefusalCode::WrongState, "they are not orphaned")]),
    );
}

#[test]
fn prune() {
    both("prune-dry.txt", &["prune", "--orphaned", "--dry-run"], "", admin(found));
    let removed = || found().into_iter().chain([page(&["alice", "ivan"], &[], None)]).collect();
    both("prune.txt", &["prune", "--orphaned", "--yes"], "", admin(removed));
    let one_is_back = || vec![page(&["alice", "ivan"], &[], None), page(&["alice"], &["ivan"], None)];
    both("prune-back.txt", &["prune", "--orphaned", "-y"], "", admin(one_is_back));
    both("prune-none.txt", &["prune", "--orphaned"], "", admin(|| vec![page(&[], &[], None)]));
    both("prune-unasked.txt", &["prune", "--orphaned"], "", admin(found));
    both("prune-what.txt", &["prune", "--yes"], "", || Script::Admin(Vec::new()));
}

#[test]
fn many_are_removed_a_few_at_a_time() {
    let names: Vec<String> = (0..=OrphanPage::AT_ONCE).map(|n| format!("user{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (first, rest) = names.split_at(OrphanPage::AT_ONCE);
    let daemon =
        FakeDaemon::admin(vec![page(&names, &[], None), page(first, &[], None), page(rest, &[], None)]);
    let ran = crate::run::run(&daemon.socket(), &["prune", "--orphaned", "-y"], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "Removed: 9 users.\n"), "{ran:?}");
    assert_eq!(format!("{:?}", daemon.finish()).matches("PruneOrphaned").count(), 2);
}

#[test]
fn on_a_terminal_whom_it_means_is_shown_and_asked() {
    for (answer, code) in [("n\n", 1), ("y\n", 0)] {
        let asked = usize::from(code == 0);
        let daemon = FakeDaemon::admin((0..=asked).map(|_| page(&["alice"], &[], None)).collect());
        let mut terminal = Terminal::run(&daemon.socket(), &["prune", "--orphaned"], 80);
        terminal.wait_for("Delete all factors of 1 user?");
        terminal.enter(answer);
        let (shown, exit) = terminal.end();
        assert!(shown.contains("alice"), "{shown}");
        assert_eq!(exit, code, "{shown}");
        assert_eq!(format!("{:?}", daemon.finish()).matches("PruneOrphaned").count(), asked, "{shown}");
    }
}
