//! Requests of any shape to every path of every dialect: an answer in that dialect's form, no error of the server,
//! nobody let in, and nothing by which a user who exists differs from one who does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod form;
mod request;
#[path = "../rig/mod.rs"]
mod rig;
#[expect(unreachable_pub, reason = "it is the tests' of core")]
#[path = "../../../tests/support/mod.rs"]
mod support;

use mfa_proto::admin::{AuditFilter, Reply, Request};
use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use request::{Shape, Who};
use rig::{Answered, Http, Rig, prover::Prover};
use support::hotp;
use tokio::io::AsyncWriteExt as _;

/// Whoever may do everything, whoever may merely have people verified, and the login page.
const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:1"
dialects = { v1 = "/", lemonldap = "/", linotp = "/", ntopng = "/", ceptor = "/" }
[[web.client]]
name = "vpn"
rights = [
    "verify", "factors:read", "factors:write", "users:read", "audit:read", "status", "token:verify", "token:issue"
]
token = "vpn"
password_proven = true
rate = 10000
[[web.client]]
name = "wiki"
rights = ["verify", "token:verify"]
token = "wiki"
rate = 10000
[[web.client]]
name = "page"
rights = ["verify", "factors:read", "factors:write"]
login_page = true
rate = 10000
[web]
password_socket = "{dir}/password.sock"
[web.linotp]
challenge_response = true
detail_on_success = true
detail_on_fail = true
"#;
/// How many requests are made up.
const CASES: u32 = 1500;
/// Longer than any step of waiting that is not for an administrator to end.
const LATER: i64 = 7200;

/// Who has a factor, and who has not, with names of one length.
const USERS: [&str; 2] = ["jane", "june"];

struct Scene {
    runtime: tokio::runtime::Runtime,
    rig: Rig,
    _prover: Prover,
}

impl Scene {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (rig, prover) = runtime.block_on(async {
            let rig = Rig::of(CONFIG).await;
            let prover = Prover::start(rig.daemon.directory.path());
            rig.daemon.enroll_hotp("jane").await;
            (rig, prover)
        });
        Self { runtime, rig, _prover: prover }
    }

    /// What comes back; `None` where the connection ends without an answer.
    fn send(&self, bytes: &[u8]) -> Option<Answered> {
        self.runtime.block_on(async {
            let mut http: Http = self.rig.http().await;
            // It may end before all of it is taken.
            drop(http.0.write_all(bytes).await);
            http.answer().await
        })
    }

    fn later(&self) {
        self.rig.daemon.clock.advance(LATER);
    }

    /// Nobody was let in, whatever is told.
    fn assert_nobody_was_let_in(&self) {
        self.runtime.block_on(async {
            let Reply::Status(status) = self.rig.daemon.admin(Request::Status).await else { panic!() };
            assert_eq!((status.accepted, status.skipped), (0, 0));
            let filter = AuditFilter { verdict: Some("accept".into()), ..AuditFilter::default() };
            let Reply::Audit(page) = self.rig.daemon.admin(Request::Audit(Box::new(filter))).await else {
                panic!()
            };
            assert!(page.rows.is_empty(), "{:?}", page.rows);
        });
    }
}

fn run<T: std::fmt::Debug>(
    strategy: &impl Strategy<Value = T>,
    test: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let config =
        Config { cases: CASES, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    TestRunner::new(config).run(strategy, test).unwrap();
}

/// What is made up must not be right by chance.
#[test]
fn no_code_that_is_made_up_is_right() {
    for counter in 0..200 {
        assert!(!request::CODES.contains(&hotp(counter).as_str()), "{counter}");
    }
}

#[test]
fn whatever_comes_is_answered_in_the_form_of_its_dialect_and_lets_nobody_in() {
    let scene = Scene::new();
    run(&request::shapes(&request::PATHS), |shape: Shape| {
        scene.later();
        let who = if shape.wants_all { Who::All } else { Who::Verifier };
        let bytes = shape.bytes(USERS[0], who);
        if let Some(answered) = scene.send(&bytes) {
            form::check(&shape, &answered)?;
        }
        Ok(())
    });
    scene.assert_nobody_was_let_in();
}

#[test]
fn who_exists_is_answered_like_who_does_not() {
    let scene = Scene::new();
    run(&request::shapes(&request::VERIFYING), |shape: Shape| {
        scene.later();
        let told = USERS.map(|user| {
            let answered = scene.send(&shape.bytes(user, Who::Verifier));
            answered.map(|answered| form::without_numbers(answered, user))
        });
        prop_assert_eq!(&told[0], &told[1]);
        Ok(())
    });
    scene.assert_nobody_was_let_in();
}
