//! The units as they are shipped, on a booted Debian host: what they take away from the daemons, and that all of
//! what the daemons do still works from inside: messages over TLS, backups, polkit in a person's session.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use mfa_tests::{
    host::{self, CLIENT, Host},
    otp::Seed,
    ssh::{self, PASSWORD_PROMPT},
    sys::{must, run_with, wait_until},
    world::{PASSWORD, PLACE},
};

const CORE: &str = "mfad.service";
const EGRESS: &str = "mfad-egress.service";

#[test]
fn the_daemons_are_left_with_little() {
    host::enter("the_daemons_are_left_with_little", |host| {
        host.install(host.package());
        host.must(&["systemctl", "enable", "--now", EGRESS]);
        for (unit, most) in [(CORE, "5"), (EGRESS, "13")] {
            let judged = host.run(&[
                "systemd-analyze",
                "security",
                "--no-pager",
                &format!("--threshold={most}"),
                unit,
            ]);
            assert_eq!(judged.code, Some(0), "{}", judged.stdout);
            let status = of_process(host, unit, "status");
            let field = |name: &str| {
                let line = status.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
                line.unwrap_or_else(|| panic!("{unit}: no {name} in {status}")).trim().to_owned()
            };
            assert!(!field("Uid").starts_with("0\t"), "{unit} runs as root");
            for capabilities in ["CapEff", "CapPrm", "CapBnd", "CapAmb"] {
                assert_eq!(field(capabilities), "0000000000000000", "{unit} {capabilities}");
            }
            assert_eq!((field("NoNewPrivs"), field("Seccomp")), ("1".to_owned(), "2".to_owned()), "{unit}");
        }
        let network =
            |unit: &str| host.must(&["readlink", &format!("/proc/{}/ns/net", main_pid(host, unit))]);
        let of_the_host = host.must(&["readlink", "/proc/1/ns/net"]);
        assert_eq!(network(EGRESS), of_the_host);
        assert_ne!(network(CORE), of_the_host, "core has the network of the host");
        // It has the loopback interface that each network namespace has, and no other.
        assert_eq!(of_process(host, CORE, "net/dev").lines().filter(|line| line.contains(':')).count(), 1);
    });
}

fn main_pid(host: &Host, unit: &str) -> String {
    let pid = host.must(&["systemctl", "show", "--property=MainPID", "--value", unit]);
    assert_ne!(pid, "0\n", "{unit} does not run");
    pid.trim().to_owned()
}

fn of_process(host: &Host, unit: &str, file: &str) -> String {
    host.must(&["cat", &format!("/proc/{}/{file}", main_pid(host, unit))])
}

/// A gateway at the other end of the cable, with a certificate that only its own authority vouches for.
#[test]
fn a_code_goes_out_over_tls_from_within_the_units() {
    host::enter("a_code_goes_out_over_tls_from_within_the_units", |host| {
        host.install(host.package());
        host.add_user("jane");
        let gateway = Gateway::start();
        fs::copy(gateway.place.join("cert.pem"), host.path("/etc/mfad/sms-ca.pem")).unwrap();
        let section = format!(
            "[sms]\ngateways = [\"test\"]\n[sms.gateway.test]\ntype = \"http\"\nurl = \"https://{CLIENT}:8443/\"\n\
             json = {{ to = \"{{number}}\", text = \"{{text}}\" }}\nca = \"/etc/mfad/sms-ca.pem\"\n"
        );
        host.write("/etc/mfad/conf.d/sms.toml", &section);
        host.must(&["systemctl", "enable", "--now", EGRESS]);
        host.must(&["systemctl", "restart", CORE]);
        let mut enroll = host.command("mfactl");
        run_with(enroll.args(["enroll", "sms", "jane", "--address-stdin"]), "+491701234321\n").ok();
        host.must(&["mfactl", "confirm", "jane", &gateway.code(1)]);
        host.guard_sshd("");
        let mut session = host.ssh("jane", &[], "id -un");
        session.answer(PASSWORD_PROMPT, PASSWORD).answer("ode", &gateway.code(2));
        assert!(ssh::was_let_in(session, "jane"));
    });
}

/// An HTTPS server that keeps what is posted to it.
struct Gateway {
    place: PathBuf,
    server: Child,
}

const SERVER: &str = r#"
import http.server, itertools, os, ssl, sys
numbers = itertools.count(1)
class Keep(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = str(next(numbers))
        with open(name + ".new", "wb") as file:
            file.write(body)
        os.rename(name + ".new", name)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
os.chdir(sys.argv[1])
server = http.server.ThreadingHTTPServer((sys.argv[2], 8443), Keep)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("cert.pem", "key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
open("up", "w").close()
server.serve_forever()
"#;

impl Gateway {
    fn start() -> Self {
        let place = Path::new(PLACE).join("gateway");
        fs::create_dir(&place).unwrap();
        let (key, cert) = (place.join("key.pem"), place.join("cert.pem"));
        let (key, cert) = (key.to_str().unwrap(), cert.to_str().unwrap());
        let name = format!("subjectAltName=IP:{CLIENT}");
        must(&[
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-keyout",
            key,
            "-out",
            cert,
            "-subj",
            "/CN=gateway",
            "-days",
            "2",
            "-addext",
            &name,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ]);
        let mut python = Command::new("/usr/bin/python3");
        let server = python.args(["-c", SERVER]).arg(&place).arg(CLIENT).spawn().unwrap();
        wait_until("the gateway is up", || place.join("up").exists());
        Self { place, server }
    }

    /// The code in the message with this number, which is waited for.
    #[track_caller]
    fn code(&self, number: u32) -> String {
        let message = self.place.join(number.to_string());
        wait_until("the message has come", || message.exists());
        let text = fs::read_to_string(message).unwrap();
        let mut digits: Vec<&str> =
            text.split(|c: char| !c.is_ascii_digit()).filter(|part| part.len() == 6).collect();
        digits.dedup(); // apps find it once more at the end
        assert_eq!(digits.len(), 1, "{text}");
        digits[0].to_owned()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

#[test]
fn a_backup_is_written_and_put_back_while_logins_go_on() {
    host::enter("a_backup_is_written_and_put_back_while_logins_go_on", |host| {
        host.install(host.package());
        host.add_user("jane");
        host.guard_sshd("");
        let seed = host.enroll_hotp("jane");
        assert!(host.login("jane", &seed.hotp(0)));
        host.must(&["mfactl", "backup", "/root/copy.db"]);
        assert!(host.login("jane", &seed.hotp(1)));
        host.must(&["mfactl", "restore", "/root/copy.db", "--yes"]);
        for used in [0, 1] {
            assert!(!host.login("jane", &seed.hotp(used)), "code {used} was taken once more");
        }
        assert!(host.login("jane", &seed.hotp(2)));
        host.must(&["mfactl", "audit", "verify"]);
    });
}

/// jane adds a factor of her own; polkit, asked by egress about her process, has her type her password.
#[test]
fn polkit_asks_who_changes_what_their_account_holds() {
    host::enter("polkit_asks_who_changes_what_their_account_holds", |host| {
        host.install(host.package());
        let jane = host.add_user("jane");
        host.write(
            "/etc/mfad/conf.d/self.toml",
            "[core]\nuser_socket = \"/run/mfad/user.sock\"\n[enrollment]\nself = \"open\"\nself_auth = \"polkit\"\n",
        );
        host.must(&["systemctl", "enable", "--now", EGRESS]);
        host.must(&["systemctl", "restart", CORE]);
        let enroll = || host.at_terminal(host.command_of(&jane, "mfactl").args(["enroll", "totp", "--uri"]));
        let mut wrong = enroll();
        wrong.answer_unseen("Password: ", "not the password").expect("polkit does not allow this");
        assert_ne!(wrong.end().code, Some(0));
        let mut right = enroll();
        right.answer_unseen("Password: ", PASSWORD).expect("secret=").expect("ode");
        let key =
            right.shown().split(['?', '&', '\n']).find_map(|part| part.strip_prefix("secret=")).unwrap();
        let seed = Seed::from_base32(key.trim());
        right.type_line(&seed.totp_now());
        let ended = right.end();
        assert_eq!(ended.code, Some(0), "{}", ended.shown);
        host.guard_sshd("");
        assert!(host.login("jane", &seed.totp_next()));
    });
}
