//! What core makes of a directory: addresses and sealed secrets of people, which egress looks up.
//!
//! Refuses to believe the directory in more than that: a secret counts only when it was sealed here, for this
//! person; what is looked up becomes factors of the store, which counts codes and failures; and what a directory
//! does not have any more is switched off, never forgotten.

mod entry;
mod key;
mod last;
mod recent;
mod take_in;
mod value;

pub use self::{
    entry::{AskError, Asked, ask},
    key::{KeyError, ValueKey, load_key},
    last::Last,
    recent::Recent,
    take_in::take_in,
    value::{Broken, Sealed, open, seal},
};

/// The parts of a value that are read before anything is opened. For fuzzing.
#[doc(hidden)]
pub use self::value::{parameters, written};
