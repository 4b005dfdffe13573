//! What core has to know of an outside service: who judges, and what codes it delivers look like.
//!
//! Refuses to know how it is called: that is egress's.

use std::time::Duration;

use mfa_proto::secret::SecretText;
use zeroize::Zeroizing;

use crate::{
    config::{Judge, RestTerms},
    seal,
    store::MadeCode,
};

/// Random bytes of a code that nobody is told.
const UNTOLD_BYTES: usize = 32;
/// How long it marks that a service has begun: as long as any code counts.
const UNTOLD_LIFETIME: Duration = Duration::from_secs(600);

/// A code made here for an outside service.
#[derive(Debug)]
pub struct OutsideCode {
    /// The code.
    pub code: SecretText,
    /// The service is told, to deliver it. Else nobody is: the code only marks in the store that the service
    /// has begun, and when.
    pub told: bool,
    /// Seconds that it counts.
    pub lifetime: i64,
    /// Seconds before the service may be told again.
    pub resend_interval: i64,
}

impl OutsideCode {
    /// The code as the store takes it.
    pub fn for_store(&self) -> MadeCode {
        let Self { code, lifetime, resend_interval, .. } = self;
        MadeCode { code: code.again(), lifetime: *lifetime, resend_interval: *resend_interval }
    }
}

/// The system gives no random bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;

/// Makes the code with which a login by this service begins; `None` for what is no outside service.
pub fn outside_code(terms: Option<&RestTerms>) -> Result<Option<OutsideCode>, NoRandomness> {
    let Some(terms) = terms else { return Ok(None) };
    let (code, told, lifetime) = match &terms.judge {
        Judge::Core { pattern, lifetime } => {
            (pattern.generate(getrandom::fill).map_err(|_| NoRandomness)?, true, *lifetime)
        }
        Judge::Service => (untold()?, false, UNTOLD_LIFETIME),
    };
    let code = SecretText::new(code.as_str().to_owned()).map_err(|_| NoRandomness)?;
    let seconds = |time: Duration| i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    let (lifetime, resend_interval) = (seconds(lifetime), seconds(terms.resend_interval));
    Ok(Some(OutsideCode { code, told, lifetime, resend_interval }))
}

fn untold() -> Result<Zeroizing<String>, NoRandomness> {
    let mut bytes = Zeroizing::new([0_u8; UNTOLD_BYTES]);
    getrandom::fill(&mut *bytes).map_err(|_| NoRandomness)?;
    Ok(seal::hex(&bytes))
}
