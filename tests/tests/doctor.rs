//! `mfactl doctor` against the real things: its model of a stack and libpam agree on what each outcome of each
//! module leads to, and sshd tells it the settings it judges.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::fs;

use mfa_tests::{
    daemon::Daemon,
    otp::Seed,
    pam::{self, Driver},
    sys::must,
    world::{self, World},
};
use mfactl::pam::{Code, Entry, Kind, Source, Stack, walk};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Stacks that are made by chance, the same in every run.
const STACKS: usize = 1000;

fn control() -> impl Strategy<Value = String> {
    let action = prop::sample::select(vec!["ok", "done", "bad", "die", "ignore", "reset", "1", "2", "3"]);
    let value = prop::sample::select(vec![
        "success",
        "auth_err",
        "ignore",
        "user_unknown",
        "new_authtok_reqd",
        "default",
    ]);
    let listed = prop::collection::vec((value, action), 1..4).prop_map(|pairs| {
        let pairs: Vec<String> = pairs.iter().map(|(value, action)| format!("{value}={action}")).collect();
        format!("[{}]", pairs.join(" "))
    });
    let word = prop::sample::select(vec![
        "required",
        "requisite",
        "sufficient",
        "optional",
        "reqired",
        "[success=0]",
        "[x=ok]",
    ]);
    prop_oneof![4 => word.prop_map(str::to_owned), 5 => listed]
}

fn module() -> impl Strategy<Value = String> {
    let outcome = prop::sample::select(vec![
        "success",
        "success",
        "success",
        "auth_err",
        "ignore",
        "user_unknown",
        "authinfo_unavail",
        "new_authtok_reqd",
        "maxtries",
    ]);
    let debug = outcome.prop_map(|outcome| format!("pam_debug.so auth={outcome}"));
    prop_oneof![
        8 => debug,
        1 => Just("pam_permit.so".to_owned()),
        1 => Just("pam_deny.so".to_owned()),
        1 => Just("pam_nowhere.so".to_owned()),
    ]
}

fn line(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let plain = (control(), module()).prop_map(|(control, module)| format!("auth {control} {module}"));
    let how = prop::sample::select(vec!["auth include", "auth substack", "@include"]);
    let included = (how, prop::sample::select(names)).prop_map(|(how, name)| format!("{how} {name}"));
    let broken = prop::sample::select(vec![
        "auth",
        "auth required",
        "atuh required pam_permit.so",
        "-auth optional pam_nowhere.so",
        "auth include nowhere",
        "auth sufficient",
        "atuh sufficient pam_permit.so",
        "@include nowhere",
    ]);
    prop_oneof![14 => plain, 4 => included, 1 => broken.prop_map(str::to_owned)]
}

fn lines(names: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(line(names), 1..6)
}

fn source(name: &str) -> Option<Source> {
    let path = format!("/etc/pam.d/{name}");
    fs::read_to_string(&path).ok().map(|text| Source { path, text })
}

/// What the module of a line returns when it is run.
fn outcome(entry: &Entry) -> Code {
    let word = entry.arguments.iter().find_map(|argument| argument.strip_prefix("auth="));
    match entry.module() {
        "pam_permit.so" => Code::SUCCESS,
        "pam_deny.so" => Code::AUTH_ERR,
        "pam_debug.so" => Code::of_word(word.unwrap()).unwrap(),
        _ => Code::MODULE_UNKNOWN,
    }
}

#[test]
fn libpam_and_the_model_of_doctor_agree() {
    world::enter("libpam_and_the_model_of_doctor_agree", |world| {
        world.add_user("jane");
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), random);
        let mut granted = 0_usize;
        for _ in 0..STACKS {
            let made =
                (lines(&["deep", "inner"]), lines(&["inner"]), prop::collection::vec(line(&["inner"]), 0..3));
            let (service, deep, mut inner) = made.new_tree(&mut runner).unwrap().current();
            // The innermost includes nothing, so that no file includes itself.
            inner.retain(|line| !line.contains("inner"));
            inner.push("auth required pam_debug.so auth=success".to_owned());
            for (name, lines) in [("app", &service), ("deep", &deep), ("inner", &inner)] {
                pam::service(name, &lines.iter().map(String::as_str).collect::<Vec<_>>());
            }
            let real = Driver::new("app").login("jane", &[]).result.replace("start:", "");
            let stack = Stack::read("app", Kind::Auth, &source).unwrap();
            let model = walk(&stack, |at| outcome(&stack.entries[at])).code;
            let model = format!("PAM_{}", model.word().to_uppercase());
            let shown = format!("app {service:#?}\ndeep {deep:#?}\ninner {inner:#?}");
            // What libpam makes of an `@include` that fails below an `include` depends: no way may be missed.
            if shown.contains("@include nowhere") {
                assert!(real != "PAM_SUCCESS" || model == "PAM_SUCCESS", "{real}, {model}: {shown}");
            } else {
                assert_eq!(real, model, "{shown}");
            }
            granted += usize::from(real == "PAM_SUCCESS");
        }
        assert!((STACKS / 20..STACKS / 2).contains(&granted), "{granted} of {STACKS} grant: they say little");
    });
}

/// What `doctor` finds of PAM and sshd on the host it runs on.
fn findings(daemon: &Daemon, config: &str) -> Vec<String> {
    let path = "/run/sshd/doctor.conf";
    fs::write(path, config).unwrap();
    let ran = daemon.ctl(&["doctor", "--json", "--sshd-config", path]);
    let value: serde_json::Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    let all = value["findings"].as_array().unwrap();
    let word = |finding: &serde_json::Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    all.iter()
        .filter(|f| ["pam", "sshd"].contains(&f["check"].as_str().unwrap()) && f["severity"] != "ok")
        .map(|f| format!("{} {} @ {}", word(f, "severity"), word(f, "what"), word(f, "where")))
        .collect()
}

#[test]
fn doctor_asks_the_real_sshd() {
    world::enter("doctor_asks_the_real_sshd", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        for entry in fs::read_dir("/etc/pam.d").unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        pam::service("other", &["auth required pam_deny.so"]);
        fs::create_dir_all("/run/modules").unwrap();
        fs::copy(World::built("libpam_mfa.so"), "/run/modules/pam_mfa.so").unwrap();
        let line = format!("auth required /run/modules/pam_mfa.so socket={}", daemon.socket.display());
        pam::service("sshd", &["auth requisite pam_unix.so", &line]);
        must(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/run/sshd/hostkey"]);
        let base = "HostKey /run/sshd/hostkey\nUsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n";
        let good = format!("{base}AuthenticationMethods keyboard-interactive\n");
        assert_eq!(findings(&daemon, &good), Vec::<String>::new());
        let keys = findings(&daemon, base);
        assert!(keys.len() == 1 && keys[0].starts_with("problem logins by publickey alone"), "{keys:?}");
        let block = format!("{good}Match User jane,bob\n  AuthenticationMethods publickey\n");
        let keys = findings(&daemon, &block);
        assert_eq!(keys.len(), 1, "{keys:?}");
        assert!(
            keys[0].starts_with("warning with `Match User jane,bob`: logins by publickey alone"),
            "{keys:?}"
        );
        assert!(keys[0].ends_with("doctor.conf:6"), "{keys:?}");
    });
}

/// The check of users comes to its end with the real daemon, and finds who is orphaned and who is locked out.
#[test]
fn doctor_asks_the_real_daemon_about_users() {
    world::enter("doctor_asks_the_real_daemon_about_users", |world| {
        for user in ["gone", "jane"] {
            world.add_user(user);
        }
        let daemon = Daemon::start(world);
        daemon.enroll_totp("gone", &Seed::of("gone"));
        fs::create_dir_all("/run/modules").unwrap();
        fs::copy(World::built("libpam_mfa.so"), "/run/modules/pam_mfa.so").unwrap();
        let line = format!("auth required /run/modules/pam_mfa.so socket={}", daemon.socket.display());
        pam::service("login", &["auth requisite pam_unix.so", &line]);
        must(&["userdel", "gone"]);
        let told: serde_json::Value =
            serde_json::from_str(&daemon.ctl(&["doctor", "--json"]).stdout).unwrap();
        let of_users = |severity: &str| -> String {
            let all = told["findings"].as_array().unwrap().iter();
            let of = all.filter(|f| f["check"] == "users" && f["severity"] == severity);
            of.map(|f| f["what"].as_str().unwrap()).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(of_users("problem"), "", "{told}");
        assert_eq!(of_users("unchecked"), "", "{told}");
        let warned = of_users("warning");
        assert!(warned.contains("account is gone or has another uid (they deny): gone"), "{told}");
        assert!(warned.contains("second factor and have none, or fewer"), "{told}");
        assert!(warned.contains("jane (login)"), "{told}");
    });
}
