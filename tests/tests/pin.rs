//! A PIN before each code, through the real libpam: only both together let in, and each failure counts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

use mfa_tests::{daemon::Setup, otp::Seed, pam::Driver, world};

const PIN: &str = "73190462";

#[test]
fn only_pin_and_code_together_let_in_and_once() {
    world::enter("only_pin_and_code_together_let_in_and_once", |world| {
        world.add_user("jane");
        let daemon = Setup::new(world).section("[prompt]\nattempts = 1").start();
        let seed = Seed::of("jane");
        daemon.enroll_hotp("jane", &seed, 0);
        let describe = ["describe", "jane", "--label", "hotp", "--serial", "TOKEN42"];
        daemon.ctl(&describe).ok();
        daemon.ctl_with(&["pin", "set", "--serial", "TOKEN42"], &format!("{PIN}\n")).ok();
        // Behind it stands pam_permit.so: what the module does not deny is let in.
        daemon.guard_with_code_alone("app", "");
        let login = |answer: &str| {
            daemon.wait_out_short_waits("jane");
            Driver::new("app").login("jane", &[answer]).result
        };
        let with_pin = |code: &str| format!("{PIN}{code}");

        let denied = [
            ("the code alone", seed.hotp(0)),
            ("another PIN", format!("73190463{}", seed.hotp(0))),
            ("the PIN behind the code", format!("{}{PIN}", seed.hotp(0))),
        ];
        for (failures, (what, answer)) in (1..).zip(&denied) {
            assert_eq!(login(answer), "PAM_AUTH_ERR", "{what}");
            assert_eq!(daemon.failures("jane"), failures, "{what} was not counted");
        }
        assert_eq!(login(&with_pin(&seed.hotp(0))), "PAM_SUCCESS", "no failure has used the code up");
        assert_eq!(daemon.failures("jane"), 0);

        assert_eq!(login(&with_pin(&seed.hotp(0))), "PAM_AUTH_ERR", "the code was used");
        assert_eq!(daemon.failures("jane"), 1);
        // The PIN right, the code wrong.
        assert_eq!(login(&with_pin(&seed.wrong())), "PAM_AUTH_ERR");
        assert_eq!(daemon.failures("jane"), 2);
        assert_eq!(login(&with_pin(&seed.hotp(1))), "PAM_SUCCESS");

        daemon.ctl(&["pin", "clear", "--serial", "TOKEN42"]).ok();
        assert_eq!(login(&with_pin(&seed.hotp(2))), "PAM_AUTH_ERR", "there is no PIN any more");
        assert_eq!(login(&seed.hotp(2)), "PAM_SUCCESS");
        assert!(world.log().lines(PIN).is_empty(), "the PIN is in the log");
    });
}
