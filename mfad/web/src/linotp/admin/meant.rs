//! Which token, or whose, a call is about.
//!
//! Refuses to guess: one by its serial number, or all of a user's, and nothing when neither is named.

use mfa_proto::{name::UserId, tag::Serial};

use super::{
    super::envelope::Fault,
    Order,
    said::{NO_TOKEN, PARAMETER, SEVERAL, no_token, no_user, unusable},
    token::{Token, by_serial, of_user},
};

/// Which tokens are meant.
#[derive(Debug)]
pub(super) enum Meant {
    /// The one with a serial number.
    One(Box<Token>),
    /// All of a user, who may have none.
    All(UserId, Vec<Token>),
}

impl<'a> Order<'a> {
    /// The user that is named, where one is. A name that can be nobody's is one that nobody has.
    pub(super) fn user(self) -> Result<Option<UserId>, Fault> {
        let named = self.asked.user(self.terms);
        named.map_err(|_| no_user(self.asked.get("user").unwrap_or_default()))
    }

    /// The tokens that are named by serial number or user.
    pub(super) async fn meant(self) -> Result<Meant, Fault> {
        if let Some(called) = self.asked.get("serial") {
            let token = by_serial(self.desk, called).await?;
            return token.map(|token| Meant::One(Box::new(token))).ok_or_else(|| no_token(called));
        }
        let Some(user) = self.user()? else {
            return Err(Fault::new(PARAMETER, "missing parameter user or serial!"));
        };
        let tokens = of_user(self.desk, &user).await?;
        Ok(Meant::All(user, tokens))
    }

    /// The token with the serial number that is named, or the only one of the user who is.
    pub(super) async fn the_one(self) -> Result<Token, Fault> {
        match self.meant().await? {
            Meant::One(token) => Ok(*token),
            Meant::All(user, tokens) => match <[Token; 1]>::try_from(tokens) {
                Ok([token]) => Ok(token),
                Err(none) if none.is_empty() => {
                    Err(Fault::new(NO_TOKEN, format_args!("{user} has no token")))
                }
                Err(_) => {
                    let text = format_args!("{user} has more than one token: name its serial");
                    Err(Fault::new(SEVERAL, text))
                }
            },
        }
    }

    /// The token that `serial` names, and has to.
    pub(super) async fn with_serial(self) -> Result<Token, Fault> {
        let called = self.needed("serial")?;
        by_serial(self.desk, called).await?.ok_or_else(|| no_token(called))
    }

    /// A parameter that counts something, from 1 on; `None` where it is not said.
    pub(in super::super) fn count(self, name: &str) -> Result<Option<usize>, Fault> {
        match self.asked.get(name).map(str::parse::<usize>) {
            None => Ok(None),
            Some(Ok(number)) if number > 0 => Ok(Some(number)),
            Some(_) => Err(unusable(name, "it is a number from 1 on")),
        }
    }

    /// A parameter that has to be there.
    pub(super) fn needed(self, name: &str) -> Result<&'a str, Fault> {
        self.asked.get(name).ok_or_else(|| Fault::missing(name))
    }
}

/// The serial number of a token that has one: what goes from hand to hand is found by it.
pub(super) fn number_of(token: &Token) -> Result<Serial, Fault> {
    token.device.serial.clone().ok_or_else(|| {
        Fault::other(format!(
            "{} has no serial number, by which it could be found again: give it one (mfactl describe)",
            token.serial()
        ))
    })
}
