//! People whose second factor is in a directory, before slapd, egress, core and libpam as they are run, in a stack that
//! would let in whoever the module does not stop.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, chown},
    path::Path,
};

use mfa_outside::Slapd;
use mfa_tests::{
    daemon::{Daemon, Setup},
    egress::Egress,
    otp::Seed,
    pam::Driver,
    world::{self, PLACE, World},
};
use serde_json::json;

const LOOKUP: &str = "marker-lookup-2c77";
const KEY: &str = "5f0e1d2c3b4a59687786958473625140af9e8d7c6b5a49382716051423324150";
const SERVICE: &str = "mfad-ldap";

/// A file that one account alone reads, or root and a group.
fn keep(path: &str, text: &str, (uid, gid, mode): (u32, u32, u32)) {
    let place = Path::new(path).parent().unwrap();
    fs::create_dir_all(place).unwrap();
    fs::write(path, format!("{text}\n")).unwrap();
    for (path, mode) in [(place, mode | 0o110), (Path::new(path), mode)] {
        chown(path, Some(uid), Some(gid)).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

struct Host {
    daemon: Daemon,
    egress: Egress,
    slapd: Slapd,
}

impl Host {
    fn new(world: &World) -> Self {
        let people = ["alice", "bob"].map(|name| {
            world.add_user(name);
            Slapd::person(name, "")
        });
        world.add_user("carol");
        let outside = world.add_service_user("mfad-egress");
        let slapd = Slapd::start_with(LOOKUP, None, &people.concat());
        keep(&format!("{PLACE}/egress/ldap"), LOOKUP, (0, outside.uid, 0o640));
        keep(&format!("{PLACE}/key/ldap-key"), KEY, (0, 0, 0o600));
        let ldap = format!(
            "[egress]\ncredentials_dir = \"{PLACE}/egress\"\n[ldap]\nservers = [\"127.0.0.1\"]\ntls = \"none\"\nport = {}\nbind_dn = \"cn=mfad,dc=example,dc=org\"\ncredential = \"ldap\"\nbase = \"ou=people,dc=example,dc=org\"\ntimeout = \"5s\"\nsecret_attribute = \"mfadTotpSecret\"\nsecret_key = \"ldap-key\"\nsecret_key_dir = \"{PLACE}/key\"\nat_login = true\nrefresh = \"0s\"\n",
            slapd.port
        );
        // The most lenient of all settings for who holds nothing.
        let daemon = Setup::as_root().unenrolled("skip").section(&ldap).start();
        // Where passwords would be proven, for a front end that is not there.
        fs::create_dir("/run/mfad-ldap").unwrap();
        chown("/run/mfad-ldap", Some(outside.uid), Some(outside.uid)).unwrap();
        let egress = Egress::start_by(&daemon, outside);
        daemon.guard_with_code_alone(SERVICE, "");
        Self { daemon, egress, slapd }
    }

    /// The value for a user in the directory.
    fn seal(&self, user: &str, seed: &Seed) -> String {
        let words = ["ldap", "seal", user, "--secret-stdin"];
        self.daemon.ctl_with(&words, &(seed.base32() + "\n")).ok().trim().to_owned()
    }

    fn put(&self, user: &str, value: &str) {
        self.slapd.change(&format!(
            "dn: uid={user},ou=people,dc=example,dc=org\nchangetype: modify\nreplace: mfadTotpSecret\nmfadTotpSecret: {value}\n"
        ));
    }

    fn last_reason(&self, user: &str) -> String {
        self.daemon.audit(user).pop().unwrap()["reason"].as_str().unwrap().to_owned()
    }
}

fn passes(user: &str, code: &str) -> bool {
    Driver::new(SERVICE).login(user, &[code, "", ""]).passed()
}

#[test]
fn a_secret_in_the_directory_is_a_second_factor_whatever_becomes_of_the_directory() {
    world::enter("a_secret_in_the_directory_is_a_second_factor_whatever_becomes_of_the_directory", |world| {
        let mut host = Host::new(world);
        let (alice, bob) = (Seed::of("alice"), Seed::of("bob"));
        host.put("alice", &host.seal("alice", &alice));
        host.put("bob", &host.seal("bob", &bob));

        // She is taken over on the way: what her app shows now may have been used elsewhere, what comes next not.
        let code = alice.totp_next();
        assert!(passes("alice", &code), "{:?}", host.daemon.audit("alice"));
        assert!(!passes("alice", &code), "a code works once");
        assert!(passes("carol", ""), "who is in no directory is skipped, as configured");

        // Somebody else's value, though whoever wrote it there may write to the directory.
        host.put("bob", &host.seal("alice", &alice));
        assert!(!passes("bob", &bob.totp_next()));
        assert_eq!(host.last_reason("bob"), "withheld");
        host.put("bob", &host.seal("bob", &bob));
        let pulled = host.daemon.json(&["ldap", "pull", "bob"]);
        assert_eq!(pulled["users"][0]["changes"][0]["change"], json!("adopted"), "{pulled}");

        host.egress.kill();
        assert!(passes("bob", &bob.totp_next()), "what was taken over goes on");
        assert!(!passes("carol", ""), "nobody is new while the directory is away");
        assert_eq!(host.last_reason("carol"), "directory");
        assert_ne!(host.daemon.ctl(&["ldap", "pull", "bob"]).code, Some(0));
        host.egress.begin();
        assert!(passes("carol", ""));

        host.slapd.change("dn: uid=alice,ou=people,dc=example,dc=org\nchangetype: delete\n");
        assert!(!passes("alice", &alice.totp_next()), "to delete her is no way in");
        assert_eq!(host.last_reason("alice"), "withheld");
        let shown = host.daemon.ctl(&["show", "alice"]).ok();
        assert!(shown.contains("gone from the directory") && shown.contains("disabled"), "{shown}");

        for marker in [LOOKUP, KEY, &alice.base32(), &bob.base32()] {
            let told = format!("{}{}", Egress::output(), host.daemon.output());
            assert!(!told.contains(marker) && world.log().lines(marker).is_empty(), "{marker}");
        }
    });
}
