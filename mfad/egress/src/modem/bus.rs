//! A connection to the bus, and calls to `ModemManager` over it, each until a deadline. Refuses to remember
//! anything of what it was told.

use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use zbus::{Connection, DynamicType, Error as BusError, Message};

use super::{ModemError, Step};
use crate::bus::{self, NoBus, is_absent, name_of};

/// What is called.
pub(super) struct Method<'a> {
    /// The object.
    pub path: &'a str,
    /// Its interface.
    pub interface: &'static str,
    /// The method.
    pub name: &'static str,
    /// What it is for.
    pub step: Step,
}

/// The connection. Closed when dropped.
pub(super) struct Bus {
    connection: Connection,
}

impl Bus {
    /// Connects, and says hello.
    pub(super) async fn open(address: &str, deadline: Instant) -> Result<Self, ModemError> {
        match bus::connect(address, deadline).await {
            Ok(connection) => Ok(Self { connection }),
            Err(NoBus::Failed(why)) => Err(ModemError::NoBus { address: address.to_owned(), why }),
            Err(NoBus::Late) => Err(ModemError::Late(Step::Connect)),
        }
    }

    /// Calls, and waits for the answer until `deadline`.
    pub(super) async fn call_until<B: Serialize + DynamicType>(
        &self,
        method: &Method<'_>,
        body: &B,
        deadline: Instant,
    ) -> Result<Message, ModemError> {
        timeout_at(deadline, self.call(method, body)).await.unwrap_or(Err(ModemError::Late(method.step)))
    }

    /// Calls, and waits for the answer.
    pub(super) async fn call<B: Serialize + DynamicType>(
        &self,
        method: &Method<'_>,
        body: &B,
    ) -> Result<Message, ModemError> {
        let Method { path, interface, name, step } = method;
        let called = self.connection.call_method(Some(MANAGER), *path, Some(*interface), *name, body);
        called.await.map_err(|error| meaning(*step, &error))
    }
}

/// What an error says about the delivery.
fn meaning(step: Step, error: &BusError) -> ModemError {
    let Some(name) = name_of(error) else { return ModemError::Lost(step) };
    match name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or(&name) {
        _ if is_absent(&name) => ModemError::NoManager,
        "AccessDenied" | UNAUTHORIZED => ModemError::NotAllowed(step),
        _ => ModemError::Refused { step, name },
    }
}

const MANAGER: &str = "org.freedesktop.ModemManager1";

/// When polkit says no.
const UNAUTHORIZED: &str = "org.freedesktop.ModemManager1.Error.Core.Unauthorized";
