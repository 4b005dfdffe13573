//! Sessions of people who have proven a password: a cookie that says nothing, and what is behind it in memory.
//!
//! Bounded in number, for each user, and in time. Refuses to keep the cookie itself (its hash finds the
//! session), to begin a session before the password was right, and to let one outlive a change of what it is
//! good for: each such change gives it a new cookie.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use hyper::header::{COOKIE, HeaderMap};
use mfa_proto::{
    admin::FactorId,
    name::{ClientName, UserName},
};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::call::Call;

/// The name of the cookie. `__Host-` binds it to this very host (RFC 6265bis): none is set from beside it.
const NAME: &str = "__Host-mfad-ceptor";
/// How long a login may take from its password to its code.
const PENDING: Duration = Duration::from_secs(300);
/// How long a session lasts that nobody uses.
const IDLE: Duration = Duration::from_secs(1800);
/// How long a session lasts at most.
const LONGEST: Duration = Duration::from_secs(8 * 3600);
/// The most sessions, and of one user; the oldest of that user makes room.
const MOST: usize = 4096;
const MOST_OF_A_USER: usize = 8;
/// Codes that may be tried in one login, or to prove a registration.
const MOST_CODES: u8 = 5;

/// All sessions.
#[derive(Clone, Debug, Default)]
pub struct Sessions(Arc<Mutex<HashMap<Key, Session>>>);

type Key = [u8; 32];

/// What somebody has proven.
#[derive(Clone, Debug)]
pub(super) struct Session {
    /// Who.
    pub(super) user: UserName,
    /// The client whose login this is.
    pub(super) client: ClientName,
    /// How far it has come.
    pub(super) stage: Stage,
    /// Where the person was when it began.
    pub(super) ip: Option<String>,
    codes: u8,
    begun: Instant,
    used: Instant,
}

/// How far a login has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Stage {
    /// The password is right, and has to be changed.
    MustChange,
    /// The password is right; a code is wanted. The challenge that one was sent for, if any.
    Pending(Option<String>),
    /// All is proven. A registration that waits for its first code, if any.
    LoggedOn(Option<FactorId>),
}

/// A session and what finds it.
#[derive(Debug)]
pub(super) struct Found {
    key: Key,
    /// A copy of what it was when it was found.
    pub(super) session: Session,
}

impl Sessions {
    /// The session of a request; `None` when it has none that is live.
    pub(super) fn of(&self, call: &Call, client: &ClientName) -> Option<Found> {
        let key = key_of(call)?;
        let now = Instant::now();
        let mut all = self.all();
        let session =
            all.get_mut(&key).filter(|session| session.client == *client && session.is_live(now))?;
        session.used = now;
        Some(Found { key, session: session.clone() })
    }

    /// Begins one, in place of the one of this request; the text of its cookie. `None` when there are too many,
    /// or no randomness.
    pub(super) fn begin(
        &self,
        call: &Call,
        (user, client): (UserName, ClientName),
        stage: Stage,
    ) -> Option<String> {
        let now = Instant::now();
        let ip = call.address().map(|address| address.to_string());
        let session = Session { user, client, stage, ip, codes: 0, begun: now, used: now };
        let mut all = self.all();
        if let Some(old) = key_of(call) {
            all.remove(&old);
        }
        all.retain(|_, session| session.is_live(now));
        make_room(&mut all, &session.user);
        if all.len() >= MOST {
            return None;
        }
        insert(&mut all, session)
    }

    /// Lets a session go on with another stage, under a new cookie; `None` when it is gone meanwhile: what proved
    /// it serves once.
    pub(super) fn advance(&self, found: &Found, stage: Stage) -> Option<String> {
        let mut all = self.all();
        let session = all.remove(&found.key)?;
        insert(&mut all, Session { stage, codes: 0, ..session })
    }

    /// Notes something in a session that stays as good as it was.
    pub(super) fn note(&self, found: &Found, stage: Stage) {
        if let Some(session) = self.all().get_mut(&found.key) {
            session.stage = stage;
        }
    }

    /// Counts a code that is tried; false, and the session is over, when there were too many.
    pub(super) fn may_try(&self, found: &Found) -> bool {
        let mut all = self.all();
        let Some(session) = all.get_mut(&found.key) else { return false };
        session.codes = session.codes.saturating_add(1);
        let may = session.codes <= MOST_CODES;
        if !may {
            all.remove(&found.key);
        }
        may
    }

    /// Ends it.
    pub(super) fn end(&self, found: &Found) {
        self.all().remove(&found.key);
    }

    /// Ends the session of a request, whatever it is.
    pub(super) fn end_of(&self, call: &Call) {
        if let Some(key) = key_of(call) {
            self.all().remove(&key);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_live(&self, now: Instant) -> bool {
        let age = now.duration_since(self.begun);
        match self.stage {
            Stage::MustChange | Stage::Pending(_) => age < PENDING,
            Stage::LoggedOn(_) => age < LONGEST && now.duration_since(self.used) < IDLE,
        }
    }
}

/// Text for `Set-Cookie` that takes the cookie away.
pub(super) fn no_cookie() -> String {
    format!("{NAME}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict")
}

fn make_room(all: &mut HashMap<Key, Session>, user: &UserName) {
    let own = all.iter().filter(|(_, session)| session.user == *user);
    let mut own: Vec<(Instant, Key)> = own.map(|(key, session)| (session.used, *key)).collect();
    own.sort_unstable();
    let excess = own.len().saturating_add(1).saturating_sub(MOST_OF_A_USER);
    for (_, key) in own.into_iter().take(excess) {
        all.remove(&key);
    }
}

/// Puts it under a new cookie, whose text for `Set-Cookie` it gives.
fn insert(all: &mut HashMap<Key, Session>, session: Session) -> Option<String> {
    let mut random = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *random).ok()?;
    let value = Zeroizing::new(Base64UrlUnpadded::encode_string(&*random));
    all.insert(Sha256::digest(value.as_bytes()).into(), session);
    Some(format!("{NAME}={}; Path=/; Secure; HttpOnly; SameSite=Strict", value.as_str()))
}

/// What finds the session of a request.
fn key_of(call: &Call) -> Option<Key> {
    cookie_of(call.headers()).map(|value| Sha256::digest(value.as_bytes()).into())
}

/// The value of the session's cookie. Two cookies of the name are none: one of them is not ours.
pub fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    let headers = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = headers.flat_map(|header| header.split(';')).filter_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == NAME).then_some(value)
    });
    let value = values.next()?;
    values.next().is_none().then_some(value)
}
