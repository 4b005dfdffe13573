//! `lost`: what there is to do when somebody has lost a phone, in one go: the factors switched off, remembered
//! successes forgotten, a way in for the day.
//!
//! Refuses to have rights of its own: each step is the verb that does it alone, in an order in which what was lost
//! is off before anything else is done.

use std::fmt::Write as _;

use mfa_proto::admin::{FactorDetail, FactorKind, FactorRef, FactorState, Reply, Request, UserDetail};
use mfa_proto::name::UserId;
use mfa_proto::text::escape_for_log;

use super::{Context, breakglass, hint, invite, list, recovery, remembered};
use crate::cli::LostArgs;
use crate::failure::{Failure, exit};
use crate::new_file::NewFile;
use crate::render::{
    lost::{self as shown, Case, WayIn},
    recovery::{invitation, slip},
    time::Now,
};
use crate::terminal;

/// Does it all.
pub(super) fn run(context: &mut Context, arguments: &LostArgs) -> Result<u8, Failure> {
    // Before anything is changed.
    let file = if arguments.emergency { recovery::place(&arguments.to)? } else { None };
    let whom = arguments.user.id();
    let detail = list::detail(context, &whom)?;
    let mut case = case(&whom, (&detail, &context.now), arguments)?;
    if !arguments.yes {
        meant(context, &case)?;
    }
    take_away(context, &mut case).inspect_err(|_| so_far(context, &case))?;
    context.out.text(&shown::taken_away(&case))?;
    let way_in = match way_in(context, &mut case, (arguments, file)) {
        // Else it stands on standard output.
        Err(failure) if context.out.json => {
            so_far(context, &case);
            return Err(failure);
        }
        way_in => way_in?,
    };
    context.out.json(&shown::json(&case, &way_in))?;
    match &way_in {
        WayIn::Emergency { code, until, output: None, .. } => {
            context.out.text(&slip(&whom, code, *until, &context.now))?;
        }
        WayIn::Emergency { until, output: Some(name), .. } => {
            let until = context.now.full(Some(*until));
            context.out.text(&format!("Emergency code: written to {name}. It counts until {until}.\n"))?;
        }
        WayIn::Invitation { code, until } => {
            context.out.text(&invitation(&whom, code, *until, &context.now))?;
        }
        WayIn::None => {}
    }
    context.out.text(&shown::next(&case, &way_in, &hint::shell_word(&whom)))?;
    Ok(exit::OK)
}

/// What is lost, and what is left.
fn case<'d>(
    whom: &'d UserId,
    (detail, now): (&'d UserDetail, &Now),
    arguments: &LostArgs,
) -> Result<Case<'d>, Failure> {
    let held = || detail.factors.iter().filter(|factor| factor.kind != FactorKind::BreakGlass);
    let lost: Vec<&FactorDetail> = if arguments.invite {
        detail.factors.iter().collect()
    } else if arguments.factors.is_empty() {
        held().filter(|factor| is_on_a_device(factor)).collect()
    } else {
        let mut lost: Vec<&FactorDetail> = Vec::new();
        for named in &arguments.factors {
            let found = the_one(whom, held().collect(), named)?;
            if lost.iter().all(|factor| factor.factor != found.factor) {
                lost.push(found);
            }
        }
        lost
    };
    if lost.is_empty() && !arguments.invite {
        return Err(Failure::NotFound {
            message: format!(
                "{} has no active factor that a phone or a device holds (totp, hotp, sms)",
                escape_for_log(&whom.to_string())
            ),
            hint: format!("name what is lost, by id or label; ids: mfactl show {}", hint::shell_word(whom)),
        });
    }
    let is_left = |factor: &&FactorDetail| {
        let counts = factor.state == FactorState::Active
            && factor.left != Some(0)
            && factor.until.is_none_or(|until| now.until(until) > 0);
        counts && lost.iter().all(|one| one.factor != factor.factor)
    };
    let left = detail.factors.iter().filter(is_left).collect();
    Ok(Case { whom, lost, left, off: Vec::new(), removed: arguments.invite, forgotten: None })
}

fn is_on_a_device(factor: &FactorDetail) -> bool {
    let kind = matches!(factor.kind, FactorKind::Totp | FactorKind::Hotp | FactorKind::Sms);
    kind && factor.state == FactorState::Active
}

/// The factor with this id, else this label. A number that is one's id and another's label names neither.
fn the_one<'d>(whom: &UserId, held: Vec<&'d FactorDetail>, named: &str) -> Result<&'d FactorDetail, Failure> {
    let is_meant =
        |factor: &&FactorDetail| factor.label.as_str() == named || factor.factor.0.to_string() == named;
    let found: Vec<&FactorDetail> = held.into_iter().filter(is_meant).collect();
    let (name, named) = (hint::shell_word(whom), escape_for_log(named));
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(Failure::NotFound {
            message: format!("{} has no factor {named}", escape_for_log(&whom.to_string())),
            hint: format!("factors there are: mfactl show {name}"),
        }),
        [_, _, ..] => {
            let ids: Vec<String> = found.iter().map(|factor| shown::named(factor)).collect();
            Err(Failure::usage(format!(
                "{named} names more than one: {}. Take an id or label that is one's alone",
                ids.join("; ")
            )))
        }
    }
}

fn meant(context: &mut Context, case: &Case<'_>) -> Result<(), Failure> {
    if !terminal::interactive() {
        return Err(Failure::usage("lost needs --yes when nobody can be asked"));
    }
    context.out.note(&shown::before(case));
    let what = if case.removed { "Delete all of it" } else { "Switch off what is lost" };
    if terminal::confirm(&mut context.out, &format!("{what}, and forget remembered successes?"))? {
        return Ok(());
    }
    Err(Failure::Declined { state: "nothing was changed" })
}

/// What was done before something failed.
fn so_far(context: &mut Context, case: &Case<'_>) {
    if !case.off.is_empty() || case.forgotten.is_some() {
        context.out.note(&format!("Done before this failed:\n{}", shown::taken_away(case).trim_end()));
    }
}

fn take_away(context: &Context, case: &mut Case<'_>) -> Result<(), Failure> {
    let whom = case.whom;
    if case.removed {
        if !case.lost.is_empty() {
            remove_all(context, case)?;
        }
    } else {
        for factor in case.lost.clone() {
            if factor.state == FactorState::Active {
                let target = FactorRef { user: whom.clone(), factor: Some(factor.factor), label: None };
                done(context, whom, &Request::Disable { target, code: None })?;
                case.off.push(factor);
            }
        }
    }
    case.forgotten = Some(remembered::forget(context, Some(whom), None)?);
    Ok(())
}

fn remove_all(context: &Context, case: &mut Case<'_>) -> Result<(), Failure> {
    let target = FactorRef { user: case.whom.clone(), factor: None, label: None };
    done(context, case.whom, &Request::Remove { target, code: None })?;
    case.off.clone_from(&case.lost);
    Ok(())
}

fn done(context: &Context, whom: &UserId, request: &Request) -> Result<(), Failure> {
    let reply = context.target.ask(request);
    let reply = reply.map_err(|f| f.or_hint(|code| hint::root_only(code, whom, &context.now)))?;
    if matches!(reply, Reply::Done { .. }) { Ok(()) } else { Err(context.target.unexpected()) }
}

/// How the user gets in meanwhile: as was said, else as is said now.
fn way_in(
    context: &mut Context,
    case: &mut Case<'_>,
    (arguments, file): (&LostArgs, Option<NewFile>),
) -> Result<WayIn, Failure> {
    if arguments.emergency {
        return emergency(context, case, (arguments, file));
    }
    if arguments.invite {
        return invited(context, case);
    }
    if arguments.yes || !case.left.is_empty() || !terminal::interactive() {
        return Ok(WayIn::None);
    }
    let whom = escape_for_log(&case.whom.to_string());
    if let Ok(file) = recovery::place(&arguments.to) {
        let question = format!("Nothing that counts is left. Make a code that lets {whom} in once?");
        if terminal::confirm(&mut context.out, &question)? {
            return emergency(context, case, (arguments, file));
        }
    }
    let question = format!("Delete all that {whom} holds, and make an invitation to enroll anew?");
    if terminal::confirm(&mut context.out, &question)? {
        remove_all(context, case)?;
        case.removed = true;
        return invited(context, case);
    }
    Ok(WayIn::None)
}

fn emergency(
    context: &Context,
    case: &Case<'_>,
    (arguments, file): (&LostArgs, Option<NewFile>),
) -> Result<WayIn, Failure> {
    let reason = arguments.reason.clone().unwrap_or_else(|| reason(&case.lost));
    let (factor, code, until) = breakglass::make(context, case.whom, (arguments.span, &reason))?;
    let mut output = None;
    if let Some(mut file) = file {
        output = Some(file.shown());
        file.write(slip(case.whom, &code, until, &context.now).as_bytes())?;
        file.finish()?;
    }
    Ok(WayIn::Emergency { factor, code, until, output })
}

/// What is lost, as short as a reason has to be.
fn reason(lost: &[&FactorDetail]) -> String {
    let mut text = "reported lost: factor".to_owned();
    for (place, factor) in lost.iter().enumerate() {
        let _infallible = write!(text, "{} {}", if place == 0 { "" } else { "," }, factor.factor.0);
    }
    text
}

fn invited(context: &Context, case: &Case<'_>) -> Result<WayIn, Failure> {
    let (code, until) = invite::make(context, case.whom, 0)?;
    Ok(WayIn::Invitation { code, until })
}
