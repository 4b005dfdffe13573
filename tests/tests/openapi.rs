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

/// What fits the description is never told that it does not: it is done, or cannot be in this state, or a code in it is
/// wrong. Ways to send codes are not configured here.
const ACCEPTING: &str = "\
[checks.positive_data_acceptance]
expected-statuses = [\"2xx\", 401, 403, 404, 409, 422, 423, 429]
";

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

        // A file `seed` beside it has it make up other requests.
        let seed = std::fs::read_to_string(World::tools().join("seed"));
        let seed = seed.map_or_else(|_| "1".to_owned(), |seed| seed.trim().to_owned());
        let mut command = Command::new(World::tools().join("bin/python"));
        command.args(["-m", "schemathesis.cli", "run", "http://127.0.0.1:8080/v1/openapi.json"]);
        command.args(["--header", "Authorization: Bearer tester-secret", "--checks", "all"]);
        std::fs::write("/tmp/schemathesis.toml", ACCEPTING).unwrap();
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", &seed]);
        command.args(["--continue-on-failure", "--no-color"]).current_dir("/tmp");
        let ran = run_with(&mut command, "");
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        world::tell(ran.stdout.lines().last().unwrap_or_default());
        web.kill();
        assert!(!Web::output().contains("panicked"), "{}", Web::output());
    });
}
