//! Codes that people give: at the prompt, or on standard input. They are seen while they are typed, as at
//! a login: a code is of no use to anyone once it is used.

use mfa_proto::admin::{FactorRef, RefusalCode, Reply, Request};
use mfa_proto::answer::AnswerShape;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;

use super::{Context, send};
use crate::failure::Failure;
use crate::terminal::{self, Asked};

/// How often a wrong current code is asked for again: the daemon's waits begin soon after.
const TRIES: usize = 3;

/// What is taken for a code, and what is said to anything else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    shape: AnswerShape,
    /// As in "That is no code: …".
    says: &'static str,
}

impl Form {
    const DIGIT_SHAPE: AnswerShape =
        AnswerShape::SIX_DIGITS.or(AnswerShape::SEVEN_DIGITS).or(AnswerShape::EIGHT_DIGITS);

    /// Digits.
    pub(super) const DIGITS: Self = Self { shape: Self::DIGIT_SHAPE, says: "it has 6 to 8 digits" };
    /// What proves the owner before a change: the code of any factor, on paper too.
    pub(super) const CURRENT: Self = Self {
        shape: Self::DIGIT_SHAPE.or(AnswerShape::RECOVERY).or(AnswerShape::TOKEN).or(AnswerShape::PINNED),
        says: "it has 6 to 8 digits, behind the PIN where there is one, or is a recovery code",
    };
    /// An invitation to a first factor: as a recovery code.
    pub(super) const INVITATION: Self =
        Self { shape: AnswerShape::RECOVERY, says: "an invitation looks like 01-ABCD-EFGH-IJKL-MNOP" };
    /// A signed token.
    pub(super) const TOKEN: Self =
        Self { shape: AnswerShape::TOKEN, says: "a token has digits, one space and a signature" };
    /// What an outside service may ask for.
    pub(super) const TEXT: Self =
        Self { shape: AnswerShape::TEXT, says: "it has 4 to 64 characters without spaces" };
    /// Digits or a signed token.
    pub(super) const ANY: Self = Self {
        shape: Self::DIGIT_SHAPE.or(AnswerShape::TOKEN),
        says: "it has 6 to 8 digits, or is a signed token (what another service asks for: --text)",
    };

    /// What was meant; `None` when the text is no code of this form.
    pub(super) fn take(self, text: &str) -> Option<SecretText> {
        self.shape.parse(text)?.canonical()
    }

    /// The same for what was not typed at a prompt.
    pub(super) fn take_given(self, text: &str, what: &str) -> Result<SecretText, Failure> {
        self.take(text).ok_or_else(|| Failure::usage(format!("{what} is no code: {}", self.says)))
    }
}

/// What was typed where a code was asked for.
pub(super) enum Typed {
    /// Something of the form asked for.
    Code(SecretText),
    /// Nothing: have one sent.
    Empty,
    /// Nothing more will come.
    GivenUp,
}

/// Asks until nothing, or something of the form of a code, is typed.
pub(super) fn ask_or_empty(context: &mut Context, prompt: &str, form: Form) -> Result<Typed, Failure> {
    loop {
        let Asked::Answer(typed) = terminal::ask(&mut context.out, prompt, true)? else {
            return Ok(Typed::GivenUp);
        };
        if typed.trim().is_empty() {
            return Ok(Typed::Empty);
        }
        if let Some(code) = form.take(&typed) {
            return Ok(Typed::Code(code));
        }
        context.out.note(&format!("That is no code: {}.", form.says));
    }
}

/// Asks until something of the form of a code is typed; `None` when the person gives up.
pub(super) fn ask(context: &mut Context, prompt: &str) -> Result<Option<SecretText>, Failure> {
    loop {
        match ask_or_empty(context, prompt, Form::DIGITS)? {
            Typed::Code(code) => return Ok(Some(code)),
            Typed::GivenUp => return Ok(None),
            Typed::Empty => {}
        }
    }
}

/// Reads a code from standard input.
pub(super) fn from_stdin(context: &mut Context, form: Form) -> Result<SecretText, Failure> {
    let typed = terminal::stdin_line(&mut context.out, "code")?;
    form.take_given(typed.expose(), "what was given")
}

/// Sends a request that may need a current code: `make` builds it with or without one. Without one first
/// (root needs none, and the daemon knows who needs one); when it is asked for, the person is. An empty
/// answer has one sent to `whom`.
pub(super) fn ask_with_current(
    context: &mut Context,
    whom: &UserId,
    given: Option<SecretText>,
    make: impl Fn(Option<SecretText>) -> Request,
) -> Result<Reply, Failure> {
    let missing = given.is_none();
    let may_ask = missing && terminal::interactive();
    let mut answer = context.target.ask(&make(given));
    if missing && !may_ask {
        let how = "give a current code by --code-stdin, or run it on a terminal";
        let hint = |code| (code == RefusalCode::WrongCode).then(|| how.to_owned());
        return answer.map_err(|failure| failure.or_hint(hint));
    }
    for _ in 0..TRIES {
        match &answer {
            Err(failure) if may_ask && failure.refused_with(RefusalCode::WrongCode) => {
                let message = failure.to_string();
                context.out.note(&message);
            }
            Ok(_) | Err(_) => return answer,
        }
        let code = current(context, whom)?;
        answer = context.target.ask(&make(Some(code)));
    }
    answer
}

/// Sends a request that may need an invitation: without one first, since only the daemon knows; when it is
/// asked for, the person is.
pub(super) fn ask_with_invitation(
    context: &mut Context,
    given: Option<&SecretText>,
    send: impl Fn(&mut Context, Option<&SecretText>) -> Result<Reply, Failure>,
) -> Result<Reply, Failure> {
    let may_ask = given.is_none() && terminal::interactive();
    let mut answer = send(context, given);
    for _ in 0..TRIES {
        match &answer {
            Err(failure) if may_ask && failure.refused_with(RefusalCode::Invitation) => {
                let message = failure.to_string();
                context.out.note(&message);
            }
            Ok(_) | Err(_) => break,
        }
        let code = loop {
            match ask_or_empty(context, "Invitation: ", Form::INVITATION)? {
                Typed::Code(code) => break code,
                Typed::Empty => {}
                Typed::GivenUp => {
                    return Err(Failure::Interrupted { state: "nothing was changed".to_owned(), hint: None });
                }
            }
        };
        answer = send(context, Some(&code));
    }
    answer
}

fn current(context: &mut Context, whom: &UserId) -> Result<SecretText, Failure> {
    let any = FactorRef { user: whom.clone(), factor: None, label: None };
    loop {
        match ask_or_empty(context, "Current code of an active factor: ", Form::CURRENT)? {
            Typed::Code(code) => return Ok(code),
            Typed::Empty => send::or_say_why(context, &any)?,
            Typed::GivenUp => {
                return Err(Failure::Interrupted { state: "nothing was changed".to_owned(), hint: None });
            }
        }
    }
}
