//! `recovery`: makes a set of codes and hands them over once, to a terminal or to a new file; counts them.
//!
//! Refuses to print codes into a pipe or a file that was not asked for: they would stay there.

use std::io::{self, IsTerminal as _};

use mfa_proto::admin::{FactorDetail, FactorId, FactorKind, Reply, Request};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;

use super::code::Form;
use super::{Context, code, hint, list, user};
use crate::cli::{CodesTo, OptionalUser, RecoveryNewArgs, RecoveryVerb};
use crate::failure::{Failure, exit};
use crate::new_file::NewFile;
use crate::render;

/// Makes or counts.
pub(super) fn run(context: &mut Context, verb: RecoveryVerb) -> Result<u8, Failure> {
    match verb {
        RecoveryVerb::New(arguments) => make(context, &arguments),
        RecoveryVerb::Count(whom) => count(context, &whom),
    }
}

fn make(context: &mut Context, arguments: &RecoveryNewArgs) -> Result<u8, Failure> {
    // Before the old codes are void.
    let file = place(&arguments.to)?;
    let whom = user::resolve(context, &arguments.user)?;
    let given = if arguments.code_stdin { Some(code::from_stdin(context, Form::CURRENT)?) } else { None };
    let reply = code::ask_with_current(context, &whom, given, |code| Request::RecoveryNew {
        user: whom.clone(),
        count: arguments.count,
        code,
    });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, &whom, &context.now)))?;
    let Reply::RecoveryCodes { factor, codes } = reply else {
        return Err(context.target.unexpected());
    };
    let codes: Option<Vec<RecoveryCode>> =
        codes.iter().map(SecretText::expose).map(RecoveryCode::parse).collect();
    let Some(codes) = codes.filter(|codes| codes.len() == usize::from(arguments.count)) else {
        return Err(context.target.unexpected());
    };
    hand_over(context, &whom, (factor, &codes), file)
}

/// The file that the codes go to; `None` for standard output, if that may be.
pub(super) fn place(to: &CodesTo) -> Result<Option<NewFile>, Failure> {
    if let Some(path) = &to.output {
        return NewFile::create(path).map(Some);
    }
    if to.stdout || io::stdout().is_terminal() {
        return Ok(None);
    }
    Err(Failure::usage(
        "standard output is not a terminal: codes would stay in whatever reads it. --output FILE writes \
         them to a new file that is for its owner alone; --stdout prints them all the same",
    ))
}

fn hand_over(
    context: &mut Context,
    whom: &UserId,
    (factor, codes): (FactorId, &[RecoveryCode]),
    file: Option<NewFile>,
) -> Result<u8, Failure> {
    let sheet = render::recovery::sheet(whom, codes, &context.now);
    let Some(mut file) = file else {
        context.out.json(&render::view::recovery_codes(whom, factor, codes, None))?;
        context.out.text(&sheet)?;
        return Ok(exit::OK);
    };
    let name = file.shown();
    file.write(sheet.as_bytes())?;
    file.finish()?;
    context.out.json(&render::view::recovery_codes(whom, factor, codes, Some(&name)))?;
    let (count, whom) = (codes.len(), escape_for_log(&whom.to_string()));
    context.out.text(&format!(
        "Recovery codes of {whom}: {count}, written to {name}, which only its owner can read. Print it, then \
         delete it.\n",
    ))?;
    Ok(exit::OK)
}

fn count(context: &mut Context, whom: &OptionalUser) -> Result<u8, Failure> {
    let whom = user::resolve(context, whom)?;
    let more = format!("mfactl recovery new {}", hint::shell_word(&whom));
    let none = || Failure::NotFound {
        message: format!("{} has no recovery codes", escape_for_log(&whom.to_string())),
        hint: format!("to make some: {more}"),
    };
    let detail = list::detail(context, &whom)?;
    let is_set = |factor: &&FactorDetail| factor.kind == FactorKind::Recovery;
    let set = detail.factors.iter().find(is_set).ok_or_else(none)?;
    context.out.json(&render::view::recovery_left(&whom, set))?;
    context.out.text(&render::recovery::left(&whom, set, &context.now, context.out.style))?;
    if set.left.unwrap_or(0) <= render::recovery::FEW {
        context.out.note(&format!("To make new ones: {more}"));
    }
    Ok(exit::OK)
}
