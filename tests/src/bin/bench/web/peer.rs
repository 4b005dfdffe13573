//! eduMFA, as its container runs it: gunicorn, of whose workers there are as many as gunicorn recommends, before
//! PostgreSQL. Refuses to be harder on it than it has to: it is configured as it documents for speed, and asked for
//! tokens without a PIN, whose hash would take it longest.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use mfa_tests::{
    otp::Seed,
    sys::{run, run_with, wait_longer_until},
    world::{Account, World},
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    cost,
    load::{Answer, CLIENTS, Codes, Connection, Endpoint, post},
};
use crate::contender::{kib, user};

/// What `tests/setup/python.sh` calls it.
pub(crate) const NAME: &str = "edumfa";

/// Its call.
pub(crate) const CHECK: Endpoint = Endpoint {
    address: "127.0.0.1:8000",
    path: "/validate/check",
    proof: "",
    code: "pass",
    is_yes: Answer::value_is_true,
};

/// Nobody else can ask it here.
const ADMIN: &str = "secret-of-the-bench";

/// Responses stay signed and rows of its trail, too, as they are by default; that the key is a sound one need not be
/// found out for each of them.
const CONFIG: &str = r#"
SQLALCHEMY_DATABASE_URI = "postgresql+psycopg2://edumfa@/edumfa?host=PLACE"
SUPERUSER_REALM = ["super"]
SECRET_KEY = "0123456789abcdef0123456789abcdef"
EDUMFA_PEPPER = "0123456789abcdef0123456789abcdef"
EDUMFA_ENCFILE = "PLACE/enckey"
EDUMFA_AUDIT_KEY_PRIVATE = "PLACE/private.pem"
EDUMFA_AUDIT_KEY_PUBLIC = "PLACE/public.pem"
EDUMFA_AUDIT_SQL_TRUNCATE = True
EDUMFA_AUDIT_NO_PRIVATE_KEY_CHECK = True
EDUMFA_RESPONSE_NO_PRIVATE_KEY_CHECK = True
EDUMFA_LOGFILE = "PLACE/edumfa.log"
EDUMFA_UI_DEACTIVATED = True
"#;

const APP: &str = r#"
from edumfa.app import create_app
application = create_app(config_name="production", config_file="PLACE/edumfa.cfg")
"#;

/// Database and web server, running; ended when dropped.
pub(crate) struct Peer {
    account: Account,
    place: PathBuf,
    running: Vec<Child>,
    pub(crate) codes: Codes,
}

impl Peer {
    pub(crate) fn start(world: &World) -> Self {
        let account = world.add_service_user(NAME);
        let place = World::disk().join(NAME);
        fs::create_dir(&place).expect("the disk is ours");
        std::os::unix::fs::chown(&place, Some(account.uid), Some(account.uid)).expect("root may");
        let mut peer = Self { account, place, running: Vec::new(), codes: Codes::from(0) };
        peer.start_database();
        peer.configure();
        peer.start_server();
        enroll();
        peer
    }

    /// The memory of its web server, in MiB: of what processes share, each has its part.
    pub(crate) fn proportional_mib(&self) -> f64 {
        let first = self.running.last().expect("it is running").id().to_string();
        let all = cost::children(&first).into_iter().chain([first]);
        let kib: u64 = all.map(|pid| kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")).sum();
        f64::from(u32::try_from(kib).unwrap_or(u32::MAX)) / 1024.0
    }

    /// Its processes, database and web server.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.running.iter().map(Child::id).collect()
    }

    fn path(&self, name: &str) -> String {
        self.place.join(name).to_str().expect("the path is ASCII").to_owned()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.place.join(name), text.replace("PLACE", &self.path(""))).expect("the disk is ours");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.account.command(program);
        command.current_dir(&self.place).env("EDUMFA_CONFIGFILE", self.path("edumfa.cfg"));
        command
    }

    /// Has a program run until the end, what it says kept.
    fn spawn(&mut self, command: &mut Command, name: &str) {
        let output = File::create(self.place.join(name)).expect("the disk is ours");
        let errors = output.try_clone().expect("a descriptor can be copied");
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn();
        self.running.push(child.unwrap_or_else(|error| panic!("{command:?}: {error}")));
    }

    /// Its database is one that eduMFA supports, with the settings that it comes with, on the disk that ours is on.
    fn start_database(&mut self) {
        let data = self.path("data");
        let mut init = self.command(&postgresql("initdb"));
        run_with(init.args(["--pgdata", &data, "--auth", "trust", "--encoding", "UTF8"]), "").ok();
        let mut server = self.command(&postgresql("postgres"));
        server.args(["-D", &data, "-k", &self.path(""), "-c", "listen_addresses="]);
        self.spawn(&mut server, "postgres.out");
        wait_longer_until("PostgreSQL takes connections", || {
            let mut create = self.command(&postgresql("createdb"));
            run_with(create.args(["--host", &self.path(""), NAME]), "").code == Some(0)
        });
    }

    fn configure(&self) {
        self.write("edumfa.cfg", CONFIG);
        self.write("app.py", APP);
        let people = (0..CLIENTS).map(|number| format!("{}:x:{number}:{number}::/:/bin/sh\n", user(number)));
        self.write("people", &people.collect::<String>());
        self.write("people.resolver", "{'fileName': 'PLACE/people'}");
        for words in [
            &["create_enckey"][..],
            &["create_audit_keys"],
            &["create_tables"],
            &["admin", "add", "admin", "-p", ADMIN],
            &["resolver", "create", "people", "passwdresolver", "people.resolver"],
            &["realm", "create", "local", "people"],
            &["realm", "set_default", "local"],
        ] {
            let mut manage = self.command(&python());
            run_with(manage.arg(World::tools().join("bin/edumfa-manage")).args(words), "").ok();
        }
    }

    fn start_server(&mut self) {
        let mut server = self.command(&python());
        let workers = workers().to_string();
        server.args([
            "-m",
            "gunicorn",
            "--no-control-socket",
            "--bind",
            CHECK.address,
            "--workers",
            &workers,
            "app",
        ]);
        self.spawn(&mut server, "gunicorn.out");
        wait_longer_until("eduMFA answers", || std::net::TcpStream::connect(CHECK.address).is_ok());
    }
}

/// What is measured, by name and version.
pub(crate) fn versions() -> String {
    let versions = r#"from importlib.metadata import version
print("eduMFA", version("edumfa") + ", gunicorn", version("gunicorn"))"#;
    let python = run_with(Command::new(python()).args(["-c", versions]), "").ok();
    let database = run(&[&postgresql("postgres"), "--version"]).ok();
    let workers = workers();
    format!(
        "{} with {workers} workers, {}",
        python.trim(),
        database.trim().replace("postgres (PostgreSQL)", "PostgreSQL")
    )
}

/// A token for each, by its own interface.
fn enroll() {
    let mut connection = Connection::to(CHECK.address);
    let form = format!("username=admin&password={ADMIN}");
    let answer = connection.ask(&post(CHECK, "/auth", &form)).json();
    let token = answer["result"]["value"]["token"].as_str().expect("the administrator logs in").to_owned();
    let admin = Endpoint { proof: format!("Authorization: {token}").leak(), ..CHECK };
    for name in (0..CLIENTS).map(user) {
        let form = format!("type=hotp&genkey=0&user={name}&realm=local&otpkey={}", Seed::of(&name).hex());
        let answer = connection.ask(&post(admin, "/token/init", &form));
        assert!(answer.value_is_true(), "{}", String::from_utf8_lossy(&answer.body));
    }
}

/// As many as gunicorn's documentation recommends.
fn workers() -> usize {
    2 * std::thread::available_parallelism().map_or(1, std::num::NonZero::get) + 1
}

fn python() -> String {
    World::tools().join("bin/python").to_str().expect("the path is ASCII").to_owned()
}

/// A program of the newest PostgreSQL that is here.
fn postgresql(program: &str) -> String {
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let all = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let newest =
        all.max_by_key(|path| version(path)).expect("PostgreSQL is installed: `make bench-web` does that");
    newest.join("bin").join(program).to_str().expect("the path is ASCII").to_owned()
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The last first: the server before its database.
        for child in self.running.iter_mut().rev() {
            let id = i32::try_from(child.id()).expect("process ids are small");
            kill(Pid::from_raw(id), Signal::SIGINT).ok();
            child.wait().ok();
        }
        if std::thread::panicking() {
            for name in ["gunicorn.out", "postgres.out"] {
                eprintln!("--- {name}:\n{}", fs::read_to_string(self.place.join(name)).unwrap_or_default());
            }
        }
    }
}
