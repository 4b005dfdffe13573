//! A real sshd on the world's loopback interface, and the real clients: `ssh`, `scp`, `sftp`. Refuses the
//! host's keys and configuration: both are made for each server.

use std::{
    fs,
    net::TcpStream,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use nix::unistd::Pid;

use crate::{
    pty::Session,
    sys::{must, run, wait_until},
    world::{Account, PASSWORD, PLACE, World},
};

/// Where the server listens, in a network namespace of its own.
pub const PORT: u16 = 22;

/// The prompt that `pam_unix` gives for the password.
pub const PASSWORD_PROMPT: &str = "Password: ";
/// The prompt that `mfad` gives for a code.
pub const CODE_PROMPT: &str = "Verification code: ";

/// The end of the prompt that `mfad` gives in place of one for a code, to say why there is none.
pub const ENTER_PROMPT: &str = "Press Enter: ";

/// A running sshd; ended when dropped.
#[derive(Debug)]
pub struct Sshd {
    child: Child,
    log: PathBuf,
}

impl Sshd {
    /// Starts sshd with `lines` before its usual configuration, which wants a keyboard-interactive login.
    /// Its PAM service is `sshd`: write `/etc/pam.d/sshd` first.
    #[track_caller]
    pub fn start(lines: &[&str]) -> Self {
        let config = Path::new(PLACE).join("sshd_config");
        let key = host_key();
        let mut text = format!(
            "{}\nListenAddress 127.0.0.1:{PORT}\nHostKey {}\nPidFile none\nUsePAM yes\nLogLevel VERBOSE\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication yes\nPrintMotd no\nPrintLastLog no\n\
             Subsystem sftp internal-sftp\n",
            lines.join("\n"),
            key.display()
        );
        if penalties() {
            text.push_str("PerSourcePenalties no\n"); // a test fails on purpose, and goes on
        }
        fs::write(&config, text).expect("the world's /run is writable");
        Self::of(&["-f", config.to_str().expect("the path is ASCII")])
    }

    /// Starts sshd as a fresh Debian has it: what it includes first, no keyboard-interactive, PAM, and a file with
    /// its number in `/run`.
    #[track_caller]
    pub fn as_shipped() -> Self {
        fs::create_dir_all("/etc/ssh/sshd_config.d").expect("the world's /etc is writable");
        let penalties = if penalties() { "PerSourcePenalties no\n" } else { "" };
        let text = format!(
            "Include /etc/ssh/sshd_config.d/*.conf\nListenAddress 127.0.0.1:{PORT}\nHostKey {}\n{penalties}\
             KbdInteractiveAuthentication no\nUsePAM yes\nX11Forwarding yes\nPrintMotd no\nPrintLastLog no\n\
             AcceptEnv LANG LC_*\nSubsystem sftp internal-sftp\n",
            host_key().display()
        );
        fs::write("/etc/ssh/sshd_config", text).expect("the world's /etc is writable");
        Self::of(&[])
    }

    /// The process.
    pub fn process(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("a number of a process fits"))
    }

    /// Waits until it has begun to listen so many times: once, and once for each reload.
    #[track_caller]
    pub fn wait_until_listening(&self, times: usize) {
        wait_until("sshd listens again", || self.log().matches("Server listening").count() == times);
    }

    #[track_caller]
    fn of(arguments: &[&str]) -> Self {
        let log = Path::new(PLACE).join("sshd.log");
        let mut command = Command::new("/usr/sbin/sshd");
        command.arg("-D").args(arguments).arg("-E").arg(&log);
        let mut child =
            command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let read_log = || fs::read_to_string(&log).unwrap_or_default();
        wait_until("sshd takes connections", || {
            if let Some(status) = child.try_wait().expect("a child can be waited for") {
                panic!("sshd ended at once, {status}:\n{}", read_log());
            }
            TcpStream::connect(("127.0.0.1", PORT)).is_ok()
        });
        Self { child, log }
    }

    /// What the server logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            show(&format!("--- sshd said:\n{}", self.log()));
        }
    }
}

#[expect(clippy::print_stderr, reason = "a failing test shows what its sshd said")]
fn show(text: &str) {
    eprintln!("{text}");
}

/// Whether this OpenSSH (9.8 and later) slows down sources of failures.
fn penalties() -> bool {
    let said = run(&["ssh", "-V"]).stderr;
    let version = said.trim_start_matches("OpenSSH_");
    let number =
        |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<u32>();
    let mut parts = version.split('.').map(number);
    let (Some(Ok(major)), Some(Ok(minor))) = (parts.next(), parts.next()) else {
        panic!("no version in {said:?}");
    };
    (major, minor) >= (9, 8)
}

fn host_key() -> PathBuf {
    let key = Path::new(PLACE).join("hostkey");
    if !key.exists() {
        make_key(&key);
    }
    key
}

fn make_key(path: &Path) {
    make_key_with(&["-t", "ed25519"], path);
}

fn make_key_with(arguments: &[&str], path: &Path) {
    let path = path.to_str().expect("the path is ASCII");
    must(&[&["ssh-keygen", "-q", "-N", "", "-f", path], arguments].concat());
}

/// The security key in software, as an option of the clients.
pub fn security_key_provider() -> String {
    format!("SecurityKeyProvider={}", World::built("sk_provider.so").display())
}

/// Gives an account a key that it may log in with; the private key's path.
pub fn authorize_key(account: &Account) -> PathBuf {
    authorize_key_of(account, "plain", &["-t", "ed25519"])
}

/// Gives an account a key on a security key in software ([`security_key_provider`]).
pub fn authorize_security_key(account: &Account) -> PathBuf {
    let provider = World::built("sk_provider.so");
    let provider = provider.to_str().expect("the path is ASCII");
    authorize_key_of(account, "sk", &["-t", "ed25519-sk", "-w", provider])
}

/// One more key, by a name of its own and what `ssh-keygen` is told.
pub fn authorize_key_of(account: &Account, name: &str, arguments: &[&str]) -> PathBuf {
    let key = Path::new(PLACE).join(format!("key-{}-{name}", account.name));
    make_key_with(arguments, &key);
    let dir = account.home.join(".ssh");
    fs::create_dir_all(&dir).expect("the home is the world's own");
    let known = fs::read_to_string(dir.join("authorized_keys")).unwrap_or_default();
    let public = fs::read_to_string(key.with_extension("pub")).expect("ssh-keygen wrote it");
    fs::write(dir.join("authorized_keys"), known + &public).expect("the home is the world's own");
    fs::set_permissions(dir.join("authorized_keys"), fs::Permissions::from_mode(0o600)).expect("root may");
    for path in [dir.join("authorized_keys"), dir] {
        chown(path, Some(account.uid), Some(account.uid)).expect("root may");
    }
    key
}

/// The fingerprint of a key, as `ssh-keygen` prints it.
pub fn fingerprint(key: &Path) -> String {
    let said = must(&["ssh-keygen", "-l", "-f", key.to_str().expect("the path is ASCII")]);
    said.split_whitespace().nth(1).expect("it stands second").to_owned()
}

/// One of the clients (`ssh`, `scp`, `sftp`), without the host's configuration and known hosts.
pub fn client(program: &str, options: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(["-F", "none"]);
    for option in [
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        "NumberOfPasswordPrompts=1",
        "ControlMaster=no",
        "IdentitiesOnly=yes",
    ]
    .iter()
    .chain(options)
    {
        command.arg("-o").arg(option);
    }
    command
}

/// An `ssh` session on a terminal, before its first prompt.
pub fn ssh(user: &str, options: &[&str], remote_command: &str) -> Session {
    ssh_to("127.0.0.1", user, options, remote_command)
}

/// The same, to another address than the world's own.
pub fn ssh_to(address: &str, user: &str, options: &[&str], remote_command: &str) -> Session {
    let mut command = client("ssh", options);
    command.arg(format!("{user}@{address}")).arg(remote_command);
    Session::start(&command)
}

/// A login by password and code that runs `id -un`; whether it was let in.
#[track_caller]
pub fn login(user: &str, code: &str) -> bool {
    let mut session = ssh(user, &[], "id -un");
    session.answer(PASSWORD_PROMPT, PASSWORD).answer(CODE_PROMPT, code);
    was_let_in(session, user)
}

/// How a session ended that runs `id -un` and has just been given its last answer. Gives up politely when
/// it is asked once more.
#[track_caller]
pub fn was_let_in(mut session: Session, user: &str) -> bool {
    let name = format!("\n{user}\n");
    while session.expect_one_of(&[CODE_PROMPT, ENTER_PROMPT, &name, "Permission denied"]) < 2 {
        session.type_line("");
    }
    let ended = session.end();
    let (inside, refused) = (ended.shown.contains(&name), ended.shown.contains("Permission denied"));
    assert!(inside != refused, "neither let in nor refused:\n{}", ended.shown);
    assert_eq!(ended.code, Some(if inside { 0 } else { 255 }), "{}", ended.shown);
    inside
}
