//! Logins on a booted Debian host with the package installed: over ssh by password and by key, at a console, by
//! `sudo` and `su`, and as a screen locker asks. What the journal says of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::process::Command;

use mfa_tests::{
    host::{self, CLIENT, Host, MODULE_LINE},
    otp::Seed,
    pty::Session,
    ssh::{self, CODE_PROMPT},
    sys::run_with,
    world::{Account, PASSWORD},
};

/// mfad installed; an account that has a token with a button.
fn scene(host: &Host) -> (Account, Seed) {
    host.install(host.package());
    (host.add_user("jane"), host.enroll_hotp("jane"))
}

#[test]
fn over_ssh_a_password_needs_a_code() {
    host::enter("over_ssh_a_password_needs_a_code", |host| {
        let (_, seed) = scene(host);
        host.guard_sshd("");
        assert!(host.login("jane", &seed.hotp(0)));
        assert!(!host.login("jane", &seed.hotp(0)), "a code was taken twice");
        assert!(!host.login("jane", &seed.wrong()));
        assert!(host.login("jane", &seed.hotp(1)));

        let told: Vec<String> = host
            .journal(&["SYSLOG_IDENTIFIER=mfad", "MFA_EVENT=login", "MFA_EVENT=attempt"])
            .iter()
            .map(|entry| {
                assert_eq!(entry["MFA_USER"], "jane", "{entry}");
                assert_eq!(entry["MFA_SERVICE"], "sshd", "{entry}");
                assert_eq!(entry["MFA_SOURCE"], CLIENT, "{entry}");
                assert_eq!(entry["_SYSTEMD_UNIT"], "mfad.service", "the journal knows whose it is: {entry}");
                let word = |field: &str| entry[field].as_str().unwrap_or_else(|| panic!("{field}: {entry}"));
                assert!(!word("MFA_SESSION").is_empty());
                [word("MFA_EVENT"), word("MFA_VERDICT"), word("MFA_REASON")].join(" ")
            })
            .collect();
        // Asked once more, the test gives up with an empty answer.
        let refused = |reason: &str| [format!("attempt deny {reason}"), "login deny malformed".to_owned()];
        let accepted = || ["login accept ok".to_owned()];
        let expected = [&accepted()[..], &refused("used_code"), &refused("wrong_code"), &accepted()].concat();
        assert_eq!(told, expected);
    });
}

#[test]
fn over_ssh_a_key_needs_a_code() {
    host::enter("over_ssh_a_key_needs_a_code", |host| {
        let (jane, seed) = scene(host);
        // The stack asks for a code alone: sshd has looked at the key.
        let stack = [MODULE_LINE, "@include common-account", "@include common-session", ""].join("\n");
        host.write("/etc/pam.d/sshd", &stack);
        host.configure_sshd("AuthenticationMethods publickey,keyboard-interactive");
        let identity = format!("IdentityFile={}", ssh::authorize_key(&jane).display());
        for (code, inside) in [(seed.wrong(), false), (seed.hotp(0), true), (seed.hotp(0), false)] {
            let mut session = host.ssh("jane", &[&identity], "id -un");
            session.answer(CODE_PROMPT, &code);
            assert_eq!(ssh::was_let_in(session, "jane"), inside, "with {code}");
        }
        let batch = host.ssh("jane", &[&identity, "BatchMode=yes"], "id -un");
        assert!(!ssh::was_let_in(batch, "jane"), "the key alone was enough");
        assert!(!ssh::was_let_in(host.ssh("jane", &[], "id -un"), "jane"), "the code alone was enough");
    });
}

#[test]
fn the_console_asks_for_password_and_code() {
    host::enter("the_console_asks_for_password_and_code", |host| {
        let (_, seed) = scene(host);
        host.guard("login");
        let console = |code: &str| {
            let mut session = host.at_terminal(host.command("agetty").args(["--noclear", "-", "linux"]));
            session.answer("host login: ", "jane").answer("Password: ", PASSWORD).answer(CODE_PROMPT, code);
            session
        };
        console(&seed.hotp(0)).answer("jane@host:", "tty; logout").expect("/dev/pts/");
        for wrong in [seed.hotp(0), seed.wrong()] {
            let mut refused = console(&wrong);
            assert_eq!(refused.expect_one_of(&[CODE_PROMPT, "Login incorrect", "jane@host:"]), 0);
        }
        let said = host.journal(&["MFA_EVENT=login", "MFA_VERDICT=accept"]);
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(said[0]["MFA_SERVICE"], "login");
    });
}

#[test]
fn sudo_and_su_ask_for_password_and_code() {
    host::enter("sudo_and_su_ask_for_password_and_code", |host| {
        let (jane, seed) = scene(host);
        host.add_user("bob");
        let bobs = host.enroll_hotp("bob");
        host.guard("sudo");
        host.guard("su");
        host.write(
            "/etc/sudoers.d/jane",
            "Defaults !lecture, timestamp_timeout=0, passwd_tries=1\njane ALL=(ALL) ALL\n",
        );

        // sudo wants the code of who calls it, su of whom it is to become.
        let sudo = |code: &str| {
            let mut session = host.at_terminal(host.command_of(&jane, "sudo").args(["id", "-un"]));
            session.answer("password for jane: ", PASSWORD);
            became(session, code, "root")
        };
        let su = |code: &str| {
            let mut session = host.at_terminal(host.command_of(&jane, "su").args(["bob", "-c", "id -un"]));
            session.answer("Password: ", PASSWORD);
            became(session, code, "bob")
        };
        assert!(sudo(&seed.hotp(0)));
        assert!(!sudo(&seed.hotp(0)), "a code was taken twice");
        assert!(!su(&seed.hotp(1)), "another one's code was taken");
        assert!(su(&bobs.hotp(0)));
        assert!(!su(&bobs.hotp(0)), "a code was taken twice");
        assert!(sudo(&seed.hotp(1)));
    });
}

/// How a program ended that is to print `whom` once it is given a code. Gives up when it is asked once more.
#[track_caller]
fn became(mut session: Session, code: &str, whom: &str) -> bool {
    session.answer(CODE_PROMPT, code);
    let name = format!("\n{whom}\n");
    while session.expect_one_of(&[CODE_PROMPT, ssh::ENTER_PROMPT, &name, "su: ", "sudo: "]) < 2 {
        session.type_line("");
    }
    let ended = session.end();
    let became = ended.shown.contains(&name);
    assert_eq!(ended.code == Some(0), became, "{}", ended.shown);
    became
}

/// A screen locker runs as the user. Only the socket for everyone is open to it, and only for its own account.
#[test]
fn a_locker_asks_for_its_own_account_only() {
    host::enter("a_locker_asks_for_its_own_account_only", |host| {
        let (jane, seed) = scene(host);
        let bob = host.add_user("bob");
        let bobs = host.enroll_hotp("bob");
        host.write("/etc/mfad/conf.d/locker.toml", "[core]\nuser_socket = \"/run/mfad/user.sock\"\n");
        host.must(&["systemctl", "restart", "mfad.service"]);
        host.write("/etc/pam.d/locker", &["auth requisite pam_unix.so", MODULE_LINE, ""].join("\n"));
        // An ignored module would let in.
        host.write("/etc/pam.d/code-only", &[MODULE_LINE, "auth required pam_permit.so", ""].join("\n"));

        assert!(unlocks(host, &jane, "locker", "jane", &[PASSWORD, &seed.hotp(0)]));
        assert!(
            !unlocks(host, &jane, "locker", "jane", &[PASSWORD, &seed.hotp(0)]),
            "a code was taken twice"
        );
        assert!(unlocks(host, &bob, "code-only", "bob", &[&bobs.hotp(0)]));
        assert!(!unlocks(host, &jane, "code-only", "bob", &[&bobs.hotp(1)]), "it asked for another account");
        assert!(!unlocks(host, &jane, "code-only", "root", &[&bobs.hotp(1)]), "it asked for another account");
        assert!(unlocks(host, &bob, "code-only", "bob", &[&bobs.hotp(1)]), "bob's code was used up by jane");
        let socket = host.must(&["stat", "--format=%a", "/run/mfad/mfad.sock"]);
        assert_eq!(socket, "600\n", "the other socket is for root");
    });
}

/// Whether an account, as a program of its own, authenticates as `user`.
fn unlocks(host: &Host, account: &Account, service: &str, user: &str, answers: &[&str]) -> bool {
    let mut pamtester: Command = host.command_of(account, "pamtester");
    let ran = run_with(pamtester.args([service, user, "authenticate"]), &(answers.join("\n") + "\n"));
    let yes = ran.stdout.contains("successfully authenticated");
    assert_eq!(ran.code == Some(0), yes, "{ran:?}");
    yes
}
