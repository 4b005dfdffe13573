//! The policy of a key: what its issuer demands. What cannot be done, or is not known, forbids the key (RFC 6030
//! §5).

use roxmltree::Node;

use super::{
    super::{note::Note, reason::Reason},
    PSKC, only, text,
};

/// Looks at the policy of `key`.
pub(super) fn check(key: Node<'_, '_>) -> Result<Vec<Note>, Reason> {
    let Some(policy) = only(key, "Policy")? else { return Ok(Vec::new()) };
    let (mut notes, mut usages, mut otp) = (Vec::new(), 0_u32, false);
    for demand in policy.children().filter(Node::is_element) {
        if demand.tag_name().namespace() != Some(PSKC) {
            return Err(UNKNOWN);
        }
        match demand.tag_name().name() {
            // The day from which on it may be used lies in the past of nearly every token; nothing is lost
            // when it does not.
            "StartDate" => {}
            "ExpiryDate" => notes.push(Note::Expires { when: text(demand)?.chars().take(32).collect() }),
            "KeyUsage" => {
                usages = usages.saturating_add(1);
                otp |= text(demand)? == "OTP";
            }
            "PINPolicy" => return Err(Reason::Policy("a PIN")),
            "NumberOfTransactions" => return Err(Reason::Policy("a bound on the number of uses")),
            _ => return Err(UNKNOWN),
        }
    }
    if usages != 0 && !otp { Err(Reason::Policy("another use than codes")) } else { Ok(notes) }
}

const UNKNOWN: Reason = Reason::Policy("something unknown");
