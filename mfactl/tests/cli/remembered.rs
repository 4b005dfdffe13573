//! What is remembered, for people and as JSON.

use mfa_proto::admin::{RefusalCode, RememberedPage, Reply};

use crate::daemon::Script;
use crate::golden::both;
use crate::sample;

fn admin(replies: fn() -> Vec<Reply>) -> impl Fn() -> Script {
    move || Script::Admin(replies())
}

#[test]
fn what_is_remembered_is_listed() {
    both("remembered-list-alice.txt", &["remembered", "list", "alice"], "", admin(sample::remembered));
    both(
        "remembered-none.txt",
        &["remembered", "list", "alice"],
        "",
        admin(|| vec![Reply::Remembered(RememberedPage { rows: Vec::new(), more: false })]),
    );
    both(
        "remembered-not-allowed.txt",
        &["remembered", "list", "alice"],
        "",
        admin(|| vec![sample::refused(RefusalCode::NotAllowed, "only root may do this for another account")]),
    );
}

#[test]
fn what_is_remembered_is_forgotten() {
    let some = || vec![Reply::Done { factors: 3 }];
    both("remembered-revoke.txt", &["remembered", "revoke", "alice"], "", admin(some));
    both(
        "remembered-revoke-gone.txt",
        &["remembered", "revoke", "alice", "--row", "5"],
        "",
        admin(|| vec![Reply::Done { factors: 0 }]),
    );
}

/// For others, a command without USER is about their own account.
#[test]
fn root_means_all_users_when_none_is_named() {
    if !nix::unistd::getuid().is_root() {
        return;
    }
    both("remembered-list.txt", &["remembered", "list"], "", admin(sample::remembered));
    both(
        "remembered-revoke-all.txt",
        &["remembered", "revoke", "--all"],
        "",
        admin(|| vec![Reply::Done { factors: 3 }]),
    );
    both(
        "remembered-revoke-row.txt",
        &["remembered", "revoke", "--row", "17"],
        "",
        admin(|| vec![Reply::Done { factors: 1 }]),
    );
    both("remembered-revoke-whose.txt", &["remembered", "revoke"], "", admin(Vec::new));
}
