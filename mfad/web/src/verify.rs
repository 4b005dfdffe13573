//! Has core verify a person, over one request or several.
//!
//! Every dialect asks through here, and says in its own words what came of it. Refuses to take anything for a
//! yes but core's word that a factor was proven, or that none is needed.

use std::{sync::Arc, time::Duration};

use mfa_proto::{
    admin::{FactorId, Reply, Request},
    answer::AnswerShape,
    front::{Ask, Deliver, Ended, FrontMessage, Verify, VerifyDevice, What},
    login::{ServerMessage, Verdict},
    name::{Claim, FactorLabel, UserId},
    secret::SecretText,
    tag::Serial,
};
use mfa_role::config::{Right, WebClient};
use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::{
    link::{Away, Link},
    transactions::{Open, Transactions, Waiting},
};

/// How long the names of addresses may be that go to core.
const MAX_ADDRESS: usize = 64;

/// What is asked about a person.
#[derive(Debug)]
pub struct Question {
    /// Whom.
    pub user: UserId,
    /// The answer, when it is at hand: then there is a verdict at once, unless more is needed.
    pub answer: Option<SecretText>,
    /// What is to be sent or begun first: a label, an outside service or a kind.
    pub choose: Option<FactorLabel>,
    /// Where the person is, as far as the client has said.
    pub source: Option<String>,
}

/// What is asked about a device.
#[derive(Debug)]
pub struct DeviceQuestion {
    /// Its serial number.
    pub serial: Serial,
    /// Who has to have it; `None` whoever has it.
    pub user: Option<UserId>,
    /// As of [`Question`].
    pub answer: Option<SecretText>,
    /// As of [`Question`].
    pub source: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub enum Verified {
    /// Yes.
    Accept(Accepted),
    /// No.
    Reject {
        /// Seconds until the next attempt is judged; 0 at once.
        wait: u32,
        /// Its challenge is still open.
        open: bool,
    },
    /// No, and attempts are used up.
    Locked {
        /// Seconds until the next attempt is judged; 0 when that needs an administrator.
        wait: u32,
    },
    /// Nothing was judged: it came too soon, or too many are under way.
    TooSoon {
        /// Seconds to wait.
        wait: u32,
    },
    /// An answer is wanted.
    Challenge(Challenge),
    /// Core cannot judge at present, or the client has not the right: says nothing of the person.
    Unavailable,
}

/// A yes.
#[derive(Debug)]
pub struct Accepted {
    /// The factor that was proven; `None` when a rule wants none.
    pub factor: Option<FactorId>,
    /// What the person is to be told: that few recovery codes are left, that somebody else tried.
    pub told: Vec<String>,
}

/// An answer is wanted.
#[derive(Debug)]
pub struct Challenge {
    /// Its number, for [`Desk::answer`].
    pub transaction: String,
    /// What to ask the person.
    pub prompt: String,
    /// What may be answered.
    pub shape: AnswerShape,
    /// Whether what is typed may be seen.
    pub echo: bool,
}

/// No code was delivered: says nothing of the person.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Undelivered;

/// Asks core on behalf of one client.
#[derive(Clone, Debug)]
pub struct Desk {
    pub(crate) link: Link,
    pub(crate) transactions: Transactions,
    pub(crate) client: Arc<WebClient>,
    pub(crate) address: Option<String>,
    /// How long challenges are open, and the most of them.
    pub(crate) lifetime: Duration,
    pub(crate) most: usize,
}

impl Desk {
    /// The client on whose behalf it asks.
    pub fn client(&self) -> &WebClient {
        &self.client
    }

    /// Where the client, or the person behind a proxy, asks from.
    pub fn address(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Has a person verified.
    pub async fn verify(&self, question: Question) -> Verified {
        if !self.client.rights.include(Right::Verify) {
            return Verified::Unavailable;
        }
        let Question { user, answer, choose, source } = question;
        let patience = self.patience();
        let verify = Verify { user: user.clone(), choose, only: None, answer, patience };
        self.begin(source.as_deref(), What::Verify(Box::new(verify)), (user, None)).await
    }

    /// Has whoever holds a device verified, by that device alone.
    pub async fn verify_device(&self, question: DeviceQuestion) -> Verified {
        if !self.client.rights.include(Right::Verify) {
            return Verified::Unavailable;
        }
        let DeviceQuestion { serial, user, answer, source } = question;
        // Who that is, core does not say.
        let Some(about) = user.clone().or_else(|| serial.keeper().ok()) else {
            return Verified::Reject { wait: 0, open: false };
        };
        let device = Some(serial.clone());
        let verify = VerifyDevice { serial, user, answer, patience: self.patience() };
        self.begin(source.as_deref(), What::VerifyDevice(Box::new(verify)), (about, device)).await
    }

    /// Keeps what a person typed before a challenge, to go before each code that answers it: a PIN is judged with a
    /// code behind it and never by itself.
    pub fn keep_pin(&self, transaction: &str, pin: SecretText) {
        self.transactions.keep_pin(transaction, &self.client.name, pin);
    }

    fn patience(&self) -> u32 {
        u32::try_from(self.lifetime.as_secs()).unwrap_or(u32::MAX)
    }

    /// Has a signed token of a person verified, and nothing else: where a rule wants more, it is a no.
    pub async fn verify_token(&self, user: UserId, token: SecretText, source: Option<String>) -> Verified {
        let rights = &self.client.rights;
        if !rights.include(Right::TokenVerify) {
            return Verified::Unavailable;
        }
        if AnswerShape::TOKEN.parse(token.expose()).is_none() {
            return Verified::Reject { wait: 0, open: false };
        }
        let answer = Some(token);
        let verify =
            Verify { user: user.clone(), choose: None, only: None, answer, patience: self.patience() };
        let what = What::Verify(Box::new(verify));
        match self.begin(source.as_deref(), what, (user, None)).await {
            Verified::Challenge(challenge) => {
                // Ends the conversation.
                drop(self.transactions.take(&challenge.transaction, &self.client.name));
                Verified::Reject { wait: 0, open: false }
            }
            verified @ (Verified::Accept(_)
            | Verified::Reject { .. }
            | Verified::Locked { .. }
            | Verified::TooSoon { .. }
            | Verified::Unavailable) => verified,
        }
    }

    async fn begin(
        &self,
        source: Option<&str>,
        what: What,
        (user, device): (UserId, Option<Serial>),
    ) -> Verified {
        let ask = self.ask(source, what);
        let until = Instant::now() + self.lifetime;
        let asked = timeout(self.lifetime, self.link.begin::<FrontMessage>(&ask)).await;
        match asked.unwrap_or(Err(Away::TimedOut)) {
            Ok((first, busy)) => {
                let client = self.client.name.clone();
                let (prompt, wrong) = (String::new(), 0);
                let open = Open { client, user, busy, pin: None, device, until, prompt, wrong };
                self.go_on(first, open, None).await
            }
            Err(away) => lost(&away),
        }
    }

    /// Answers a challenge of this client. An unknown number is a wrong answer, which is counted for nobody.
    pub async fn answer(&self, transaction: &str, answer: SecretText) -> Verified {
        let Some(mut open) = self.transactions.take(transaction, &self.client.name) else {
            return Verified::Reject { wait: 0, open: false };
        };
        let Some(answer) = open.behind_pin(answer) else { return Verified::Reject { wait: 0, open: false } };
        let left = open.until.saturating_duration_since(Instant::now());
        match timeout(left, open.busy.answer(answer)).await.unwrap_or(Err(Away::TimedOut)) {
            Ok(next) => self.go_on(next, open, Some(transaction)).await,
            Err(away) => lost(&away),
        }
    }

    /// Whom an open challenge of this client is about.
    pub fn user_of(&self, transaction: &str) -> Option<UserId> {
        self.transactions.user_of(transaction, &self.client.name)
    }

    /// Whether a challenge of this client is open and about this user, and this device, as far as they are named.
    pub fn is_about(&self, transaction: &str, user: Option<&UserId>, device: Option<&Serial>) -> bool {
        self.transactions.is_about(transaction, &self.client.name, (user, device))
    }

    /// How far an open challenge of this client is, where it is about this user as far as one is named.
    pub fn waiting(&self, transaction: &str, user: Option<&UserId>) -> Option<Waiting> {
        self.transactions.waiting(transaction, &self.client.name, user)
    }

    /// The open challenge of this client about a user, for dialects that have no number to name one by.
    pub fn open_for(&self, user: &UserId) -> Option<String> {
        self.transactions.of_user(user, &self.client.name)
    }

    /// Has core deliver a code that the client made. Whether anything was sent, core tells nobody; an error when
    /// nobody was looked up.
    pub async fn deliver(&self, deliver: Deliver, source: Option<&str>) -> Result<(), Undelivered> {
        if !self.client.rights.include(Right::Deliver) {
            return Err(Undelivered);
        }
        let reply = self.link.reply(&self.ask(source, What::Deliver(Box::new(deliver)))).await;
        match reply {
            Ok(Reply::Done { .. }) => Ok(()),
            Ok(other) => {
                warn!("core delivers no code for client {}: {other:?}", self.client.name);
                Err(Undelivered)
            }
            Err(away) => {
                warn!("no code was delivered: {away}");
                Err(Undelivered)
            }
        }
    }

    /// Has core do what `mfactl` does as well, as far as the rights of the client go.
    pub async fn admin(&self, request: Request) -> Result<Reply, Away> {
        let ask = self.ask(None, What::Admin(Box::new(request)));
        let reply = self.link.reply(&ask).await;
        reply.inspect_err(|away| warn!("core was not asked: {away}"))
    }

    /// The question, as core takes it.
    pub(crate) fn ask(&self, source: Option<&str>, what: What) -> Ask {
        let claim = |text: &str| Claim::clean_to(text, MAX_ADDRESS);
        Ask {
            client: self.client.name.clone(),
            address: self.address.as_deref().map(claim),
            source: source.map(claim),
            what,
        }
    }

    /// Takes what core says until somebody has to answer, or to the end.
    async fn go_on(&self, mut message: FrontMessage, mut open: Open, number: Option<&str>) -> Verified {
        let mut told = Vec::new();
        loop {
            match message {
                FrontMessage::Ended(ended) => {
                    self.link.keep(open.busy);
                    return verdict(&ended, told);
                }
                FrontMessage::Turn { message: ServerMessage::Info(text), .. } => told.push(text.to_string()),
                FrontMessage::Turn { message: ServerMessage::Prompt { text, echo, shape }, refused } => {
                    open.prompt = text.to_string();
                    open.wrong = open.wrong.saturating_add(u32::from(refused));
                    let Some(transaction) = self.park(open, number) else {
                        return Verified::TooSoon { wait: 1 };
                    };
                    if refused && number.is_some() {
                        return Verified::Reject { wait: 0, open: true };
                    }
                    let prompt = text.to_string();
                    return Verified::Challenge(Challenge { transaction, prompt, shape, echo });
                }
                FrontMessage::Turn { message: ServerMessage::Settled(_), .. } => {
                    return Verified::Unavailable;
                }
            }
            let left = open.until.saturating_duration_since(Instant::now());
            message = match timeout(left, open.busy.next()).await.unwrap_or(Err(Away::TimedOut)) {
                Ok(message) => message,
                Err(away) => return lost(&away),
            };
        }
    }

    /// Keeps a conversation for the next request.
    fn park(&self, open: Open, number: Option<&str>) -> Option<String> {
        match number {
            Some(number) => {
                self.transactions.put_back(number.to_owned(), open);
                Some(number.to_owned())
            }
            None => self.transactions.open(open, self.most),
        }
    }
}

fn verdict(ended: &Ended, told: Vec<String>) -> Verified {
    let wait = ended.wait;
    match ended.verdict {
        Verdict::Accept => Verified::Accept(Accepted { factor: ended.factor, told }),
        Verdict::NotApplicable => Verified::Accept(Accepted { factor: None, told }),
        Verdict::Deny if ended.unjudged => Verified::TooSoon { wait: wait.max(1) },
        Verdict::Deny => Verified::Reject { wait, open: false },
        Verdict::Locked => Verified::Locked { wait },
        Verdict::Unavailable => Verified::Unavailable,
    }
}

fn lost(away: &Away) -> Verified {
    warn!("nothing was judged: {away}");
    match away {
        Away::Busy => Verified::TooSoon { wait: 1 },
        Away::Unreachable { .. } | Away::Stranger { .. } | Away::TimedOut | Away::Version | Away::Wire(_) => {
            Verified::Unavailable
        }
    }
}
