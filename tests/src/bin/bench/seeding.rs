//! Enrolls many users before a measurement. Refuses to be part of it: the daemon is started afterwards, anew.

use mfa_tests::{daemon::Daemon, otp::Seed};

use crate::contender::user;

/// Gives `users` users an HOTP factor each that begins at counter 1, and leaves the daemon running.
pub(crate) fn seed(daemon: &mut Daemon, users: u32) {
    daemon.begin();
    for number in 0..users {
        let name = user(number);
        daemon.enroll_hotp(&name, &Seed::of(&name), 1);
    }
}
