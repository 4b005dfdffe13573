//! FreeRADIUS, as Debian ships it and set up as docs/web.md and docs/compat.md say, before mfad-web with TLS: a right
//! code is an `Access-Accept` once, and nothing else is; `pam_radius_auth.so` asks it in turn.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

#[path = "freeradius/check.rs"]
mod check;
#[path = "freeradius/server.rs"]
mod server;

use std::{fs, path::Path};

use mfa_tests::{
    daemon::{Daemon, Setup},
    gateway::Gateway,
    otp::Seed,
    pam,
    sys::{run_with, wait_until},
    web::Web,
    world::{self, World},
};
use server::{Answer, Radius, Settings, ask, certify, login, login_from, rejected_with, said};

const CONFIG: &str = r#"
[[web.listen]]
address = "127.0.0.1:8443"
certificate = "/etc/mfad/web/cert.pem"
key = "/etc/mfad/web/key.pem"
dialects = { v1 = "/", linotp = "/" }

[[web.client]]
name = "radius"
rights = ["verify"]
token = "radius-token"
"#;

fn fronted(world: &World) -> (Daemon, Web, Seed) {
    fronted_with(world, "")
}

fn fronted_with(world: &World, limits: &str) -> (Daemon, Web, Seed) {
    world.add_quick_user("jane");
    let mut web = Web::new(world, "127.0.0.1:8443");
    web.credential("radius-token", "radius-secret");
    certify();
    web.own(Path::new("/etc/mfad/web/key.pem"));
    let daemon = Setup::as_root().section(CONFIG).section(limits).start();
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    web.begin(&daemon);
    (daemon, web, seed)
}

/// Names, what is put into them, and what is no password, while the second code of jane is yet to come: `asked` is what
/// a code is called in what is asked, and the status of a no.
fn nothing_else_lets_in(seed: &Seed, (asked, status): (&str, u16)) {
    assert_eq!(rejected_with("nobody", &seed.hotp(1)), status);
    // Neither name nor password can change what is asked.
    let smuggled = format!("0\",\"user\":\"jane\",\"{asked}\":\"{}", seed.hotp(1));
    assert_eq!(rejected_with("nobody", &smuggled), status);
    assert_eq!(ask("User-Name = \"jane\"\n"), Answer::Reject, "no password");
    assert_eq!(ask("User-Name = \"jane\"\nUser-Password = \"\"\n"), Answer::Reject, "an empty one");
    let chap = format!("User-Name = \"jane\"\nCHAP-Password = \"{}\"\n", seed.hotp(1));
    assert_eq!(ask(&chap), Answer::Reject, "it cannot be judged");
    assert_eq!(login("jane", &seed.hotp(1)), Answer::Accept, "none of these used it up: {}", said());
}

/// Whoever answers in the place of mfad-web without its key is not asked, though a code is right.
fn no_stranger_is_asked(daemon: &Daemon, web: &mut Web, code: &str) {
    certify();
    web.own(Path::new("/etc/mfad/web/key.pem"));
    fs::copy("/etc/ssl/certs/ca-certificates.crt", "/etc/freeradius/mfad-ca.pem").unwrap();
    web.begin(daemon);
    assert_eq!(login("jane", code), Answer::Reject, "its certificate is not trusted");
}

/// jane's first code lets her in; the trail says by whom it was asked, and where she is.
fn lets_jane_in(daemon: &Daemon, seed: &Seed) {
    assert_eq!(login("jane", &seed.hotp(0)), Answer::Accept, "{}", said());
    let row = daemon.audit("jane").pop().unwrap();
    assert_eq!((&row["verdict"], &row["client"]), (&"accept".into(), &"radius".into()), "{row}");
    assert_eq!(row["source"], "203.0.113.9", "where the person is: {row}");
}

#[test]
fn radius_accepts_a_right_code_once_and_nothing_else() {
    world::enter("radius_accepts_a_right_code_once_and_nothing_else", |world| {
        let (daemon, _web, seed) = fronted(world);
        let _radius = Radius::start(&Settings::status());
        lets_jane_in(&daemon, &seed);

        assert_eq!(rejected_with("jane", &seed.hotp(0)), 401, "a used code");
        assert_eq!(rejected_with("jane", &seed.wrong()), 401, "a wrong code");
        daemon.wait_out_short_waits("jane");
        nothing_else_lets_in(&seed, ("code", 401));
    });
}

#[test]
fn radius_rejects_right_codes_of_who_is_locked() {
    world::enter("radius_rejects_right_codes_of_who_is_locked", |world| {
        let (daemon, _web, seed) = fronted(world);
        let _radius = Radius::start(&Settings::status());
        // Nobody proved a password to this client: three wrong codes are its budget.
        for status in [401, 401, 403] {
            daemon.wait_out_short_waits("jane");
            assert_eq!(rejected_with("jane", &seed.wrong()), status);
        }
        assert_eq!(rejected_with("jane", &seed.hotp(0)), 403);
        daemon.ctl(&["unlock", "jane"]).ok();
        assert_eq!(login("jane", &seed.hotp(0)), Answer::Accept, "{}", said());
    });
}

#[test]
fn radius_rejects_right_codes_from_where_too_many_wrong_ones_came() {
    world::enter("radius_rejects_right_codes_from_where_too_many_wrong_ones_came", |world| {
        let (daemon, _web, seed) = fronted_with(world, "[limits]\nsource_failures = 1\n");
        let _radius = Radius::start(&Settings::status());
        assert_eq!(rejected_with("jane", &seed.wrong()), 401);
        daemon.wait_out_short_waits("jane");
        assert_eq!(rejected_with("jane", &seed.hotp(0)), 403);
        let elsewhere = login_from("198.51.100.7", "jane", &seed.hotp(0));
        assert_eq!(elsewhere, Answer::Accept, "that is about the person's address: {}", said());
    });
}

#[test]
fn radius_rejects_all_while_mfad_is_away_and_recovers() {
    world::enter("radius_rejects_all_while_mfad_is_away_and_recovers", |world| {
        let (mut daemon, mut web, seed) = fronted(world);
        web.kill();
        let _radius = Radius::start(&Settings::status());
        assert_eq!(login("jane", &seed.hotp(0)), Answer::Reject, "the server starts without mfad-web");
        web.begin(&daemon);
        // It tries to connect again a second after it could not.
        wait_until("the server asks again", || login("jane", &seed.hotp(0)) == Answer::Accept);

        daemon.kill();
        assert_eq!(rejected_with("jane", &seed.hotp(1)), 503);
        daemon.begin();
        assert_eq!(login("jane", &seed.hotp(1)), Answer::Accept, "{}", said());

        web.kill();
        assert_eq!(login("jane", &seed.hotp(2)), Answer::Reject);
        no_stranger_is_asked(&daemon, &mut web, &seed.hotp(2));
    });
}

#[test]
fn radius_takes_204_for_a_yes_and_no_other_status_that_mfad_has() {
    world::enter("radius_takes_204_for_a_yes_and_no_other_status_that_mfad_has", |_world| {
        certify();
        // Stands for mfad-web, to have all that it can answer: the code is the status.
        let gateway = Gateway::start(|asked| {
            let code = asked.json()["code"].as_str().unwrap().to_owned();
            (code.parse().unwrap(), String::new())
        });
        let _radius = Radius::start(&Settings::status().before(&gateway.url("")));
        for status in [400, 401, 403, 404, 405, 413, 415, 429, 500, 503] {
            assert_eq!(rejected_with("jane", &status.to_string()), status);
        }
        assert_eq!(login("jane", "204"), Answer::Accept, "{}", said());
    });
}

/// `pamtester` with an answer to the one question; whether it was let in.
fn pamtester(code: &str) -> bool {
    let mut command = std::process::Command::new("pamtester");
    let ran = run_with(command.args(["radius-app", "jane", "authenticate"]), &format!("{code}\n"));
    let passed = ran.stdout.contains("successfully authenticated") || ran.stderr.contains("successfully");
    assert_eq!(passed, ran.code == Some(0), "{ran:?}");
    passed
}

#[test]
fn a_pam_stack_that_asks_radius_takes_right_codes_alone() {
    world::enter("a_pam_stack_that_asks_radius_takes_right_codes_alone", |world| {
        let (daemon, mut web, seed) = fronted(world);
        let radius = Radius::start(&Settings::status());
        fs::write("/etc/pam_radius_auth.conf", "127.0.0.1:1812 shared-with-radius 3\n").unwrap();
        pam::service("radius-app", &["auth required pam_radius_auth.so"]);
        assert!(pamtester(&seed.hotp(0)), "{}", said());
        assert!(!pamtester(&seed.hotp(0)), "a used code");
        daemon.wait_out_short_waits("jane");
        assert!(!pamtester(&seed.wrong()));
        daemon.wait_out_short_waits("jane");
        web.kill();
        assert!(!pamtester(&seed.hotp(1)), "mfad-web is away");
        web.begin(&daemon);
        assert!(pamtester(&seed.hotp(1)), "{}", said());
        drop(radius);
        assert!(!pamtester(&seed.hotp(2)), "the server is away");
    });
}
