//! `otpauth-migration://offline?data=…`: what Google Authenticator shows as QR codes to move to another phone.
//! Up to ten accounts stand in one code; a larger export is several codes.

use std::collections::BTreeMap;

use mfa_proto::admin::Algorithm;
use zeroize::Zeroizing;

use super::{
    encoding,
    entry::{self, Factor, Found, Name, Params, Parsed, Whose},
    key::Key,
    otpauth,
    protobuf::{Fields, Malformed, Value},
    reason::Reason,
};

/// One QR code.
#[derive(Debug)]
pub(super) struct Batch {
    accounts: Vec<(Whose, Result<Found, Reason>)>,
    /// How many codes the export has, which of them this is, and what they have in common.
    size: u64,
    index: u64,
    id: u64,
}

/// Reads what follows `otpauth-migration://`.
pub(super) fn batch(rest: &str) -> Result<Batch, Reason> {
    let data = rest.split_once("?data=").filter(|(host, _)| host.eq_ignore_ascii_case("offline"));
    let (_, data) = data.ok_or(Reason::Migration("the link has another form"))?;
    let data = encoding::percent(data).ok_or(Reason::Migration("the link is cut"))?;
    let payload = encoding::base64(&data).ok_or(Reason::Migration("the data is not base64"))?;
    let mut batch = Batch { accounts: Vec::new(), size: 1, index: 0, id: 0 };
    let mut version = 0;
    for field in Fields(&payload) {
        match field? {
            (1, Value::Bytes(account)) => batch.accounts.push(read_account(account)?),
            (2, Value::Number(number)) => version = number,
            (3, Value::Number(number)) => batch.size = number.max(1),
            (4, Value::Number(number)) => batch.index = number,
            (5, Value::Number(number)) => batch.id = number,
            (1..=5, _) => return Err(Malformed.into()),
            _ => {}
        }
    }
    match version {
        1 | 2 => Ok(batch),
        _ => Err(Reason::Migration("it is of a version that is not known")),
    }
}

fn read_account(bytes: &[u8]) -> Result<(Whose, Result<Found, Reason>), Reason> {
    let mut account = Account::default();
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(bytes)) => account.secret = Zeroizing::new(bytes.to_vec()),
            (2, Value::Bytes(bytes)) => text(bytes)?.clone_into(&mut account.name),
            (3, Value::Bytes(bytes)) => text(bytes)?.clone_into(&mut account.issuer),
            (4, Value::Number(number)) => account.algorithm = number,
            (5, Value::Number(number)) => account.digits = number,
            (6, Value::Number(number)) => account.kind = number,
            (7, Value::Number(number)) => account.counter = number,
            (1..=7, _) => return Err(Malformed.into()),
            _ => {}
        }
    }
    let (before, name) = otpauth::label(&account.name);
    let issuer = Some(account.issuer.trim()).filter(|issuer| !issuer.is_empty()).or(before);
    let (issuer, whose) =
        (issuer.map(ToOwned::to_owned), Whose { serial: None, name: Name::Loose(name.to_owned()) });
    Ok((whose, account.found(issuer)))
}

/// One account, as numbers.
#[derive(Default)]
struct Account {
    secret: Zeroizing<Vec<u8>>,
    name: String,
    issuer: String,
    algorithm: u64,
    digits: u64,
    kind: u64,
    counter: u64,
}

impl Account {
    fn found(self, label: Option<String>) -> Result<Found, Reason> {
        let params = self.params()?;
        let key = Key::new(self.secret)?;
        Ok(Factor { params, key, label }.into())
    }

    fn params(&self) -> Result<Params, Reason> {
        let algorithm = match self.algorithm {
            0 | 1 => Algorithm::Sha1,
            2 => Algorithm::Sha256,
            3 => Algorithm::Sha512,
            _ => return Err(Reason::Algorithm),
        };
        let digits = match self.digits {
            0 | 1 => 6,
            2 => 8,
            _ => return Err(Reason::Migration("its number of digits is not known")),
        };
        match self.kind {
            // The app counts up before it shows a code: what it exports is the last counter it has used.
            1 => entry::hotp(algorithm, digits, self.counter.checked_add(1).ok_or(Reason::Counter)?),
            2 => entry::totp(algorithm, digits, 30),
            _ => Err(Reason::Kind),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::Migration("a name in it is not UTF-8"))
}

impl From<Malformed> for Reason {
    fn from(_: Malformed) -> Self {
        Self::Migration("the data is damaged")
    }
}

/// The codes of one or more exports. Nothing of an export is taken as long as a code of it is missing: a user
/// may have factors in several.
#[derive(Debug, Default)]
pub(super) struct Batches(BTreeMap<(u64, u64), Vec<(usize, Batch)>>);

impl Batches {
    /// Takes up the code that stands on `line`.
    pub(super) fn take(&mut self, line: usize, batch: Batch) {
        self.0.entry((batch.id, batch.size)).or_default().push((line, batch));
    }

    /// Hands over what is complete, and says what is not.
    pub(super) fn finish(self, parsed: &mut Parsed) {
        for ((_, size), codes) in self.0 {
            let mut codes: BTreeMap<u64, (usize, Batch)> =
                codes.into_iter().rev().map(|(line, batch)| (batch.index, (line, batch))).collect();
            codes.retain(|index, _| *index < size);
            let (there, all) = (codes.len(), usize::try_from(size).unwrap_or(usize::MAX));
            if there < all {
                let line = codes.values().map(|(line, _)| *line).min().unwrap_or(1);
                parsed.take(line, Whose::default(), Err(Reason::Batches { there, all }));
                continue;
            }
            for (line, batch) in codes.into_values() {
                for (whose, found) in batch.accounts {
                    parsed.take(line, whose, found);
                }
            }
        }
        parsed.entries.sort_by_key(|entry| entry.line);
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::admin::{HotpParams, TotpParams};

    use super::*;

    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u8::try_from(bytes.len()).unwrap();
        assert!(length < 128);
        [&[(number << 3) | 2, length][..], bytes].concat()
    }

    fn account(name: &str, issuer: &str, numbers: [u8; 4]) -> Vec<u8> {
        let [algorithm, digits, kind, counter] = numbers;
        let rest = [0x20, algorithm, 0x28, digits, 0x30, kind, 0x38, counter];
        [
            &field(1, b"12345678901234567890")[..],
            &field(2, name.as_bytes()),
            &field(3, issuer.as_bytes()),
            &rest,
        ]
        .concat()
    }

    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    fn link(accounts: &[Vec<u8>], size: u8, index: u8) -> String {
        let mut payload: Vec<u8> = accounts.iter().flat_map(|account| field(1, account)).collect();
        payload.extend([0x10, 1, 0x18, size, 0x20, index, 0x28, 42]);
        let mut data = String::new();
        for group in payload.chunks(3) {
            let value = group.iter().fold(0_u32, |v, b| (v << 8) | u32::from(*b)) << (8 * (3 - group.len()));
            for digit in 0..=group.len() {
                let digit = (value >> (18 - 6 * digit)) & 63;
                match DIGITS[usize::try_from(digit).unwrap()] {
                    b'+' => data.push_str("%2B"),
                    b'/' => data.push_str("%2F"),
                    c => data.push(char::from(c)),
                }
            }
            data.push_str(&"%3D".repeat(3 - group.len()));
        }
        format!("otpauth-migration://offline?data={data}")
    }

    /// The example that is passed around with descriptions of the format.
    const EXAMPLE: &str = "otpauth-migration://offline?data=CjEKCkhlbGxvId6tvu8SGEV4YW1wbGU6YWxpY2VAZ29vZ2xlLmNvbRoHRXhhbXBsZTAC";

    #[test]
    fn a_known_export_but_for_its_version() {
        assert_eq!(
            otpauth::read(EXAMPLE).rejected[0].why,
            Reason::Migration("it is of a version that is not known")
        );
        let parsed = otpauth::read(&format!("{EXAMPLE}EAEYASAAKAA%3D"));
        assert_eq!(parsed.rejected, []);
        let [entry] = parsed.entries.as_slice() else { panic!("{parsed:?}") };
        assert_eq!(entry.factor.key.to_base32().unwrap().expose(), "JBSWY3DPEHPK3PXP");
        assert_eq!(entry.whose.name, Name::Loose("alice@google.com".into()));
        assert_eq!(entry.factor.label.as_deref(), Some("Example"));
        assert_eq!(entry.factor.params, Params::Totp(TotpParams::default()));
    }

    #[test]
    fn several_codes_and_kinds() {
        let first = link(&[account("ACME:alice", "", [1, 1, 2, 0]), account("bob", "X", [3, 2, 1, 7])], 2, 0);
        let second = link(&[account("carol", "", [4, 1, 2, 0]), account("dora", "", [1, 1, 0, 0])], 2, 1);
        let parsed = otpauth::read(&format!("{second}\n\n{first}\n{first}\n"));
        let [alice, bob] = parsed.entries.as_slice() else { panic!("{parsed:?}") };
        assert_eq!((alice.line, alice.factor.label.as_deref()), (3, Some("ACME")));
        let counted = HotpParams { algorithm: Algorithm::Sha512, digits: 8, counter: 8 };
        assert_eq!(bob.factor.params, Params::Hotp(counted));
        let rejected: Vec<_> = parsed.rejected.iter().map(|r| (&r.whose.name, &r.why)).collect();
        let (carol, dora) = (Name::Loose("carol".into()), Name::Loose("dora".into()));
        assert_eq!(rejected, [(&carol, &Reason::Algorithm), (&dora, &Reason::Kind)]);
    }

    #[test]
    fn nothing_is_taken_of_an_export_that_is_not_whole() {
        let first = link(&[account("alice", "", [1, 1, 2, 0])], 3, 0);
        let third = link(&[account("alice", "", [1, 1, 2, 0])], 3, 2);
        let parsed = otpauth::read(&format!("\n{third}\n{first}"));
        assert!(parsed.entries.is_empty());
        assert_eq!(parsed.rejected[0].why, Reason::Batches { there: 2, all: 3 });
        assert_eq!(parsed.rejected[0].line, 2);
    }

    #[test]
    fn damaged_links_say_so() {
        for (link, why) in [
            ("otpauth-migration://online?data=", "the link has another form"),
            ("otpauth-migration://offline?date=", "the link has another form"),
            ("otpauth-migration://offline?data=%", "the link is cut"),
            ("otpauth-migration://offline?data=!", "the data is not base64"),
            ("otpauth-migration://offline?data=Cg", "the data is damaged"),
            ("otpauth-migration://offline?data=", "it is of a version that is not known"),
        ] {
            assert_eq!(otpauth::read(link).rejected[0].why, Reason::Migration(why), "{link}");
        }
    }
}
