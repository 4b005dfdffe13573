use mfa_proto::admin::{Algorithm, HotpParams, TotpParams};

use super::{
    super::{entry::Name, entry::Params, entry::Whose, note::Note},
    *,
};

/// The examples of RFC 6030 (§4.1 with the key id left out, and §6.1).
const PLAIN: &str = include_str!("../../../tests/import/pskc/plain.xml");
const ENCRYPTED: &str = include_str!("../../../tests/import/pskc/encrypted.xml");
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn pre_shared() -> PreSharedKey {
    PreSharedKey::from_hex(b"12345678901234567890123456789012\n").unwrap()
}

fn why(text: &str, key: Option<&PreSharedKey>) -> Reason {
    let mut parsed = read(text, key);
    assert!(parsed.entries.is_empty(), "it was taken: {text}");
    parsed.rejected.remove(0).why
}

fn counted(digits: u8, counter: u64) -> Params {
    Params::Hotp(HotpParams { algorithm: Algorithm::Sha1, digits, counter })
}

/// A container with this in its key.
fn package(algorithm: &str, inner: &str) -> String {
    format!(
        "<KeyContainer Version='1.0' xmlns='{PSKC}'><KeyPackage><DeviceInfo><SerialNo>7</SerialNo></DeviceInfo>\n\
         <Key Algorithm='{PSKC}:{algorithm}'>{inner}</Key></KeyPackage></KeyContainer>"
    )
}

const DATA: &str = "<Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret></Data>";

#[test]
fn the_plain_example_of_the_rfc() {
    let parsed = read(PLAIN, None);
    assert_eq!(parsed.rejected, []);
    let [entry] = parsed.entries.as_slice() else { panic!("{parsed:?}") };
    assert_eq!(entry.line, 3);
    assert_eq!(entry.whose, Whose { serial: Some("987654321".into()), name: Name::Firm("jsmith".into()) });
    assert_eq!(entry.factor.params, counted(8, 0));
    assert_eq!(entry.factor.key.to_base32().unwrap().expose(), SECRET);
    assert_eq!(entry.factor.label.as_deref(), Some("987654321"));
}

#[test]
fn the_encrypted_example_of_the_rfc() {
    let parsed = read(ENCRYPTED, Some(&pre_shared()));
    assert_eq!(parsed.rejected, []);
    assert_eq!(parsed.entries[0].factor.key.to_base32().unwrap().expose(), SECRET);
    assert_eq!(parsed.entries[0].factor.params, counted(8, 0));
}

#[test]
fn without_the_right_key_and_mac_nothing_is_decrypted() {
    let other = PreSharedKey::from_hex(b"12345678901234567890123456789013").unwrap();
    let damaged = Reason::Encrypted("with another key than --key-file has, or the file is damaged");
    assert_eq!(why(ENCRYPTED, None), Reason::Encrypted("with a pre-shared key: give it by --key-file"));
    assert_eq!(why(ENCRYPTED, Some(&other)), damaged);
    let key = pre_shared();
    assert_eq!(why(&ENCRYPTED.replace("AAECAwQF", "BAECAwQF"), Some(&key)), damaged);
    assert_eq!(why(&ENCRYPTED.replace("Su+NvtQf", "Tu+NvtQf"), Some(&key)), damaged);
    let no_mac = Reason::Encrypted("without a MAC, so that nobody can tell what it decrypts to");
    assert_eq!(why(&ENCRYPTED.replace("ValueMAC", "OtherMAC"), Some(&key)), no_mac);
    assert_eq!(why(&ENCRYPTED.replace("MACMethod", "Method"), Some(&key)), no_mac);
    let other = Reason::Encrypted("by another cipher than AES-128-CBC, which is not supported");
    assert_eq!(why(&ENCRYPTED.replace("aes128-cbc", "aes256-cbc"), Some(&key)), other);
    let password = ENCRYPTED.replace("ds:KeyName", "DerivedKey");
    let why_not = why(&password, Some(&key)).to_string();
    assert!(why_not.contains("by a password"), "{why_not}");
    assert!(PreSharedKey::from_hex(b"1234").is_err() && PreSharedKey::from_hex(b"\xff").is_err());
    assert_eq!(format!("{key:?}"), "PreSharedKey(redacted)");
}

#[test]
fn time_based_tokens_with_all_they_may_have() {
    let inner = DATA.replace(
        "</Data>",
        "<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>60</PlainValue></TimeInterval><TimeDrift><PlainValue>-4</PlainValue></TimeDrift></Data><Policy><StartDate>2020-01-01T00:00:00Z</StartDate><ExpiryDate>2030-01-01T00:00:00Z</ExpiryDate><KeyUsage>OTP</KeyUsage></Policy>",
    );
    let parameters = "<AlgorithmParameters><Suite>HMAC-SHA256</Suite><ResponseFormat Length='8' Encoding='DECIMAL'/></AlgorithmParameters>";
    let parsed = read(&package("totp", &format!("{parameters}{inner}")), None);
    let [entry] = parsed.entries.as_slice() else { panic!("{parsed:?}") };
    let wanted = TotpParams { algorithm: Algorithm::Sha256, digits: 8, period: 60 };
    assert_eq!(entry.factor.params, Params::Totp(wanted));
    assert_eq!(entry.whose, Whose { serial: Some("7".into()), name: Name::None });
    assert_eq!(
        entry.notes,
        [Note::Expires { when: "2030-01-01T00:00:00Z".into() }, Note::Skew { steps: -4 }]
    );
}

#[test]
fn demands_that_are_not_met_forbid_the_key() {
    for (policy, demand) in [
        ("<PINPolicy PINUsageMode='Local'/>", "a PIN"),
        ("<NumberOfTransactions>3</NumberOfTransactions>", "a bound on the number of uses"),
        ("<KeyUsage>Encrypt</KeyUsage>", "another use than codes"),
        ("<Surprise/>", "something unknown"),
        ("<x:ExpiryDate xmlns:x='urn:x'>2030</x:ExpiryDate>", "something unknown"),
    ] {
        let text = package("hotp", &format!("{DATA}<Policy>{policy}</Policy>"));
        assert_eq!(why(&text, None), Reason::Policy(demand), "{policy}");
    }
    for (parameters, demand) in [
        ("<ChallengeFormat Length='8' Encoding='DECIMAL' Min='1' Max='2'/>", "answers to a challenge"),
        ("<ResponseFormat Length='8' Encoding='HEXADECIMAL'/>", "codes that are not decimal digits"),
        ("<ResponseFormat Length='6' Encoding='DECIMAL' CheckDigits='true'/>", "a check digit in each code"),
    ] {
        let text = package("hotp", &format!("<AlgorithmParameters>{parameters}</AlgorithmParameters>{DATA}"));
        assert_eq!(why(&text, None), Reason::Policy(demand), "{parameters}");
    }
}

#[test]
fn what_is_not_pskc_says_so() {
    let doctype = "<!DOCTYPE KeyContainer [<!ENTITY a 'b'>]>";
    for (text, part) in [
        (PLAIN.replacen("<KeyContainer", &format!("{doctype}<KeyContainer"), 1), "DTD"),
        (PLAIN.replacen("<KeyContainer", "<!DOCTYPE KeyContainer><KeyContainer", 1), "DTD"),
        (PLAIN.replace("keyprov:pskc\"", "keyprov:other\""), "not a KeyContainer"),
        ("<a/>".into(), "not a KeyContainer"),
        ("<a>".into(), "not well-formed"),
        (format!("<KeyContainer xmlns='{PSKC}'/>"), "no KeyPackage"),
        (package("ocra", DATA), "neither TOTP nor HOTP"),
        (package("hotp", ""), "no key"),
        (package("hotp", &format!("{DATA}{DATA}")), "stands twice"),
        (package("hotp", &DATA.replace("MTIz", "!")), "not base64"),
        (package("hotp", &DATA.replace("MTIz", "<b/>")), "not plain text"),
        (
            package(
                "hotp",
                &DATA.replace("</Data>", "<Counter><PlainValue>-1</PlainValue></Counter></Data>"),
            ),
            "no number",
        ),
        (package("hotp", &DATA.replace("</Data>", "<Counter/></Data>")), "together with its counter"),
    ] {
        let why_not = why(&text, None).to_string();
        assert!(why_not.contains(part), "{why_not:?} for {text}");
    }
}

#[test]
fn a_deep_document_does_not_exhaust_the_stack() {
    assert!(matches!(why(&"<a>".repeat(200_000), None), Reason::Xml { .. }));
    let closed = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    assert!(matches!(why(&closed, None), Reason::Pskc(_)));
}
