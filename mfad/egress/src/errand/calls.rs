//! How many errands may be under way. Refuses to queue: who finds no place is told.

use std::collections::BTreeMap;

use mfa_proto::{
    egress::{Errand, Medium},
    name::FactorLabel,
};
use mfa_role::config::Config;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Places for errands under way: in all, and for each gateway or service, so that a slow one leaves some
/// to the others.
#[derive(Debug)]
pub(super) struct Calls {
    all: Semaphore,
    sms: Semaphore,
    mail: Semaphore,
    rest: BTreeMap<FactorLabel, Semaphore>,
    ldap: Semaphore,
    /// Apart from all others: each waits for a person, and none is a login.
    polkit: Semaphore,
}

/// The most questions to polkit under way.
const MOST_AUTHORIZATIONS: usize = 64;

/// Places, held for as long as an errand is under way.
pub(super) type Held<'a> = (SemaphorePermit<'a>, Option<SemaphorePermit<'a>>);

impl Calls {
    /// One of them has a quarter of all places.
    pub(super) fn new(config: &Config) -> Self {
        let most = usize::try_from(config.egress().max_calls).unwrap_or(1);
        let one = || Semaphore::new(most.div_ceil(4));
        let rest = config.rest().keys().map(|name| (name.clone(), one())).collect();
        let polkit = Semaphore::new(MOST_AUTHORIZATIONS);
        Self { all: Semaphore::new(most), sms: one(), mail: one(), rest, ldap: one(), polkit }
    }

    /// Places for an errand; the name of what is full when there are none.
    pub(super) fn enter<'a>(&'a self, errand: &'a Errand) -> Result<Option<Held<'a>>, &'a str> {
        let (name, one) = match errand {
            // Notices have places of their own.
            Errand::Ping | Errand::Notify(_) => return Ok(None),
            Errand::Authorize(_) => {
                return self.polkit.try_acquire().map(|one| Some((one, None))).map_err(|_| "polkit");
            }
            Errand::Deliver(delivery) => match delivery.medium {
                Medium::Sms => ("sms", &self.sms),
                Medium::Mail => ("mail", &self.mail),
            },
            Errand::Look(_) => ("ldap", &self.ldap),
            Errand::Begin(consultation) | Errand::Judge(consultation) => {
                let name = &consultation.outside;
                // Of what is not configured nothing is ever under way.
                let Some(one) = self.rest.get(name) else { return Ok(None) };
                (name.as_str(), one)
            }
        };
        let one = one.try_acquire().map_err(|_| name)?;
        Ok(Some((one, Some(self.all.try_acquire().map_err(|_| "all together")?))))
    }
}
