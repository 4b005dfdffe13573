//! Signs tokens apart from the code under test, save for the time-based code, which the vectors vouch for.

use std::sync::Arc;

use base64ct::{Base64, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use mfa_proto::{
    answer::{Answer, SignedToken},
    name::FactorLabel,
    secret::SecretText,
};
use mfad::{
    clock::UnixTime,
    factor::{
        Params, Secret, Seed, TokenDomain, TokenSecret, TokenSettings,
        token::{Jid, Signer},
    },
    store::{Attempt, Channel, Counting, NewFactor, Outcome, StoreSettings},
};
use zeroize::Zeroizing;

use crate::store_common::{Fixture, context, label, order};

pub(crate) const SIGNING: &str = "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7";
pub(crate) const OWN_SIGNING: &str = "MARKERMARKERMARKERMARKERMARKER32";
pub(crate) const OWN_SEED: &[u8] = b"MARKER-of-a-seed-20b";

/// A store where example.org signs.
pub(crate) struct Scene {
    pub(crate) fixture: Fixture,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { fixture: Fixture::with(settings()) }
    }

    pub(crate) async fn try_token(&self, name: &str, typed: &str) -> Outcome {
        self.fixture.store.attempt(attempt(name, typed)).await.unwrap()
    }

    pub(crate) async fn reopen_after(&mut self, change: impl FnOnce(&rusqlite::Connection)) {
        self.fixture.reopen_after(change).await;
        self.fixture.store.replace_settings(settings()).await.unwrap();
    }
}

pub(crate) fn settings() -> StoreSettings {
    let domain = TokenDomain {
        name: FactorLabel::new("example.org").unwrap(),
        seed: seed(),
        signing: text(SIGNING),
        nonce_digits: 32,
    };
    let token = TokenSettings { host: "robots.example.org".to_owned(), domains: vec![domain] };
    StoreSettings { token: Arc::new(token), ..StoreSettings::default() }
}

fn text(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn seed() -> Seed {
    Seed::brought_along_base32(&text("XVGR73KMZH2M4XMY")).unwrap()
}

fn own_seed() -> Seed {
    Seed::new(Zeroizing::new(OWN_SEED.to_vec())).unwrap()
}

/// A nonce of 32 digits, another for each number.
pub(crate) fn nonce(n: u32) -> String {
    format!("7{n:031}")
}

fn made(seed: &Seed, key: &str, jid: &str, (now, nonce): (UnixTime, &str)) -> String {
    let key_text = text(key);
    let issued = Signer { seed, signing: &key_text }.issue(&Jid::new("any", "where"), now).unwrap();
    let digits = format!("{}{nonce}", issued.expose().get(..8).unwrap());
    let mut hmac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).unwrap();
    hmac.update(format!("{digits}{jid}").as_bytes());
    let mut base64 = [0; 44];
    format!("{digits} {}", Base64::encode(&hmac.finalize().into_bytes(), &mut base64).unwrap())
}

/// Signed by the domain, for any name.
pub(crate) fn sign(jid: &str, now: UnixTime, nonce: &str) -> String {
    made(&seed(), SIGNING, jid, (now, nonce))
}

/// Signed by the domain, for one of its users.
pub(crate) fn token_at(name: &str, now: UnixTime, nonce: &str) -> String {
    sign(&format!("{name}@example.org"), now, nonce)
}

pub(crate) fn alice_at(now: UnixTime, nonce: &str) -> String {
    token_at("alice", now, nonce)
}

/// Signed with the secrets of [`own_factor`].
pub(crate) fn sign_own(jid: &str, now: UnixTime, nonce: &str) -> String {
    made(&own_seed(), OWN_SIGNING, jid, (now, nonce))
}

pub(crate) fn as_code(typed: &str) -> Answer {
    Answer::Token(SignedToken::parse(typed).unwrap())
}

pub(crate) fn attempt(name: &str, typed: &str) -> Attempt {
    Attempt {
        context: context(name),
        rule: None,
        uid: Some(1000),
        answer: as_code(typed).into(),
        channel: Channel::Proven,
        counting: Counting::default(),
    }
}

fn factor(name: &str, secret: TokenSecret, activate: bool) -> NewFactor {
    let (params, secret) = (Params::Token, Secret::Token(secret));
    let start = params.start(0);
    NewFactor { order: order(name), label: label("token"), params, start, secret, activate, replace: false }
}

pub(crate) fn own_factor(name: &str, activate: bool) -> NewFactor {
    factor(name, TokenSecret::Own { seed: own_seed(), signing: text(OWN_SIGNING) }, activate)
}

pub(crate) fn own_factor_with(name: &str, signing: &str) -> NewFactor {
    factor(name, TokenSecret::Own { seed: own_seed(), signing: text(signing) }, true)
}

pub(crate) fn domain_factor(name: &str, domain: &str) -> NewFactor {
    factor(name, TokenSecret::Domain(label(domain)), true)
}

/// A row of the table of nonces, as it stands.
pub(crate) type NonceRow = (i64, i64, Vec<u8>, i64, Vec<u8>, Vec<u8>);

pub(crate) fn rows(file: &rusqlite::Connection) -> Vec<NonceRow> {
    let mut all = file.prepare("SELECT factor_id, serial, hash, step, key_id, mac FROM nonce").unwrap();
    let row = |row: &rusqlite::Row<'_>| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
    };
    all.query_map([], row).unwrap().map(Result::unwrap).collect()
}

pub(crate) fn put_back(file: &rusqlite::Connection, rows: &[NonceRow]) {
    for (factor, serial, hash, step, key, mac) in rows {
        let sql =
            "INSERT INTO nonce (factor_id, serial, hash, step, key_id, mac) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        file.execute(sql, rusqlite::params![factor, serial, hash, step, key, mac]).unwrap();
    }
}
