//! `make bench`: how fast a login is through libpam, beside the modules that Debian ships.
//!
//! One run, on one disk, in rounds that take turns, each login a success that counts: HOTP codes let every
//! login use a fresh counter without games with the clock. Prints a table with what is to be reached, and
//! writes it as JSON. Refuses to measure what failed: a login that is not let in ends the run. Refuses to
//! fail because a target is missed: machines differ, and the table says so.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark shows its figures")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on should say where"
)]

mod contender;
mod measure;
mod options;
mod pending;
mod report;
mod rules;
mod run;
mod seeding;
mod target;
mod trail;
mod web;

use std::{path::Path, process::ExitCode};

use mfa_tests::world::{self, Outer, World};

use options::Options;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let options = match Options::parse(&arguments) {
        Ok(options) => options,
        Err(problem) => {
            eprintln!("bench: {problem}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    if world::inside().is_some() {
        let (world, result) = (World::make(), World::disk().join("bench.json"));
        if options.only.as_deref() == Some("web") {
            web::all(&world, options.rounds).write(&result);
        } else {
            run::all(&world, &options).write(&result);
        }
        return ExitCode::SUCCESS;
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!("bench: namespaces need root; run `make bench`, or this program by sudo");
        return ExitCode::FAILURE;
    }
    outside(&options, &arguments)
}

/// Gives the world a directory on the disk that the result is written to, and takes the result from it.
fn outside(options: &Options, arguments: &[String]) -> ExitCode {
    let near = options.json.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let disk =
        tempfile::Builder::new().prefix("bench-").tempdir_in(near).expect("the target directory is writable");
    let mut world = Outer::new("bench").with_disk(&disk.path().canonicalize().expect("it was just made"));
    if options.only.as_deref() == Some("web") {
        world = world.with_tools(web::PEER);
    }
    let status = world.command(arguments).status().expect("setpriv and unshare can be run");
    if !status.success() {
        eprintln!("bench: ended with {status}");
        return ExitCode::FAILURE;
    }
    std::fs::copy(disk.path().join("bench.json"), &options.json).expect("the target directory is writable");
    println!("\nwritten to {}", options.json.display());
    ExitCode::SUCCESS
}
