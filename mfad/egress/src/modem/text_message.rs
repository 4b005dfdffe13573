//! One message on one modem: made, sent, seen sent, deleted. Refuses to leave it there, whatever happened to it,
//! as long as the modem can be asked.

use std::{collections::HashMap, future::Future, pin::pin, time::Duration};

use mfa_proto::secret::SecretText;
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};
use zbus::wire::{ObjectPath, OwnedObjectPath, OwnedVariant, Variant};

use super::{
    ModemError, Step,
    bus::{Bus, Method},
};

/// A message, not yet on a modem.
pub(super) struct Outgoing {
    pub number: SecretText,
    pub text: SecretText,
    pub deadline: Instant,
}

/// Who waits for the result, until they have it.
type Listener = Option<oneshot::Sender<Result<(), ModemError>>>;

impl Outgoing {
    /// Sends the message, tells the result as soon as it is known, no later than the deadline, and deletes the
    /// message. A call to the modem that is under way at the deadline is waited for a little longer:
    /// only with its answer is it known what there is to delete.
    pub(super) async fn send(
        self,
        bus: &Bus,
        modem: &OwnedObjectPath,
        tell: oneshot::Sender<Result<(), ModemError>>,
    ) {
        let mut listener = Some(tell);
        let created = self.patiently(Step::Create, &mut listener, self.create(bus, modem)).await;
        let message = match created {
            Ok(message) => message,
            Err(error) => return say(&mut listener, Err(error)),
        };
        // Nobody waits any more when the deadline has passed, or the delivery was dropped.
        if listener.as_ref().is_some_and(|tell| !tell.is_closed()) {
            let sent = self.patiently(Step::Send, &mut listener, send(bus, &message)).await;
            let seen = match sent {
                Ok(()) => seen_sent(bus, &message, self.deadline).await,
                Err(error) => Err(error),
            };
            say(&mut listener, seen);
        }
        // The result stands. A message that cannot be deleted is the modem's to keep.
        drop(delete(bus, modem, &message, Instant::now() + GRACE).await);
    }

    async fn create(&self, bus: &Bus, modem: &OwnedObjectPath) -> Result<OwnedObjectPath, ModemError> {
        let method = on(modem, MESSAGING, "Create", Step::Create);
        let content = HashMap::from([
            ("number", Variant::from(self.number.expose())),
            ("text", Variant::from(self.text.expose())),
        ]);
        let answer = bus.call(&method, &content).await?;
        answer.body().deserialize().map_err(|_| ModemError::Lost(Step::Create))
    }

    /// At the deadline, tells that it is late; then goes on, by the grace.
    async fn patiently<T>(
        &self,
        step: Step,
        listener: &mut Listener,
        call: impl Future<Output = Result<T, ModemError>>,
    ) -> Result<T, ModemError> {
        let mut call = pin!(call);
        if let Ok(result) = timeout_at(self.deadline, &mut call).await {
            return result;
        }
        say(listener, Err(ModemError::Late(step)));
        timeout_at(self.deadline + GRACE, call).await.unwrap_or(Err(ModemError::Late(step)))
    }
}

/// Only the first word counts.
fn say(listener: &mut Listener, result: Result<(), ModemError>) {
    if let Some(tell) = listener.take() {
        // The receiver is gone when the delivery was dropped.
        drop(tell.send(result));
    }
}

async fn send(bus: &Bus, message: &OwnedObjectPath) -> Result<(), ModemError> {
    bus.call(&on(message, SMS, "Send", Step::Send), &()).await.map(drop)
}

/// Asks until the state is "sent": right away with `ModemManager`, which answers to `Send` when it is done.
async fn seen_sent(bus: &Bus, message: &OwnedObjectPath, deadline: Instant) -> Result<(), ModemError> {
    let method = on(message, "org.freedesktop.DBus.Properties", "Get", Step::Await);
    loop {
        let answer = bus.call_until(&method, &(SMS, "State"), deadline).await?;
        let state: OwnedVariant = answer.body().deserialize().map_err(|_| ModemError::Lost(Step::Await))?;
        if state.downcast_ref::<u32>().is_ok_and(|state| state == SENT) {
            return Ok(());
        }
        timeout_at(deadline, sleep(PAUSE)).await.map_err(|_| ModemError::Late(Step::Await))?;
    }
}

async fn delete(
    bus: &Bus,
    modem: &OwnedObjectPath,
    message: &OwnedObjectPath,
    until: Instant,
) -> Result<(), ModemError> {
    let message: &ObjectPath<'_> = message;
    bus.call_until(&on(modem, MESSAGING, "Delete", Step::Delete), &(message,), until).await.map(drop)
}

fn on<'a>(
    object: &'a OwnedObjectPath,
    interface: &'static str,
    name: &'static str,
    step: Step,
) -> Method<'a> {
    Method { path: object.as_str(), interface, name, step }
}

/// How long a call that is under way at the deadline is waited for, and how long deleting may take.
const GRACE: Duration = Duration::from_secs(10);

/// Between two looks at the state.
const PAUSE: Duration = Duration::from_millis(200);

/// `ModemManager`'s `MM_SMS_STATE_SENT`.
const SENT: u32 = 5;
const MESSAGING: &str = "org.freedesktop.ModemManager1.Modem.Messaging";
const SMS: &str = "org.freedesktop.ModemManager1.Sms";
