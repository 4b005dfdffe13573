//! `setup`: a newcomer's way through all of it, one step after the other, each as the command that does it.
//!
//! Refuses to do anything that those commands would not, and to run where nobody answers.

use clap::Parser as _;
use mfa_proto::admin::{FactorState, RefusalCode};
use mfa_proto::name::{UserId, UserName};

use super::{Context, enroll, list};
use crate::apply;
use crate::cli::Cli;
use crate::doctor::host::Host;
use crate::doctor::pam::Model;
use crate::failure::{Failure, exit};
use crate::terminal::{self, Asked};

/// What can be done instead, by scripts.
const INSTEAD: &str = "mfactl setup asks, and nobody can answer here; instead: mfactl enroll totp USER --no-confirm, mfactl recovery \
                       new USER --output FILE, mfactl pam enable sshd --sshd password --yes, mfactl pam confirm";
/// Services that people log in by, as far as a host has them, and what is asked there.
const SERVICES: [(&str, &str); 4] = [
    ("sshd", "logins by ssh"),
    ("sudo", "sudo: whoever calls it gives a code of their own"),
    ("login", "the console"),
    ("su", "su: a code of the account that is changed to, so that root needs a factor"),
];

/// What the person wants of a step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Wanted {
    Do,
    Skip,
    Stop,
}

/// Leads through it.
pub(super) fn run(context: &mut Context) -> Result<u8, Failure> {
    if !terminal::interactive() {
        return Err(Failure::usage(INSTEAD));
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::withheld("only root sets this up", "sudo mfactl setup"));
    }
    context.out.note("Each step can be skipped. Keep this terminal open until the end.");
    context.out.note("\n1. The daemon");
    apply::daemon_answers(context)?;
    apply::loadable(&Host::below(std::path::Path::new("/")))?;
    context.out.note("mfad answers, and the module is in its place.");
    match steps(context)? {
        Wanted::Stop => {
            context.out.note("Stopped. mfactl setup goes on from what is there; mfactl pam status shows it.");
            Ok(exit::OK)
        }
        Wanted::Do | Wanted::Skip => words(context, &["pam", "status"]),
    }
}

fn steps(context: &mut Context) -> Result<Wanted, Failure> {
    context.out.note("\n2. A factor of your own");
    let Some(name) = enroll::guided::whom(context)? else { return Ok(Wanted::Stop) };
    let has_one = has_a_factor(context, &name)?;
    let user = name.as_str();
    let what = if has_one { "It has one already. Add another one" } else { "Enroll an app" };
    let usual = if has_one { Wanted::Skip } else { Wanted::Do };
    if step(context, what, usual, &["enroll", "totp", user])? == Wanted::Stop {
        return Ok(Wanted::Stop);
    }
    context.out.note("\n3. A whole login, without PAM");
    if step(context, "Try a code", Wanted::Do, &["test", user])? == Wanted::Stop {
        return Ok(Wanted::Stop);
    }
    context.out.note("\n4. Recovery codes, for the day the phone is lost");
    if step(context, "Make ten, shown once", Wanted::Do, &["recovery", "new", user])? == Wanted::Stop {
        return Ok(Wanted::Stop);
    }
    context.out.note("\n5. Where a code is asked for");
    services(context)
}

fn services(context: &mut Context) -> Result<Wanted, Failure> {
    let host = Host::below(std::path::Path::new("/"));
    let there = Model::of(&host).services().map_err(|finding| apply::unanswered(&finding))?;
    for (service, what) in SERVICES {
        if !there.iter().any(|known| known == service) {
            continue;
        }
        let usual = if service == "sshd" { Wanted::Do } else { Wanted::Skip };
        if step(context, &format!("Ask in {what}"), usual, &["pam", "enable", service])? == Wanted::Stop {
            return Ok(Wanted::Stop);
        }
    }
    Ok(Wanted::Do)
}

/// Asks about one step, and does it. A step that fails is told, and can be tried again.
fn step(context: &mut Context, what: &str, usual: Wanted, command: &[&str]) -> Result<Wanted, Failure> {
    loop {
        context.out.note(&format!("   mfactl {}", command.join(" ")));
        match wanted(context, what, usual)? {
            Wanted::Do => {}
            answer @ (Wanted::Skip | Wanted::Stop) => return Ok(answer),
        }
        match words(context, command) {
            Ok(exit::OK) => return Ok(Wanted::Do),
            Ok(_) => context.out.note("That did not go as it should; try again, or skip it."),
            Err(failure) => {
                context.out.note(&format!("mfactl: {failure}"));
                if let Some(hint) = failure.hint() {
                    context.out.note(&format!("  hint: {hint}"));
                }
            }
        }
    }
}

fn wanted(context: &mut Context, what: &str, usual: Wanted) -> Result<Wanted, Failure> {
    let choice = if usual == Wanted::Do { "Y/n, q stops" } else { "y/N, q stops" };
    Ok(match terminal::ask(&mut context.out, &format!("{what}? [{choice}] "), true)? {
        Asked::GivenUp => Wanted::Stop,
        Asked::Answer(answer) => match answer.trim().to_ascii_lowercase().as_str() {
            "" => usual,
            "y" | "yes" => Wanted::Do,
            "q" | "quit" => Wanted::Stop,
            _ => Wanted::Skip,
        },
    })
}

/// Does what these words on the command line would.
fn words(context: &mut Context, words: &[&str]) -> Result<u8, Failure> {
    let all = std::iter::once("mfactl").chain(words.iter().copied());
    let cli = Cli::try_parse_from(all).map_err(|error| Failure::usage(error.to_string()))?;
    super::dispatch(context, cli.command)
}

fn has_a_factor(context: &Context, name: &UserName) -> Result<bool, Failure> {
    match list::detail(context, &UserId::local(name.clone())) {
        Ok(detail) => Ok(detail.factors.iter().any(|factor| factor.state == FactorState::Active)),
        Err(failure) if failure.refused_with(RefusalCode::NoSuchFactor) => Ok(false),
        Err(failure) if failure.refused_with(RefusalCode::UnknownUser) => Ok(false),
        Err(failure) => Err(failure),
    }
}
