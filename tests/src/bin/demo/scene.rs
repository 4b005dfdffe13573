//! What the demo shows, inside its world: enrollment with the QR code, a login by real ssh, a replay that is
//! denied, the audit trail. Refuses to go on when anything is not as expected.

use std::{io::IsTerminal, io::Read, process::Command};

use mfa_tests::{
    daemon::Daemon,
    otp,
    pty::Session,
    ssh::{self, CODE_PROMPT, PASSWORD_PROMPT, Sshd},
    sys::must,
    world::World,
};

use crate::doorway;

const USER: &str = "demo";

/// Plays it; then, with `door` open for a second terminal, stays up.
pub(crate) fn play(world: &World, door: Option<u16>) {
    // The door leads here from the host, where others may be logged in.
    let password = random_word();
    world.add_user_with_password(USER, &password);
    must(&["hostname", "mfad-demo"]); // authenticator apps show it beside the code
    let daemon = Daemon::start(world);
    daemon.guard("sshd", "");
    let sshd = Sshd::start(&[]);
    title("An account, a daemon with an empty database, a real sshd");
    println!("mfad  {} (socket {})", daemon.pid(), daemon.socket.display());
    println!("sshd  127.0.0.1:{}, asks PAM for the password and then for a code", ssh::PORT);
    println!("user  {USER}, password {password}");

    title("mfactl enroll totp demo");
    let seed = enroll(&daemon);

    title("Login with password and code");
    let code = seed.totp_now();
    let shown = log_in(&password, &code);
    assert!(shown.contains("\nWelcome, demo\n"), "the login did not succeed");
    assert!(sshd.log().contains("Accepted keyboard-interactive/pam for demo"), "sshd knows of no login");

    title("The same code once more");
    let shown = log_in(&password, &code);
    assert!(!shown.contains("Welcome"), "the code was taken twice");
    assert!(shown.contains("Permission denied"), "the replay was not denied");

    title("mfactl audit");
    print!("{}", daemon.ctl(&["audit", "--user", USER]).ok());
    let verdicts: Vec<String> = daemon
        .audit(USER)
        .iter()
        .filter(|row| row["event"] == "login")
        .filter_map(|row| row["verdict"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(verdicts.first().map(String::as_str), Some("accept"), "{verdicts:?}");
    assert!(verdicts.iter().skip(1).any(|verdict| verdict == "deny"), "{verdicts:?}");
    assert_eq!(verdicts.iter().filter(|verdict| *verdict == "accept").count(), 1, "{verdicts:?}");

    title("As expected: one login, one replay denied");
    if let Some(port) = door {
        stay(&daemon, port, &password);
    }
}

fn title(text: &str) {
    println!("\n=== {text}");
}

/// Twelve lower-case letters at random.
fn random_word() -> String {
    let mut bytes = [0; 12];
    let mut source = std::fs::File::open("/dev/urandom").expect("the world has it");
    source.read_exact(&mut bytes).expect("it never ends");
    bytes.iter().map(|byte| char::from(b'a' + byte % 26)).collect()
}

/// Enrolls the account, shows what `mfactl` shows; the seed that the QR code holds.
fn enroll(daemon: &Daemon) -> otp::Seed {
    let mut mfactl = Command::new(World::built("mfactl"));
    mfactl.arg("--socket").arg(&daemon.socket);
    mfactl.args(["enroll", "totp", USER, "--no-confirm", "--uri"]);
    let shown = if std::io::stdout().is_terminal() {
        // On a terminal of its own, so that it draws the code as for a person.
        Session::start(&mfactl).end().shown
    } else {
        mfa_tests::sys::run_with(mfactl.args(["--qr", "plain"]), "").ok()
    };
    println!("{shown}");
    assert!(shown.contains('█') || shown.contains('▀') || shown.contains("\u{1b}["), "no QR code was drawn");
    let uri =
        shown.split_whitespace().find(|word| word.starts_with("otpauth://totp/")).expect("a link is shown");
    let secret =
        uri.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).expect("it holds the key");
    otp::Seed::from_base32(secret)
}

/// Logs in by ssh as a person would; all that was shown, with what was typed unseen made visible.
fn log_in(password: &str, code: &str) -> String {
    println!("$ ssh {USER}@127.0.0.1");
    let mut session = ssh::ssh(USER, &[], "echo \"Welcome, $(id -un)\"; uname -sr");
    session.answer(PASSWORD_PROMPT, password).answer(CODE_PROMPT, code);
    while session.expect_one_of(&[CODE_PROMPT, "Welcome", "Permission denied"]) == 0 {
        session.type_line("");
    }
    let shown = session.end().shown;
    println!(
        "{}",
        shown.replacen(PASSWORD_PROMPT, &format!("{PASSWORD_PROMPT}(typed: {password})"), 1).trim()
    );
    shown
}

/// Stays up until the process outside ends this world.
fn stay(daemon: &Daemon, port: u16, password: &str) {
    doorway::open_inside();
    title("Your turn: scan the QR code above with an authenticator app, and in a second terminal run");
    println!(
        "\n  ssh -p {port} -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no {USER}@127.0.0.1\n\n\
         password {password}, then the app's code; if it is refused as used, the next one.\n\
         Ctrl-C ends all of it. What happens meanwhile (mfactl audit --follow):\n"
    );
    let mut follow = Command::new(World::built("mfactl"));
    follow.arg("--socket").arg(&daemon.socket).args(["audit", "--follow", "--last", "1"]);
    let ended = follow.status();
    panic!("mfactl audit --follow ended: {ended:?}");
}
