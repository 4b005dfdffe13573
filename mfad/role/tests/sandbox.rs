//! What a process can no longer do once it is in the sandbox, by trying it; and that it does not get by without one
//! where one is required.
//!
//! Runs each case in a process of its own, which has one thread as a role has at its start.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that fails should say where"
)]

use std::{
    collections::BTreeMap,
    fs, io,
    net::{TcpListener, TcpStream, UdpSocket},
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    process::{Child, Command, ExitCode, Stdio},
};

use mfa_role::{
    config::SandboxMode,
    sandbox::{Level, Rules, Sandbox, SandboxError, enter},
};
use nix::{
    errno::Errno,
    libc,
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
    sys::{
        prctl, ptrace,
        signal::{Signal, kill},
    },
    unistd::Pid,
};
use seccompiler::{SeccompAction, SeccompFilter, apply_filter};

const CASES: &[(&str, fn())] = &[
    ("only_what_was_granted_is_reached", only_what_was_granted_is_reached),
    ("no_program_is_started", no_program_is_started),
    ("no_socket_leads_to_the_network", no_socket_leads_to_the_network),
    ("other_processes_are_out_of_reach", other_processes_are_out_of_reach),
    ("the_system_is_out_of_reach", the_system_is_out_of_reach),
    ("threads_started_later_are_held_as_well", threads_started_later_are_held_as_well),
    ("beside_another_thread_nothing_begins", beside_another_thread_nothing_begins),
    ("a_role_with_programs_runs_them_within", a_role_with_programs_runs_them_within),
    ("without_landlock_only_less_than_required_starts", without_landlock_only_less_than_required_starts),
    ("without_seccomp_only_less_than_required_starts", without_seccomp_only_less_than_required_starts),
    ("what_is_there_and_fails_stops_every_start", what_is_there_and_fails_stops_every_start),
    ("off_is_off", off_is_off),
];

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, name] = words.as_slice()
        && flag == "--case"
    {
        let (_, case) = CASES.iter().find(|(case, _)| case == name).expect("a case of this name");
        case();
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<_> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let mut failed = Vec::new();
    for (name, _) in CASES.iter().filter(|(name, _)| wanted.iter().all(|word| name.contains(word.as_str()))) {
        let ran = Command::new(std::env::current_exe().unwrap()).args(["--case", name]).output().unwrap();
        let well = ran.status.success();
        println!("test {name} ... {}", if well { "ok" } else { "FAILED" });
        if !well {
            println!("{}", String::from_utf8_lossy(&ran.stderr));
            failed.push(name);
        }
    }
    println!("{} failed", failed.len());
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Needs a kernel that has both.
fn entered(rules: Rules) -> Sandbox {
    let sandbox = enter(SandboxMode::Required, rules).unwrap();
    assert!(sandbox.level.is_some_and(|level| level.seccomp && level.landlock.is_some_and(|abi| abi >= 1)));
    sandbox
}

fn refused<T>(done: io::Result<T>, what: &str) -> io::Error {
    match done {
        Ok(_) => panic!("{what} is possible"),
        Err(error) => error,
    }
}

/// Landlock's no.
fn denied<T>(done: io::Result<T>, what: &str) {
    let error = refused(done, what);
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied, "{what}: {error}");
}

/// The filter's no.
fn unknown<T>(done: nix::Result<T>, what: &str) {
    assert_eq!(done.err(), Some(Errno::ENOSYS), "{what}");
}

/// A process that ends when this one does.
struct Bystander(Child);

impl Bystander {
    fn start() -> Self {
        Self(
            Command::new("cat")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }
}

fn only_what_was_granted_is_reached() {
    let here = tempfile::tempdir().unwrap();
    let place = |name: &str| here.path().join(name);
    for name in ["read", "write", "sockets", "other"] {
        fs::create_dir(place(name)).unwrap();
        fs::write(place(name).join("file"), name).unwrap();
    }
    let bound = UnixListener::bind(place("sockets/s.sock")).unwrap();
    let held = fs::File::open(place("other/file")).unwrap();
    entered(Rules::default().read(&place("read")).write(&place("write")).remove(&place("sockets/s.sock")));

    assert_eq!(fs::read_to_string(place("read/file")).unwrap(), "read");
    assert_eq!(fs::read_dir(place("read")).unwrap().count(), 1);
    denied(fs::write(place("read/file"), "x"), "writing where only reading was granted");
    denied(fs::write(place("read/new"), "x"), "making a file there");
    denied(fs::remove_file(place("read/file")), "removing a file there");

    fs::write(place("write/new"), "x").unwrap();
    fs::rename(place("write/new"), place("write/file")).unwrap();
    assert_eq!(fs::read_to_string(place("write/file")).unwrap(), "x");
    refused(std::os::unix::fs::symlink("/etc/shadow", place("write/link")), "making a link");
    denied(UnixListener::bind(place("write/s.sock")), "making a socket");
    denied(fs::create_dir(place("write/dir")), "making a directory");
    fs::remove_file(place("write/file")).unwrap();

    UnixStream::connect(place("sockets/s.sock")).unwrap();
    denied(fs::read(place("sockets/file")), "reading beside a socket");
    drop(bound);
    fs::remove_file(place("sockets/s.sock")).unwrap();

    denied(fs::read(place("other/file")), "reading elsewhere");
    denied(fs::read_dir(place("other")), "listing elsewhere");
    denied(fs::write("/etc/mfad-was-here", "x"), "writing to /etc");
    // What was open before stays so, and what every process needs is there.
    assert_eq!(io::read_to_string(held).unwrap(), "other");
    assert!(nix::unistd::User::from_name("root").unwrap().is_some(), "no account database");
    assert!(!fs::read("/proc/self/stat").unwrap().is_empty());
    fs::write("/dev/null", "x").unwrap();
    // Its directories stay behind: it may not remove them any more.
    drop(here.keep());
}

fn no_program_is_started() {
    Command::new("true").status().unwrap();
    entered(Rules::default());
    refused(Command::new("true").status(), "starting a program");
    refused(Command::new(std::env::current_exe().unwrap()).status(), "starting oneself");
}

fn no_socket_leads_to_the_network() {
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listening.local_addr().unwrap();
    TcpStream::connect(address).unwrap();
    entered(Rules::default());
    for (tried, what) in [
        (TcpStream::connect(address).map(drop), "TCP"),
        (UdpSocket::bind("127.0.0.1:0").map(drop), "UDP"),
        (TcpListener::bind("[::1]:0").map(drop), "IPv6"),
    ] {
        assert_eq!(refused(tried, what).raw_os_error(), Some(libc::ENOSYS), "{what}");
    }
    UnixStream::pair().unwrap();
}

fn other_processes_are_out_of_reach() {
    let other = Bystander::start();
    kill(other.pid(), None).unwrap();
    let directory = format!("/proc/{}/cwd", other.pid());
    fs::read_link(&directory).unwrap();
    entered(Rules::default());
    unknown(ptrace::attach(other.pid()), "tracing");
    unknown(kill(other.pid(), Signal::SIGKILL), "a signal to another process");
    unknown(prctl::set_dumpable(true), "being dumped again");
    denied(fs::read_link(directory), "looking into another process");
}

fn the_system_is_out_of_reach() {
    entered(Rules::default());
    let none = None::<&Path>;
    unknown(mount(none, "/mnt", Some("tmpfs"), MsFlags::empty(), none), "mounting");
    unknown(unshare(CloneFlags::CLONE_NEWUSER), "a namespace of one's own");
    unknown(nix::unistd::chroot("/"), "another root");
    unknown(nix::unistd::setuid(nix::unistd::getuid()), "another user");
}

fn threads_started_later_are_held_as_well() {
    fs::read_dir("/var").unwrap();
    entered(Rules::default());
    let tried = std::thread::spawn(|| {
        denied(fs::read_dir("/var"), "listing elsewhere in a thread");
        refused(UdpSocket::bind("127.0.0.1:0"), "UDP in a thread");
        fs::read_to_string("/proc/thread-self/status").unwrap()
    });
    let status = tried.join().unwrap();
    assert!(status.contains("NoNewPrivs:\t1") && status.contains("Seccomp:\t2"), "{status}");
}

fn beside_another_thread_nothing_begins() {
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let other = std::thread::spawn(move || ended.recv());
    let error = enter(SandboxMode::BestEffort, Rules::default()).unwrap_err();
    assert!(matches!(error, SandboxError::Threads(2)), "{error}");
    drop(end);
    other.join().unwrap().unwrap_err();
}

/// What a program tries that runs within.
const PROGRAM: &str = r#"
import ctypes, errno, platform, socket, threading

threading.Thread(target=print).start()
c = ctypes.CDLL(None, use_errno=True)
call = c.syscall

def no(what, done):
    assert done == -1 and ctypes.get_errno() == errno.ENOSYS, (what, done, ctypes.get_errno())

numbers = {"x86_64": (101, 248, 321, 323, 425), "aarch64": (117, 217, 280, 282, 425)}[platform.machine()]
for what, number in zip(("ptrace", "add_key", "bpf", "userfaultfd", "io_uring_setup"), numbers):
    no(what, call(number, 0, 0, 0, 0, 0))
clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
no("clone", call(clone, 0x10000000 | 17, 0, 0, 0, 0))
no("mount", c.mount(b"none", b"/mnt", b"tmpfs", 0, None))
no("unshare", c.unshare(0x10000000))
no("dumpable", c.prctl(4, 1, 0, 0, 0))
try:
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raise SystemExit("a raw socket")
except OSError as error:
    assert error.errno == errno.ENOSYS, error
try:
    open("/etc/mfad-was-here", "w")
    raise SystemExit("written")
except PermissionError:
    pass
"#;

fn a_role_with_programs_runs_them_within() {
    entered(Rules::default().network().programs());
    assert!(Command::new("true").status().unwrap().success());
    UdpSocket::bind("127.0.0.1:0").unwrap();
    denied(fs::write("/etc/mfad-was-here", "x"), "writing to /etc");
    let ran = Command::new("python3").args(["-c", PROGRAM]).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

/// A kernel on which `call` answers `errno`: the answer is made at its edge, before any code of mfad's.
fn kernel_where(call: libc::c_long, errno: i32) {
    let calls: BTreeMap<i64, _> = [(call, Vec::new())].into();
    let answer = SeccompAction::Errno(errno.cast_unsigned());
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(calls, SeccompAction::Allow, answer, machine).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    apply_filter(&program).unwrap();
}

fn without_landlock_only_less_than_required_starts() {
    kernel_where(libc::SYS_landlock_create_ruleset, libc::ENOSYS);
    let error = enter(SandboxMode::Required, Rules::default()).unwrap_err().to_string();
    assert!(error.contains("Landlock") && error.contains("best-effort"), "{error}");
    let sandbox = enter(SandboxMode::BestEffort, Rules::default()).unwrap();
    assert_eq!(sandbox.level, Some(Level { landlock: None, seccomp: true }));
    refused(UdpSocket::bind("127.0.0.1:0"), "UDP");
}

fn without_seccomp_only_less_than_required_starts() {
    kernel_where(libc::SYS_seccomp, libc::ENOSYS);
    let sandbox = enter(SandboxMode::BestEffort, Rules::default()).unwrap();
    let level = sandbox.level.unwrap();
    assert!(level.landlock.is_some() && !level.seccomp, "{level}");
    denied(fs::read_dir("/var"), "listing elsewhere");
    let error = enter(SandboxMode::Required, Rules::default()).unwrap_err().to_string();
    assert!(error.contains("seccomp"), "{error}");
}

fn what_is_there_and_fails_stops_every_start() {
    kernel_where(libc::SYS_landlock_restrict_self, libc::EPERM);
    for mode in [SandboxMode::Required, SandboxMode::BestEffort] {
        let error = enter(mode, Rules::default()).unwrap_err();
        assert!(matches!(error, SandboxError::Landlock(_)), "{error}");
    }
}

fn off_is_off() {
    let sandbox = enter(SandboxMode::Off, Rules::default()).unwrap();
    assert_eq!(sandbox.level, None);
    assert!(sandbox.lacks(&Rules::default().network()).is_empty(), "a reload may do anything");
    assert!(Command::new("true").status().unwrap().success());
}
