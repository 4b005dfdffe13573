//! The work and the commit of an attempt for a name that has no factor, so that the time an answer takes
//! does not tell which names do.

use mfa_proto::{admin::TotpParams, answer::OtpCode};
use zeroize::Zeroizing;

use super::{StoreError, account::Account, tx::Tx, vault::Slot};
use crate::{
    factor::{Moving, Params, Seed, Trial},
    seal::{Binding, RowRef},
};

/// Opens a secret, checks a code against it, writes a row. Changes nothing that means anything.
pub(super) fn decoy(tx: &mut Tx<'_>) -> Result<(), StoreError> {
    let binding = || Binding::new("decoy", RowRef::Id(1));
    let key = tx.vault.current();
    let sealed = tx.vault.seal(key, binding()?, &[0; 20])?;
    let opened: Zeroizing<Vec<u8>> = tx.vault.open(key, binding()?, &sealed)?;
    if let (Ok(seed), Some(code)) = (Seed::new(opened), OtpCode::parse("000000")) {
        let params = Params::Totp(TotpParams::default());
        let moving = Moving { position: -1, drift: 0 };
        let trial = Trial { seed: &seed, moving, code: &code, now: tx.now, rules: tx.settings.rules };
        let _ = std::hint::black_box(params.check(&trial));
    }
    // The row that begins the ring is no user's: written as it was, it costs what a charge costs.
    let gone = || StoreError::Tampered("the row that begins the ring is gone".to_owned());
    let mut genesis = Account::at(&tx.read(), &Slot::default())?.ok_or_else(gone)?;
    genesis.update(tx)
}
