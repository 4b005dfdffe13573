//! One key package: the token, its key, parameters and moving factors.

use mfa_proto::admin::Algorithm;
use roxmltree::Node;

use super::{
    super::{
        entry::{self, Factor, Found, Name, Params, Parsed, Whose},
        key::Key,
        note::Note,
        reason::Reason,
    },
    crypt::Lock,
    is, only, policy, text,
};

/// Reads a `KeyPackage`.
pub(super) fn read(package: Node<'_, '_>, lock: &Lock<'_>, signed: bool, parsed: &mut Parsed) {
    let row = package.document().text_pos_at(package.range().start).row;
    let line = usize::try_from(row).unwrap_or(usize::MAX);
    let (whose, found) = match whose(package) {
        Ok(whose) => (whose, token(package, lock)),
        Err(why) => (Whose::default(), Err(why)),
    };
    let label = whose.serial.clone();
    let found = found.map(|mut found| {
        found.factor.label = label;
        found.notes.extend(signed.then_some(Note::Unsigned));
        found
    });
    parsed.take(line, whose, found);
}

/// The user stands at the key, else at the device.
fn whose(package: Node<'_, '_>) -> Result<Whose, Reason> {
    let device = only(package, "DeviceInfo")?;
    let key = only(package, "Key")?;
    let value = |node: Option<Node<'_, '_>>, name| -> Result<Option<String>, Reason> {
        let Some(found) = node.map(|node| only(node, name)).transpose()?.flatten() else { return Ok(None) };
        Ok(Some(text(found)?.to_owned()).filter(|text| !text.is_empty()))
    };
    let user = match value(key, "UserId")? {
        Some(user) => Some(user),
        None => value(device, "UserId")?,
    };
    let name = user.map_or(Name::None, |user| Name::Firm(account(&user)));
    Ok(Whose { serial: value(device, "SerialNo")?, name })
}

/// A user id is a distinguished name by the RFC: its `uid`, or else `CN`, is the account.
fn account(user: &str) -> String {
    let part = |wanted: &str| {
        user.split([',', '/']).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    };
    part("uid").or_else(|| part("cn")).unwrap_or_else(|| user.to_owned())
}

fn token(package: Node<'_, '_>, lock: &Lock<'_>) -> Result<Found, Reason> {
    let key = only(package, "Key")?.ok_or(Reason::NoKey)?;
    let mut notes = policy::check(key)?;
    let counted = match key.attribute("Algorithm").unwrap_or("").rsplit([':', '#', '/']).next() {
        Some("hotp") => true,
        Some("totp") => false,
        Some(_) | None => return Err(Reason::Kind),
    };
    let (digits, algorithm) = parameters(only(key, "AlgorithmParameters")?)?;
    let data = only(key, "Data")?.ok_or(Reason::NoKey)?;
    let number = |name| only(data, name)?.map(plain_number).transpose();
    let params = if counted {
        entry::hotp(algorithm, digits, number("Counter")?.unwrap_or(0))?
    } else {
        timed(algorithm, digits, number("TimeInterval")?)?
    };
    if !counted && let Some(drift) = only(data, "TimeDrift")? {
        let steps = text(only(drift, "PlainValue")?.ok_or(HIDDEN)?)?;
        let steps = steps.parse().map_err(|_| Reason::Pskc("a value is no number"))?;
        notes.extend((steps != 0).then_some(Note::Skew { steps }));
    }
    let secret = only(data, "Secret")?.ok_or(Reason::NoKey)?;
    let key = match only(secret, "PlainValue")? {
        Some(plain) => Key::from_base64(text(plain)?)?,
        None => Key::new(lock.open(secret)?)?,
    };
    Ok(Found { factor: Factor { params, key, label: None }, recovery: Vec::new(), notes })
}

fn timed(algorithm: Algorithm, digits: u64, interval: Option<u64>) -> Result<Params, Reason> {
    entry::totp(algorithm, digits, interval.unwrap_or(30))
}

const HIDDEN: Reason = Reason::Encrypted("together with its counter, which is not supported");

fn plain_number(node: Node<'_, '_>) -> Result<u64, Reason> {
    let value = text(only(node, "PlainValue")?.ok_or(HIDDEN)?)?;
    let number = value.bytes().all(|c| c.is_ascii_digit()).then(|| value.parse().ok()).flatten();
    number.ok_or(Reason::Pskc("a value is no number"))
}

/// Digits of a code and the hash. Six digits of SHA-1 where nothing is said.
fn parameters(node: Option<Node<'_, '_>>) -> Result<(u64, Algorithm), Reason> {
    let Some(node) = node else { return Ok((6, Algorithm::Sha1)) };
    if node.children().any(|child| is(child, "ChallengeFormat")) {
        return Err(Reason::Policy("answers to a challenge"));
    }
    let algorithm = only(node, "Suite")?.map_or(Ok(Algorithm::Sha1), |suite| hash(text(suite)?))?;
    let Some(format) = only(node, "ResponseFormat")? else { return Ok((6, algorithm)) };
    if format.attribute("Encoding") != Some("DECIMAL") {
        return Err(Reason::Policy("codes that are not decimal digits"));
    }
    if matches!(format.attribute("CheckDigits").or(format.attribute("CheckDigit")), Some("true" | "1")) {
        return Err(Reason::Policy("a check digit in each code"));
    }
    let length = format.attribute("Length").and_then(|length| length.parse().ok());
    Ok((length.ok_or(Reason::Pskc("the length of a code is no number"))?, algorithm))
}

fn hash(suite: &str) -> Result<Algorithm, Reason> {
    let plain: String = suite.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_uppercase().as_str() {
        "" | "SHA1" | "HMACSHA1" => Ok(Algorithm::Sha1),
        "SHA256" | "HMACSHA256" => Ok(Algorithm::Sha256),
        "SHA512" | "HMACSHA512" => Ok(Algorithm::Sha512),
        _ => Err(Reason::Algorithm),
    }
}
