//! What an answer of an outside service means, by its contract, and nothing that it could also mean.
//!
//! Refuses by default: only what the contract calls yes is yes, only what it calls no is no. A text `"true"`,
//! the number 1, a list, a page of HTML, a key that stands twice, a status that goes with no
//! such answer: each is no verdict.

use mfa_role::config::Contract;
use serde_json::Value;

use crate::{http::Answer, json};

/// What the service said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub enum Verdict {
    /// Yes, exactly as its contract has it.
    Yes,
    /// No, exactly as its contract has it.
    No,
}

/// Why an answer is no verdict. Does not say what was in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoVerdict {
    /// A status that goes with no verdict.
    #[error("answers with status {0}, which is neither yes nor no")]
    Status(u16),
    /// Not one JSON document.
    #[error("answers what is not JSON, or holds a key twice")]
    NotJson,
    /// JSON that says something else.
    #[error("answers JSON that its contract does not know")]
    Unknown,
}

/// Judges an answer.
pub fn of(contract: Contract, answer: &Answer) -> Result<Verdict, NoVerdict> {
    match contract {
        Contract::LemonLdap => lemonldap(answer),
        Contract::Pam2fa => pam_2fa(answer),
        Contract::Validate => validate(answer),
    }
}

fn lemonldap(answer: &Answer) -> Result<Verdict, NoVerdict> {
    truth(document(answer)?.get("result"))
}

fn pam_2fa(answer: &Answer) -> Result<Verdict, NoVerdict> {
    match answer.status {
        200 => Ok(Verdict::Yes),
        401 | 403 => Ok(Verdict::No),
        other => Err(NoVerdict::Status(other)),
    }
}

/// `status` only says that the request was handled; `value` is the answer.
fn validate(answer: &Answer) -> Result<Verdict, NoVerdict> {
    let document = document(answer)?;
    let result = document.get("result").and_then(Value::as_object).ok_or(NoVerdict::Unknown)?;
    if result.get("status") != Some(&Value::Bool(true)) {
        return Err(NoVerdict::Unknown);
    }
    truth(result.get("value"))
}

/// The JSON object of a successful answer.
fn document(answer: &Answer) -> Result<Value, NoVerdict> {
    if !(200..300).contains(&answer.status) {
        return Err(NoVerdict::Status(answer.status));
    }
    let document = json::parse(&answer.body).map_err(|_| NoVerdict::NotJson)?;
    if document.is_object() { Ok(document) } else { Err(NoVerdict::Unknown) }
}

fn truth(value: Option<&Value>) -> Result<Verdict, NoVerdict> {
    match value {
        Some(Value::Bool(true)) => Ok(Verdict::Yes),
        Some(Value::Bool(false)) => Ok(Verdict::No),
        Some(Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_))
        | None => Err(NoVerdict::Unknown),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: Zeroizing::new(body.as_bytes().to_vec()) }
    }

    #[test]
    fn lemonldap_says_yes_by_the_boolean_alone() {
        let of = |status, body| of(Contract::LemonLdap, &answer(status, body));
        assert_eq!(of(200, r#"{"result":true}"#), Ok(Verdict::Yes));
        assert_eq!(of(201, r#"{"result":true,"info":{"a":1}}"#), Ok(Verdict::Yes));
        assert_eq!(of(200, r#"{"result":false}"#), Ok(Verdict::No));
        for body in [
            r#"{"result":"true"}"#,
            r#"{"result":"false"}"#,
            r#"{"result":1}"#,
            r#"{"result":0}"#,
            r#"{"result":""}"#,
            r#"{"result":null}"#,
            r#"{"result":[true]}"#,
            r#"{"result":{"result":true}}"#,
            r#"{"Result":true}"#,
            "{}",
            "[true]",
            r#"[{"result":true}]"#,
            "true",
        ] {
            assert_eq!(of(200, body), Err(NoVerdict::Unknown), "{body}");
        }
        for body in [r#"{"result":true,"result":true}"#, r#"{"result":true}x"#, "", "<html>true</html>"] {
            assert_eq!(of(200, body), Err(NoVerdict::NotJson), "{body}");
        }
        for status in [100, 199, 300, 302, 304, 400, 401, 403, 404, 429, 500, 502] {
            assert_eq!(of(status, r#"{"result":true}"#), Err(NoVerdict::Status(status)));
            assert_eq!(of(status, r#"{"result":false}"#), Err(NoVerdict::Status(status)));
        }
    }

    #[test]
    fn pam_2fa_says_yes_by_status_200_alone() {
        let of = |status| of(Contract::Pam2fa, &answer(status, r#"{"result":true}"#));
        assert_eq!(of(200), Ok(Verdict::Yes));
        assert_eq!((of(401), of(403)), (Ok(Verdict::No), Ok(Verdict::No)));
        for status in [201, 202, 204, 206, 301, 302, 400, 404, 407, 429, 500] {
            assert_eq!(of(status), Err(NoVerdict::Status(status)));
        }
    }

    #[test]
    fn validate_says_yes_by_value_of_a_request_that_was_handled() {
        let of = |body: &str| of(Contract::Validate, &answer(200, body));
        let linotp =
            r#"{"version":"LinOTP 2.11.2","jsonrpc":"2.0802","result":{"status":true,"value":true},"id":0}"#;
        assert_eq!(of(linotp), Ok(Verdict::Yes));
        assert_eq!(of(&linotp.replace(r#""value":true"#, r#""value":false"#)), Ok(Verdict::No));
        for value in [r#""true""#, "1", "null", "[true]", r#"{"value":true,"failcount":0}"#] {
            let body = linotp.replace(r#""value":true"#, &format!(r#""value":{value}"#));
            assert_eq!(of(&body), Err(NoVerdict::Unknown), "{body}");
        }
        let error = r#"{"result":{"status":false,"value":true,"error":{"code":905}},"id":0}"#;
        assert_eq!(of(error), Err(NoVerdict::Unknown));
        assert_eq!(of(&error.replace("true", "false")), Err(NoVerdict::Unknown));
        assert_eq!(of(r#"{"result":true}"#), Err(NoVerdict::Unknown));
        assert_eq!(of(r#"{"result":{"value":true}}"#), Err(NoVerdict::Unknown));
        assert_eq!(of(r#"{"result":{"status":true,"value":false,"value":true}}"#), Err(NoVerdict::NotJson));
        let failed = answer(400, linotp);
        assert_eq!(super::of(Contract::Validate, &failed), Err(NoVerdict::Status(400)));
    }

    proptest! {
        #[test]
        fn nothing_but_true_is_yes(
            status in any::<u16>(),
            body in prop_oneof!["\\PC{0,40}", Just("{\"result\":true}".to_owned()), "\\{\"result\":[a-z0-9\"\\[\\]{}]{0,8}\\}"],
        ) {
            let said = of(Contract::LemonLdap, &answer(status, &body));
            let yes = (200..300).contains(&status)
                && serde_json::from_str::<Value>(&body).is_ok_and(|v| v.get("result") == Some(&Value::Bool(true)));
            prop_assert_eq!(said == Ok(Verdict::Yes), yes);
        }
    }
}
