//! One connection, one errand, one result. Refuses to say anything before it knows who listens.

use mfa_proto::{
    egress::{Done, Errand},
    hello::{Hello, NEWEST, Protocol, Welcome},
};
use mfa_role::wire::Wire;

use super::{Undone, line::Line};

/// Connects, greets, hands the errand over and waits for its result. The caller bounds the time; dropping
/// this ends the connection, which tells egress to give up.
pub(super) async fn run(line: &Line, errand: &Errand) -> Result<Done, Undone> {
    let mut wire = Wire::new(line.connect().await?);
    wire.write(&Hello::new(Protocol::Egress)).await?;
    match wire.read::<Welcome>().await? {
        Welcome::Version(NEWEST) => {}
        Welcome::Busy => return Err(Undone::Busy),
        // Both come from one build.
        Welcome::Version(_) | Welcome::Unsupported { .. } => return Err(Undone::Senseless),
    }
    wire.write(errand).await?;
    Ok(wire.read().await?)
}
