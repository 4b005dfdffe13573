//! How a login ends: in the trail before anywhere else.
//!
//! Refuses to grant what cannot be written down.

use tokio::time::timeout;
use tracing::error;

use super::{GRACE, Halt, Login};
use crate::{
    session::{Reason, Settled},
    store::StoreError,
};

impl Login<'_> {
    /// The end of a login whose store does not work.
    pub(super) fn store_failed(&self, error: &StoreError) -> Halt {
        error!(session = self.context.session.as_str(), "cannot judge {}: {error}", self.context.user);
        Settled::unavailable(Reason::Store).into()
    }

    /// Writes the end to the trail, where the store has not done so with the attempt itself. What cannot
    /// be written is not granted.
    pub(super) async fn account_for(&self, settled: Settled) -> Settled {
        // No row for names that are no accounts, nor for what a flood could repeat at no cost.
        let unworthy = matches!(
            settled.reason(),
            Reason::UnknownUser
                | Reason::NotAllowed
                | Reason::Source
                | Reason::Busy
                | Reason::Store
                | Reason::Lookup
        );
        let idle = !self.asked
            && matches!(settled.reason(), Reason::Cancelled | Reason::TimedOut | Reason::Protocol);
        if self.recorded || unworthy || idle {
            return settled;
        }
        let written = timeout(GRACE, self.core.login_store().record(&self.context, &settled)).await;
        let problem = match written {
            Ok(Ok(())) => return settled,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the disk does not answer".to_owned(),
        };
        error!(session = self.context.session.as_str(), "cannot write the audit trail: {problem}");
        Settled::unavailable(Reason::Store)
    }
}
