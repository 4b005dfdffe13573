//! The handshake: which protocol, which version. The newest version both sides speak is used.

use serde::{Deserialize, Serialize};

/// The oldest version this build speaks: the one before [`NEWEST`], once there is one.
pub const OLDEST: u16 = 1;
/// The newest version this build speaks.
pub const NEWEST: u16 = 1;

/// Which conversation follows the handshake.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Protocol {
    /// One login, driven by the daemon ([`crate::login`]).
    Login,
    /// Requests and replies of `mfactl` and other front ends ([`crate::admin`]).
    Admin,
    /// What core has done outside ([`crate::egress`]).
    Egress,
    /// Questions of a front end on behalf of its clients ([`crate::front`]).
    Front,
    /// A password for the prover ([`crate::password`]).
    Password,
}

/// The first frame of a connection, from the client. Its shape never changes between versions.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Hello {
    /// Must be [`Hello::MAGIC`]: tells a stray client at once.
    pub magic: [u8; 4],
    /// Which conversation is wanted.
    pub protocol: Protocol,
    /// The oldest version the client speaks.
    pub min: u16,
    /// The newest version the client speaks. Frames sent before the reply are in this version.
    pub max: u16,
}

/// The daemon's reply to [`Hello`]. Its shape never changes between versions.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Welcome {
    /// The version to speak from here on. When it is not the client's `max`, frames the client had
    /// already sent are void and are sent again in this version.
    Version(u16),
    /// No common version: the daemon's range. The connection ends.
    Unsupported {
        /// The oldest version the daemon speaks.
        min: u16,
        /// The newest version the daemon speaks.
        max: u16,
    },
    /// The daemon has too many connections, or this peer has. The connection ends.
    Busy,
}

impl Hello {
    /// The first bytes of every conversation.
    pub const MAGIC: [u8; 4] = *b"mfad";

    /// A greeting with all that this build speaks.
    pub fn new(protocol: Protocol) -> Self {
        Self { magic: Self::MAGIC, protocol, min: OLDEST, max: NEWEST }
    }

    /// What a daemon that speaks `oldest..=newest` answers.
    pub fn answer(&self, oldest: u16, newest: u16) -> Welcome {
        let common = self.max.min(newest);
        if self.magic != Self::MAGIC || self.min > self.max || common < self.min.max(oldest) {
            return Welcome::Unsupported { min: oldest, max: newest };
        }
        Welcome::Version(common)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hello(min: u16, max: u16) -> Hello {
        Hello { min, max, ..Hello::new(Protocol::Login) }
    }

    #[test]
    fn neighbors_understand_each_other_and_strangers_do_not() {
        assert_eq!(hello(1, 2).answer(2, 3), Welcome::Version(2));
        assert_eq!(hello(2, 3).answer(1, 2), Welcome::Version(2));
        assert_eq!(hello(1, 1).answer(2, 3), Welcome::Unsupported { min: 2, max: 3 });
        assert_eq!(hello(4, 5).answer(2, 3), Welcome::Unsupported { min: 2, max: 3 });
        assert_eq!(hello(3, 1).answer(1, 3), Welcome::Unsupported { min: 1, max: 3 });
        let stray = Hello { magic: *b"GET ", ..Hello::new(Protocol::Login) };
        assert_eq!(stray.answer(1, 1), Welcome::Unsupported { min: 1, max: 1 });
    }

    proptest! {
        #[test]
        fn the_version_chosen_is_one_both_speak(min: u16, max: u16, oldest: u16, newest: u16) {
            match hello(min, max).answer(oldest, newest) {
                Welcome::Version(v) => prop_assert!(min <= v && v <= max && oldest <= v && v <= newest),
                Welcome::Unsupported { .. } => {
                    prop_assert!(min > max || oldest > newest || max < oldest || newest < min);
                }
                Welcome::Busy => prop_assert!(false),
            }
        }
    }
}
