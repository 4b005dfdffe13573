//! `test`: one login as the PAM module does it, at the terminal. Spends codes and counts failures like any.

use mfa_proto::answer::AnswerShape;
use mfa_proto::hello::Protocol;
use mfa_proto::login::{ClientMessage, Dialogue, ServerMessage, Start, Verdict, Withheld};
use serde_json::json;
use zeroize::Zeroizing;

use super::Context;
use crate::cli::TestArgs;
use crate::client::Wire;
use crate::failure::{Failure, exit};
use crate::render::style::Tone;
use crate::terminal::{self, Asked};

/// More messages than any login has: a daemon that goes on is not one.
const ROUNDS: usize = 64;

/// Logs in.
pub(super) fn run(context: &mut Context, arguments: TestArgs) -> Result<u8, Failure> {
    let (user, service) = (arguments.user.to_string(), arguments.service.to_string());
    let mut wire = context.target.open(Protocol::Login)?;
    wire.send(&ClientMessage::Start(Start {
        user: arguments.user,
        service: arguments.service,
        dialogue: Dialogue::Interactive,
        remote_host: None,
        remote_user: None,
        terminal: None,
        ssh_auth_info: None,
    }))?;
    let verdict = converse(context, &mut wire)?;
    let (word, meaning, tone, code) = meaning(verdict);
    context.out.json(&json!({"user": user, "service": service, "verdict": word, "meaning": meaning}))?;
    let shown = context.out.style.paint(tone, word);
    context.out.text(&format!("Verdict: {shown} ({meaning}).\n"))?;
    Ok(code)
}

fn converse(context: &mut Context, wire: &mut Wire) -> Result<Verdict, Failure> {
    for _ in 0..ROUNDS {
        match wire.receive()? {
            ServerMessage::Info(text) => context.out.note(text.as_str()),
            ServerMessage::Settled(verdict) => return Ok(verdict),
            ServerMessage::Prompt { text, echo, shape } => {
                let answer = answer(context, text.as_str(), echo, shape)?;
                let given_up = matches!(answer, ClientMessage::Withheld(Withheld::NoAnswer));
                // The daemon may have settled meanwhile, tired of waiting.
                if !wire.has_spoken()? {
                    wire.send(&answer)?;
                }
                if given_up && terminal::interactive() {
                    return Err(Failure::Interrupted {
                        state: "the login was given up, which denies it".to_owned(),
                        hint: None,
                    });
                }
            }
        }
    }
    Err(wire.failed("the login does not come to an end".to_owned(), "report it"))
}

/// What to send for a prompt: what is not of its shape stays here.
fn answer(
    context: &mut Context,
    prompt: &str,
    echo: bool,
    shape: AnswerShape,
) -> Result<ClientMessage, Failure> {
    let Some(typed) = typed(context, prompt, echo)? else {
        return Ok(ClientMessage::Withheld(Withheld::NoAnswer));
    };
    let Some(answer) = shape.parse(&typed).and_then(|answer| answer.canonical()) else {
        context.out.note("(This is not of the form asked for: it is not sent.)");
        return Ok(ClientMessage::Withheld(Withheld::Shape));
    };
    Ok(ClientMessage::Answer(answer))
}

fn typed(context: &mut Context, prompt: &str, echo: bool) -> Result<Option<Zeroizing<String>>, Failure> {
    if terminal::interactive() {
        return Ok(match terminal::ask(&mut context.out, prompt, echo)? {
            Asked::Answer(text) => Some(text),
            Asked::GivenUp => None,
        });
    }
    context.out.note(prompt);
    terminal::script_line()
}

fn meaning(verdict: Verdict) -> (&'static str, &'static str, Tone, u8) {
    match verdict {
        Verdict::Accept => {
            ("accept", "the second factor was right; the code is used up now", Tone::Good, exit::OK)
        }
        Verdict::Deny => ("deny", "the login would be refused", Tone::Bad, exit::WRONG_CODE),
        Verdict::Locked => (
            "locked",
            "too many wrong codes: the login would be refused until the wait is over",
            Tone::Bad,
            exit::LOCKED,
        ),
        Verdict::NotApplicable => (
            "not_applicable",
            "policy asks no second factor of this login: other PAM modules decide alone",
            Tone::Warn,
            exit::NOT_APPLICABLE,
        ),
        Verdict::Unavailable => (
            "unavailable",
            "the daemon cannot judge at present (mfactl status says why): the login would be refused",
            Tone::Bad,
            exit::UNREACHABLE,
        ),
    }
}
