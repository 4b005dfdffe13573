//! `remove`: deletes a factor, or all of a user, after asking whether it is meant.
//!
//! Refuses to take "all" from silence: on the wire no factor means all, here it must be said.

use mfa_proto::admin::{FactorDetail, FactorId, FactorRef, RefusalCode, Request, UserDetail};
use mfa_proto::text::escape_for_log;

use super::code::Form;
use super::{Context, code, hint, list, verb};
use crate::cli::RemoveArgs;
use crate::failure::Failure;
use crate::render;
use crate::terminal;

/// Deletes.
pub(super) fn run(context: &mut Context, arguments: RemoveArgs) -> Result<u8, Failure> {
    let RemoveArgs { target, all, yes, code_stdin } = arguments;
    let mut target = verb::target(context, target)?;
    let question = if all {
        format!("Delete all factors of {}?", escape_for_log(&target.user.to_string()))
    } else {
        pick(context, &mut target)?
    };
    if !yes {
        meant(context, &question)?;
    }
    let given = if code_stdin { Some(code::from_stdin(context, Form::CURRENT)?) } else { None };
    let user = target.user.clone();
    let reply = code::ask_with_current(context, &user, given, |code| Request::Remove {
        target: target.clone(),
        code,
    });
    verb::done(context, &user, "remove", "Removed", reply)
}

/// Settles on one factor by its id, and says which one in a question. When the user's rows are tampered
/// with they cannot be shown, but a factor named by id can still go.
fn pick(context: &Context, target: &mut FactorRef) -> Result<String, Failure> {
    let user = escape_for_log(&target.user.to_string());
    match (list::detail(context, &target.user), target.factor) {
        (Ok(detail), _) => {
            let factor = the_one(&detail, target)?;
            target.factor = Some(factor.factor);
            target.label = None;
            Ok(format!("Delete {} of {user}?", describe(factor)))
        }
        (Err(failure), Some(id)) if failure.refused_with(RefusalCode::Tampered) => {
            Ok(format!("Delete factor {} of {user}, whose rows are tampered with?", id.0))
        }
        (Err(failure), _) => Err(failure),
    }
}

fn the_one<'d>(detail: &'d UserDetail, target: &FactorRef) -> Result<&'d FactorDetail, Failure> {
    let fits = |factor: &&FactorDetail| {
        target.factor.is_none_or(|FactorId(id)| factor.factor.0 == id)
            && target.label.as_ref().is_none_or(|label| *label == factor.label)
    };
    let found: Vec<&FactorDetail> = detail.factors.iter().filter(fits).collect();
    let name = hint::shell_word(&target.user);
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Failure::NotFound {
            message: format!("{} has no such factor", escape_for_log(&target.user.to_string())),
            hint: format!("factors there are: mfactl show {name}"),
        }),
        several => {
            let names: Vec<String> = several.iter().map(|factor| describe(factor)).collect();
            Err(Failure::usage(format!(
                "more than one factor fits: {}. Name one by --factor ID, or take them --all",
                names.join("; ")
            )))
        }
    }
}

/// `factor 3, totp "phone", active`.
fn describe(factor: &FactorDetail) -> String {
    format!(
        "factor {}, {}, {}",
        factor.factor.0,
        render::user::name(factor),
        render::factor::state(factor.state)
    )
}

fn meant(context: &mut Context, question: &str) -> Result<(), Failure> {
    if !terminal::interactive() {
        return Err(Failure::usage("deleting needs --yes when nobody can be asked"));
    }
    if terminal::confirm(&mut context.out, question)? {
        return Ok(());
    }
    Err(Failure::Declined { state: "nothing was deleted" })
}
