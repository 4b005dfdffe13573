//! What a directory has in the attribute for sealed secrets: whoever may write there writes anything.

use std::sync::OnceLock;

use mfa_proto::{
    name::{UserId, UserName},
    secret::SecretText,
};
use mfad::ldap::{self, Broken, ValueKey};

/// Digits of a key that seals nothing anywhere.
const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Reads a value, and opens it. What is read is written as it stood; nothing opens, for nothing was sealed for this
/// person (the seeds of the right key are another's); what is told of it is one printable line, and of the value at most
/// the id of a key.
pub fn ldap_value(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(value) = SecretText::new(text.to_owned()) else { return };
    let (key, user) = fixed();
    let Some((before, _)) = text.rsplit_once('$') else {
        assert_eq!(ldap::open(key, user, &value).err(), Some(Broken::Form));
        return;
    };
    let read = ldap::parameters(key, before);
    if let Ok(params) = read {
        let written = ldap::written(key, params).expect("what was read can be written");
        assert_eq!(written, before, "two ways to write one thing");
        assert_eq!(ldap::parameters(key, &written), Ok(params));
    }
    let broken = ldap::open(key, user, &value).expect_err("nothing was sealed for this person");
    match read {
        Ok(_) => assert!(matches!(broken, Broken::Form | Broken::Sealed), "{broken:?}"),
        Err(why) => assert_eq!(broken, why),
    }
    let told = broken.to_string();
    assert!(!told.chars().any(char::is_control), "{told:?}");
    // The one thing of the value that is told.
    if let Broken::OtherKey { found, own } = broken {
        assert!(
            found.len() == 16 && found.bytes().all(|b| b.is_ascii_hexdigit()) && own == key.id(),
            "{found}"
        );
    }
}

/// The key and the person, made once.
fn fixed() -> &'static (ValueKey, UserId) {
    static FIXED: OnceLock<(ValueKey, UserId)> = OnceLock::new();
    FIXED.get_or_init(|| {
        let digits = SecretText::new(KEY.to_owned()).expect("text");
        let user = UserName::new("jane").expect("a name");
        (ValueKey::parse(&digits).expect("a key"), UserId::local(user))
    })
}
