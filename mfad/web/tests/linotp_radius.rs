//! `FreeRADIUS` asks LinOTP's `/validate/simplecheck`, as people log in to a VPN by it: no server of ours is in between.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod rig;
#[expect(unreachable_pub, reason = "it is the tests' of core")]
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{net::UdpSocket, process::Stdio, time::Duration};

use mfa_proto::admin::{FactorRef, Reply, Request};
use rig::Rig;
use support::{hotp, secret, user_id};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

const CLIENTS: &str = "\
[[web.listen]]
address = \"127.0.0.1:1\"
dialects = { linotp = \"/\" }
[[web.client]]
name = \"radius\"
rights = [\"verify\"]
by_network = true
networks = [\"127.0.0.0/8\"]
";
/// Silence for so long is a failure.
const LONG: Duration = Duration::from_secs(60);

/// As `docs/compat.md` has it: the word is what counts, not the status.
const RADIUS: &str = r#"
libdir = /usr/lib/freeradius
logdir = {dir}
run_dir = {dir}
db_dir = {dir}
security {
    allow_vulnerable_openssl = yes
}
thread pool {
    start_servers = 1
}
client here {
    ipaddr = 127.0.0.1
    secret = testing123
}
modules {
    expr {
    }
    always ok {
        rcode = ok
    }
    always reject {
        rcode = reject
    }
    rest {
        authenticate {
            uri = "http://127.0.0.1:{web}/validate/simplecheck"
            method = 'post'
            body = 'post'
            data = "user=%{urlquote:%{User-Name}}&pass=%{urlquote:%{User-Password}}"
            force_to = 'plain'
        }
        pool {
            start = 0
            min = 0
            max = 4
        }
    }
}
server default {
    listen {
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }
    authorize {
        update control {
            Auth-Type := rest
        }
    }
    authenticate {
        Auth-Type rest {
            rest {
                ok = 1
                updated = 1
            }
            if ("%{reply:REST-HTTP-Body}" == ":-)") {
                ok
            }
            else {
                reject
            }
        }
    }
}
"#;

struct Radius {
    server: Child,
    port: u16,
}

impl Radius {
    async fn start(rig: &Rig) -> Self {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let directory = rig.daemon.directory.path();
        let text = RADIUS
            .replace("{dir}", directory.to_str().unwrap())
            .replace("{web}", &rig.port().to_string())
            .replace("{port}", &port.to_string());
        std::fs::write(directory.join("radiusd.conf"), text).unwrap();
        let mut server = Command::new("freeradius")
            .args(["-f", "-l", "stdout", "-x", "-n", "radiusd", "-D", "/usr/share/freeradius", "-d"])
            .arg(directory)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("freeradius is installed");
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut said = Vec::new();
        let ready = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                let ready = line.contains("Ready to process requests");
                said.push(line);
                if ready {
                    return true;
                }
            }
            false
        };
        assert!(timeout(LONG, ready).await.unwrap_or(false), "{said:#?}");
        // Whoever reads no further has it wait for room.
        tokio::spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
        Self { server, port }
    }

    /// What comes back for a name and a password.
    async fn asked(&self, user: &str, password: &str) -> String {
        let mut client = Command::new("radclient")
            .args(["-x", "-r", "1", "-t", "30", &format!("127.0.0.1:{}", self.port), "auth", "testing123"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("radclient is installed");
        let mut stdin = client.stdin.take().unwrap();
        let asked = format!("User-Name = \"{user}\"\nUser-Password = \"{password}\"\n");
        stdin.write_all(asked.as_bytes()).await.unwrap();
        drop(stdin);
        let done = timeout(LONG, client.wait_with_output()).await.unwrap().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let word = said.lines().find_map(|line| line.strip_prefix("Received ")?.split(' ').next());
        word.unwrap_or_else(|| panic!("{said}")).to_owned()
    }
}

#[tokio::test]
async fn freeradius_lets_in_who_has_pin_and_code_and_nobody_else() {
    let rig = Rig::of(CLIENTS).await;
    rig.daemon.enroll_hotp("jane").await;
    let target = FactorRef { user: user_id("jane"), factor: None, label: None };
    let set = Request::SetPin { target, pin: Some(secret("12+4")), code: None };
    assert!(matches!(rig.daemon.admin(set).await, Reply::Done { .. }));
    let mut radius = Radius::start(&rig).await;
    let right = format!("12+4{}", hotp(0));
    assert_eq!(radius.asked("jane", "12+4000000").await, "Access-Reject", "a wrong code");
    assert_eq!(radius.asked("nobody", &right).await, "Access-Reject", "another user");
    assert_eq!(radius.asked("jane", &hotp(0)).await, "Access-Reject", "no PIN");
    rig.daemon.clock.advance(3600);
    assert_eq!(radius.asked("jane", &right).await, "Access-Accept");
    assert_eq!(radius.asked("jane", &right).await, "Access-Reject", "used");
    rig.daemon.clock.advance(3600);
    rig.take_core_away();
    assert_eq!(radius.asked("jane", &format!("12+4{}", hotp(1))).await, "Access-Reject", "nobody can judge");
    radius.server.kill().await.unwrap();
}
