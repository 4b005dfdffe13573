//! Follows a guide: types what it says where it says, answers the questions it shows, and compares what is seen.

use std::{fs, process::Command};

use super::{
    Codes,
    shown::{ANY, is_as_shown},
    text::{Place, Step, steps},
    typed::{self, Answer},
};
use crate::{
    host::{self, ADDRESS, Host},
    pty::Session,
    sys::wait_until,
    world::{Account, Outer, PASSWORD, World},
};

/// Ends a program that goes on, once what stands before it is seen.
const INTERRUPT: &str = "^C";
/// Stands in a command for a code that is right and new, as `hunter2` does for jane's password.
const CODE: &str = "492039";
/// Carries the guide into the world, where the source may not be seen.
const TEXT: &str = "MFA_GUIDE";

/// Follows `docs/guides/GUIDE.md`. `packages` are what it installs, and what `prepare` does, the reader has. `test` is as
/// for [`crate::world::enter`].
#[track_caller]
pub fn follow(test: &str, guide: &str, packages: &[&str], prepare: impl FnOnce(&mut Host) -> Codes) {
    let read = |outer: Outer| {
        let path = format!("{}/../docs/guides/{guide}.md", env!("CARGO_MANIFEST_DIR"));
        let markdown = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        outer.with_variable(TEXT, markdown)
    };
    host::enter_with(test, packages, read, |world, host| {
        let markdown = std::env::var_os(TEXT).expect("the process outside has read it");
        let markdown = markdown.into_string().expect("guides are UTF-8");
        let codes = prepare(host);
        let laptop = laptop(world, host);
        let steps = steps(&markdown);
        assert!(!steps.is_empty(), "nothing in it is tried");
        let mut reader = Reader { host, laptop, codes };
        for step in steps {
            reader.take(&step);
        }
    });
}

/// The account of jane's own machine, which knows the host.
fn laptop(world: &World, host: &Host) -> Account {
    let account = world.add_user("jane");
    let keys = host.must(&["sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"]);
    let known: Vec<String> = keys.lines().map(|key| format!("host,{ADDRESS} {key}")).collect();
    fs::write("/etc/ssh/ssh_known_hosts", known.join("\n") + "\n").expect("the world's /etc is its own");
    let hosts = fs::read_to_string("/etc/hosts").unwrap_or_default();
    fs::write("/etc/hosts", format!("{hosts}\n{ADDRESS} host\n")).expect("the world's /etc is its own");
    account
}

/// What differs in a line is not waited for.
fn waited_for(line: &str) -> &str {
    line.rsplit(ANY).next().unwrap_or(line)
}

struct Reader<'a> {
    host: &'a mut Host,
    laptop: Account,
    codes: Codes,
}

impl Reader<'_> {
    #[track_caller]
    fn take(&mut self, step: &Step) {
        let mut session = self.start(step);
        for (at, line) in step.shown.iter().enumerate() {
            if line == INTERRUPT {
                session.expect(waited_for(&step.shown[at - 1])).type_line("\u{3}");
            }
            let Some((question, answer)) = typed::in_line(line) else { continue };
            session.expect(waited_for(question));
            let answer = match answer {
                Answer::Password => PASSWORD.to_owned(),
                Answer::Code => self.code(&session),
                Answer::Both => PASSWORD.to_owned() + &self.code(&session),
                Answer::Paper(number) => self.codes.on_paper(&number),
                Answer::Text(text) => text,
            };
            session.type_line(&answer);
        }
        let ended = session.end();
        self.codes.scan(&ended.shown);
        let login =
            (step.place == Place::Console).then(|| [ANY.to_owned(), format!("host login: {}", step.command)]);
        let lines = step.shown.iter().map(|line| typed::as_seen(line));
        let shown: Vec<String> = login.into_iter().flatten().chain(lines).collect();
        let seen = &ended.shown;
        let at = format!("line {}: {}", step.line, step.command);
        assert!(
            shown.is_empty() || is_as_shown(&shown, seen),
            "{at}\nshown:\n{}\nseen:\n{seen}",
            shown.join("\n")
        );
        if step.shown.iter().any(|line| line == INTERRUPT) {
            return;
        }
        assert_eq!(ended.code != Some(0), step.fails, "{at}\nended with {:?}:\n{seen}", ended.code);
    }

    fn code(&mut self, session: &Session) -> String {
        self.codes.fresh(session.shown())
    }

    #[track_caller]
    fn start(&mut self, step: &Step) -> Session {
        if step.place == Place::Rescue {
            self.host.be_down();
        } else {
            self.host.be_up();
        }
        // A shell of its own for each, at home.
        let line = format!("cd\n{}", self.filled(&step.command));
        let shell = |mut command: Command| {
            command.args(["-c", &line]);
            command
        };
        let mut command = match &step.place {
            Place::Root => shell(self.host.command("bash")),
            Place::Account(name) => shell(self.host.command_of(&self.host.account(name), "bash")),
            Place::Laptop => {
                self.settle();
                shell(self.laptop.command("bash"))
            }
            Place::LaptopRoot => {
                let mut command = Command::new("nsenter");
                let spaces = ["--mount", "--pid", "--uts", "--ipc", "--cgroup", "--"];
                command.arg("--target").arg(self.host.init()).args(spaces).arg("bash").env("HOME", "/root");
                shell(command)
            }
            Place::Rescue => {
                let mut chroot = Command::new("chroot");
                chroot.arg(self.host.path("/")).arg("bash").env("HOME", "/root");
                shell(chroot)
            }
            Place::Console => {
                let mut getty = self.host.command("setsid");
                getty.args(["--ctty", "agetty", "--noclear", "-", "dumb"]);
                getty
            }
        };
        command.env("TERM", "dumb");
        let mut session = Session::start(&command);
        if step.place == Place::Console {
            session.answer("host login: ", &step.command);
        }
        session
    }

    /// A command with jane's password and a code where the guide has theirs.
    fn filled(&mut self, command: &str) -> String {
        let command = command.replace("hunter2", PASSWORD);
        if command.contains(CODE) { command.replace(CODE, &self.codes.fresh("the command")) } else { command }
    }

    /// sshd reads its configuration some time after it was told to, and nobody who types is that fast.
    #[track_caller]
    fn settle(&self) {
        wait_until("sshd has done what it was told", || {
            let (mut told, mut done, mut listens) = (0, 0, false);
            for entry in self.host.journal(&["--unit=ssh.service"]) {
                let message = entry["MESSAGE"].as_str().unwrap_or_default();
                told += usize::from(message.starts_with("Reloaded ssh.service"));
                done += usize::from(message.starts_with("Received SIGHUP"));
                listens = message.starts_with("Server listening")
                    || (listens && !message.starts_with("Received SIG"));
            }
            listens && done >= told
        });
    }
}
