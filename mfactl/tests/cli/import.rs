//! `import`: what is asked of the daemon, what is reported, and what is never shown.

mod homes;
mod trouble;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mfa_proto::admin::{NewParams, Reply, Request, UserPage};
use mfa_proto::secret::SecretText;
use tempfile::TempDir;

use crate::daemon::{FakeDaemon, Seen};
use crate::golden;
use crate::pty::Terminal;
use crate::run::{Ran, binary, command, finish};

/// The key in most samples, in the writings that it has there.
const KEY: [&str; 3] = [
    "3132333435363738393031323334353637383930",
    "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=",
];

/// A directory with samples and what a test puts there.
pub(super) struct Files(TempDir);

impl Files {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn put(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// The sample `name`, and accounts that every host has for the people in it.
    pub(super) fn sample(&self, name: &str) -> String {
        let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import");
        self.put(name, &std::fs::read_to_string(samples.join(name)).unwrap())
    }

    pub(super) fn map(&self) -> String {
        let lines = "alice daemon\nbob bin\ncarol games\ndora nobody\nerin root\ngina root\njsmith bin\n987654321 daemon\n";
        self.put("map", lines)
    }
}

/// Nobody has factors.
pub(super) fn nobody() -> Reply {
    Reply::Users(UserPage { users: Vec::new(), more: false })
}

pub(super) fn done(many: usize) -> Vec<Reply> {
    std::iter::once(nobody()).chain((0..many).map(|_| Reply::Done { factors: 1 })).collect()
}

/// Runs `mfactl import`. Files of whoever runs the tests are root's for it: others' are for the tests with fewer
/// parts.
pub(super) fn import(daemon: &FakeDaemon, arguments: &[&str], stdin: &str) -> Ran {
    let arguments: Vec<&str> = std::iter::once("import").chain(arguments.iter().copied()).collect();
    let inner = command(binary(), &daemon.socket(), &arguments);
    if nix::unistd::geteuid().is_root() {
        return finish(inner, stdin);
    }
    let mut outer = std::process::Command::new("unshare");
    outer.args(["--user", "--map-root-user", "--"]).arg(inner.get_program()).args(inner.get_args());
    outer.env_clear().envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    finish(outer, stdin)
}

/// A run as text, without paths of this host.
pub(super) fn transcript(files: &Files, daemon: FakeDaemon, arguments: &[&str], ran: &Ran) -> String {
    let arguments: Vec<&str> = std::iter::once("import").chain(arguments.iter().copied()).collect();
    let socket = daemon.socket();
    let text = golden::transcript(&arguments, &daemon.finish(), ran, &socket);
    text.replace(files.0.path().to_str().unwrap(), "DIR")
}

/// Runs it for people and as JSON, and compares all of it with a golden file.
pub(super) fn both(
    name: &str,
    files: &Files,
    arguments: &[&str],
    stdin: &str,
    replies: impl Fn() -> Vec<Reply>,
) {
    let mut text = String::new();
    for json in [false, true] {
        let arguments: Vec<&str> = arguments.iter().copied().chain(json.then_some("--json")).collect();
        let daemon = FakeDaemon::admin(replies());
        let ran = import(&daemon, &arguments, stdin);
        for key in KEY {
            assert!(!format!("{ran:?}").contains(key), "a key was shown: {ran:?}");
        }
        text.push_str(&transcript(files, daemon, &arguments, &ran));
    }
    golden::check(name, &text);
}

/// What was asked to be added: user, kinds, keys, codes.
pub(super) fn added(seen: &[Seen]) -> Vec<(String, Vec<String>, Vec<String>)> {
    let request = |seen: &Seen| {
        let Seen::Request(request) = seen else { return None };
        let Request::EnrollAll { user, factors, recovery, .. } = &**request else { return None };
        let factor = |new: &mfa_proto::admin::NewFactor| {
            assert!(new.activate && new.user == *user && new.current_code.is_none());
            let kind = match &new.params {
                NewParams::Totp(p) => format!("totp {:?} {} {}", p.algorithm, p.digits, p.period),
                NewParams::Hotp(p) => format!("hotp {:?} {} from {}", p.algorithm, p.digits, p.counter),
                NewParams::Sms(_) | NewParams::Mail(_) | NewParams::Rest(_) | NewParams::Token(_) => {
                    panic!("{new:?}")
                }
            };
            format!("{kind} {}", new.secret.as_ref().unwrap().expose())
        };
        let codes = recovery.iter().map(|code| SecretText::expose(code).to_owned()).collect();
        Some((user.to_string(), factors.iter().map(factor).collect(), codes))
    };
    seen.iter().filter_map(request).collect()
}

#[test]
fn users_of_pam_oath_with_a_map() {
    let files = Files::new();
    let (users, map) = (files.sample("users.oath"), files.map());
    both("import-oath.txt", &files, &["--map", &map, &users], "", || done(4));
    let daemon = FakeDaemon::admin(done(4));
    let ran = import(&daemon, &["--map", &map, &users], "");
    assert_eq!(ran.code, 1, "{ran:?}");
    let key = KEY[1];
    let one = |user: &str, factor: &str| (user.to_owned(), vec![format!("{factor} {key}")], Vec::new());
    assert_eq!(
        added(&daemon.finish()),
        [
            one("bin", "hotp Sha1 8 from 8"),
            one("daemon", "hotp Sha1 6 from 5"),
            one("games", "totp Sha1 6 30"),
            one("nobody", "totp Sha1 8 60"),
        ]
    );
}

#[test]
fn links_go_to_the_user_that_is_named() {
    let files = Files::new();
    let key = KEY[1];
    let links = format!(
        "otpauth://totp/ACME:me?secret={key}&issuer=ACME\notpauth://hotp/me?secret=JBSWY3DPEHPK3PXP&counter=7&digits=8\n"
    );
    both("import-otpauth.txt", &files, &["--user", "daemon", "-"], &links, || done(1));
    both("import-otpauth-nobody.txt", &files, &["-"], &links, Vec::new);
}

#[test]
fn tokens_of_pskc_and_csv() {
    let files = Files::new();
    let (plain, sealed, map) =
        (files.sample("pskc/plain.xml"), files.sample("pskc/encrypted.xml"), files.map());
    let psk = files.put("psk", "12345678901234567890123456789012\n");
    both("import-pskc.txt", &files, &["--map", &map, "--key-file", &psk, &plain, &sealed], "", || done(1));
    both("import-pskc-no-key.txt", &files, &["--map", &map, &sealed], "", Vec::new);
    let list = format!("serial,key,user\n987654321,{0},x\n5,{0},bin\n6,{0},carl\n", KEY[0]);
    both("import-csv.txt", &files, &["--key-encoding", "hex", "--map", &map, "-"], &list, || done(2));
}

#[test]
fn nothing_skipped_is_success_and_nothing_there_is_not() {
    let state = format!("{}\n\" TOTP_AUTH\n\" DISALLOW_REUSE\n12345678\n", KEY[1]);
    let daemon = FakeDaemon::admin(done(1));
    let ran = import(&daemon, &["--user", "daemon", "-"], &state);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stdout.contains("12345678") && !ran.stdout.contains(KEY[1]), "{ran:?}");
    let seen = added(&daemon.finish());
    assert_eq!(seen[0].2, ["12345678"]);
    let daemon = FakeDaemon::admin(Vec::new());
    let ran =
        import(&daemon, &["--user", "bin", "-"], "HOTP daemon - 3132333435363738393031323334353637383930");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("left out 1 of other users"), "{ran:?}");
    assert!(daemon.finish().is_empty());
}

#[test]
fn what_the_command_line_lacks_is_a_usage_error() {
    let files = Files::new();
    let bad = files.put("bad", "hunter2!\n");
    for arguments in [
        &["import"][..],
        &["import", "--format", "hotp", "-"],
        &["import", "--map", &bad, "-"],
        &["import", "--key-file", &bad, "-"],
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        let ran = finish(command(binary(), &daemon.socket(), arguments), "");
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(!format!("{ran:?}").contains("hunter2"), "{ran:?}");
        assert!(daemon.finish().is_empty());
    }
}

#[test]
fn a_terminal_shows_how_far_it_is_and_takes_that_away() {
    let accounts =
        ["root", "daemon", "bin", "games", "nobody", "mail", "news", "man", "lp", "sync", "sys", "uucp"];
    let there: Vec<&str> =
        accounts.into_iter().filter(|name| nix::unistd::User::from_name(name).unwrap().is_some()).collect();
    assert!(there.len() >= 10, "this host has too few accounts");
    let line = |name: &&str| format!("HOTP {name} - {}\n", KEY[0]);
    let files = Files::new();
    let users = files.put("users.oath", &there.iter().map(line).collect::<String>());
    let daemon = FakeDaemon::admin(done(there.len()));
    let terminal = Terminal::run(&daemon.socket(), &["import", &users], 80);
    let (shown, code) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    let last = format!("[{}] {n}/{n} ", "#".repeat(30), n = there.len());
    assert!(shown.contains(&last), "{shown}");
    let after = shown.split(&last).nth(1).unwrap();
    assert!(after.contains("\r\u{1b}[K") && !after.contains('#'), "{shown}");
    assert_eq!(added(&daemon.finish()).len(), there.len());
}
