//! A connection to the bus, and calls to `ModemManager` over it, each until a deadline. Refuses to remember
//! anything of what it was told.

use serde::Serialize;
use tokio::time::{Instant, timeout_at};
use zbus::{Connection, DBusError as _, DynamicType, Error as BusError, Message, connection::Builder, fdo};

use super::{ModemError, Step};

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
        let no_bus = |why: String| ModemError::NoBus { address: address.to_owned(), why };
        let opening = timeout_at(deadline, Builder::address(address).build());
        match opening.await {
            Ok(Ok(connection)) => Ok(Self { connection }),
            Ok(Err(BusError::InputOutput(e) | BusError::Connection(e, _))) => Err(no_bus(e.to_string())),
            Ok(Err(BusError::Address(_))) => Err(no_bus("this is not a D-Bus address".to_owned())),
            Ok(Err(_)) => Err(no_bus("what answers there does not speak D-Bus".to_owned())),
            Err(_) => Err(ModemError::Late(Step::Connect)),
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
        "ServiceUnknown" | "NameHasNoOwner" => ModemError::NoManager,
        // The bus could not start it.
        spawn if spawn.starts_with("Spawn.") => ModemError::NoManager,
        "AccessDenied" | UNAUTHORIZED => ModemError::NotAllowed(step),
        _ => ModemError::Refused { step, name },
    }
}

/// The name of an error that came over the bus; none of those that zbus has of itself.
fn name_of(error: &BusError) -> Option<String> {
    if let BusError::MethodError(name, ..) = error {
        return Some(name.to_string());
    }
    let BusError::FDO(error) = error else { return None };
    (!matches!(**error, fdo::Error::ZBus(_))).then(|| error.name().to_string())
}

const MANAGER: &str = "org.freedesktop.ModemManager1";

/// When polkit says no.
const UNAUTHORIZED: &str = "org.freedesktop.ModemManager1.Error.Core.Unauthorized";
