//! What of a typed text may leave the host process: what the prompt asks for, or word that there is none.
//!
//! Refuses to send anything else. sshd answers every hidden prompt of its password method with the account
//! password, and other clients fill in what they have stored; none of that is the daemon's business.

use mfa_proto::{
    answer::{AnswerShape, OtpCode, is_sshd_refusal},
    login::{ClientMessage, Withheld},
    secret::SecretText,
};
use subtle::ConstantTimeEq;

/// What is sent for `typed` at a prompt for `shape`; `password` is `PAM_AUTHTOK`, when an earlier module has
/// set it.
pub(crate) fn to_prompt(typed: Option<&[u8]>, password: Option<&[u8]>, shape: AnswerShape) -> ClientMessage {
    let Some(typed) = typed else {
        return ClientMessage::Withheld(Withheld::NoAnswer);
    };
    if is_sshd_refusal(typed) {
        return ClientMessage::Withheld(Withheld::SshdRefusal);
    }
    if shape.includes(AnswerShape::ACKNOWLEDGE) {
        return acknowledged();
    }
    if password.is_some_and(|password| password.ct_eq(typed).into()) {
        return ClientMessage::Withheld(Withheld::Shape);
    }
    match std::str::from_utf8(typed).ok().and_then(|typed| shape.parse(typed)) {
        Some(answer) => {
            answer.canonical().map_or(ClientMessage::Withheld(Withheld::Shape), ClientMessage::Answer)
        }
        None => ClientMessage::Withheld(Withheld::Shape),
    }
}

/// What is sent when a text was shown that asks for nothing.
pub(crate) fn acknowledged() -> ClientMessage {
    of_text(String::new())
}

/// What is sent for the code at the end of `typed`, and the password before it, which is not sent.
pub(crate) fn to_combined(typed: Option<&[u8]>, shape: AnswerShape) -> (ClientMessage, Option<SecretText>) {
    let Some(typed) = typed else {
        return (ClientMessage::Withheld(Withheld::NoAnswer), None);
    };
    if is_sshd_refusal(typed) {
        return (ClientMessage::Withheld(Withheld::SshdRefusal), None);
    }
    match std::str::from_utf8(typed).ok().and_then(|typed| shape.split_combined(typed)) {
        Some(both) => (of_code(&both.code), Some(both.password)),
        None => (ClientMessage::Withheld(Withheld::Shape), None),
    }
}

/// The digits as they were meant, without the spaces people type between them.
fn of_code(code: &OtpCode) -> ClientMessage {
    of_text(code.expose().to_owned())
}

fn of_text(text: String) -> ClientMessage {
    match SecretText::new(text) {
        Ok(text) => ClientMessage::Answer(text),
        Err(_) => ClientMessage::Withheld(Withheld::Shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIX: AnswerShape = AnswerShape::SIX_DIGITS;

    fn told(message: &ClientMessage) -> String {
        match message {
            ClientMessage::Answer(text) => format!("answer {:?}", text.expose()),
            ClientMessage::Withheld(why) => format!("withheld {why:?}"),
            ClientMessage::Start(_) => "start".to_owned(),
        }
    }

    fn prompted(typed: &[u8], password: Option<&[u8]>) -> String {
        told(&to_prompt(Some(typed), password, SIX))
    }

    #[test]
    fn only_the_digits_of_a_code_are_sent() {
        assert_eq!(prompted(b"123456", None), r#"answer "123456""#);
        assert_eq!(prompted(b" 123-456 ", Some(b"hunter2")), r#"answer "123456""#);
    }

    #[test]
    fn nothing_else_is_sent() {
        let long = b"1".repeat(5000);
        let passwords: [&[u8]; 7] =
            [b"", b"hunter2", b"12345", b"1234567", b"\xff\xfe123456", b"12345678", &long];
        for typed in passwords {
            assert_eq!(prompted(typed, None), "withheld Shape", "{typed:?}");
        }
        assert_eq!(told(&to_prompt(None, None, SIX)), "withheld NoAnswer");
    }

    #[test]
    fn the_account_password_is_not_sent_even_if_it_looks_like_a_code() {
        assert_eq!(prompted(b"123456", Some(b"123456")), "withheld Shape");
        assert_eq!(prompted(b"123 456", Some(b"123 456")), "withheld Shape");
        assert_eq!(prompted(b"123456", Some(b"1234567")), r#"answer "123456""#);
    }

    #[test]
    fn the_answer_that_sshd_gives_for_refused_users_is_told_apart() {
        // As long as a code, as its own text, and as a long password.
        for junk in ["\x08\n\r\x7fIN", "\x08\n\r\x7fINCORRECT", "\x08\n\r\x7fINCORRECT\x08\n\r\x7fINC"] {
            let junk = junk.as_bytes();
            assert_eq!(prompted(junk, None), "withheld SshdRefusal");
            assert_eq!(told(&to_combined(Some(junk), SIX).0), "withheld SshdRefusal");
            let seen = to_prompt(Some(junk), None, AnswerShape::ACKNOWLEDGE);
            assert_eq!(told(&seen), "withheld SshdRefusal");
        }
    }

    #[test]
    fn where_nothing_is_asked_nothing_typed_is_sent() {
        for typed in [b"123456".as_slice(), b"hunter2", b""] {
            let shape = AnswerShape::ACKNOWLEDGE.or(SIX);
            assert_eq!(told(&to_prompt(Some(typed), None, shape)), r#"answer """#);
        }
    }

    #[test]
    fn a_combined_text_gives_its_code_to_the_daemon_and_its_password_to_no_one() {
        let (message, password) = to_combined(Some(b"hunter2123456"), SIX);
        assert_eq!(told(&message), r#"answer "123456""#);
        assert_eq!(password.unwrap().expose(), "hunter2");
        for typed in [b"123456".as_slice(), b"hunter2", b"", b"\xff123456"] {
            let (message, password) = to_combined(Some(typed), SIX);
            assert_eq!(told(&message), "withheld Shape", "{typed:?}");
            assert!(password.is_none());
        }
        assert_eq!(told(&to_combined(None, SIX).0), "withheld NoAnswer");
    }
}
