//! Follows a guide: types what it says where it says, answers the questions it shows, and compares what is seen.

use std::process::Command;

use super::{
    Codes,
    shown::{ANY, is_as_shown},
    text::{Place, Step, steps},
    typed::{self, Answer},
};
use crate::{
    host::{self, ADDRESS, Host},
    pty::Session,
    world::{Account, PASSWORD, World},
};

/// Follows a guide, given by its text. `packages` are what it installs, and what `prepare` does, the reader has.
/// `test` is as for [`crate::world::enter`].
#[track_caller]
pub fn follow(test: &str, guide: &str, packages: &[&str], prepare: impl FnOnce(&mut Host) -> Codes) {
    host::enter_with(test, packages, |world, host| {
        let codes = prepare(host);
        let laptop = laptop(world, host);
        let mut reader = Reader { host, laptop, codes };
        let steps = steps(guide);
        assert!(!steps.is_empty(), "nothing in it is tried");
        for step in steps {
            reader.take(&step);
        }
    });
}

/// The account of jane's own machine, which knows the host.
fn laptop(world: &World, host: &Host) -> Account {
    let account = world.add_user("jane");
    let keys = host.must(&["sh", "-c", "cat /etc/ssh/ssh_host_*_key.pub"]);
    let known: String = keys.lines().map(|key| format!("host,{ADDRESS} {key}\n")).collect();
    std::fs::write("/etc/ssh/ssh_known_hosts", known).expect("the world's /etc is its own");
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    std::fs::write("/etc/hosts", format!("{hosts}\n{ADDRESS} host\n")).expect("the world's /etc is its own");
    account
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
        for line in &step.shown {
            let Some((question, answer)) = typed::in_line(line) else { continue };
            // What differs in it is not waited for.
            let question = question.rsplit(ANY).next().unwrap_or(question);
            session.expect(question);
            let answer = match answer {
                Answer::Password => PASSWORD.to_owned(),
                Answer::Code => self.code(&session),
                Answer::Both => PASSWORD.to_owned() + &self.code(&session),
                Answer::Text(text) => text,
            };
            session.type_line(&answer);
        }
        let ended = session.end();
        self.codes.scan(&ended.shown);
        let shown: Vec<String> = step.shown.iter().map(|line| typed::as_seen(line)).collect();
        let seen = &ended.shown;
        let at = format!("line {}: {}", step.line, step.command);
        assert!(
            shown.is_empty() || is_as_shown(&shown, seen),
            "{at}\nshown:\n{}\nseen:\n{seen}",
            shown.join("\n")
        );
        assert_eq!(ended.code != Some(0), step.fails, "{at}\nended with {:?}:\n{seen}", ended.code);
    }

    fn code(&mut self, session: &Session) -> String {
        self.codes.scan(session.shown());
        self.codes.fresh()
    }

    #[track_caller]
    fn start(&mut self, step: &Step) -> Session {
        if step.place == Place::Rescue {
            self.host.be_down();
        } else {
            self.host.be_up();
        }
        // A shell of its own for each, at home.
        let line = format!("cd\n{}", step.command);
        let shell = |mut command: Command| {
            command.args(["-c", &line]);
            command
        };
        let mut command = match &step.place {
            Place::Root => shell(self.host.command("bash")),
            Place::Account(name) => shell(self.host.command_of(&self.host.account(name), "bash")),
            Place::Laptop => shell(self.laptop.command("bash")),
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
}
