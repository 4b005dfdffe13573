//! Rules of `[policy]` with the real sshd, su, sudo and account database: what they skip, demand and deny.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{fmt::Write as _, fs};

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pam::Driver,
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    sys::{must, wait_until},
    world::{self, Account, PASSWORD, World},
};
use nix::sys::signal::Signal;

/// Key, then PAM.
const KEY_FIRST: &str = "AuthenticationMethods publickey,keyboard-interactive";
/// The address of every client that says nothing else, and another one of the same host.
const HERE: &str = "BindAddress=127.0.0.1";
const ELSEWHERE: &str = "BindAddress=127.0.0.2";

/// Rules as TOML: what is matched, and what becomes of it.
fn rules(all: &[(&str, &str)]) -> String {
    all.iter().enumerate().fold(String::new(), |mut text, (number, (matches, action))| {
        let rule = format!(
            "[[policy.rule]]\nname = \"rule {number}\"\nmatch = {{ {matches} }}\naction = \"{action}\"\n\n"
        );
        text.write_str(&rule).unwrap();
        text
    })
}

fn daemon_with(world: &World, all: &[(&str, &str)]) -> Daemon {
    Setup::new(world).section(&rules(all)).start()
}

fn add_group(name: &str, members: &str) {
    let text = fs::read_to_string("/etc/group").unwrap();
    fs::write("/etc/group", format!("{text}{name}:x:{}:{members}\n", 7_000 + text.lines().count())).unwrap();
}

/// A login by password; whether it got in without being asked for a code. (Asked, it gives none.)
fn enters_by_password(user: &str, options: &[&str]) -> bool {
    let mut session = ssh::ssh(user, options, "id -un");
    session.answer(PASSWORD_PROMPT, PASSWORD);
    ssh::was_let_in(session, user)
}

/// A login by key in place of the password; the same.
fn enters_by_key(user: &str, options: &[&str]) -> bool {
    ssh::was_let_in(ssh::ssh(user, options, "echo; id -un"), user)
}

/// By key and code.
fn enters_by_key_and_code(user: &str, options: &[&str], code: &str) -> bool {
    let mut session = ssh::ssh(user, options, "id -un");
    session.answer(CODE_PROMPT, code);
    ssh::was_let_in(session, user)
}

/// The rule and the verdict of the last login in the trail.
fn last_login(daemon: &Daemon, user: &str) -> (String, String) {
    let rows = daemon.audit(user);
    let row = rows.iter().rev().find(|row| row["event"] == "login").expect("a login is in the trail");
    (row["rule"].as_str().unwrap_or_default().to_owned(), row["verdict"].as_str().unwrap().to_owned())
}

fn said(rule: &str, verdict: &str) -> (String, String) {
    (rule.to_owned(), verdict.to_owned())
}

#[test]
fn a_network_is_the_address_that_sshd_saw() {
    world::enter("a_network_is_the_address_that_sshd_saw", |world| {
        world.add_user("jane");
        let daemon = daemon_with(
            world,
            &[
                ("service = [\"sshd\"], source = [\"127.0.0.2/32\"]", "skip"),
                ("service = [\"sshd\"], source = [\"127.0.0.3\"]", "deny"),
            ],
        );
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard("sshd", "timeout=10");
        let _sshd = Sshd::start(&[]);
        assert!(enters_by_password("jane", &[ELSEWHERE]));
        assert_eq!(last_login(&daemon, "jane"), said("rule 0", "skip"));
        assert!(!enters_by_password("jane", &[HERE]), "the rule is for another network");
        assert!(ssh::login("jane", &seed.hotp(0)), "here a code is needed");
        let mut denied = ssh::ssh("jane", &["BindAddress=127.0.0.3"], "id -un");
        denied.answer(PASSWORD_PROMPT, PASSWORD);
        assert_eq!(
            denied.expect_one_of(&[CODE_PROMPT, PASSWORD_PROMPT, "Permission denied"]),
            2,
            "not asked"
        );
        drop(denied);
        assert_eq!(last_login(&daemon, "jane"), said("rule 1", "deny"));
    });
}

/// What a program that is not root says of where a login comes from is believed by no rule.
#[test]
fn a_source_that_is_no_address_or_not_roots_word_is_in_no_network() {
    world::enter("a_source_that_is_no_address_or_not_roots_word_is_in_no_network", |world| {
        let jane = world.add_user("jane");
        let daemon = Setup::new(world)
            .with_user_socket()
            .section(&rules(&[("source = [\"10.0.0.0/8\", \"127.0.0.0/8\"]", "skip")]))
            .start();
        daemon.guard_with_code_alone("app", "");
        assert!(Driver::new("app").from_host("10.1.2.3").login("jane", &[]).passed());
        assert!(Driver::new("app").from_host("::ffff:10.1.2.3").login("jane", &[]).passed());
        for odd in ["localhost", "10.1.2.3.example.org", "10.1.2", "10.1.2.3/8", "010.1.2.3", "", "192.0.2.1"]
        {
            let outcome = Driver::new("app").from_host(odd).login("jane", &["123456", "123456", "123456"]);
            assert!(!outcome.passed(), "{odd:?}: {outcome:?}");
        }
        let user_socket = daemon.socket.with_file_name("user.sock");
        let module = World::built("libpam_mfa.so");
        let line = format!("auth required {} socket={}", module.display(), user_socket.display());
        mfa_tests::pam::service("locker", &[&line, "auth required pam_permit.so"]);
        let outcome =
            Driver::new("locker").from_host("10.1.2.3").as_account(&jane).login("jane", &["123456"; 3]);
        assert!(!outcome.passed(), "{outcome:?}");
    });
}

#[test]
fn a_group_is_what_the_account_database_says_now() {
    world::enter("a_group_is_what_the_account_database_says_now", |world| {
        for user in ["jane", "bob"] {
            world.add_user(user);
        }
        add_group("robots", "jane");
        let daemon = daemon_with(world, &[("service = [\"sshd\"], group = [\"robots\", \"bob\"]", "skip")]);
        daemon.guard("sshd", "timeout=10");
        let _sshd = Sshd::start(&[]);
        assert!(enters_by_password("jane", &[]), "a member by the list");
        assert!(enters_by_password("bob", &[]), "a member by the primary group");
        world.add_user("june");
        assert!(!enters_by_password("june", &[]));
        let text = fs::read_to_string("/etc/group").unwrap();
        fs::write("/etc/group", text.replace(":jane\n", ":june\n")).unwrap();
        assert!(enters_by_password("june", &[]), "who is in it now");
        assert!(!enters_by_password("jane", &[]), "who was in it");
    });
}

/// In a stack that would pass if the module did not count.
#[test]
fn a_group_that_cannot_be_looked_up_denies() {
    world::enter("a_group_that_cannot_be_looked_up_denies", |world| {
        for user in ["jane", "bob"] {
            world.add_user(user);
        }
        add_group("robots", "jane");
        let daemon = daemon_with(world, &[("group = [\"robots\"]", "deny"), ("user = [\"bob\"]", "skip")]);
        daemon.guard_with_code_alone("app", "");
        assert!(Driver::new("app").login("bob", &[]).passed());
        assert!(!Driver::new("app").login("jane", &[]).passed());
        let switch = fs::read_to_string("/etc/nsswitch.conf").unwrap();
        for broken in ["group: nosuchsource", "group: nosuchsource [!UNAVAIL=return] files"] {
            fs::write("/etc/nsswitch.conf", switch.replace("group: files", broken)).unwrap();
            wait_until("the daemon's account database fails", || {
                let outcome = Driver::new("app").login("bob", &[]);
                outcome.result == "PAM_AUTHINFO_UNAVAIL" || broken.ends_with("files")
            });
            let jane = Driver::new("app").login("jane", &[]);
            assert!(!jane.passed(), "{broken}: {jane:?}");
        }
        fs::write("/etc/nsswitch.conf", switch).unwrap();
        wait_until("the account database is back", || Driver::new("app").login("bob", &[]).passed());
    });
}

#[test]
fn a_key_is_known_by_its_type_and_its_fingerprint() {
    world::enter("a_key_is_known_by_its_type_and_its_fingerprint", |world| {
        let jane = world.add_user("jane");
        let trusted = ssh::authorize_key(&jane);
        let other = ssh::authorize_key_of(&jane, "other", &["-t", "ed25519"]);
        let old = ssh::authorize_key_of(&jane, "old", &["-t", "ecdsa"]);
        let print = ssh::fingerprint(&trusted);
        let daemon = daemon_with(
            world,
            &[
                (&format!("service = [\"sshd\"], key_fingerprint = [\"{print}\"]"), "skip"),
                ("service = [\"sshd\"], key_type = [\"ecdsa-*\"]", "deny"),
            ],
        );
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("sshd", "timeout=10");
        let identity = |key: &std::path::Path| format!("IdentityFile={}", key.display());
        // What sshd tells PAM does not hang on what it tells the session.
        for (round, expose) in ["ExposeAuthInfo no", "ExposeAuthInfo yes"].into_iter().enumerate() {
            let _sshd = Sshd::start(&[KEY_FIRST, expose]);
            assert!(enters_by_key("jane", &[&identity(&trusted)]), "{expose}");
            assert_eq!(last_login(&daemon, "jane"), said("rule 0", "skip"), "{expose}");
            let code = seed.hotp(u64::try_from(round).unwrap());
            assert!(!enters_by_key("jane", &[&identity(&other)]), "{expose}: another key is not this one");
            assert!(enters_by_key_and_code("jane", &[&identity(&other)], &code), "{expose}");
            let denied = ssh::ssh("jane", &[&identity(&old)], "id -un");
            assert!(!ssh::was_let_in(denied, "jane"), "{expose}");
            assert_eq!(last_login(&daemon, "jane"), said("rule 1", "deny"), "{expose}");
            daemon.ctl(&["reset", "jane"]).ok();
        }
    });
}

/// A rule that lets keys in without a code is for logins that showed one: not for those by password, and not
/// for who only says so.
#[test]
fn no_key_is_no_key() {
    world::enter("no_key_is_no_key", |world| {
        let jane = world.add_user("jane");
        let key = ssh::authorize_key(&jane);
        let daemon = daemon_with(world, &[("service = [\"sshd\"], key_type = [\"*\"]", "skip")]);
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        daemon.guard("sshd", "timeout=10");
        let _sshd = Sshd::start(&["AcceptEnv *"]);
        assert!(!enters_by_password("jane", &[]));
        let public = fs::read_to_string(key.with_extension("pub")).unwrap();
        let claim = format!("SetEnv=SSH_AUTH_INFO_0=\"publickey {}\"", public.trim());
        assert!(!enters_by_password("jane", &[&claim]));
    });
}

/// Keys that prove presence need no code; the others do. The security key is one in software.
#[test]
fn a_security_key_may_stand_for_the_code() {
    world::enter("a_security_key_may_stand_for_the_code", |world| {
        let jane = world.add_user("jane");
        let (plain, sk) = (ssh::authorize_key(&jane), ssh::authorize_security_key(&jane));
        let daemon = daemon_with(world, &[("service = [\"sshd\"], key_type = [\"sk-*\"]", "skip")]);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        daemon.guard_with_code_alone("sshd", "timeout=10");
        let sshd = Sshd::start(&[KEY_FIRST]);
        let identity = |key: &std::path::Path| format!("IdentityFile={}", key.display());
        let provider = ssh::security_key_provider();
        assert!(enters_by_key("jane", &[&identity(&sk), &provider]), "{}", sshd.log());
        assert!(sshd.log().contains("ED25519-SK"), "{}", sshd.log());
        assert_eq!(last_login(&daemon, "jane"), said("rule 0", "skip"));
        assert!(!enters_by_key("jane", &[&identity(&plain)]));
        assert!(enters_by_key_and_code("jane", &[&identity(&plain)], &seed.hotp(0)));
    });
}

#[test]
fn a_denied_login_is_not_asked_and_spends_nothing() {
    world::enter("a_denied_login_is_not_asked_and_spends_nothing", |world| {
        world.add_user("jane");
        let daemon = daemon_with(
            world,
            &[("user = [\"jane\"], origin = \"remote\"", "deny"), ("user = [\"jane\"]", "skip")],
        );
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        daemon.guard_with_code_alone("sshd", "timeout=10");
        daemon.guard_with_code_alone("app", "");
        let _sshd = Sshd::start(&[]);
        let denied = ssh::ssh("jane", &[], "id -un");
        assert!(!ssh::was_let_in(denied, "jane"), "the first rule that fits decides");
        assert_eq!(daemon.failures("jane"), 0);
        assert!(Driver::new("app").login("jane", &[]).passed(), "at the host, the second does");
        assert!(!Driver::new("app").from_host("anything").login("jane", &[]).passed());
    });
}

/// `id -un` by `su` or `sudo`; whether it got there without being asked for a code.
fn becomes(jane: &Account, words: &[&str], password: &str, name: &str) -> bool {
    let mut command = jane.command(words[0]);
    let mut session = Session::start(command.args(&words[1..]));
    session.answer(password, PASSWORD);
    let (inside, refused) = (format!("\n{name}\n"), format!("{}: ", words[0]));
    while session.expect_one_of(&[CODE_PROMPT, &inside, &refused]) == 0 {
        session.type_line("");
    }
    session.end().shown.contains(&inside)
}

#[test]
fn su_and_sudo_are_told_apart() {
    world::enter("su_and_sudo_are_told_apart", |world| {
        let jane = world.add_user("jane");
        world.add_user("bob");
        let daemon = daemon_with(world, &[("service = [\"su\"], user = [\"bob\"]", "skip")]);
        for user in ["jane", "bob"] {
            daemon.enroll_hotp(user, &Seed::of(user), 0);
        }
        for service in ["su", "sudo"] {
            daemon.guard(service, "timeout=10");
        }
        let sudoers = "Defaults !lecture, timestamp_timeout=0, passwd_tries=1\njane ALL=(ALL) ALL\n";
        fs::write("/etc/sudoers", sudoers).unwrap();
        assert!(becomes(&jane, &["su", "bob", "-c", "id -un"], "Password: ", "bob"));
        assert!(!becomes(&jane, &["sudo", "id", "-un"], "password for jane: ", "root"));
    });
}

/// Hours around now, and hours that are not.
#[test]
fn hours_are_those_of_the_host() {
    world::enter("hours_are_those_of_the_host", |world| {
        world.add_user("jane");
        let hour: u32 = must(&["date", "+%H"]).trim().parse().unwrap();
        let around = |shift: u32| {
            let at = |by: u32| (hour + shift + by) % 24;
            format!("hours = [\"{:02}:00-{:02}:00\"]", at(22), at(3))
        };
        for (shift, passes) in [(0, true), (12, false)] {
            let name = format!("mfad-{shift}");
            let rule = rules(&[(&around(shift), "skip")]);
            let daemon = Setup::instance(world, &name).section(&rule).start();
            daemon.guard_with_code_alone("app", "");
            let outcome = Driver::new("app").login("jane", &["123456"; 3]);
            assert_eq!(outcome.passed(), passes, "{rule}: {outcome:?}");
        }
    });
}

#[test]
fn a_reload_with_a_group_that_is_not_there_keeps_the_rules() {
    world::enter("a_reload_with_a_group_that_is_not_there_keeps_the_rules", |world| {
        world.add_user("jane");
        add_group("robots", "jane");
        let daemon = daemon_with(world, &[("group = [\"robots\"]", "skip")]);
        daemon.guard_with_code_alone("app", "");
        let lets_in = || Driver::new("app").login("jane", &["123456"; 3]).passed();
        assert!(lets_in());
        let good = fs::read_to_string(&daemon.config).unwrap();
        fs::write(&daemon.config, good.replace("\"robots\"", "\"nosuchgroup\"")).unwrap();
        let reload = daemon.ctl(&["reload"]);
        assert_ne!(reload.code, Some(0));
        assert!(format!("{}{}", reload.stdout, reload.stderr).contains("nosuchgroup"), "{reload:?}");
        assert!(lets_in(), "the rules of before");
        let told = || world.log().lines("nosuchgroup").len();
        let before = told();
        daemon.signal(Signal::SIGHUP);
        wait_until("the log says what is wrong", || told() > before);
        assert!(lets_in(), "the rules of before");

        add_group("others", "");
        fs::write(&daemon.config, good.replace("\"robots\"", "\"others\"")).unwrap();
        daemon.ctl(&["reload"]).ok();
        assert!(!lets_in(), "the rules of now");
        fs::write(&daemon.config, &good).unwrap();
        daemon.signal(Signal::SIGHUP);
        wait_until("the rules are those of before", lets_in);
    });
}
