//! Logins through the real sshd, by the real clients.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::fs;

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam,
    pty::Session,
    ssh::{self, CODE_PROMPT, ENTER_PROMPT, PASSWORD_PROMPT, Sshd},
    world::{self, PASSWORD, World},
};
use nix::sys::signal::Signal;

/// jane with a factor, a daemon, and sshd that wants password and code.
struct Scene {
    daemon: Daemon,
    seed: Seed,
    sshd: Sshd,
}

fn scene(world: &World) -> Scene {
    world.add_user("jane");
    let daemon = Daemon::start(world);
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    daemon.guard("sshd", "timeout=3");
    Scene { daemon, seed, sshd: Sshd::start(&[]) }
}

#[test]
fn password_and_totp_code_log_in_once() {
    world::enter("password_and_totp_code_log_in_once", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_totp("jane", &seed);
        daemon.guard("sshd", "");
        let sshd = Sshd::start(&[]);
        let code = seed.totp_now();
        assert!(ssh::login("jane", &code));
        assert!(sshd.log().contains("Accepted keyboard-interactive/pam for jane"));
        assert!(!ssh::login("jane", &code), "a code was taken twice");
        assert!(ssh::login("jane", &seed.totp_next()), "the next code is as good as any");
        let verdicts: Vec<String> = daemon
            .audit("jane")
            .iter()
            .filter(|row| row["event"] == "login")
            .map(|row| {
                assert_eq!(row["service"], "sshd");
                assert_eq!(row["source"], "127.0.0.1");
                row["verdict"].as_str().unwrap().to_owned()
            })
            .collect();
        assert_eq!(verdicts.first().map(String::as_str), Some("accept"));
        assert_eq!(verdicts.last().map(String::as_str), Some("accept"));
        assert!(verdicts.iter().any(|verdict| verdict == "deny"));
    });
}

#[test]
fn oathtools_codes_log_in() {
    world::enter("oathtools_codes_log_in", |world| {
        let Scene { seed, sshd: _sshd, daemon: _daemon } = scene(world);
        assert!(ssh::login("jane", &seed.oathtool_hotp(0)));
        assert!(ssh::login("jane", &seed.oathtool_hotp(1)));
    });
}

#[test]
fn a_wrong_code_is_refused_and_counted() {
    world::enter("a_wrong_code_is_refused_and_counted", |world| {
        let Scene { daemon, seed, sshd } = scene(world);
        assert!(!ssh::login("jane", &seed.wrong()));
        assert_eq!(daemon.failures("jane"), 1);
        assert!(!sshd.log().contains("Accepted"));
        assert!(ssh::login("jane", &seed.hotp(0)), "one failure is no lock");
        assert_eq!(daemon.failures("jane"), 0);
    });
}

#[test]
fn one_login_may_correct_a_mistyped_code() {
    world::enter("one_login_may_correct_a_mistyped_code", |world| {
        let Scene { seed, .. } = &scene(world);
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        session.answer(CODE_PROMPT, &seed.wrong()).answer(CODE_PROMPT, &seed.hotp(0));
        assert!(ssh::was_let_in(session, "jane"));
    });
}

#[test]
fn the_wrong_password_is_refused_and_costs_no_code() {
    world::enter("the_wrong_password_is_refused_and_costs_no_code", |world| {
        let Scene { daemon, seed, sshd: _sshd } = scene(world);
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, "not it");
        assert!(!ssh::was_let_in(session, "jane"));
        assert_eq!(daemon.failures("jane"), 0);
        assert!(ssh::login("jane", &seed.hotp(0)));
    });
}

#[test]
fn a_key_needs_a_code_as_well() {
    world::enter("a_key_needs_a_code_as_well", |world| {
        let jane = world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("sshd", "");
        let _sshd = Sshd::start(&["AuthenticationMethods publickey,keyboard-interactive"]);
        let identity = format!("IdentityFile={}", ssh::authorize_key(&jane).display());
        for (code, inside) in [(seed.wrong(), false), (seed.hotp(0), true), (seed.hotp(0), false)] {
            let mut session = ssh::ssh("jane", &[&identity], "id -un");
            session.answer(CODE_PROMPT, &code);
            assert_eq!(ssh::was_let_in(session, "jane"), inside, "with {code}");
        }
        let batch = ssh::ssh("jane", &[&identity, "BatchMode=yes"], "id -un");
        assert!(!ssh::was_let_in(batch, "jane"), "the key alone was enough");
        let keyless = ssh::ssh("jane", &[], "id -un");
        assert!(!ssh::was_let_in(keyless, "jane"), "the code alone was asked for");
    });
}

#[test]
fn too_many_wrong_codes_lock_and_an_admin_unlocks() {
    world::enter("too_many_wrong_codes_lock_and_an_admin_unlocks", |world| {
        let Scene { daemon, seed, sshd: _sshd } = scene(world);
        while daemon.failures("jane") < 5 {
            daemon.wait_out_short_waits("jane");
            assert!(!ssh::login("jane", &seed.wrong()));
        }
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        session.expect_one_of(&[CODE_PROMPT, ENTER_PROMPT]);
        session.type_line(&seed.hotp(0));
        assert!(!ssh::was_let_in(session, "jane"), "a locked account was let in");
        assert_eq!(daemon.failures("jane"), 5, "what was not judged is not counted");
        daemon.ctl(&["unlock", "jane"]).ok();
        assert!(ssh::login("jane", &seed.hotp(0)));
    });
}

#[test]
fn without_a_daemon_nobody_gets_in() {
    world::enter("without_a_daemon_nobody_gets_in", |world| {
        let Scene { mut daemon, seed, sshd: _sshd } = scene(world);
        daemon.stop();
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        assert!(!ssh::was_let_in(session, "jane"));
        daemon.begin();
        assert!(ssh::login("jane", &seed.hotp(0)));
    });
}

#[test]
fn a_frozen_daemon_lets_nobody_in() {
    world::enter("a_frozen_daemon_lets_nobody_in", |world| {
        let Scene { daemon, seed, sshd: _sshd } = scene(world);
        daemon.signal(Signal::SIGSTOP);
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD);
        assert!(!ssh::was_let_in(session, "jane"));
        daemon.signal(Signal::SIGCONT);
        assert!(ssh::login("jane", &seed.hotp(0)));
    });
}

#[test]
fn a_daemon_that_freezes_while_asking_lets_nobody_in() {
    world::enter("a_daemon_that_freezes_while_asking_lets_nobody_in", |world| {
        let Scene { daemon, seed, sshd: _sshd } = scene(world);
        let mut session = ssh::ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD).expect(CODE_PROMPT);
        daemon.signal(Signal::SIGSTOP);
        session.type_line(&seed.hotp(0));
        assert!(!ssh::was_let_in(session, "jane"));
        daemon.signal(Signal::SIGCONT);
        assert!(ssh::login("jane", &seed.hotp(1)));
    });
}

#[test]
fn scp_and_sftp_ask_as_ssh_does() {
    world::enter("scp_and_sftp_ask_as_ssh_does", |world| {
        let Scene { seed, .. } = &scene(world);
        fs::write("/tmp/letter", "dear jane").unwrap();
        let mut scp = ssh::client("scp", &[]);
        let mut session = Session::start(scp.args(["/tmp/letter", "jane@127.0.0.1:by-scp"]));
        session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, &seed.hotp(0));
        assert_eq!(session.end().code, Some(0));
        assert_eq!(fs::read_to_string("/home/jane/by-scp").unwrap(), "dear jane");

        let mut sftp = ssh::client("sftp", &[]);
        let mut session = Session::start(sftp.arg("jane@127.0.0.1"));
        session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, &seed.hotp(1));
        session.answer("sftp> ", "put /tmp/letter by-sftp").expect("Uploading").answer("sftp> ", "bye");
        assert_eq!(session.end().code, Some(0));
        assert_eq!(fs::read_to_string("/home/jane/by-sftp").unwrap(), "dear jane");

        let mut replay = ssh::client("scp", &[]);
        let mut session = Session::start(replay.args(["/tmp/letter", "jane@127.0.0.1:replayed"]));
        session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, &seed.hotp(1));
        while session.expect_one_of(&[CODE_PROMPT, "Permission denied"]) == 0 {
            session.type_line("");
        }
        assert_ne!(session.end().code, Some(0));
        assert!(!fs::exists("/home/jane/replayed").unwrap());
    });
}

/// sshd's password method answers every prompt for unseen text with the account password, and can answer
/// none whose text is seen. Neither may count against the account, least of all a password of six digits.
#[test]
fn the_password_method_never_spends_the_password_as_a_code() {
    world::enter("the_password_method_never_spends_the_password_as_a_code", |world| {
        for (echo, user) in [("true", "seen"), ("false", "unseen")] {
            world.add_user_with_password(user, "246813");
            let name = format!("mfad-{user}");
            let daemon = Setup::instance(world, &name).section(&format!("[prompt]\necho = {echo}\n")).start();
            daemon.enroll_hotp(user, &Seed::of(user), 0);
            let with_password = daemon.module_line("required", "");
            for before in ["auth requisite pam_unix.so nodelay", "auth optional pam_permit.so"] {
                pam::service("sshd", &[before, &with_password, pam::ACCOUNT, pam::SESSION]);
                let sshd = Sshd::start(&["PasswordAuthentication yes"]);
                let options = ["PreferredAuthentications=password"];
                let mut session = ssh::ssh(user, &options, "id -un");
                session.answer("password: ", "246813");
                if before.contains("pam_unix") {
                    assert!(!ssh::was_let_in(session, user), "echo = {echo}, after {before}");
                    assert_eq!(daemon.failures(user), 0, "echo = {echo}, after {before}");
                } else {
                    // Nothing has asked for the password before: six digits may be a code, and are wrong.
                    assert!(!ssh::was_let_in(session, user), "echo = {echo}, after {before}");
                }
                drop(sshd);
            }
        }
    });
}

/// sshd's password method is a client with one field: password and code in one text.
#[test]
fn the_password_method_takes_both_in_one_where_the_stack_says_so() {
    world::enter("the_password_method_takes_both_in_one_where_the_stack_says_so", |world| {
        let Scene { daemon, seed, sshd } = scene(world);
        drop(sshd);
        let module = daemon.module_line("requisite", "combined");
        pam::service(
            "sshd",
            &[&module, "auth required pam_unix.so nodelay use_first_pass", pam::ACCOUNT, pam::SESSION],
        );
        let _sshd = Sshd::start(&["PasswordAuthentication yes"]);
        for (password, code, inside) in [
            (PASSWORD, seed.hotp(0), true),
            (PASSWORD, seed.hotp(0), false),
            ("not it", seed.hotp(1), false),
            (PASSWORD, String::new(), false),
        ] {
            let mut session = ssh::ssh("jane", &["PreferredAuthentications=password"], "id -un");
            session.answer("password: ", &format!("{password}{code}"));
            assert_eq!(ssh::was_let_in(session, "jane"), inside, "{password} and {code:?}");
        }
        assert_eq!(daemon.failures("jane"), 0, "whoever has no password cannot lock the factor");
    });
}

/// For users that it refuses whatever PAM says, sshd answers prompts with junk of the length of what was
/// typed. That must not use up anybody's attempts.
#[test]
fn a_user_that_sshd_refuses_loses_no_attempt() {
    world::enter("a_user_that_sshd_refuses_loses_no_attempt", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.enroll_hotp("root", &Seed::of("root"), 0);
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        daemon.guard_with_code_alone("sshd", "");
        let _sshd = Sshd::start(&["PermitRootLogin no", "DenyUsers jane"]);
        for user in ["root", "jane"] {
            for typed in [Seed::of(user).hotp(0), "a password of some length".to_owned()] {
                let mut session = ssh::ssh(user, &[], "id -un");
                session.answer(CODE_PROMPT, &typed);
                assert!(!ssh::was_let_in(session, user));
                assert_eq!(daemon.failures(user), 0, "{user} with {typed:?}");
            }
        }
    });
}

#[test]
fn an_unknown_user_is_asked_like_any_other() {
    world::enter("an_unknown_user_is_asked_like_any_other", |world| {
        let Scene { daemon, .. } = &scene(world);
        daemon.guard_with_code_alone("sshd", "");
        let mut session = ssh::ssh("nosuchuser", &[], "id -un");
        session.answer(CODE_PROMPT, "123456");
        assert!(!ssh::was_let_in(session, "nosuchuser"));
    });
}
