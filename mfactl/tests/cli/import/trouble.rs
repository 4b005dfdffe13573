//! What the daemon refuses, and what becomes of an import that does not come to its end.

use mfa_proto::admin::{FactorKind, FactorState, LockState, RefusalCode, Reply, UserPage, UserSummary};

use super::{Files, added, both, done, import, nobody};
use crate::daemon::{FakeDaemon, Script};
use crate::sample;

const USERS: &str = "HOTP daemon - 3132333435363738393031323334353637383930\n\
                     HOTP bin - 3132333435363738393031323334353637383931 5\n\
                     HOTP/T30 games - 3132333435363738393031323334353637383932\n\
                     HOTP games - 3132333435363738393031323334353637383933\n";

#[test]
fn a_refusal_concerns_one_user() {
    let refused = || {
        let no = sample::refused(RefusalCode::TooMany, "daemon has 8 factors, and no more are allowed");
        vec![nobody(), Reply::Done { factors: 1 }, no, Reply::Done { factors: 2 }]
    };
    both("import-refused.txt", &Files::new(), &["-"], USERS, refused);
}

#[test]
fn who_has_such_a_factor_is_left_as_he_is_until_replacement_is_asked_for() {
    let held = || {
        let summary = UserSummary {
            user: sample::user("games"),
            factors: vec![(FactorKind::Totp, FactorState::Active)],
            last_used: None,
            lock: LockState::Open,
            tampered: false,
            emergency_until: None,
        };
        let users = Reply::Users(UserPage { users: vec![summary], more: false });
        let detail = sample::detail(vec![sample::factor(3, "hotp", FactorState::Active)]);
        vec![users, Reply::Done { factors: 1 }, Reply::Done { factors: 1 }, detail]
    };
    both("import-present.txt", &Files::new(), &["-"], USERS, held);
    let daemon = FakeDaemon::admin(done(3).split_off(1));
    let ran = import(&daemon, &["--replace", "-"], USERS);
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = daemon.finish();
    assert_eq!(added(&seen).len(), 3);
    assert!(format!("{seen:?}").matches("replace: true").count() >= 3, "{seen:?}");
}

#[test]
fn what_concerns_all_stops_it_and_the_rest_is_named() {
    let unwell = || {
        let no = sample::refused(RefusalCode::Unavailable, "the store takes no writes at present");
        vec![nobody(), Reply::Done { factors: 1 }, no]
    };
    both("import-stopped.txt", &Files::new(), &["-"], USERS, unwell);
    let not_root = || vec![sample::refused(RefusalCode::NotAllowed, "only root may list users")];
    both("import-not-allowed.txt", &Files::new(), &["-"], USERS, not_root);
}

#[test]
fn a_user_whose_answer_never_came_is_in_doubt() {
    let daemon = FakeDaemon::start(Script::Hangup(Vec::new()));
    let ran = import(&daemon, &["--replace", "-"], USERS);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("Not known: bin."), "{ran:?}");
    assert!(ran.stdout.contains("Not tried: daemon, games"), "{ran:?}");
    daemon.finish();
}

#[test]
fn a_dry_run_needs_no_daemon() {
    let daemon = FakeDaemon::admin(Vec::new());
    let gone = daemon.directory().join("gone");
    let arguments = ["import", "--dry-run", "-"];
    let ran = crate::run::finish(crate::run::command(crate::run::binary(), &gone, &arguments), USERS);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("Who holds factors already was not asked"), "{ran:?}");
    assert!(ran.stdout.contains("Would import 3 users, 4 factors, 0 scratch codes; skipped 0."), "{ran:?}");
    assert!(daemon.finish().is_empty());
}

#[test]
fn one_bad_line_of_a_user_keeps_all_of_that_user_out() {
    let users = format!("{USERS}HOTP/E/7 games - 3132333435363738393031323334353637383934\n");
    both("import-half.txt", &Files::new(), &["-"], &users, || done(2));
}
