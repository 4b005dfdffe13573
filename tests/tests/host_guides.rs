//! Each guide of `docs/guides` does what it says, on a booted Debian host with what Debian ships.

use mfa_tests::{
    guide::{Codes, follow},
    host::Host,
};

/// jane administers a host that has the package's file.
fn bare(host: &mut Host) -> Codes {
    host.package();
    host.add_user("jane");
    host.must(&["usermod", "--append", "--groups", "sudo", "jane"]);
    Codes::default()
}

/// mfad is installed, and jane has a token with a button.
fn installed(host: &mut Host) -> Codes {
    bare(host);
    host.install(host.package());
    Codes::of_token(host.enroll_hotp("jane"))
}

fn sshd_asks(host: &Host) {
    let enable = ["mfactl", "pam", "enable", "sshd", "--sshd", "password", "--yes", "--no-revert"];
    host.reloading_sshd(|| host.must(&enable));
}

#[test]
fn install() {
    follow("install", "install", &[], bare);
}

#[test]
fn roll_out() {
    follow("roll_out", "roll-out", &[], |host| {
        host.add_user("bob");
        installed(host)
    });
}

/// sshd asks for codes.
#[test]
fn recovery() {
    follow("recovery", "recovery", &[], |host| {
        let codes = installed(host);
        sshd_asks(host);
        codes
    });
}

#[test]
fn backup_and_keys() {
    follow("backup_and_keys", "backup-and-keys", &[], installed);
}

#[test]
fn upgrade() {
    follow("upgrade", "upgrade", &[], |host| {
        bare(host);
        host.install(host.package_before());
        host.must(&["rm", host.package_before()]);
        let codes = Codes::of_token(host.enroll_hotp("jane"));
        sshd_asks(host);
        codes
    });
}

#[test]
fn sshd() {
    follow("sshd", "sshd", &[], installed);
}

#[test]
fn sudo() {
    follow("sudo", "sudo", &[], |host| {
        host.add_user("bob");
        installed(host)
    });
}

#[test]
fn console() {
    follow("console", "console", &[], installed);
}

/// There is no display here: GDM's stack is asked by `pamtester`, as GDM asks it.
#[test]
#[ignore = "fetches GDM's package: `make test-hosts`"]
fn gdm() {
    follow("gdm", "gdm", &["only:gdm3"], |host| {
        let unpack =
            "dpkg-deb --fsys-tarfile /srv/debian/gdm3_*.deb | tar --extract --directory / ./etc/pam.d";
        host.must(&["sh", "-euc", unpack]);
        installed(host)
    });
}

/// The server has its certificate, and a device for tunnels.
#[test]
#[ignore = "fetches OpenVPN's package: `make test-hosts`"]
fn openvpn() {
    follow("openvpn", "openvpn", &["openvpn", "openssl"], |host| {
        host.must(&["sh", "-euc", include_str!("host_guides/openvpn.sh")]);
        installed(host)
    });
}

#[test]
#[ignore = "fetches FreeRADIUS' packages: `make test-hosts`"]
fn freeradius() {
    follow("freeradius", "freeradius", &["freeradius", "freeradius-utils"], installed);
}

#[test]
#[ignore = "fetches Cockpit's packages: `make test-hosts`"]
fn cockpit() {
    follow("cockpit", "cockpit", &["cockpit-ws", "cockpit-bridge"], installed);
}
