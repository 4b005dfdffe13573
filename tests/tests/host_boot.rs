//! The booted host itself: systemd runs it, it is reached over its cable, it keeps what was written over a
//! restart, and nothing of it is left on the real host, however the test ends.
use mfa_tests::{
    host::{self, CLIENT},
    ssh,
    world::PASSWORD,
};

#[test]
fn a_plain_host_boots_and_takes_logins() {
    host::enter("a_plain_host_boots_and_takes_logins", |host| {
        assert_eq!(host.must(&["cat", "/proc/1/comm"]), "systemd\n");
        host.add_user("jane");
        let login = |host: &host::Host| {
            let mut session = host.ssh("jane", &[], "echo $SSH_CONNECTION; id -un");
            session.answer("password: ", PASSWORD).expect(CLIENT);
            ssh::was_let_in(session, "jane")
        };
        assert!(login(host));
        host.reboot();
        assert!(login(host), "the account is kept");
        host.pull_the_plug();
        host.boot();
        assert!(login(host), "the account is kept");
    });
}
