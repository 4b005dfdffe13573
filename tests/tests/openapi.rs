//! The served description of `/v1` against the running roles, by schemathesis: it makes up requests of every shape
//! that fits and of many that do not, and holds the answers against what the description says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::process::Command;

use mfa_tests::{
    daemon::Setup,
    otp::Seed,
    sys::run_with,
    web::Web,
    world::{self, World},
};

const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8080"

[[web.client]]
name = "tester"
rights = [
    "verify", "factors:read", "factors:write", "users:read", "audit:read", "status", "token:verify", "token:issue"
]
token = "tester-token"
password_proven = true
rate = 10000
"#;

#[test]
fn answers_are_as_the_description_says_whatever_is_asked() {
    let prepare = |outer: world::Outer| outer.with_tools("schemathesis");
    world::enter_by("answers_are_as_the_description_says_whatever_is_asked", prepare, |world| {
        for name in ["jane", "joe"] {
            world.add_quick_user(name);
        }
        let mut web = Web::new(world, "127.0.0.1:8080");
        web.credential("tester-token", "tester-secret");
        let daemon = Setup::as_root().section(CONFIG).start();
        daemon.enroll_totp("jane", &Seed::of("jane"));
        web.begin(&daemon);

        let mut command = Command::new(World::tools().join("bin/python"));
        command.args(["-m", "schemathesis.cli", "run", "http://127.0.0.1:8080/v1/openapi.json"]);
        command.args(["--header", "Authorization: Bearer tester-secret", "--checks", "all"]);
        // What makes a string a name is more than the description says; one that is none is a 400.
        command.args(["--exclude-checks", "positive_data_acceptance"]);
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "1"]);
        command.args(["--continue-on-failure", "--no-color"]).current_dir("/tmp");
        let ran = run_with(&mut command, "");
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        world::tell(ran.stdout.lines().last().unwrap_or_default());
        web.kill();
        assert!(!Web::output().contains("panicked"), "{}", Web::output());
    });
}
