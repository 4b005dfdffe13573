//! What the disk itself takes to keep something: no login can be quicker. Refuses to be kept by a cache.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    time::{Duration, Instant},
};

use mfa_tests::{sys::pause, world::World};

/// How often it is asked.
const TIMES: u64 = 500;
const PAGE: [u8; 4096] = [1; 4096];

/// How long it took each time to have a page on the disk that the databases are on, with a pause in between.
pub(crate) fn times() -> Vec<Duration> {
    let file = File::create(World::disk().join("page")).expect("the disk is writable");
    let keep = |number: u64| {
        pause(Duration::from_millis(1));
        let begun = Instant::now();
        file.write_all_at(&PAGE, number * 4096).expect("the disk has room");
        file.sync_data().expect("the disk keeps it");
        begun.elapsed()
    };
    (0..TIMES).map(keep).collect()
}
