//! Chores beside the logins: tells the watchdog, re-seals rows after a key rotation, prunes the trail,
//! writes the figures.

use std::{sync::Arc, time::Duration};

use sd_notify::NotifyState;
use tracing::{info, warn};

use crate::{core::Core, metrics};

/// How often there may be something to do.
const ROUND: Duration = Duration::from_secs(10);

/// Rows re-sealed in one transaction: logins wait for no more than that.
const RESEAL_BATCH: u32 = 200;

/// Rounds between two looks at old audit rows: an hour.
const PRUNE_EVERY: u32 = 360;

/// Does the chores until the task is dropped.
pub async fn run(core: Arc<Core>) {
    // Side by side: re-sealing many rows must not look like a daemon that hangs.
    tokio::join!(rounds(&core), watch(&core), metrics::keep_writing(&core));
}

async fn rounds(core: &Core) {
    let mut rounds: u32 = 0;
    loop {
        reseal(core).await;
        if rounds.is_multiple_of(PRUNE_EVERY) {
            prune(core).await;
        }
        rounds = rounds.wrapping_add(1);
        core.wait_for_chores(ROUND).await;
    }
}

async fn watch(core: &Core) {
    let Some(interval) = watchdog_interval() else { return };
    loop {
        watchdog(core).await;
        tokio::time::sleep(interval).await;
    }
}

fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 3)
}

/// The watchdog is told only when the store's thread answers: a daemon that cannot judge is not alive.
async fn watchdog(core: &Core) {
    if core.store().ping().await.is_ok() {
        drop(sd_notify::notify(&[NotifyState::Watchdog]));
    }
}

async fn reseal(core: &Core) {
    let mut rows: u64 = 0;
    loop {
        match core.store().rekey(RESEAL_BATCH).await {
            Ok(0) => break,
            Ok(done) => rows = rows.saturating_add(u64::from(done)),
            Err(error) => {
                warn!("rows cannot be sealed with the new key now: {error}; trying again");
                return;
            }
        }
    }
    if rows > 0 {
        info!("{rows} rows are sealed with the new key; old keys can be removed: mfad key forget ID");
    }
}

async fn prune(core: &Core) {
    let settings = core.settings();
    let audit = settings.config().audit();
    let keep = i64::try_from(audit.keep.as_secs()).unwrap_or(i64::MAX);
    match core.store().prune_audit(core.now().plus(-keep), audit.max_rows).await {
        Ok(0) => {}
        Ok(rows) => info!("{rows} old rows left the audit trail"),
        Err(error) => warn!("old rows of the audit trail cannot be removed now: {error}; trying again"),
    }
}
