//! Successes that are remembered: looked for before the person is asked, noted after the last proof.
//!
//! Refuses where the password was not proven, and to hold up a login: what cannot be read is asked for, what
//! cannot be written is not remembered.

use tokio::time::timeout;
use tracing::{debug, warn};

use super::{GRACE, Login, subject::Subject};
use crate::{policy::Binding, session::Settled, store::Remembrance};

impl Login<'_> {
    /// The end of a login like one that is remembered.
    pub(super) async fn recalled(&self, subject: &Subject) -> Option<Settled> {
        let wanted = self.remembrance()?;
        // Whoever holds too little is denied, whatever was proven before.
        if !matches!(subject, Subject::Enrolled { .. }) {
            return None;
        }
        let session = self.context.session.as_str();
        let recalled = self.core.login_store().recall(wanted).await;
        let recalled = recalled
            .inspect_err(|error| warn!(session, "cannot see what is remembered: {error}; asking"))
            .ok()??;
        self.settings
            .policy()
            .remembered(&self.need, &self.context.user, recalled)
            .map(Settled::not_applicable)
    }

    /// Remembers an accepted login where its rule says so.
    pub(super) async fn remember(&self, settled: &Settled) {
        let (Some(proof), Some(wanted)) = (settled.proofs().last(), self.remembrance()) else { return };
        let written = timeout(GRACE, self.core.login_store().remember(proof, wanted)).await;
        let session = self.context.session.as_str();
        match written {
            Ok(Ok(())) => debug!(session, "the success of {} is remembered", self.context.user),
            Ok(Err(error)) => warn!(session, "the success is not remembered: {error}"),
            Err(_) => warn!(session, "the success is not remembered: the disk does not answer"),
        }
    }

    /// What such a login is remembered by; `None` where nothing is.
    fn remembrance(&self) -> Option<Remembrance> {
        let seconds = self.need.remember.filter(|_| self.is_proven())?.seconds;
        let (networks, until_boot) = self.settings.remembering();
        let boot = if until_boot { self.core.boot()?.to_owned() } else { String::new() };
        let binding = Binding::of(&self.need, &self.context.service, &self.origin, networks)?;
        Some(Remembrance { context: self.context.clone(), uid: self.uid, binding, boot, seconds })
    }
}
