//! Users change what their accounts hold only when the real polkitd says so: by its rules, by the password that
//! its own agent asks for on a terminal, and never when it cannot be asked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use std::{path::Path, process::Command};

use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    otp::Seed,
    polkit::Polkit,
    pty::Session,
    sys::{Ran, run_with},
    world::{self, Account, PASSWORD, World},
};

const RULES: &str = r#"
polkit.addRule(function(action, subject) {
    if (action.id.indexOf("io.github.mfad.") !== 0) return undefined;
    if (subject.user == "alice") return polkit.Result.YES;
    if (subject.user == "bob") return polkit.Result.NO;
    return undefined;
});
"#;
const SELF: &str = "[enrollment]\nself = \"open\"\nself_auth = \"polkit\"\n";
const USER_SOCKET: &str = "/run/mfad/user.sock";

fn daemon(world: &World) -> Daemon {
    Setup::new(world).with_user_socket().section(SELF).start()
}

fn ctl(account: &Account, words: &[&str]) -> Command {
    let mut command = account.command(World::built("mfactl").to_str().expect("ASCII"));
    command.args(["--socket", USER_SOCKET]).args(words);
    command
}

fn asks(account: &Account, words: &[&str]) -> Ran {
    run_with(&mut ctl(account, words), "")
}

const ENROLL: [&str; 2] = ["enroll", "totp"];

#[track_caller]
fn refused(ran: &Ran, why: &str) {
    assert_eq!(ran.code, Some(6), "{ran:?}");
    assert!(ran.stderr.contains(why), "{ran:?}");
}

fn holds_nothing(daemon: &Daemon, name: &str) -> bool {
    daemon.ctl(&["show", name]).code == Some(7)
}

#[test]
fn rules_decide_and_without_an_agent_whoever_has_to_prove_something_is_refused() {
    world::enter("rules_decide_and_without_an_agent_whoever_has_to_prove_something_is_refused", |world| {
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.add_user(name));
        let daemon = daemon(world);
        let _egress = Egress::start(world, &daemon);
        let _polkit = Polkit::start(RULES);
        asks(&alice, &ENROLL).ok();
        refused(&asks(&bob, &ENROLL), "polkit does not allow this");
        refused(&asks(&carol, &ENROLL), "nothing in this session can ask");
        assert!(holds_nothing(&daemon, "bob") && holds_nothing(&daemon, "carol"));
        // Nobody asks polkit about somebody else's account.
        refused(&asks(&alice, &["enroll", "totp", "bob"]), "for another account");
        // Root is not asked, and neither are looks.
        daemon.enroll_totp("bob", &Seed::of("bob"));
        asks(&bob, &["show"]).ok();
        for change in [
            &["disable", "--code-stdin"][..],
            &["remove", "--all", "--yes", "--code-stdin"],
            &["recovery", "new", "--stdout", "--code-stdin"],
            &["confirm", "bob", "123456"],
        ] {
            let code = Seed::of("bob").totp_now();
            let ran = run_with(&mut ctl(&bob, change), &format!("{code}\n"));
            refused(&ran, "polkit does not allow this");
        }
        // A refusal used no code up, and what root may, root does.
        daemon.ctl_with(&["test", "bob"], &Seed::of("bob").totp_now()).ok();
    });
}

#[test]
fn when_polkit_cannot_be_asked_nothing_is_changed_and_logins_go_on() {
    world::enter("when_polkit_cannot_be_asked_nothing_is_changed_and_logins_go_on", |world| {
        let alice = world.add_user("alice");
        let carol = world.add_user("carol");
        let daemon = daemon(world);
        daemon.enroll_totp("carol", &Seed::of("carol"));
        refused(&asks(&alice, &ENROLL), "mfad egress does not answer");
        let mut egress = Egress::start(world, &daemon);
        refused(&asks(&alice, &ENROLL), "there is no system bus");
        let mut polkit = Polkit::start(RULES);
        polkit.stop_polkitd();
        refused(&asks(&alice, &ENROLL), "polkit does not run");
        asks(&carol, &["show"]).ok();
        daemon.ctl_with(&["test", "carol"], &Seed::of("carol").totp_now()).ok();
        polkit.start_polkitd();
        asks(&alice, &ENROLL).ok();
        egress.kill();
        refused(&asks(&alice, &["remove", "--all", "--yes"]), "mfad egress does not answer");
        assert!(!holds_nothing(&daemon, "alice"));
    });
}

/// `pkttyagent` asks, `polkit-agent-helper-1` has PAM judge, polkitd believes it.
#[test]
fn on_a_terminal_the_password_is_asked_for_and_others_are_served_meanwhile() {
    world::enter("on_a_terminal_the_password_is_asked_for_and_others_are_served_meanwhile", |world| {
        let [alice, carol] = ["alice", "carol"].map(|name| world.add_user(name));
        assert!(Path::new("/usr/bin/pkttyagent").exists(), "polkitd: tests/setup/packages.sh test");
        let daemon = daemon(world);
        let _egress = Egress::start(world, &daemon);
        let _polkit = Polkit::start(RULES);
        let mut wrong = Session::start(&ctl(&carol, &ENROLL));
        wrong.expect("Authentication is required to add a second factor to your account");
        wrong.expect("Password: ");
        // It waits for a person, and nobody waits for it.
        asks(&alice, &ENROLL).ok();
        asks(&carol, &["show"]);
        daemon.ctl(&["status"]).ok();
        wrong.type_line("not the password");
        wrong.expect("polkit does not allow this");
        wrong.end();
        assert!(holds_nothing(&daemon, "carol"));
        let mut right = Session::start(&ctl(&carol, &ENROLL));
        right.answer_unseen("Password: ", PASSWORD).expect("type in this key:").expect("Code that the");
        let key =
            right.shown().split("type in this key:").nth(1).and_then(|rest| rest.split("time-based").next());
        let seed = Seed::from_base32(&key.expect("it was shown").split_whitespace().collect::<String>());
        // The same mfactl goes on: a wrong code does not ask for the password again.
        right.type_line(&seed.wrong());
        right.answer("Code that the", &seed.totp_now()).expect("Confirmed");
        let ended = right.end();
        assert_eq!((ended.code, ended.shown.matches("Password: ").count()), (Some(0), 1), "{}", ended.shown);
    });
}
