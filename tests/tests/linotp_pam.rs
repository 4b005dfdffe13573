//! LinOTP's own PAM module for Python 2, unchanged from `PyPI`, before mfad-web. Debian 12 has no Python 2 and its
//! `pam_python.so` runs Python 3, so Jython runs the module, and what it gets from PAM and syslog is played.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::process::Command;

use mfa_tests::{
    daemon::{Daemon, Setup},
    gateway::Gateway,
    otp::Seed,
    sys::run_with,
    web::Web,
    world::{self, World},
};
use serde_json::{Value, json};

const URL: &str = "url=http://127.0.0.1:8080/validate/simplecheck";
const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8080"
dialects = { linotp = "/" }
[[web.client]]
name = "hosts"
rights = ["verify"]
by_network = true
networks = ["127.0.0.1"]
[realm.vpn]
[web.linotp]
challenge_response = true
"#;
/// Who calls the module.
const DRIVER: &str = include_str!("../driver/linotp_pam.py");

/// A login, and what the module made of it.
struct Login {
    args: Vec<String>,
    user: &'static str,
    authtok: Option<String>,
    typed: Vec<String>,
}

#[derive(Debug)]
struct Ended {
    yes: bool,
    prompts: Vec<String>,
    log: String,
}

/// A login of `user`, who types this.
fn login(user: &'static str, typed: &[&str]) -> Login {
    let typed = typed.iter().map(|&typed| typed.to_owned()).collect();
    Login { args: vec![URL.to_owned()], user, authtok: None, typed }
}

impl Login {
    /// With these arguments besides.
    fn with(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    fn json(&self) -> Value {
        json!({ "args": self.args, "user": self.user, "authtok": self.authtok, "typed": self.typed })
    }
}

/// Has the module judge these logins, one after the other.
#[track_caller]
fn judge<const N: usize>(logins: &[Login; N]) -> [Ended; N] {
    judge_all(logins).try_into().expect("one for each")
}

#[track_caller]
fn judge_all(logins: &[Login]) -> Vec<Ended> {
    let driver = "/tmp/linotp_pam.py";
    std::fs::write(driver, DRIVER).unwrap();
    let lines: Vec<String> = logins.iter().map(|login| login.json().to_string()).collect();
    let mut jython = Command::new("jython");
    jython.args(["-B", driver]).current_dir("/tmp");
    jython.env("JYTHONPATH", World::tools().join("source/pam_py_linotp-2.9.1/src"));
    let said = run_with(&mut jython, &(lines.join("\n") + "\n")).ok();
    let ended: Vec<Ended> = said.lines().map(ended).collect();
    assert_eq!(ended.len(), logins.len(), "{said}");
    ended
}

#[track_caller]
fn ended(line: &str) -> Ended {
    let told: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    let texts = |name: &str| -> Vec<String> {
        told[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let yes = match told["result"].as_str().unwrap() {
        "success" => true,
        "auth_err" => false,
        other => panic!("{other}: {line}"),
    };
    Ended { yes, prompts: texts("prompts"), log: texts("log").join("\n") }
}

fn fronted(world: &World) -> (Daemon, Web) {
    for name in ["jane", "joe", "ann", "bert"] {
        world.add_quick_user(name);
    }
    let mut web = Web::new(world, "127.0.0.1:8080");
    let daemon = Setup::as_root().section(CONFIG).start();
    for name in ["jane", "joe", "ann", "bert"] {
        daemon.enroll_hotp(name, &Seed::of(name), 0);
    }
    for name in ["carol", "dora"] {
        let words =
            ["enroll", "hotp", name, "--realm", "vpn", "--counter", "0", "--no-confirm", "--secret-stdin"];
        daemon.ctl_with(&words, &format!("{}\n", Seed::of(name).base32())).ok();
    }
    web.begin(&daemon);
    (daemon, web)
}

fn code(user: &str, counter: u64) -> String {
    Seed::of(user).hotp(counter)
}

/// Why the last login of a user was a no; else what else was last.
fn last(daemon: &Daemon, user: &str) -> String {
    let row = daemon.audit(user).pop().unwrap();
    let name = if row["verdict"] == "deny" { "reason" } else { "event" };
    row[name].as_str().unwrap().to_owned()
}

#[test]
fn linotps_pam_module_takes_a_right_code_once_and_nothing_else() {
    let prepare = |outer: world::Outer| outer.with_tools("linotp");
    let name = "linotps_pam_module_takes_a_right_code_once_and_nothing_else";
    world::enter_by(name, prepare, |world| {
        let (mut daemon, mut web) = fronted(world);
        let given = Login { authtok: Some(code("jane", 1)), ..login("jane", &[]) };
        let [right, given, used, wrong, unknown, hung_up] = judge(&[
            login("jane", &[&code("jane", 0)]).with(&["prompt=Code_of_mfad:", "debug"]),
            given,
            login("jane", &[&code("jane", 0)]),
            login("joe", &[&Seed::of("joe").wrong()]),
            login("june", &[&code("jane", 2)]),
            login("bert", &[]),
        ]);
        assert!(right.yes && right.prompts == ["Code of mfad:"], "{right:?}");
        assert!(right.log.contains(&code("jane", 0)), "debug writes it to the log: {right:?}");
        assert!(given.yes && given.prompts.is_empty(), "what a module before it has is sent: {given:?}");
        assert!(!given.log.contains(&code("jane", 1)), "without debug it is in no log: {given:?}");
        for no in [used, wrong, unknown, hung_up] {
            assert!(!no.yes && no.prompts == ["Your OTP:"], "{no:?}");
        }
        let reasons = ["jane", "joe", "bert"].map(|user| last(&daemon, user));
        assert_eq!(
            reasons,
            ["used_code", "wrong_code", "enroll"],
            "whose code was judged, and why it was a no"
        );

        daemon.kill();
        let [away] = judge(&[login("bert", &[&code("bert", 0)])]);
        assert!(!away.yes && away.log.contains("user rejected"), "core is away: {away:?}");
        web.kill();
        let [away] = judge(&[login("bert", &[&code("bert", 0)])]);
        assert!(!away.yes && away.log.contains("Error:"), "mfad-web is away: {away:?}");
        daemon.begin();
        web.begin(&daemon);
        let [back] = judge(&[login("bert", &[&code("bert", 0)])]);
        assert!(back.yes, "{back:?}");
    });
}

#[test]
fn linotps_pam_module_asks_what_a_challenge_asks() {
    let prepare = |outer: world::Outer| outer.with_tools("linotp");
    world::enter_by("linotps_pam_module_asks_what_a_challenge_asks", prepare, |world| {
        let (daemon, _web) = fronted(world);
        let vpn = |user, typed: &[&str]| login(user, typed).with(&["realm=vpn"]);
        let [right, nothing, wrong, at_once, elsewhere, challenged] = judge(&[
            login("jane", &["", &code("jane", 0)]),
            login("joe", &[""]),
            login("ann", &["", &Seed::of("ann").wrong()]),
            vpn("carol", &[&code("carol", 0)]),
            login("carol", &[&code("carol", 1)]),
            vpn("dora", &["", &code("dora", 0)]),
        ]);
        assert!(right.yes && right.prompts.len() == 2, "{right:?}");
        assert!(!nothing.yes && nothing.prompts.len() == 2, "a challenge is no yes: {nothing:?}");
        assert!(!wrong.yes && last(&daemon, "ann") == "wrong_code", "{wrong:?}");
        assert!(at_once.yes && !elsewhere.yes, "{at_once:?} {elsewhere:?}");
        // The module names no realm in its answer to a challenge, so that is about nobody's.
        assert!(!challenged.yes && challenged.prompts.len() == 2, "{challenged:?}");
        let [at_once] = judge(&[vpn("dora", &[&code("dora", 0)])]);
        assert!(at_once.yes, "her code was not judged: {at_once:?}");
    });
}

#[test]
fn linotps_pam_module_takes_the_word_of_simplecheck_and_no_other() {
    let prepare = |outer: world::Outer| outer.with_tools("linotp");
    let name = "linotps_pam_module_takes_the_word_of_simplecheck_and_no_other";
    world::enter_by(name, prepare, |_world| {
        let texts = [
            "",
            ":-(",
            ":-/",
            ":-) ",
            " :-)",
            ":-)\n",
            ":-):-)",
            ":-) 12345678901234567890 Code: ",
            ":-( 12345678901234567890 :-)",
            "<html>:-)</html>",
            r#"{"result": {"status": true, "value": true}}"#,
        ];
        let pages = [400, 401, 403, 404, 429, 500, 503].map(|status| (status, ":-)".to_owned()));
        let no: Vec<(u16, String)> =
            texts.map(|text| (200, text.to_owned())).into_iter().chain(pages).collect();
        let all = [no.clone(), vec![(200, ":-)".to_owned())]].concat();
        let scripted = all.clone();
        // Stands for mfad-web, to have all that can come from there; what is typed is the number of the answer.
        let gateway = Gateway::start(move |asked| {
            let typed = asked.body.split('&').find_map(|part| part.strip_prefix("pass=")).unwrap();
            scripted[typed.parse::<usize>().unwrap()].clone()
        });
        let asks = |number: usize| {
            login("jane", &[&number.to_string()]).with(&[&format!("url={}", gateway.url("/"))])
        };
        let judged = judge_all(&(0..all.len()).map(asks).collect::<Vec<_>>());
        for (number, (ended, answer)) in judged.iter().zip(&all).enumerate() {
            assert_eq!(ended.yes, number >= no.len(), "{answer:?} {ended:?}");
        }
        assert_eq!(gateway.received().len(), all.len(), "each was asked for");
    });
}
