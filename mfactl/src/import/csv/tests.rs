use mfa_proto::admin::{HotpParams, TotpParams};

use super::*;

const HEX: &str = "3132333435363738393031323334353637383930";
const BASE32: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn all(text: &str, options: &Options) -> Vec<(Whose, Params)> {
    let parsed = read(text, options);
    assert_eq!(parsed.rejected, [], "{text}");
    for entry in &parsed.entries {
        assert_eq!(entry.factor.key.to_base32().unwrap().expose(), BASE32);
    }
    parsed.entries.into_iter().map(|entry| (entry.whose, entry.factor.params)).collect()
}

fn why(text: &str, options: &Options) -> (usize, Reason) {
    let mut parsed = read(text, options);
    assert!(parsed.entries.is_empty(), "{text:?} was taken");
    let rejected = parsed.rejected.remove(0);
    (rejected.line, rejected.why)
}

fn whose(serial: &str, user: &str) -> Whose {
    Whose { serial: Some(serial.into()), name: Name::Firm(user.into()) }
}

fn timed(digits: u8, period: u16) -> Params {
    Params::Totp(TotpParams { algorithm: Algorithm::Sha1, digits, period })
}

#[test]
fn the_format_of_microsoft_as_token_makers_give_it() {
    let text = format!(
        "upn,serial number,secret key,timeinterval,manufacturer,model\r\nalice@example.org,60234567,{BASE32},30,Token2,c202\r\n\r\n\"bob\",60234568,{},60,\"ACME, Inc.\",x\r\n",
        BASE32.to_lowercase()
    );
    assert_eq!(
        all(&text, &Options::default()),
        [(whose("60234567", "alice@example.org"), timed(6, 30)), (whose("60234568", "bob"), timed(6, 60))]
    );
}

#[test]
fn other_lists_with_their_types() {
    let text = format!(
        "Serial;Key (hex);Type;Counter/Period;Digits;Algorithm;User\n1;{HEX};totp;60;8;;alice\n2;{HEX};HOTP;17;6;HMAC-SHA-256;bob\n"
    );
    let counted = HotpParams { algorithm: Algorithm::Sha256, digits: 6, counter: 17 };
    assert_eq!(
        all(&text, &Options::default()),
        [(whose("1", "alice"), timed(8, 60)), (whose("2", "bob"), Params::Hotp(counted))]
    );
    let events =
        all(&format!("user\tserial\tsecret_base32\tcounter\nx\t1\t{BASE32}\t5\n"), &Options::default());
    assert!(matches!(events.as_slice(), [(_, Params::Hotp(hotp))] if hotp.counter == 5));
}

#[test]
fn a_file_without_header_takes_its_columns_from_an_option() {
    let options = Options { columns: Some("serial,hex key,user".into()), ..Options::default() };
    assert_eq!(all(&format!("1;{HEX};alice\n"), &options), [(whose("1", "alice"), timed(6, 30))]);
}

#[test]
fn the_writing_of_keys_is_said_and_never_guessed() {
    let text = format!("serial,key\n1,{HEX}\n");
    let (line, why_not) = why(&text, &Options::default());
    assert!(line == 1 && why_not.to_string().contains("--key-encoding"), "{why_not}");
    let hex = Options { key_encoding: Some(KeyEncoding::Hex), ..Options::default() };
    assert_eq!(all(&text, &hex).len(), 1);
    // Hexadecimal digits that are base32 too are not taken for the other.
    let both = format!("serial,key (hex)\n1,{}\n", "AABBCCDDEEFF22334455".repeat(2));
    assert_eq!(read(&both, &Options::default()).entries[0].factor.key.bits(), 160);
    let wrong = format!("serial,secret key\n1,{}\n", "0189".repeat(10));
    assert!(matches!(why(&wrong, &Options::default()), (2, Reason::Key(_))));
}

#[test]
fn what_is_not_a_list_says_where_and_shows_no_key() {
    for (text, line, part) in [
        (format!("1,{HEX}\n"), 1, "column 1 is not known"),
        (format!("serial,key (hex),color\n1,{HEX},red\n"), 1, "column 3 is not known"),
        (format!("serial,serial number,key (hex)\n1,1,{HEX}\n"), 1, "\"serial\" stands twice"),
        ("serial,user\n1,alice\n".into(), 1, "no column is the key"),
        (format!("serial,key (hex)\n1,{HEX},x\n"), 2, "3 fields, the header 2"),
        (format!("serial,key (hex),digits\n1,{HEX},six\n"), 2, "\"digits\" has no number"),
        (format!("serial,key (hex),type\n1,{HEX},OCRA\n"), 2, "neither TOTP nor HOTP"),
        (format!("serial,key (hex),type\n1,{HEX},\n"), 2, "neither TOTP nor HOTP"),
        (format!("serial,key (hex),hash\n1,{HEX},MD5\n"), 2, "hash"),
        ("serial,key (hex)\n1,\n".into(), 2, "no key"),
        (format!("serial,key (hex)\n\"1,{HEX}\n"), 2, "quotation mark"),
        (format!("serial,key (hex),digits\n1,{HEX},7\n"), 2, "7 digits"),
    ] {
        let (at, why_not) = why(&text, &Options::default());
        assert!(at == line && why_not.to_string().contains(part), "{text:?}: {at}: {why_not}");
        assert!(!why_not.to_string().contains(HEX));
    }
}
