//! `enroll`: adds a factor, shows what to scan or type in, and has it confirmed.

pub(super) mod guided;
mod show;
mod wanted;

use mfa_proto::admin::{Enrolled, FactorKind, FactorState, NewFactor, NewTag, Reply, Request};
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;

pub(super) use self::show::authenticator;
use self::wanted::Wanted;
use super::code::Form;
use super::{Context, code, confirm, hint};
use crate::cli::EnrollKind;
use crate::failure::{Failure, exit};
use crate::render;
use crate::terminal;

/// Adds a factor.
pub(super) fn run(context: &mut Context, kind: Option<EnrollKind>) -> Result<u8, Failure> {
    let Some(kind) = kind else { return guided(context) };
    enroll(context, kind).map(|(code, _)| code)
}

/// Asks what it needs to know, and says what comes next.
fn guided(context: &mut Context) -> Result<u8, Failure> {
    let kind = guided::kind(context)?;
    let (code, whom) = enroll(context, kind)?;
    if code == exit::OK && nix::unistd::geteuid().is_root() {
        guided::next(context, &whom);
    }
    Ok(code)
}

/// Adds a factor of this kind; the exit code, and for whom.
fn enroll(context: &mut Context, kind: EnrollKind) -> Result<(u8, UserId), Failure> {
    let wanted = wanted::gather(context, kind)?;
    let whom = &wanted.whom;
    let current =
        if wanted.common.code_stdin { Some(code::from_stdin(context, Form::CURRENT)?) } else { None };
    let invitation = if wanted.common.invitation_stdin {
        Some(code::from_stdin(context, Form::INVITATION)?)
    } else {
        None
    };
    let reply = code::ask_with_invitation(context, invitation.as_ref(), |context, invitation| {
        code::ask_with_current(context, whom, current.as_ref().map(SecretText::again), |current_code| {
            Request::Enroll(Box::new(NewFactor {
                user: whom.clone(),
                label: wanted.common.label.clone(),
                params: wanted.params.again(),
                secret: wanted.secret.as_ref().map(SecretText::again),
                activate: wanted.activate,
                replace: wanted.common.replace,
                current_code,
                invitation: invitation.map(SecretText::again),
                tag: NewTag {
                    serial: wanted.common.serial.clone(),
                    description: wanted.common.description.clone(),
                    pin: None,
                },
            }))
        })
    });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, whom, &context.now)))?;
    let Reply::Enrolled(new) = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::enrolled(whom, wanted.params.kind(), &new))?;
    show::show(context, &wanted, &new)?;
    let code = finish(context, &wanted, &new)?;
    Ok((code, wanted.whom))
}

/// Has a pending factor confirmed when someone can be asked, else says how.
fn finish(context: &mut Context, wanted: &Wanted, new: &Enrolled) -> Result<u8, Failure> {
    if new.state == FactorState::Active || context.out.json {
        return Ok(exit::OK);
    }
    let (proof, when) = match wanted.params.kind() {
        FactorKind::Totp | FactorKind::Hotp => (confirm::Proof::Shown, "When the authenticator is set up"),
        FactorKind::Sms | FactorKind::Mail => (confirm::Proof::Sent, "When the code has arrived"),
        FactorKind::Rest => (confirm::Proof::Outside, "To have the service judge one answer"),
        FactorKind::Token | FactorKind::Recovery | FactorKind::BreakGlass => {
            (confirm::Proof::Token, "With the first token")
        }
    };
    if terminal::interactive() {
        return confirm::until_right(context, &wanted.whom, Some(new.factor), proof);
    }
    let command = confirm::command(&wanted.whom, Some(new.factor), proof);
    context.out.text(&format!("{when}: {command}\n"))?;
    Ok(exit::OK)
}
