//! What a job may use while it runs on the store's thread.

use rusqlite::Connection;

use super::{StoreSettings, head::Head, vault::Vault};
use crate::clock::UnixTime;

/// A job that only reads committed rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Read<'a> {
    pub(super) connection: &'a Connection,
    pub(super) vault: &'a Vault,
    pub(super) head: &'a Head,
    pub(super) now: UnixTime,
}

/// A job inside a transaction.
#[derive(Debug)]
pub(super) struct Tx<'a> {
    pub(super) connection: &'a Connection,
    pub(super) vault: &'a Vault,
    pub(super) settings: &'a StoreSettings,
    pub(super) head: &'a mut Head,
    pub(super) now: UnixTime,
    /// A row was written that people may be told of.
    pub(super) news: bool,
}

impl Tx<'_> {
    /// The same, for reading.
    pub(super) fn read(&self) -> Read<'_> {
        Read { connection: self.connection, vault: self.vault, head: self.head, now: self.now }
    }
}
