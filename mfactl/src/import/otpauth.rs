//! `otpauth://` links (Google's key URI format), one on a line; migration links between them are handed on.

use mfa_proto::admin::Algorithm;
use zeroize::Zeroizing;

use super::{
    encoding,
    entry::{self, Factor, Found, Name, Parsed, Whose},
    key::Key,
    migration::{self, Batches},
    note::Note,
    reason::Reason,
};

/// Reads all lines.
pub(super) fn read(text: &str) -> Parsed {
    let (mut parsed, mut batches) = (Parsed::default(), Batches::default());
    for (line, text) in super::lines(text).filter(|(_, text)| !text.is_empty() && !text.starts_with('#')) {
        if let Some(rest) = without_prefix(text, "otpauth-migration://") {
            match migration::batch(rest) {
                Ok(batch) => batches.take(line, batch),
                Err(why) => parsed.take(line, Whose::default(), Err(why)),
            }
            continue;
        }
        match Link::of(text) {
            Ok(link) => parsed.take(line, link.whose(), link.factor()),
            Err(why) => parsed.take(line, Whose::default(), Err(why)),
        }
    }
    batches.finish(&mut parsed);
    parsed
}

/// `issuer:account`, as labels have it.
pub(super) fn label(text: &str) -> (Option<&str>, &str) {
    match text.split_once(':') {
        Some((issuer, account)) => (Some(issuer.trim()).filter(|issuer| !issuer.is_empty()), account.trim()),
        None => (None, text.trim()),
    }
}

/// Takes `prefix` off, whatever its case.
fn without_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// A link, taken apart.
#[derive(Debug)]
struct Link<'t> {
    hotp: bool,
    label: Zeroizing<String>,
    secret: Option<&'t str>,
    issuer: Option<Zeroizing<String>>,
    algorithm: Option<&'t str>,
    digits: Option<&'t str>,
    period: Option<&'t str>,
    counter: Option<&'t str>,
    unknown: Vec<Note>,
}

impl<'t> Link<'t> {
    fn of(text: &'t str) -> Result<Self, Reason> {
        let rest = without_prefix(text, "otpauth://").ok_or(Reason::Link("it begins in another way"))?;
        let (kind, rest) = rest.split_once('/').ok_or(Reason::Link("there is no name"))?;
        let hotp = match kind.to_ascii_lowercase().as_str() {
            "totp" => false,
            "hotp" => true,
            _ => return Err(Reason::Kind),
        };
        let (label, query) = rest.split_once('?').ok_or(Reason::Link("nothing follows the name"))?;
        let label = encoding::percent(label).ok_or(BAD_PERCENT)?;
        let mut link = Self {
            hotp,
            label,
            secret: None,
            issuer: None,
            algorithm: None,
            digits: None,
            period: None,
            counter: None,
            unknown: Vec::new(),
        };
        let query = query.split_once('#').map_or(query, |(query, _)| query);
        query.split('&').filter(|pair| !pair.is_empty()).try_for_each(|pair| link.take(pair))?;
        Ok(link)
    }

    fn take(&mut self, pair: &'t str) -> Result<(), Reason> {
        let (name, value) = pair.split_once('=').ok_or(Reason::Link("a parameter has no value"))?;
        let place = match name.to_ascii_lowercase().as_str() {
            "issuer" => {
                let issuer = encoding::percent(value).ok_or(BAD_PERCENT)?;
                let before = self.issuer.replace(issuer);
                return if before.is_some() { Err(TWICE) } else { Ok(()) };
            }
            "secret" => &mut self.secret,
            "algorithm" => &mut self.algorithm,
            "digits" => &mut self.digits,
            "period" => &mut self.period,
            "counter" => &mut self.counter,
            // Pictures and colors of apps.
            "image" | "icon" | "color" | "logo" => return Ok(()),
            other => {
                let plain = other.len() <= 16 && other.bytes().all(|c| c.is_ascii_alphabetic());
                let name = if plain { other.to_owned() } else { "(of a strange name)".to_owned() };
                self.unknown.push(Note::UnknownOption { name });
                return Ok(());
            }
        };
        if place.replace(value).is_some() { Err(TWICE) } else { Ok(()) }
    }

    fn whose(&self) -> Whose {
        let (_, account) = label(&self.label);
        Whose { serial: None, name: Name::Loose(account.to_owned()) }
    }

    fn factor(self) -> Result<Found, Reason> {
        let secret = self.secret.filter(|secret| !secret.is_empty()).ok_or(Reason::NoKey)?;
        let key = Key::from_base32(&encoding::percent(secret).ok_or(BAD_PERCENT)?)?;
        let algorithm = match self.algorithm.map(str::to_ascii_uppercase).as_deref() {
            None | Some("SHA1" | "SHA-1" | "HMACSHA1") => Algorithm::Sha1,
            Some("SHA256" | "SHA-256" | "HMACSHA256") => Algorithm::Sha256,
            Some("SHA512" | "SHA-512" | "HMACSHA512") => Algorithm::Sha512,
            Some(_) => return Err(Reason::Algorithm),
        };
        let digits = number(self.digits, 6).ok_or(Reason::Link("digits is no number"))?;
        let params = if self.hotp {
            let counter = self.counter.ok_or(Reason::Link("HOTP needs a counter"))?;
            entry::hotp(algorithm, digits, number(Some(counter), 0).ok_or(Reason::Counter)?)?
        } else {
            entry::totp(algorithm, digits, number(self.period, 30).ok_or(Reason::Period)?)?
        };
        let (before, _) = label(&self.label);
        let issuer = self.issuer.as_deref().map(String::as_str).filter(|issuer| !issuer.is_empty());
        let name = issuer.or(before).map(ToOwned::to_owned);
        let factor = Factor { params, key, label: name };
        Ok(Found { factor, recovery: Vec::new(), notes: self.unknown })
    }
}

const BAD_PERCENT: Reason =
    Reason::Link("a percent sign stands without two hexadecimal digits, or for no text");
const TWICE: Reason = Reason::Link("a parameter stands twice");

fn number(text: Option<&str>, default: u64) -> Option<u64> {
    let Some(text) = text else { return Some(default) };
    text.bytes().all(|c| c.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use mfa_proto::admin::{HotpParams, TotpParams};
    use proptest::prelude::*;

    use super::{super::entry::Params, *};

    fn why(text: &str) -> Reason {
        let mut parsed = read(text);
        assert!(parsed.entries.is_empty(), "{text:?} was taken");
        parsed.rejected.remove(0).why
    }

    #[test]
    fn links_as_apps_write_them() {
        let parsed = read(
            "# phones\n\n\
             otpauth://totp/ACME%20Co:john.doe@email.com?secret=HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ&issuer=ACME%20Co&algorithm=SHA1&digits=6&period=30\n\
             OTPAUTH://HOTP/alice?SECRET=jbswy3dpehpk3pxpjbswy3dpehpk3pxp&counter=17&digits=8&algorithm=sha512&image=x#f\n\
             otpauth://totp/ACME:%20bob?secret=JBSWY3DPEHPK3PXP%3D%3D&period=60&weird=1\n",
        );
        assert_eq!(parsed.rejected, []);
        let loose = |name: &str| Name::Loose(name.into());
        let [john, alice, bob] = parsed.entries.as_slice() else { panic!("{:?}", parsed.entries) };
        assert_eq!((john.line, &john.whose.name), (3, &loose("john.doe@email.com")));
        assert_eq!(john.factor.params, Params::Totp(TotpParams::default()));
        assert_eq!(john.factor.label.as_deref(), Some("ACME Co"));
        assert_eq!(john.factor.key.to_base32().unwrap().expose(), "HXDMVJECJJWSRB3HWIZR4IFUGFTMXBOZ");
        assert_eq!((alice.line, &alice.whose.name), (4, &loose("alice")));
        let counted = HotpParams { algorithm: Algorithm::Sha512, digits: 8, counter: 17 };
        assert_eq!(alice.factor.params, Params::Hotp(counted));
        assert_eq!((bob.factor.label.as_deref(), &bob.whose.name), (Some("ACME"), &loose("bob")));
        assert_eq!(bob.notes, [Note::WeakKey { bits: 80 }, Note::UnknownOption { name: "weird".into() }]);
    }

    #[test]
    fn what_is_no_such_link_says_why() {
        const KEY: &str = "secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        for (text, why_not) in [
            ("https://example.org/".to_owned(), Reason::Link("it begins in another way")),
            ("otpauth://totp".into(), Reason::Link("there is no name")),
            ("otpauth://totp/x".into(), Reason::Link("nothing follows the name")),
            (format!("otpauth://steam/x?{KEY}"), Reason::Kind),
            ("otpauth://totp/x?issuer=y".into(), Reason::NoKey),
            ("otpauth://totp/x?secret=".into(), Reason::NoKey),
            (format!("otpauth://totp/x?{KEY}&{KEY}"), TWICE),
            (format!("otpauth://totp/x?{KEY}&issuer=a&issuer=b"), TWICE),
            (format!("otpauth://totp/x?{KEY}&digits"), Reason::Link("a parameter has no value")),
            (format!("otpauth://totp/x?{KEY}&digits=7"), Reason::Digits(7)),
            (format!("otpauth://totp/x?{KEY}&digits=six"), Reason::Link("digits is no number")),
            (format!("otpauth://totp/x?{KEY}&period=5"), Reason::Period),
            (format!("otpauth://totp/x?{KEY}&algorithm=MD5"), Reason::Algorithm),
            (format!("otpauth://hotp/x?{KEY}"), Reason::Link("HOTP needs a counter")),
            (format!("otpauth://hotp/x?{KEY}&counter=+1"), Reason::Counter),
            (format!("otpauth://totp/%zz?{KEY}"), BAD_PERCENT),
        ] {
            assert_eq!(why(&text), why_not, "{text}");
        }
        assert!(matches!(why("otpauth://totp/x?secret=01890189"), Reason::Key(_)));
    }

    fn written(params: Params, key: &Key, issuer: &str, account: &str) -> String {
        let escaped = |text: &str| {
            text.bytes().flat_map(|b| format!("%{b:02X}").into_bytes()).map(char::from).collect::<String>()
        };
        let name = format!("{}:{}", escaped(issuer), escaped(account));
        let secret = key.to_base32().unwrap();
        let hash = |algorithm: Algorithm| format!("{algorithm:?}").to_uppercase();
        let (kind, rest) = match params {
            Params::Totp(p) => {
                ("totp", format!("algorithm={}&digits={}&period={}", hash(p.algorithm), p.digits, p.period))
            }
            Params::Hotp(p) => {
                ("hotp", format!("algorithm={}&digits={}&counter={}", hash(p.algorithm), p.digits, p.counter))
            }
        };
        format!("otpauth://{kind}/{name}?secret={}&issuer={}&{rest}", secret.expose(), escaped(issuer))
    }

    prop_compose! {
        fn params()(
            algorithm in prop_oneof![Just(Algorithm::Sha1), Just(Algorithm::Sha256), Just(Algorithm::Sha512)],
            digits in prop_oneof![Just(6_u8), Just(8)],
            period in 15_u16..=120,
            counter in prop::option::of(0_u64..1 << 62),
        ) -> Params {
            match counter {
                Some(counter) => Params::Hotp(HotpParams { algorithm, digits, counter }),
                None => Params::Totp(TotpParams { algorithm, digits, period }),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_as_a_link_reads_back(
            params in params(),
            bytes in prop::collection::vec(any::<u8>(), 16..=64),
            issuer in "[^: \t\r\n][^:\r\n]{0,10}[^: \t\r\n]",
            account in "[^:\\s][^:\r\n]{0,10}[^:\\s]",
        ) {
            let key = Key::new(Zeroizing::new(bytes)).unwrap();
            let mut parsed = read(&written(params, &key, &issuer, &account));
            prop_assert_eq!(&parsed.rejected, &[]);
            let entry = parsed.entries.remove(0);
            prop_assert_eq!(entry.factor.params, params);
            prop_assert_eq!(entry.factor.key, key);
            prop_assert_eq!(entry.factor.label.unwrap(), issuer);
            prop_assert_eq!(entry.whose.name, Name::Loose(account.trim().to_owned()));
        }
    }
}
