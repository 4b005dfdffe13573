//! The handshake: greets, starts the login, and settles on a version.
//!
//! Refuses a version that was not offered, and a daemon that says anything else first.

use mfa_proto::{
    codec,
    hello::{Hello, NEWEST, OLDEST, Protocol, Welcome},
    login::{ClientMessage, Start},
};
use zeroize::Zeroizing;

use crate::{channel::Channel, fault::Fault};

/// Greets and starts in one write, so that a login of one prompt takes three turns and not four. A daemon
/// of an older version takes the start as void, and gets it again in its own.
pub(crate) fn greet(channel: &mut Channel, start: Start) -> Result<(), Fault> {
    let hello = codec::encode(&Hello::new(Protocol::Login)).map_err(Fault::Unsayable)?;
    let start = ClientMessage::Start(start);
    let sent = channel.send(&[hello.as_slice(), in_version(NEWEST, &start)?.as_slice()].concat());
    // A daemon that has no place for another connection says so and closes, perhaps before it is greeted.
    if !matches!(sent, Ok(()) | Err(Fault::HungUp)) {
        return sent;
    }
    match codec::decode(&channel.receive()?)? {
        Welcome::Version(NEWEST) => sent,
        Welcome::Version(older) if (OLDEST..NEWEST).contains(&older) => {
            channel.send(&in_version(older, &start)?)
        }
        Welcome::Version(_) => Err(Fault::OutOfTurn("it chose a version that was not offered")),
        Welcome::Unsupported { min, max } => Err(Fault::Unsupported { min, max }),
        Welcome::Busy => Err(Fault::Busy),
    }
}

/// The frame of `message` as `version` has it: where the version before the newest is spoken, once there
/// is one.
fn in_version(version: u16, message: &ClientMessage) -> Result<Zeroizing<Vec<u8>>, Fault> {
    match version {
        NEWEST => codec::encode(message).map_err(Fault::Unsayable),
        _ => Err(Fault::OutOfTurn("this module has no such version")),
    }
}
