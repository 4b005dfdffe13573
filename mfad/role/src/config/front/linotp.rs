//! `[web.linotp]`: what LinOTP's clients expect of their server, for the dialect "linotp".
//!
//! Refuses what would make a wrong answer a right one: no key here lets anybody in.

use mfa_proto::name::RealmName;

use crate::config::{
    kinds::{Checked, boolean, number, text},
    reader::{Reader, Section},
    realm::Realm,
    suggest::printable,
    tree::Value,
};

/// What LinOTP's clients meet.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LinOtp {
    /// The version that is told, as "2.11.2".
    pub version: String,
    /// Where names without a realm are looked up.
    pub default_realm: RealmName,
    /// Whether `jane@vpn` is jane in the realm vpn.
    pub split_at_sign: bool,
    /// Whether a PIN alone, or nothing, begins a challenge instead of being wrong.
    pub challenge_response: bool,
    /// What is said beside yes and no.
    pub detail: LinOtpDetail,
    /// Numbers of errors that `httperror` makes a page of; none is all of them.
    pub errors: Vec<i32>,
}

/// What is said beside yes and no.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LinOtpDetail {
    /// Whether a yes says who was verified by what.
    pub on_success: bool,
    /// Whether a no has a text, which is always the same.
    pub on_fail: bool,
}

impl LinOtp {
    pub(super) fn read(reader: &mut Reader, web: &mut Section, realms: &[Realm]) -> Self {
        let mut section = reader.section(web, "linotp");
        let s = &mut section;
        let default = reader.value(s, "default_realm", RealmName::local(), realm);
        let is_known = default.value.is_local() || realms.iter().any(|known| known.name == default.value);
        if default.place.is_some() && !is_known {
            let message =
                format!("no section is called [realm.{0}]: add it, or write \"local\"", default.value);
            reader.fault(default.place, message);
        }
        let read = Self {
            version: reader.value(s, "version", "2.11.2".into(), version).value,
            default_realm: default.value,
            split_at_sign: reader.value(s, "split_at_sign", true, boolean).value,
            challenge_response: reader.value(s, "challenge_response", false, boolean).value,
            detail: LinOtpDetail {
                on_success: reader.value(s, "detail_on_success", false, boolean).value,
                on_fail: reader.value(s, "detail_on_fail", false, boolean).value,
            },
            errors: reader.value(s, "errors", Vec::new(), errors).value,
        };
        reader.close(section);
        read
    }

    /// Whether it is told as one that has `versionNumber` beside `version`, as those from 3 on have.
    pub fn numbers_version(&self) -> bool {
        !self.version.starts_with("2.")
    }

    /// Whether an error becomes a page where a call wants that (`httperror`).
    pub fn makes_a_page(&self, error: i32) -> bool {
        self.errors.is_empty() || self.errors.contains(&error)
    }
}

fn version(value: &Value) -> Checked<String> {
    let text = text(value)?;
    let sound = text.len() <= 32
        && text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    if sound {
        Ok(text.to_owned())
    } else {
        Err(format!("cannot be \"{}\": write the number of a version, as \"2.11.2\"", printable(text)))
    }
}

/// Numbers of errors, at least one.
fn errors(value: &Value) -> Checked<Vec<i32>> {
    let wanted = "write a list of numbers, as in [905, 1102], or leave it out for all errors";
    let Value::Array(list) = value else { return Err(format!("is {}: {wanted}", value.kind())) };
    if list.is_empty() {
        return Err(format!("is an empty list: {wanted}"));
    }
    list.iter().map(|node| number(-999..=9999)(&node.value)).collect()
}

fn realm(value: &Value) -> Checked<RealmName> {
    let text = text(value)?;
    match RealmName::new(text) {
        Ok(realm) if realm.is_unassigned() => {
            Err("cannot be \"unassigned\": that stands for devices that nobody has".into())
        }
        Ok(realm) => Ok(realm),
        Err(error) => Err(format!("cannot be \"{}\": {error}", printable(text))),
    }
}
