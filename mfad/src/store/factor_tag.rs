//! What a factor's row says of its device: serial number, description, the sealed PIN, and who keeps it.
//!
//! Refuses a serial number that another factor has, in the transaction that would give it.

use mfa_proto::tag::{Description, Serial};
use rusqlite::{OptionalExtension as _, Row};

use super::{
    Refused, StoreError,
    account::Account,
    factor_row::{self, Factor},
    roster,
    tx::Read,
};
use crate::seal::Fields;

/// Who keeps a factor: says whether it is there at all, while its state says whether it counts.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Origin {
    /// Whoever enrolled it.
    #[default]
    Own,
    /// The directory. In state disabled, a person has switched it off.
    Directory,
    /// The directory kept it, and has it no more: switched off until it is back there.
    Gone,
    /// The directory has something for the user that does not open. The secret is one that nobody has.
    Unread,
}

impl Origin {
    const ALL: [Self; 4] = [Self::Own, Self::Directory, Self::Gone, Self::Unread];

    fn column(self) -> i64 {
        match self {
            Self::Own => 0,
            Self::Directory => 1,
            Self::Gone => 2,
            Self::Unread => 3,
        }
    }

    /// Whether the directory has it no more, or only what does not open.
    pub(super) fn is_withheld(self) -> bool {
        match self {
            Self::Own | Self::Directory => false,
            Self::Gone | Self::Unread => true,
        }
    }

    fn from_column(column: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.column() == column)
    }
}

/// The columns of schema 5 and 6.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) serial: Option<Serial>,
    pub(super) description: Description,
    /// Sealed with the key and the binding of the row ([`super::pin`]).
    pub(super) pin: Option<Vec<u8>>,
    pub(super) origin: Origin,
}

impl Default for Tag {
    fn default() -> Self {
        Self { serial: None, description: Description::none(), pin: None, origin: Origin::Own }
    }
}

impl Tag {
    /// From the columns that begin at `first`; `None` when they hold what is never written.
    pub(super) fn read(row: &Row<'_>, first: usize) -> Result<Option<Self>, StoreError> {
        let place = |n: usize| first.saturating_add(n);
        let (serial, description): (Option<String>, String) = (row.get(place(0))?, row.get(place(1))?);
        let pin = row.get(place(2))?;
        let origin = Origin::from_column(row.get(place(3))?);
        let (serial, description) = (serial.map(Serial::new).transpose(), Description::new(description));
        Ok(match (serial, description, origin) {
            (Ok(serial), Ok(description), Some(origin)) => Some(Self { serial, description, pin, origin }),
            _ => None,
        })
    }

    /// Whether it says nothing of a device.
    pub(super) fn is_plain(&self) -> bool {
        self.serial.is_none() && self.description.as_str().is_empty() && self.pin.is_none()
    }

    /// As what a row's fields begin: as in the schema before while the columns of the next say nothing, so that a
    /// database that was migrated keeps its rows.
    pub(super) fn context(&self) -> &'static str {
        match (self.origin, self.is_plain()) {
            (Origin::Own, true) => "mfad/row/factor/1",
            (Origin::Own, false) => "mfad/row/factor/2",
            (Origin::Directory | Origin::Gone | Origin::Unread, _) => "mfad/row/factor/3",
        }
    }

    /// Adds the columns to what the row's code covers, where they say something.
    pub(super) fn add_to(&self, fields: &mut Fields) {
        if self.origin == Origin::Own && self.is_plain() {
            return;
        }
        if self.origin != Origin::Own {
            fields.int(self.origin.column());
        }
        fields.maybe_text(self.serial_column()).text(self.description.as_str());
        fields.int(i64::from(self.pin.is_some())).bytes(self.pin.as_deref().unwrap_or_default());
    }

    pub(super) fn serial_column(&self) -> Option<&str> {
        self.serial.as_ref().map(Serial::as_str)
    }

    pub(super) fn origin_column(&self) -> i64 {
        self.origin.column()
    }

    pub(super) fn pin_column(&self) -> Option<&[u8]> {
        self.pin.as_deref()
    }
}

/// Refuses a serial number that a factor other than `own` has.
pub(super) fn free(
    read: &Read<'_>,
    serial: &Serial,
    own: Option<i64>,
) -> Result<Result<(), Refused>, StoreError> {
    let taken = account_of(read, serial)?.is_some_and(|(factor, _)| Some(factor) != own);
    Ok(if taken { Err(Refused::SerialTaken(serial.clone())) } else { Ok(()) })
}

/// The account and factor with a serial number, verified with all that the account holds.
pub(super) fn find(read: &Read<'_>, serial: &Serial) -> Result<Option<(Account, Factor)>, StoreError> {
    let Some((id, account)) = account_of(read, serial)? else { return Ok(None) };
    let gone =
        || StoreError::Tampered(format!("the owner of the factor with serial number {serial} is gone"));
    let account = roster::find_by_id(read, account)?.ok_or_else(gone)?;
    let factors = factor_row::load_all(read, &account)?;
    let factor = factors.into_iter().find(|factor| factor.id == id).ok_or_else(gone)?;
    Ok(Some((account, factor)))
}

/// Factor and account of the row with a serial number; unverified.
fn account_of(read: &Read<'_>, serial: &Serial) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = "SELECT id, account_id FROM factor WHERE serial = ?1 COLLATE NOCASE";
    let mut statement = read.connection.prepare_cached(sql)?;
    Ok(statement.query_row([serial.as_str()], |row| Ok((row.get(0)?, row.get(1)?))).optional()?)
}
