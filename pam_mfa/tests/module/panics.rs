//! A panic in the module ends the login, not the program, and shows nothing.

use crate::rig::{ABORT, Login, Place, panicking_module};

#[test]
fn a_panic_denies_and_prints_nothing() {
    // `run` checks that nothing was printed, with RUST_BACKTRACE set.
    let report = Login::new().through(&panicking_module()).run(&Place::new());
    assert_eq!(report.authenticated(), ABORT);
    assert_eq!(report.log(), "");
}
