//! `make host`: a booted Debian host to look into by hand, with mfad installed as built. A shell of root there, or
//! what is read from standard input where that is no terminal. Refuses to leave anything behind: the host ends
//! with this process, however that ends.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a person wants to know what is there")]
#![allow(clippy::expect_used, reason = "a host that is not as expected should fail and say where")]

use std::{
    io::IsTerminal,
    process::{Command, ExitCode},
};

use mfa_tests::{
    host::{ADDRESS, Ground, Host, release},
    world::{self, Outer, PASSWORD, World},
};

const USER: &str = "jane";

fn main() -> ExitCode {
    if world::inside().is_some() {
        return inside();
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!("host: namespaces need root; run `make host`, or this program by sudo");
        return ExitCode::FAILURE;
    }
    let ground = Ground::prepare();
    let status = ground.below(Outer::new("host")).command([""; 0]).status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("host: cannot run setpriv and unshare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn inside() -> ExitCode {
    let host = Host::make(&World::make());
    host.install(host.package());
    host.add_user(USER);
    println!("Debian {} is up, with mfad installed and an account {USER}, password {PASSWORD:?}.", release());
    println!("This is root's shell there; it all ends with it. `ssh {USER}@{ADDRESS}` logs in.");
    let status = shell(&host).status().expect("nsenter can be run");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// On a terminal, one of the host's own, so that job control works.
fn shell(host: &Host) -> Command {
    if !std::io::stdin().is_terminal() {
        let mut bash = host.command("bash");
        bash.arg("--login");
        return bash;
    }
    let bash = host.command("bash");
    let words: Vec<_> = std::iter::once(bash.get_program()).chain(bash.get_args()).collect();
    let line = words.join(" ".as_ref());
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command"]).arg(line).arg("/dev/null").env("HOME", "/root");
    script
}
