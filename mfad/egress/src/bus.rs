//! Connections to a D-Bus, and what its errors are called. Refuses to remember anything of what it was told.

use tokio::time::{Instant, timeout_at};
use zbus::{Connection, DBusError as _, Error as BusError, connection::Builder, fdo};

/// The system bus of this host. Named, because the environment is not asked.
pub const SYSTEM_BUS: &str = "unix:path=/run/dbus/system_bus_socket";

/// Why there is no connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum NoBus {
    /// It cannot be had: why.
    Failed(String),
    /// Not until the deadline.
    Late,
}

/// Connects, and says hello.
pub(crate) async fn connect(address: &str, deadline: Instant) -> Result<Connection, NoBus> {
    let failed = |why: String| Err(NoBus::Failed(why));
    match timeout_at(deadline, Builder::address(address).build()).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(BusError::InputOutput(e) | BusError::Connection(e, _))) => failed(e.to_string()),
        Ok(Err(BusError::Address(_))) => failed("this is not a D-Bus address".to_owned()),
        Ok(Err(_)) => failed("what answers there does not speak D-Bus".to_owned()),
        Err(_) => Err(NoBus::Late),
    }
}

/// The name of an error that came over the bus; none of those that zbus has of itself.
pub(crate) fn name_of(error: &BusError) -> Option<String> {
    if let BusError::MethodError(name, ..) = error {
        return Some(name.to_string());
    }
    let BusError::FDO(error) = error else { return None };
    (!matches!(**error, fdo::Error::ZBus(_))).then(|| error.name().to_string())
}

/// Whether an error says that nobody has the name that was called, and that nobody could be started for it.
pub(crate) fn is_absent(name: &str) -> bool {
    let name = name.strip_prefix("org.freedesktop.DBus.Error.").unwrap_or(name);
    matches!(name, "ServiceUnknown" | "NameHasNoOwner") || name.starts_with("Spawn.")
}
