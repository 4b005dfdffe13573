//! `/validate`: whether a person has a second factor.

use super::{asked_rightly, envelope::Envelope};
use crate::{answer::Answer, call::Call};

/// Answers a call of `/validate`; `None` when there is no such verb.
pub(super) async fn answer(call: &mut Call, verb: &str) -> Option<Answer> {
    let value = match verb {
        "ok" => true,
        "fail" => false,
        _ => return None,
    };
    if let Err(refused) = asked_rightly(call) {
        return Some(refused);
    }
    Some(Envelope::new(&call.state().web.linotp, 0).value(value, None))
}
