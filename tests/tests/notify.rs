//! What people are told: after a login by the real sshd, by mail and by a program through the real egress.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{fs, os::unix::fs::PermissionsExt as _};

use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    mail::MailServer,
    otp::Seed,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    sys::wait_until,
    world::{self, PASSWORD},
};

/// What sshd shows of a login by password and code up to the shell's first answer.
fn shown_at_login(code: &str) -> String {
    let mut session = ssh::ssh("jane", &[], "");
    session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, code);
    session.type_line("echo in$((1+1))side; exit");
    session.expect("in2side");
    session.end().shown
}

#[test]
fn failed_attempts_are_told_where_the_shell_begins() {
    world::enter("failed_attempts_are_told_where_the_shell_begins", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard("sshd", "timeout=30");
        let _sshd = Sshd::start(&[]);
        assert!(ssh::login("jane", &seed.hotp(0)));
        for _ in 0..2 {
            assert!(!ssh::login("jane", &seed.wrong()));
        }
        let told = "2 failed attempts since your last login, the last from 127.0.0.1.";
        let shown = shown_at_login(&seed.hotp(1));
        assert!(shown.contains(told), "{shown}");
        let shown = shown_at_login(&seed.hotp(2));
        assert!(!shown.contains("failed attempt"), "it is told once:\n{shown}");
    });
}

/// What the example writes to the system log, instead into a file.
fn install_hook(path: &str) {
    let program = "#!/bin/sh\nexec tee -a /tmp/notices >/dev/null\n";
    fs::write(path, program).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_lock_is_told_by_mail_and_by_a_program() {
    world::enter("a_lock_is_told_by_mail_and_by_a_program", |world| {
        let server = MailServer::start();
        world.add_user("jane");
        let hook = "/etc/mfa-hook";
        install_hook(hook);
        fs::write("/tmp/notices", "").unwrap();
        fs::set_permissions("/tmp/notices", fs::Permissions::from_mode(0o666)).unwrap();
        let notify = format!(
            "{}[notify]\nevents = [\"lock\"]\nmail_admin = \"root@example.org\"\nhook = \"{hook}\"\n",
            MailServer::section()
        );
        let daemon = Setup::new(world).section(&notify).start();
        let mut egress = Egress::start(world, &daemon);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard("sshd", "timeout=30");
        let _sshd = Sshd::start(&[]);
        // Egress is away while it happens: it is told when egress is back.
        egress.kill();
        while daemon.failures("jane") < 5 {
            daemon.wait_out_short_waits("jane");
            assert!(!ssh::login("jane", &seed.wrong()));
        }
        egress.begin();
        let mail = server.wait_for(1);
        for part in ["To: root@example.org", "locked after wrong codes (jane)", "From:    127.0.0.1"] {
            assert!(mail.contains(part), "{part:?} is not in:\n{mail}");
        }
        let notices = || fs::read_to_string("/tmp/notices").unwrap();
        wait_until("the program was told", || notices().ends_with('\n'));
        let told: serde_json::Value = serde_json::from_str(notices().lines().next().unwrap()).unwrap();
        assert_eq!((&told["event"], &told["user"]), (&"locked".into(), &"jane".into()));
        let logs = daemon.output() + &Egress::output() + &world.log().lines("").join("\n");
        assert!(!logs.contains("root@example.org"), "an address is in a log:\n{logs}");
        assert!(daemon.audit("jane").iter().any(|row| row["event"] == "locked"));
    });
}
