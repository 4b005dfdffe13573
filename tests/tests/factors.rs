//! Every kind of factor through the real sshd, with the real egress: only the company that carries text
//! messages and the service that judges codes are played, at the outermost edge (`mfa_tests::gateway`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{fs, process::Command};

use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    gateway::Gateway,
    mail::MailServer,
    otp::Seed,
    phone::{NUMBER, code_in, enroll_phone, sms_section, takes_all, wait_out_the_interval},
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    world::{self, PASSWORD, World},
};

const SENT_PROMPT: &str = "Code sent to ";

/// Logs in as far as the question after the password.
fn asked(prompt: &str) -> Session {
    let mut session = ssh::ssh("jane", &[], "id -un");
    session.answer(PASSWORD_PROMPT, PASSWORD).expect(prompt);
    session
}

/// jane, a daemon with these sections, its egress, and sshd.
fn scene(world: &World, sections: &str) -> (Daemon, Egress, Sshd) {
    world.add_user("jane");
    let daemon = Setup::new(world).section(sections).start();
    let egress = Egress::start(world, &daemon);
    daemon.guard("sshd", "timeout=30");
    (daemon, egress, Sshd::start(&[]))
}

#[test]
fn a_text_message_logs_in_once() {
    world::enter("a_text_message_logs_in_once", |world| {
        let gateway = takes_all();
        let (daemon, _egress, _sshd) =
            scene(world, &sms_section(&[("lab", &gateway)], "resend_interval = \"10s\""));
        enroll_phone(&daemon, &gateway, "jane");
        wait_out_the_interval();
        // The only factor is a sent one and the password is proven: the code is on its way by itself.
        let mut session = asked(SENT_PROMPT);
        let message = gateway.wait_for(2).pop().expect("one came");
        assert_eq!(message.json()["to"], NUMBER);
        let code = code_in(&message);
        session.type_line(&code);
        let shown = finish(session, true);
        assert!(shown.contains("+49 *** **321"), "the number is masked:\n{shown}");
        assert!(!shown.contains(NUMBER));

        // The same code again, in another login: that login has its own.
        let mut again = ssh::ssh("jane", &[], "id -un");
        again.answer(PASSWORD_PROMPT, PASSWORD);
        again.answer(SENT_PROMPT, &code);
        assert_eq!(again.expect_one_of(&["Wrong code.", "\njane\n"]), 0, "a sent code was taken twice");
    });
}

#[test]
fn the_second_gateway_is_tried_when_the_first_fails() {
    world::enter("the_second_gateway_is_tried_when_the_first_fails", |world| {
        let broken = Gateway::start(|_| (500, String::new()));
        let lying = Gateway::start(|_| (200, r#"{"status":"queued for never"}"#.to_owned()));
        let sound = takes_all();
        let (daemon, _egress, _sshd) =
            scene(world, &sms_section(&[("one", &broken), ("two", &lying), ("three", &sound)], ""));
        enroll_phone(&daemon, &sound, "jane");
        assert_eq!((broken.received().len(), lying.received().len(), sound.received().len()), (1, 1, 1));
    });
}

#[test]
fn without_a_gateway_nobody_gets_in_by_text_message() {
    world::enter("without_a_gateway_nobody_gets_in_by_text_message", |world| {
        let gateway = takes_all();
        let (daemon, mut egress, _sshd) =
            scene(world, &sms_section(&[("lab", &gateway)], "resend_interval = \"10s\""));
        enroll_phone(&daemon, &gateway, "jane");
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        wait_out_the_interval();
        egress.kill();
        let mut session = asked(CODE_PROMPT_STEM);
        session.type_line("sms");
        session.expect("No code was sent");
        session.type_line(&seed.hotp(0));
        assert!(ssh::was_let_in(session, "jane"), "the other factor goes on working");
        assert_eq!(gateway.received().len(), 1);
    });
}

/// The beginning of the prompt where there is something to choose.
const CODE_PROMPT_STEM: &str = "Verification code (or: ";

/// The mixed prompt as the person sees it, over a real ssh connection.
#[test]
fn one_prompt_serves_them_all() {
    world::enter("one_prompt_serves_them_all", |world| {
        let gateway = takes_all();
        let (daemon, _egress, _sshd) =
            scene(world, &sms_section(&[("lab", &gateway)], "resend_interval = \"10s\""));
        enroll_phone(&daemon, &gateway, "jane");
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        let codes = recovery_codes(&daemon);
        wait_out_the_interval();

        let mut session = asked("Verification code (or: sms, ?): ");
        session.type_line("?");
        session.expect("You hold: ").expect("+49 *** **321").expect("(or: sms, ?): ");
        session.type_line("fax");
        session.expect("(or: sms, ?): ");
        session.type_line("sms");
        session.expect("Code sent to +49 *** **321 (Enter: send again, ?: other ways): ");
        session.type_line("");
        session.expect("A code was sent ").expect("to have it sent again. Code sent to +49 *** **321");
        session.type_line(&seed.wrong());
        session.expect("Wrong code.").expect("+49 *** **321");
        session.type_line(&codes[0]);
        let shown = finish(session, true).replace(&codes[0], "[recovery code]");
        assert_eq!(without_seconds(&shown.replace(&seed.wrong(), "[wrong code]")), MIXED);

        let mut by_button = asked(CODE_PROMPT_STEM);
        by_button.type_line(&seed.hotp(0));
        assert!(ssh::was_let_in(by_button, "jane"));
    });
}

/// The whole of it, as it stood on the terminal.
const MIXED: &str = "\
(jane@127.0.0.1) Password: 
(jane@127.0.0.1) Verification code (or: sms, ?): ?
(jane@127.0.0.1) You hold: sms (SMS to +49 *** **321), hotp (key), recovery (recovery codes). Type a name to choose. Verification code (or: sms, ?): fax
(jane@127.0.0.1) That chooses nothing: type ? for what there is. Verification code (or: sms, ?): sms
(jane@127.0.0.1) Code sent to +49 *** **321 (Enter: send again, ?: other ways): 
(jane@127.0.0.1) A code was sent # s ago: wait # s to have it sent again. Code sent to +49 *** **321 (Enter: send again, ?: other ways): [wrong code]
(jane@127.0.0.1) Wrong code. Code sent to +49 *** **321 (Enter: send again, ?: other ways): [recovery code]
jane
";

/// A transcript without how many seconds went by.
fn without_seconds(text: &str) -> String {
    let words = text.split(' ').collect::<Vec<_>>();
    let is_count = |place: usize| {
        words[place].bytes().all(|byte| byte.is_ascii_digit())
            && words.get(place + 1).is_some_and(|next| *next == "s")
    };
    let kept: Vec<&str> =
        (0..words.len()).map(|place| if is_count(place) { "#" } else { words[place] }).collect();
    kept.join(" ")
}

#[test]
fn a_recovery_code_logs_in_once() {
    world::enter("a_recovery_code_logs_in_once", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.guard("sshd", "");
        let _sshd = Sshd::start(&[]);
        daemon.enroll_hotp("jane", &Seed::of("jane"), 0);
        let codes = recovery_codes(&daemon);
        assert_eq!(codes.len(), 10);
        for (used, left) in [(0, 9), (1, 8)] {
            // sshd shows what PAM has to say at the end where a shell begins, not before a command.
            let mut session = ssh::ssh("jane", &[], "");
            session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, &codes[used]);
            session.expect(&format!("Recovery code used: {left} left.")).answer("$ ", "exit");
            assert_eq!(session.end().code, Some(0));
        }
        let mut replay = asked(CODE_PROMPT);
        replay.type_line(&codes[0]);
        assert!(!ssh::was_let_in(replay, "jane"), "a recovery code was taken twice");
        let count = daemon.json(&["recovery", "count", "jane"]);
        assert_eq!(count["left"], 8, "{count}");
    });
}

fn recovery_codes(daemon: &Daemon) -> Vec<String> {
    let made = daemon.json(&["recovery", "new", "jane", "--stdout"]);
    let codes = made["codes"].as_array().expect("codes are a list");
    codes.iter().map(|code| code.as_str().expect("codes are texts").to_owned()).collect()
}

/// What a session showed that ran `id -un` and should have been let in, or not.
fn finish(session: Session, inside: bool) -> String {
    let ended = session.end();
    assert_eq!(ended.code == Some(0), inside, "{}", ended.shown);
    ended.shown
}

#[test]
fn an_outside_service_judges() {
    world::enter("an_outside_service_judges", |world| {
        let service = Gateway::start(|request| {
            let right = request.json()["code"] == "correct-7" && request.json()["user"] == "j.doe";
            (200, format!("{{\"result\":{right}}}"))
        });
        let section = format!("[rest.corp]\nverify_url = \"{}\"\n", service.url("/verify"));
        let (daemon, _egress, _sshd) = scene(world, &section);
        daemon
            .ctl(&["enroll", "rest", "jane", "--service", "corp", "--remote-user", "j.doe", "--no-confirm"])
            .ok();
        for (answer, inside) in [("wrong-one", false), ("correct-7", true)] {
            daemon.wait_out_short_waits("jane");
            let mut session = asked(": ");
            session.type_line(answer);
            assert_eq!(ssh::was_let_in(session, "jane"), inside, "{answer}");
        }
        assert_eq!(daemon.failures("jane"), 0);
    });
}

#[test]
fn only_an_exact_yes_of_an_outside_service_counts() {
    world::enter("only_an_exact_yes_of_an_outside_service_counts", |world| {
        for (name, status, body) in [
            ("texttrue", 200, r#"{"result":"true"}"#),
            ("one", 200, r#"{"result":1}"#),
            ("twice", 200, r#"{"result":false,"result":true}"#),
            ("array", 200, "[true]"),
            ("html", 200, "<html>true</html>"),
            ("unauthorized", 401, r#"{"result":true}"#),
            ("error", 500, r#"{"result":true}"#),
            ("redirect", 302, r#"{"result":true}"#),
            ("nothing", 200, ""),
        ] {
            let service = Gateway::start(move |_| (status, body.to_owned()));
            world.add_user(name);
            let section = format!("[rest.corp]\nverify_url = \"{}\"\n", service.url("/verify"));
            let daemon = Setup::instance(world, &format!("mfad-{name}"))
                .section(&format!(
                    "[egress]\nsocket = \"/run/mfad-egress/egress.sock\"\nuser = \"egress-{name}\"\ncore_user = \"mfad-{name}\"\n"
                ))
                .section(&section)
                .start();
            let egress = Egress::start_as(world, &daemon, &format!("egress-{name}"));
            daemon.ctl(&["enroll", "rest", name, "--service", "corp", "--no-confirm"]).ok();
            daemon.guard_with_code_alone("app", "timeout=30");
            let outcome = mfa_tests::pam::Driver::new("app").login(name, &["abcdef7"]);
            assert_ne!(outcome.result, "PAM_SUCCESS", "{status} {body}");
            assert!(!service.received().is_empty(), "{name} was not even asked");
            assert_eq!(daemon.failures(name), 1, "{name}: what was not a yes is charged");
            drop(egress);
        }
    });
}

/// What must not be found anywhere but where it belongs.
#[test]
fn secrets_appear_in_no_log_database_or_process_listing() {
    world::enter("secrets_appear_in_no_log_database_or_process_listing", |world| {
        let gateway = takes_all();
        let (daemon, egress, _sshd) =
            scene(world, &sms_section(&[("lab", &gateway)], "resend_interval = \"10s\""));
        let seed = Seed::of("marker");
        enroll_phone(&daemon, &gateway, "jane");
        daemon.enroll_hotp("jane", &seed, 0);
        let codes = recovery_codes(&daemon);
        wait_out_the_interval();
        let mut session = asked(CODE_PROMPT_STEM);
        session.type_line("sms");
        session.expect(SENT_PROMPT);
        let sent = code_in(&gateway.wait_for(2).pop().expect("one came"));
        let listing = fs::read_to_string(format!("/proc/{}/cmdline", egress.pid())).unwrap()
            + &fs::read_to_string(format!("/proc/{}/cmdline", daemon.pid())).unwrap();
        session.type_line(&sent);
        assert!(ssh::was_let_in(session, "jane"));
        let mut again = asked(CODE_PROMPT_STEM);
        again.type_line(&codes[3]);
        finish(again, true);

        let plain: String = codes[3].chars().filter(char::is_ascii_alphanumeric).collect();
        let markers =
            [NUMBER, NUMBER.trim_start_matches('+'), &seed.base32(), &seed.hex(), &codes[3], &plain];
        let texts = [daemon.output(), Egress::output(), world.log().lines("").join("\n"), listing];
        for marker in markers {
            for text in &texts {
                assert!(!text.contains(marker), "{marker} in:\n{text}");
            }
        }
        for text in &texts {
            assert!(!has_number(text, &sent), "the code {sent} in:\n{text}");
        }
        let mut grep = Command::new("grep");
        for marker in markers {
            grep.args(["-e", marker]);
        }
        let found = grep.args(["-rlaF", "--"]).arg(&daemon.state).output().unwrap();
        assert!(found.stdout.is_empty(), "found in {}", String::from_utf8_lossy(&found.stdout));
    });
}

/// Whether `text` has these digits as a number of its own: inside a longer one they are there by chance.
fn has_number(text: &str, digits: &str) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == digits)
}

/// The first line of a message that is a code.
fn mailed_code(message: &str) -> String {
    let is_code = |line: &&str| line.len() == 6 && line.bytes().all(|byte| byte.is_ascii_digit());
    message.lines().map(str::trim).find(is_code).unwrap_or_else(|| panic!("no code in {message}")).to_owned()
}

#[test]
fn a_mailed_code_logs_in() {
    world::enter("a_mailed_code_logs_in", |world| {
        let server = MailServer::start();
        let (daemon, _egress, _sshd) =
            scene(world, &format!("{}resend_interval = \"10s\"\n", MailServer::section()));
        daemon.ctl_with(&["enroll", "mail", "jane", "--address-stdin"], "jane@example.org\n").ok();
        daemon.ctl(&["confirm", "jane", &mailed_code(&server.wait_for(1))]).ok();
        let mut session = asked("Code sent to j***@example.org");
        let message = server.wait_for(2);
        assert!(message.contains("To: jane@example.org"), "{message}");
        session.type_line(&mailed_code(&message));
        assert!(ssh::was_let_in(session, "jane"));
    });
}

/// Whatever a person with the password does, the company that carries messages is not asked more often.
#[test]
fn no_more_messages_leave_than_the_caps_allow() {
    world::enter("no_more_messages_leave_than_the_caps_allow", |world| {
        let gateway = takes_all();
        let caps = "resend_interval = \"10s\"\nper_user_day = 2\n";
        let (daemon, _egress, _sshd) = scene(world, &sms_section(&[("lab", &gateway)], caps));
        enroll_phone(&daemon, &gateway, "jane");
        for _ in 0..2 {
            wait_out_the_interval();
            let mut session = ssh::ssh("jane", &[], "id -un");
            session.answer(PASSWORD_PROMPT, PASSWORD);
            session.expect_one_of(&[SENT_PROMPT, "too many were"]);
            session.type_line("");
            session.expect_one_of(&["to have it sent again", "too many were"]);
        }
        wait_out_the_interval();
        assert_ne!(
            daemon.ctl(&["send", "jane"]).code,
            Some(0),
            "the administrator's command is capped as well"
        );
        assert_eq!(gateway.received().len(), 2, "one for the enrollment, one for a login");
        assert_eq!(daemon.failures("jane"), 0, "what was not sent costs no attempt");
    });
}

#[test]
fn users_of_google_authenticator_are_taken_over() {
    world::enter("users_of_google_authenticator_are_taken_over", |world| {
        let jane = world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.guard("sshd", "");
        let _sshd = Sshd::start(&[]);
        let seed = Seed::of("taken over");
        let file = jane.home.join(".google_authenticator");
        fs::write(&file, format!("{}\n\" HOTP_COUNTER 5\n12345678\n87654321\n", seed.base32())).unwrap();
        std::os::unix::fs::chown(&file, Some(jane.uid), Some(jane.uid)).unwrap();
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
        let dry = daemon.ctl(&["import", "--dry-run", "/home"]);
        assert!(dry.stdout.contains("jane"), "{dry:?}");
        assert_ne!(daemon.ctl(&["show", "jane"]).code, Some(0), "a dry run imports nothing");
        let ran = daemon.ctl(&["import", "/home"]);
        assert!(ran.stdout.contains("jane"), "{ran:?}");
        assert!(ssh::login("jane", &seed.hotp(6)), "{ran:?}");
        assert!(!ssh::login("jane", &seed.hotp(6)));
        assert!(ssh::login("jane", "12345678"), "a scratch code goes on working");
        assert!(!ssh::login("jane", "12345678"), "once");
    });
}

#[test]
fn a_restored_backup_makes_no_used_code_good_again() {
    world::enter("a_restored_backup_makes_no_used_code_good_again", |world| {
        world.add_user("jane");
        let daemon = Daemon::start(world);
        daemon.guard("sshd", "");
        let _sshd = Sshd::start(&[]);
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        let codes = recovery_codes(&daemon);
        daemon.ctl(&["backup", "/tmp/kept.db"]).ok();
        assert!(ssh::login("jane", &seed.hotp(0)));
        assert!(ssh::login("jane", &codes[0]));
        daemon.ctl(&["remove", "jane", "--label", "recovery", "--yes"]).ok();
        daemon.ctl(&["restore", "/tmp/kept.db", "--yes"]).ok();
        assert!(!ssh::login("jane", &seed.hotp(0)), "a used code is good again");
        assert!(!ssh::login("jane", &codes[0]), "a used recovery code is good again");
        assert!(ssh::login("jane", &seed.hotp(1)), "the next one is good");
    });
}
