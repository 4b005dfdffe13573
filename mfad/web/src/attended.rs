//! Passwords that are proven with core's leave, which is told what came of each: its trail and the limits of sources
//! know of all guesses.
//!
//! Refuses to have one proven that core has not let try, and to say what came of one that core does not know of.

use std::time::Duration;

use mfa_proto::{
    front::{PasswordMessage, PasswordOutcome, What},
    name::UserId,
};
use tokio::time::timeout;
use tracing::{debug, warn};

use crate::{
    link::{Away, Busy},
    prover::{Proven, Prover, Typed},
    verify::Desk,
};

/// How long core has for each of its words: for the outcome, as long as it may delay one of too many failures and
/// wait for the disk.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whether a password is the account's.
pub(crate) async fn prove(desk: &Desk, prover: &Prover, typed: Typed) -> Proven {
    let (desk, prover) = (desk.clone(), prover.clone());
    // Seen to its end, though whoever typed it hangs up: else guesses would be judged by silence, and unknown.
    let seen = tokio::spawn(async move { see_to_its_end(&desk, &prover, typed).await });
    seen.await.unwrap_or(Proven::Unknown)
}

async fn see_to_its_end(desk: &Desk, prover: &Prover, typed: Typed) -> Proven {
    let mut busy = match leave(desk, &typed).await {
        Ok(busy) => busy,
        Err(ended) => return ended,
    };
    let said = prover.check(typed).await;
    let outcome = match said {
        Proven::Yes | Proven::MustChange => PasswordOutcome::Right,
        Proven::No => PasswordOutcome::Wrong,
        Proven::TooMany | Proven::Unknown => PasswordOutcome::Unjudged,
    };
    match timeout(PATIENCE, busy.tell(outcome)).await.unwrap_or(Err(Away::TimedOut)) {
        Ok(PasswordMessage::Noted) => {
            desk.link.keep(busy);
            said
        }
        Ok(PasswordMessage::Try | PasswordMessage::Blocked { .. } | PasswordMessage::Unavailable) => {
            warn!("what came of a password is not told: core cannot write it down");
            Proven::Unknown
        }
        Err(away) => {
            warn!("what came of a password is not told: {away}");
            Proven::Unknown
        }
    }
}

/// Core's leave to try it, or how that ends.
async fn leave(desk: &Desk, typed: &Typed) -> Result<Busy, Proven> {
    let user = UserId::local(typed.user.clone());
    let ask = desk.ask(typed.source.as_deref(), What::Password(Box::new(user)));
    let asked = timeout(PATIENCE, desk.link.begin::<PasswordMessage>(&ask)).await;
    match asked.unwrap_or(Err(Away::TimedOut)) {
        Ok((PasswordMessage::Try, busy)) => Ok(busy),
        Ok((PasswordMessage::Blocked { wait }, busy)) => {
            debug!("a password was not tried: its source has to wait {wait} s");
            desk.link.keep(busy);
            Err(Proven::TooMany)
        }
        Ok((PasswordMessage::Noted | PasswordMessage::Unavailable, _)) => {
            warn!("a password was not tried: core does not let this client have passwords proven");
            Err(Proven::Unknown)
        }
        Err(away) => {
            warn!("a password was not tried: {away}");
            Err(Proven::Unknown)
        }
    }
}
