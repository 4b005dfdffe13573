//! Whether a password that is right has to be changed before it counts, as servers say beside the answer to a bind.
//!
//! Refuses to take what it cannot read for a password that counts.

use ldap3::{
    asn1::{PL, StructureTag, parse_tag},
    controls::{Control, RawControl},
};

/// Password policy (draft-behera-ldap-password-policy 6).
const POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// The password has expired: what 389 Directory Server says without being asked.
const EXPIRED: &str = "2.16.840.1.113730.3.4.4";

/// What asks a server for its word on it.
pub(super) fn question() -> Vec<RawControl> {
    vec![RawControl { ctype: POLICY.to_owned(), crit: false, val: None }]
}

/// Whether the server says so.
pub(super) fn must_change(said: &[Control]) -> bool {
    said.iter().any(|Control(_, control)| match control.ctype.as_str() {
        EXPIRED => true,
        POLICY => control.val.as_deref().is_some_and(is_aged),
        _ => false,
    })
}

/// Anything but the time that is left: an error, or logins that are left to an expired password.
fn is_aged(value: &[u8]) -> bool {
    let Ok((_, StructureTag { payload: PL::C(parts), .. })) = parse_tag(value) else { return true };
    let is_time = |part: &StructureTag| match &part.payload {
        PL::C(warning) => part.id == 0 && warning.iter().all(|kind| kind.id == 0),
        PL::P(_) => false,
    };
    !parts.iter().all(is_time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(ctype: &str, value: Option<&[u8]>) -> bool {
        must_change(&[Control(
            None,
            RawControl { ctype: ctype.into(), crit: false, val: value.map(<[u8]>::to_vec) },
        )])
    }

    #[test]
    fn only_time_that_is_left_leaves_a_password_as_it_is() {
        for (value, aged) in [
            (None, false),
            (Some(&[0x30, 0][..]), false),
            // 300 seconds left.
            (Some(&[0x30, 6, 0xa0, 4, 0x80, 2, 1, 0x2c]), false),
            // Two logins left.
            (Some(&[0x30, 5, 0xa0, 3, 0x81, 1, 2]), true),
            // To be changed after a reset.
            (Some(&[0x30, 3, 0x81, 1, 2]), true),
            (Some(&[0x30, 8, 0xa0, 3, 0x80, 1, 9, 0x81, 1, 2]), true),
            (Some(b"unreadable"), true),
            (Some(&[]), true),
        ] {
            assert_eq!(said(POLICY, value), aged, "{value:?}");
        }
        assert!(said(EXPIRED, Some(b"0")) && !said("1.2.3", Some(b"x")) && !must_change(&[]));
    }
}
