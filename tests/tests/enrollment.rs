//! First factors over a real ssh connection: enrolled in the login, by invitation or without, by `mfactl` as the
//! user; and the time of grace to its end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use mfa_tests::{
    daemon::{Daemon, Setup},
    otp::Seed,
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    sys::run_with,
    world::{self, Account, PASSWORD, World},
};

const INVITATION_PROMPT: &str = "Invitation from your administrator: ";

/// jane, a daemon with this `[enrollment]`, and sshd.
fn scene(world: &World, unenrolled: &str, enrollment: &str) -> (Daemon, Sshd) {
    let (daemon, _, sshd) = scene_of(world, unenrolled, enrollment);
    (daemon, sshd)
}

fn scene_of(world: &World, unenrolled: &str, enrollment: &str) -> (Daemon, Account, Sshd) {
    let jane = world.add_user("jane");
    let section = format!("[enrollment]\n{enrollment}");
    let daemon = Setup::new(world).unenrolled(unenrolled).with_user_socket().section(&section).start();
    daemon.guard("sshd", "timeout=300");
    (daemon, jane, Sshd::start(&[]))
}

/// A login by a client that shows what is not ASCII, as far as the question after the password.
fn begun() -> Session {
    let mut client = ssh::client("ssh", &[]);
    client.env("LC_ALL", "C.UTF-8").arg("jane@127.0.0.1").arg("id -un");
    let mut session = Session::start(&client);
    session.answer(PASSWORD_PROMPT, PASSWORD);
    session
}

/// The key that was shown.
fn key_in(shown: &str) -> String {
    let (_, after) = shown.split_once("app, key ").expect("a key is shown");
    after.split_once(". Code").expect("the key ends").0.replace(' ', "")
}

/// Answers with the code of the key that is shown.
fn proves(session: &mut Session) -> Seed {
    session.expect("Code that it shows: ");
    let seed = Seed::from_base32(&key_in(session.shown()));
    session.type_line(&seed.totp_now());
    seed
}

/// A transcript without what is another each time, and with the QR code told by its size.
fn golden(shown: &str, seed: &Seed, code: &str) -> String {
    let key = seed.base32();
    let groups: Vec<&str> = key.as_bytes().chunks(4).map(|four| std::str::from_utf8(four).unwrap()).collect();
    let (mut text, mut drawn) = (String::new(), 0);
    for line in shown.lines() {
        let body = line.rsplit_once(") ").map_or(line, |(_, body)| body);
        if !body.is_empty() && body.chars().all(|c| matches!(c, '█' | '▀' | '▄' | ' ')) {
            drawn += 1;
            continue;
        }
        if drawn > 0 {
            text.push_str("[QR code]\n");
            drawn = 0;
        }
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        let line =
            line.replace(&groups.join(" "), "[key]").replace(&key, "[key]").replace(host.trim(), "[host]");
        text.push_str(&line.replace(code, "[code]"));
        text.push('\n');
    }
    text
}

#[test]
fn a_first_factor_is_enrolled_in_a_login() {
    world::enter("a_first_factor_is_enrolled_in_a_login", |world| {
        let (daemon, _sshd) = scene(world, "enroll", "self = \"open\"\n");
        let mut session = begun();
        session.expect("Code that it shows: ");
        let seed = Seed::from_base32(&key_in(session.shown()));
        session.type_line(&seed.wrong());
        session.expect("Wrong code.").expect("Code that it shows: ");
        let code = seed.totp_now();
        session.type_line(&code);
        let ended = session.end();
        assert_eq!(ended.code, Some(0), "{}", ended.shown);
        let shown = ended.shown.replace(&seed.wrong(), "[wrong code]");
        assert_eq!(golden(&shown, &seed, &code), OPEN);
        let factor = &daemon.json(&["show", "jane"])["factors"][0];
        assert_eq!((&factor["kind"], &factor["state"]), (&"totp".into(), &"active".into()));
        assert!(!ssh::login("jane", &code), "the code was used up");
        daemon.wait_out_short_waits("jane");
        assert!(ssh::login("jane", &seed.totp_next()), "from now on it is asked for");
    });
}

/// The whole of it, as it stood on the terminal.
const OPEN: &str = "\
(jane@127.0.0.1) Password: 
[QR code]
otpauth://totp/[host]:jane?secret=[key]&issuer=[host]
Add this account to your authenticator app, key [key]. Code that it shows: [wrong code]
(jane@127.0.0.1) Wrong code. Add this account to your authenticator app, key [key]. Code that it shows: [code]
jane
";

#[test]
fn an_invitation_is_asked_for_in_a_login() {
    world::enter("an_invitation_is_asked_for_in_a_login", |world| {
        let (daemon, _sshd) = scene(world, "enroll", "self = \"invite\"\nqr_width = 0\n");
        let made = daemon.json(&["invite", "jane", "--for", "2h"]);
        assert_eq!(daemon.json(&["show", "jane"])["orphaned"], false, "she is invited, and there");
        let invitation = made["invitation"].as_str().unwrap();
        assert!(daemon.json(&["show", "jane"])["invited_until"].is_number());
        let mut session = begun();
        session.answer(INVITATION_PROMPT, "01-AAAA-AAAA-AAAA-AAAA");
        session.expect("This invitation does not count").answer(INVITATION_PROMPT, invitation);
        let seed = proves(&mut session);
        let ended = session.end();
        assert_eq!(ended.code, Some(0), "{}", ended.shown);
        let code = ended.shown.lines().rev().nth(1).unwrap().rsplit(' ').next().unwrap().to_owned();
        let shown = ended.shown.replace(invitation, "[invitation]");
        assert_eq!(golden(&shown, &seed, &code), INVITED);

        // It is used up, also when the factor is gone again.
        daemon.ctl(&["remove", "jane", "--all", "--yes"]).ok();
        let mut again = begun();
        again.answer(INVITATION_PROMPT, invitation).expect("This invitation does not count");
        again.answer(INVITATION_PROMPT, "").expect("An invitation looks like").type_line("");
        let ended = again.end();
        assert!(ended.shown.contains("Permission denied"), "{}", ended.shown);
        let log = world.log().lines("").join("\n") + &daemon.output();
        for secret in [invitation, seed.base32().as_str()] {
            assert!(!log.contains(secret), "{secret} in:\n{log}");
        }
    });
}

const INVITED: &str = "\
(jane@127.0.0.1) Password: 
(jane@127.0.0.1) You have no second factor yet. Invitation from your administrator: 01-AAAA-AAAA-AAAA-AAAA
(jane@127.0.0.1) This invitation does not count: it is wrong, was used, or is too old. You have no second factor yet. Invitation from your administrator: [invitation]
(jane@127.0.0.1) otpauth://totp/[host]:jane?secret=[key]&issuer=[host]
Add this account to your authenticator app, key [key]. Code that it shows: [code]
jane
";

#[test]
fn the_password_alone_enrolls_nobody_by_mfactl() {
    world::enter("the_password_alone_enrolls_nobody_by_mfactl", |world| {
        let (daemon, jane, _sshd) = scene_of(world, "deny", "self = \"invite\"\n");
        let socket = daemon.socket.with_file_name("user.sock");
        let as_jane = |words: &[&str], input: &str| {
            let mut command = jane.command(World::built("mfactl").to_str().unwrap());
            run_with(command.arg("--socket").arg(&socket).args(words), input)
        };
        let refused = as_jane(&["enroll", "totp", "--json"], "");
        assert_eq!(refused.code, Some(6), "{refused:?}");
        assert!(refused.stderr.contains("needs an invitation"), "{refused:?}");
        let other = as_jane(&["invite", "jane"], "");
        assert_eq!(other.code, Some(6), "{other:?}");
        let made = daemon.json(&["invite", "jane"]);
        let invitation = made["invitation"].as_str().unwrap();
        let wrong = as_jane(&["enroll", "totp", "--json", "--invitation-stdin"], "01-AAAA-AAAA-AAAA-AAAA\n");
        assert_eq!(wrong.code, Some(6), "{wrong:?}");
        let mut key = String::new();
        // Given up before it was confirmed, and begun again.
        for _ in 0..2 {
            let begun =
                as_jane(&["enroll", "totp", "--json", "--invitation-stdin"], &format!("{invitation}\n"));
            assert_eq!(begun.code, Some(0), "{begun:?}");
            let new: serde_json::Value = serde_json::from_str(&begun.stdout).unwrap();
            new["secret"].as_str().unwrap().clone_into(&mut key);
        }
        let seed = Seed::from_base32(&key);
        assert!(!ssh::login("jane", &seed.totp_now()), "it does not count yet");
        let confirmed = as_jane(&["confirm"], &format!("{}\n", seed.totp_now()));
        assert_eq!(confirmed.code, Some(0), "{confirmed:?}");
        assert!(daemon.json(&["show", "jane"])["invited_until"].is_null());
        daemon.wait_out_short_waits("jane");
        assert!(ssh::login("jane", &seed.totp_next()));
    });
}

#[test]
fn grace_goes_on_to_its_end() {
    world::enter("grace_goes_on_to_its_end", |world| {
        let (daemon, _sshd) = scene(world, "deny", "grace_logins = 2\n");
        for left in ["1 more login without one.", "No more logins without one."] {
            // sshd shows what PAM has to say at the end where a shell begins, not before a command.
            let mut session = ssh::ssh("jane", &[], "");
            session.answer(PASSWORD_PROMPT, PASSWORD);
            session.expect("You have to enroll a second factor: mfactl enroll totp.").expect(left);
            session.answer("$ ", "exit");
            assert_eq!(session.end().code, Some(0));
        }
        let mut over = ssh::ssh("jane", &[], "id -un");
        over.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, "000000");
        assert!(!ssh::was_let_in(over, "jane"));
        assert_eq!(daemon.json(&["show", "jane"])["graced"], 2);
        let wrong_password = {
            let mut session = ssh::ssh("jane", &[], "id -un");
            session.answer(PASSWORD_PROMPT, "not the password");
            session.end()
        };
        assert!(wrong_password.shown.contains("Permission denied"), "{}", wrong_password.shown);
    });
}
