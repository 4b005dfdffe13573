//! Challenges that wait for an answer in another request: a conversation with core each, under a random number.
//!
//! Bounded in all, for each client and for each user of one, and in time. Refuses a number to every client but
//! the one that was given it, and tells nobody whether there is such a number.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use mfa_proto::{
    answer::OtpCode,
    name::{ClientName, UserId},
    secret::SecretText,
    tag::Serial,
};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::link::Busy;

/// Digits of a number: 66 bits, without spaces or letters, as programs expect that split texts.
const DIGITS: usize = 20;
/// The most challenges of one user that are open for one client; the oldest makes room.
const MOST_OF_A_USER: usize = 4;
/// How often those that are over are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// The challenges that are open.
#[derive(Clone, Debug, Default)]
pub struct Transactions(Arc<Mutex<HashMap<String, Open>>>);

/// One that is open.
#[derive(Debug)]
pub(crate) struct Open {
    /// Whose it is.
    pub(crate) client: ClientName,
    /// Whom it is about.
    pub(crate) user: UserId,
    /// The conversation.
    pub(crate) busy: Busy,
    /// What goes before each code that answers it.
    pub(crate) pin: Option<SecretText>,
    /// The only device that counts.
    pub(crate) device: Option<Serial>,
    /// When it is over.
    pub(crate) until: Instant,
    /// What was asked last.
    pub(crate) prompt: String,
    /// How many answers were wrong.
    pub(crate) wrong: u32,
}

/// How far a challenge is that waits.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Waiting {
    /// What was asked last.
    pub prompt: String,
    /// How many answers were wrong.
    pub wrong: u32,
}

impl Open {
    /// An answer, a code behind the PIN that was typed before; `None` when both together are too long.
    pub(crate) fn behind_pin(&self, answer: SecretText) -> Option<SecretText> {
        let code = OtpCode::parse(answer.expose());
        let (Some(pin), Some(code)) = (&self.pin, code) else { return Some(answer) };
        let both = Zeroizing::new(format!("{}{}", pin.expose(), code.expose()));
        SecretText::new(both.as_str().to_owned()).ok()
    }
}

impl Transactions {
    /// Keeps a conversation under a new number; `None` when too many are open. At most `most` in all.
    pub(crate) fn open(&self, open: Open, most: usize) -> Option<String> {
        let number = number()?;
        let mut all = self.all();
        all.retain(|_, open| open.until > Instant::now());
        let mut own: Vec<(Instant, String)> = all
            .iter()
            .filter(|(_, other)| other.client == open.client && other.user == open.user)
            .map(|(number, other)| (other.until, number.clone()))
            .collect();
        own.sort();
        let excess = own.len().saturating_add(1).saturating_sub(MOST_OF_A_USER);
        for (_, oldest) in own.into_iter().take(excess) {
            all.remove(&oldest);
        }
        let of_client = all.values().filter(|other| other.client == open.client).count();
        if all.len() >= most || of_client >= (most / 4).max(1) {
            return None;
        }
        all.insert(number.clone(), open);
        Some(number)
    }

    /// Takes a conversation of `client` out, to answer it.
    pub(crate) fn take(&self, number: &str, client: &ClientName) -> Option<Open> {
        let mut all = self.all();
        let fits = |open: &Open| open.client == *client && open.until > Instant::now();
        if all.get(number).is_some_and(fits) { all.remove(number) } else { None }
    }

    /// Puts it back under its number.
    pub(crate) fn put_back(&self, number: String, open: Open) {
        self.all().insert(number, open);
    }

    /// Whom an open challenge of `client` is about.
    pub fn user_of(&self, number: &str, client: &ClientName) -> Option<UserId> {
        let all = self.all();
        all.get(number).filter(|open| open.client == *client).map(|open| open.user.clone())
    }

    /// The open challenge of `client` about a user; of several the youngest.
    pub(crate) fn of_user(&self, user: &UserId, client: &ClientName) -> Option<String> {
        let (all, now) = (self.all(), Instant::now());
        let fits = |open: &Open| open.client == *client && open.user == *user && open.until > now;
        let found = all.iter().filter(|(_, open)| fits(open)).max_by_key(|(_, open)| open.until);
        found.map(|(number, _)| number.clone())
    }

    /// Whether a challenge of `client` is open and about this user, and this device, as far as they are named.
    pub(crate) fn is_about(
        &self,
        number: &str,
        client: &ClientName,
        (user, device): (Option<&UserId>, Option<&Serial>),
    ) -> bool {
        let fits = |open: &Open| {
            open.client == *client
                && open.until > Instant::now()
                && user.is_none_or(|user| open.user == *user)
                && device.is_none_or(|device| open.device.as_ref() == Some(device))
        };
        self.all().get(number).is_some_and(fits)
    }

    /// How far an open challenge of `client` is, where it is about this user as far as one is named.
    pub(crate) fn waiting(
        &self,
        number: &str,
        client: &ClientName,
        user: Option<&UserId>,
    ) -> Option<Waiting> {
        let all = self.all();
        let open = all.get(number).filter(|open| {
            open.client == *client
                && open.until > Instant::now()
                && user.is_none_or(|user| open.user == *user)
        })?;
        Some(Waiting { prompt: open.prompt.clone(), wrong: open.wrong })
    }

    /// Keeps a PIN with the open challenge of `client`.
    pub(crate) fn keep_pin(&self, number: &str, client: &ClientName, pin: SecretText) {
        if let Some(open) = self.all().get_mut(number).filter(|open| open.client == *client) {
            open.pin = Some(pin);
        }
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        self.all().len()
    }

    /// Ends those whose time is over, until the task is dropped.
    pub async fn sweep(self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let now = Instant::now();
            self.all().retain(|_, open| open.until > now);
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A random number; `None` when the system gives no randomness.
fn number() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    let text = format!("{:039}", u128::from_be_bytes(bytes));
    // The last digits are as good as even; the first are not.
    text.get(text.len().saturating_sub(DIGITS)..).map(str::to_owned)
}
