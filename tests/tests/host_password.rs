//! The password prover on a booted Debian host, as systemd runs it: what its unit leaves it is enough, and no more
//! than is said.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::fmt::Write as _;

use mfa_proto::{
    codec,
    hello::{Hello, Protocol},
    name::UserName,
    password::{Check, Reply, Request},
    secret::SecretText,
};
use mfa_tests::{
    host::{self, Host},
    world::PASSWORD,
};

/// Sends its second argument, which is in hex, and prints in hex what comes back: the host has no other program that
/// could.
const CLIENT: &str = r#"use IO::Socket::UNIX;
my $socket = IO::Socket::UNIX->new(Peer => "/run/mfad-password/password.sock") or die "connect: $!";
print $socket pack("H*", $ARGV[0]);
$socket->flush;
print unpack("H*", join("", <$socket>));"#;

/// How passwords are let be changed, as the manual page has it.
const CHANGES: &str = "[Service]
ExecStart=
ExecStart=/usr/lib/mfad/mfad-password --allow-change
CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_CHOWN CAP_FOWNER CAP_SETUID
SystemCallFilter=setresuid setreuid setuid fchown chown
ReadWritePaths=/etc
";

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn check(password: &str) -> Check {
    Check { user: UserName::new("jane").unwrap(), password: secret(password), source: None }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Asks as an account of the host; nothing when it is not answered.
fn ask(host: &Host, account: &str, request: &Request) -> Option<Reply> {
    let sent = [codec::encode(&Hello::new(Protocol::Password)).unwrap(), codec::encode(request).unwrap()];
    let sent: String = sent.iter().map(|frame| hex(frame)).collect();
    let account = [format!("--reuid={account}"), format!("--regid={account}")];
    let perl = ["setpriv", &account[0], &account[1], "--clear-groups", "perl", "-e", CLIENT, &sent];
    let said = host.run(&perl).stdout;
    let replies = [Reply::Yes, Reply::No, Reply::MustChange, Reply::Busy, Reply::Unavailable, Reply::Refused];
    replies.into_iter().find(|reply| said.ends_with(&hex(&codec::encode(reply).unwrap())) && said.len() == 14)
}

#[test]
fn its_unit_proves_passwords_and_changes_none_unless_told() {
    host::enter("its_unit_proves_passwords_and_changes_none_unless_told", |host| {
        host.install(host.package());
        host.add_user("jane");
        assert!(!host.is_active("mfad-password.socket"), "it is for who wants it");
        host.must(&["systemctl", "enable", "--now", "mfad-password.socket"]);
        let right = Request::Check(Box::new(check(PASSWORD)));
        let change = Request::Change { check: Box::new(check(PASSWORD)), new: secret("Battery8 horse") };
        assert_eq!(ask(host, "mfad-web", &right), Some(Reply::Yes));
        assert_eq!(ask(host, "mfad-web", &Request::Check(Box::new(check("wrong")))), Some(Reply::No));
        assert_eq!(ask(host, "mfad-web", &change), Some(Reply::Refused));
        for other in ["jane", "root", "mfad"] {
            assert_eq!(ask(host, other, &right), None, "{other}");
        }
        host.must(&["chmod", "0000", "/etc/shadow"]);
        assert_eq!(ask(host, "mfad-web", &right), Some(Reply::Yes), "as on hosts where it has no mode");
        host.must(&["chmod", "0640", "/etc/shadow"]);

        host.must(&["mkdir", "/etc/systemd/system/mfad-password.service.d"]);
        host.write("/etc/systemd/system/mfad-password.service.d/change.conf", CHANGES);
        host.must(&["systemctl", "daemon-reload"]);
        host.must(&["systemctl", "restart", "mfad-password.service"]);
        assert_eq!(ask(host, "mfad-web", &change), Some(Reply::Yes));
        assert_eq!(
            ask(host, "mfad-web", &Request::Check(Box::new(check("Battery8 horse")))),
            Some(Reply::Yes)
        );
        assert_eq!(ask(host, "mfad-web", &right), Some(Reply::No));
        host.must(&["apt-get", "purge", "--yes", "--quiet", "mfad"]);
        assert!(!host.is_active("mfad-password.service") && !host.is_active("mfad-password.socket"));
    });
}

/// The login page of web's unit, through which passwords come to the prover's.
const PAGE: &str = r#"[[web.listen]]
address = "127.0.0.1:8080"
dialects = { ceptor = "/" }
[[web.client]]
name = "portal"
rights = ["verify", "factors:read"]
login_page = true
"#;

/// The page's first call, by the shell: the host has no client of HTTP.
const LOGIN: &str = r#"exec 3<>/dev/tcp/127.0.0.1/8080
body="{\"userid\":\"jane\",\"credentials\":\"$1\"}"
printf 'POST /ceptorauthenticateldap/1/auth/uidpw HTTP/1.1\r\nHost: host\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' "${#body}" "$body" >&3
cat <&3"#;

#[test]
fn the_units_of_web_core_and_prover_ask_for_the_code_after_the_password_alone() {
    host::enter("the_units_of_web_core_and_prover_ask_for_the_code_after_the_password_alone", |host| {
        host.install(host.package());
        host.add_user("jane");
        host.enroll_hotp("jane");
        host.must(&["mkdir", "-p", "/etc/mfad/conf.d"]);
        host.write("/etc/mfad/conf.d/web.toml", PAGE);
        host.must(&["systemctl", "enable", "--now", "mfad-password.socket"]);
        host.must(&["systemctl", "restart", "mfad.service", "mfad-web.service"]);
        let login = |password: &str| host.must(&["bash", "-c", LOGIN, "login", password]);
        let right = login(PASSWORD);
        assert!(right.contains("\"code\":15,") && right.contains("[\"totp\"]"), "{right}");
        let wrong = login("wrong");
        assert!(wrong.contains(" 401 ") && wrong.contains("\"code\":1,"), "{wrong}");
        host.must(&["systemctl", "stop", "mfad-password.socket", "mfad-password.service"]);
        let away = login(PASSWORD);
        assert!(away.contains(" 500 ") && away.contains("\"code\":4,"), "{away}");
    });
}
