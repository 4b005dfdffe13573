//! `enroll` without more words: an app, for the account that is most likely meant, after asking.
//!
//! Refuses to guess where nobody can say no.

use clap::Parser as _;
use mfa_proto::name::UserName;

use super::super::{Context, hint, user};
use crate::apply::{Caller, people};
use crate::cli::{Cli, Command, EnrollKind};
use crate::failure::Failure;
use crate::terminal::{self, Asked};

/// What the person wants, as if it had been typed.
pub(super) fn kind(context: &mut Context) -> Result<EnrollKind, Failure> {
    if !terminal::interactive() {
        return Err(Failure::usage(
            "nobody can be asked: mfactl enroll totp USER (kinds: mfactl enroll --help)",
        ));
    }
    let name = if nix::unistd::geteuid().is_root() { whom(context)? } else { None };
    let words = ["mfactl", "enroll", "totp"].map(str::to_owned);
    let all = words.into_iter().chain(name.map(String::from));
    match Cli::try_parse_from(all).map(|cli| cli.command) {
        Ok(Command::Enroll(wanted)) => wanted.kind.ok_or_else(|| Failure::usage("mfactl enroll totp USER")),
        Ok(_) | Err(_) => Err(Failure::usage("mfactl enroll totp USER")),
    }
}

/// For whom, when root asks; who that most likely is needs no typing.
pub(crate) fn whom(context: &mut Context) -> Result<Option<UserName>, Failure> {
    let likely = Caller::hint().or_else(people::only_person);
    let usual = likely.as_ref().map(|name| format!(" [{name}]")).unwrap_or_default();
    loop {
        let question = format!("An authenticator app for which account?{usual} ");
        let Asked::Answer(typed) = terminal::ask(&mut context.out, &question, true)? else {
            return Err(Failure::Interrupted { state: "nothing was enrolled".to_owned(), hint: None });
        };
        let typed = typed.trim();
        if typed.is_empty() && likely.is_some() {
            return Ok(likely);
        }
        match UserName::new(typed) {
            Ok(name) if user::exists(&name) => return Ok(Some(name)),
            Ok(name) => context.out.note(&format!("There is no account {name} on this host.")),
            Err(why) => context.out.note(&format!("That is no account: {why}.")),
        }
    }
}

/// What comes next, for a host on which nothing asks for a code yet.
pub(super) fn next(context: &mut Context, whom: &mfa_proto::name::UserId) {
    let name = hint::shell_word(whom);
    context.out.note(&format!(
        "Next: mfactl recovery new {name} (for the day the phone is lost); mfactl pam enable sshd"
    ));
}
