//! Which device shows a code: found, and the code used up.
//!
//! Refuses what has not the form of a code, and to say of one that was not found why not.

use mfa_proto::admin::{DeviceDetail, Identify, Refusal, RefusalCode, Reply};
use tracing::info;

use super::{
    Desk,
    refusal::{refused, store_failed},
    rights::parsed,
};
use crate::store::{
    Among, Asker, FoundDevice, Identified, MISSES, MOST_DEVICES, Refused, Search, StoreError,
};

impl Desk<'_> {
    pub(super) async fn identify(&self, wanted: Identify) -> Result<Reply, Refusal> {
        self.root_only("look for the device that shows a code")?;
        let Identify { code, kind, assigned, realm, serial } = wanted;
        if kind.is_some_and(|kind| !kind.shows_codes()) {
            return Err(refused(RefusalCode::Invalid, "only devices of kind totp or hotp show codes"));
        }
        let among = Among { kind, assigned, realm, serial };
        let search = Search { asker: self.asker(), code: parsed(&code)?, among };
        let found = self.core.store().identify(search).await.map_err(|error| {
            if let StoreError::Refused(Refused::ClockUnusable) = &error {
                return refused(RefusalCode::Unavailable, &Refused::ClockUnusable.to_string());
            }
            store_failed("look for the device that shows a code", &error)
        })?;
        self.log_search(&found);
        match found {
            Identified::One(found) => Ok(self.told(*found)),
            Identified::None => Err(refused(
                RefusalCode::NoSuchFactor,
                "no device shows this code now, or it was used before: let it show the next one",
            )),
            Identified::Several => Err(refused(
                RefusalCode::Ambiguous,
                "more than one device shows this code, which is used up: let it show the next one",
            )),
            Identified::TooMany => Err(refused(
                RefusalCode::TooMany,
                &format!(
                    "more than {MOST_DEVICES} devices could be meant: narrow the search by kind, realm, serial number or whether somebody has it"
                ),
            )),
            Identified::TooSoon { until } => {
                let wait = until.since(self.core.now()).max(1);
                let told =
                    format!("one search a second, and {MISSES} an hour that find nothing: wait {wait} s");
                Err(refused(RefusalCode::TooSoon, &told))
            }
        }
    }

    fn asker(&self) -> Asker {
        Asker {
            session: self.session.clone(),
            source: self.behalf.as_ref().and_then(|behalf| behalf.origin().cloned()),
            actor: self.peer.uid,
            client: self.behalf.as_ref().map(|behalf| behalf.client.clone()),
        }
    }

    fn told(&self, (user, factor, device): FoundDevice) -> Reply {
        let device = DeviceDetail { locks_at: self.core.settings().profile().burst, ..device };
        let user = Some(user).filter(|user| !user.realm.is_unassigned());
        Reply::Found { user, factor: Box::new(factor), device: Box::new(device) }
    }

    fn log_search(&self, found: &Identified) {
        let (event, actor, session) = ("identify", self.peer.uid, self.session.as_str());
        let client = self.client_word();
        let what = match found {
            Identified::One(found) => found.0.to_string(),
            Identified::None => "no device".to_owned(),
            Identified::Several => "several devices".to_owned(),
            Identified::TooMany => "too many devices to look at".to_owned(),
            Identified::TooSoon { .. } => "refused, too often".to_owned(),
        };
        info!(event, actor, client, session, "a code was looked for: {what}; by uid {actor}");
    }
}
