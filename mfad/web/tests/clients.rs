//! Every way to prove which client it is without TLS; with it: `certificates.rs`.
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

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use rig::Rig;

const ASK: &str = "/v1/status";

#[tokio::test]
async fn basic_authentication_is_name_and_password() {
    let text = rig::CLIENTS.replace("token = \"vpn\"", "user = \"gate\"\npassword = \"vpn\"");
    let rig = Rig::of(&text).await;
    let ask = async |credentials: &str| {
        let encoded = base64(credentials.as_bytes());
        rig.http().await.get(ASK, &format!("Authorization: Basic {encoded}\r\n")).await
    };
    assert_eq!(ask("gate:vpn-secret").await.status, 200);
    for wrong in ["gate:wrong", "vpn:vpn-secret", "gate", "gate:vpn-secret ", ":vpn-secret", "gate:"] {
        let refused = ask(wrong).await;
        assert_eq!(refused.status, 401, "{wrong}");
        assert!(refused.head.contains("Basic realm=\"mfad\""), "{refused:?}");
    }
}

#[tokio::test]
async fn digest_authentication_is_for_old_clients() {
    let text = rig::CLIENTS.replace("token = \"vpn\"", "user = \"Mufasa\"\ndigest = \"ha1\"");
    let text = format!("{text}[web]\ndigest_realm = \"LinOTP2 admin area\"\n");
    let rig = Rig::prepared(&text, |directory| {
        // What `htdigest` writes for Mufasa:LinOTP2 admin area:geheim.
        plain(directory, "ha1", &md5("Mufasa:LinOTP2 admin area:geheim"));
    })
    .await;
    let asked = rig.http().await.get(ASK, "").await;
    assert_eq!(asked.status, 401);
    let nonce = nonce_of(&asked.head);
    let ask = async |path: &str, header: &str| rig.http().await.get(path, header).await;
    assert_eq!(ask(ASK, &digest("wrong", ASK, (nonce, 1))).await.status, 401);
    assert_eq!(ask("/v1/users", &digest("geheim", ASK, (nonce, 1))).await.status, 401, "another path");
    assert_eq!(ask(ASK, &digest("geheim", ASK, (nonce, 1))).await.status, 200);
}

#[tokio::test]
async fn a_request_with_digest_authentication_counts_once() {
    let text = rig::CLIENTS.replace("token = \"vpn\"", "user = \"Mufasa\"\ndigest = \"ha1\"");
    let text = format!("{text}networks = [\"192.0.2.0/24\"]\n[web]\ndigest_realm = \"LinOTP2 admin area\"\n")
        .replace("token = \"wiki\"", "user = \"Scar\"\ndigest = \"ha1-of-scar\"");
    let rig = Rig::prepared(&text, |directory| {
        plain(directory, "ha1", &md5("Mufasa:LinOTP2 admin area:geheim"));
        plain(directory, "ha1-of-scar", &md5("Scar:LinOTP2 admin area:geheim"));
    })
    .await;
    let ask = async |header: &str| rig.http().await.get(ASK, header).await;
    let asked = ask("").await;
    assert!(!asked.head.contains("stale"), "{asked:?}");
    let nonce = nonce_of(&asked.head);
    let first = digest("geheim", ASK, (nonce, 1));
    assert_eq!(ask(&first).await.status, 200);
    let again = ask(&first).await;
    assert!(again.status == 401 && again.head.contains(", stale=true"), "{again:?}");
    assert_ne!(nonce_of(&again.head), nonce);
    assert_eq!(ask(&digest("geheim", ASK, (nonce, 3))).await.status, 200);
    assert_eq!(ask(&digest("geheim", ASK, (nonce, 2))).await.status, 200, "sent at once, it came late");
    for nc in 1..=3 {
        assert_eq!(ask(&digest("geheim", ASK, (nonce, nc))).await.status, 401, "{nc}");
    }
    let wrong = ask(&digest("wrong", ASK, (nonce, 1))).await;
    assert!(
        wrong.status == 401 && !wrong.head.contains("stale"),
        "who knows no secret learns nothing: {wrong:?}"
    );
    assert_eq!(ask(&digest("geheim", ASK, (nonce_of(&again.head), 1))).await.status, 200);
    // Of many at once with one number, one is taken.
    let nonce = nonce_of(&ask("").await.head).to_owned();
    let same = digest("geheim", ASK, (&nonce, 1));
    let mut at_once = Vec::new();
    for _ in 0..8 {
        let (mut http, same) = (rig.http().await, same.clone());
        at_once.push(tokio::spawn(async move { http.get(ASK, &same).await.status }));
    }
    let mut taken = 0;
    for one in at_once {
        taken += usize::from(one.await.unwrap() == 200);
    }
    assert_eq!(taken, 1);
    // A new nonce would not help where it asks from the wrong network: it is not told to try for ever.
    let elsewhere = digest("geheim", ASK, (&nonce, 2)).replace("Mufasa", "Scar");
    let elsewhere =
        elsewhere.replace(&response_of(&elsewhere), &response("Scar", "geheim", ASK, (&nonce, 2)));
    for _ in 0..2 {
        let refused = ask(&elsewhere).await;
        assert!(refused.status == 401 && !refused.head.contains("stale"), "{refused:?}");
    }
}

/// `curl` and Python's `requests`, which most scripts for LinOTP use, over one nonce.
#[tokio::test]
async fn the_clients_of_scripts_get_along_with_it() {
    let text = rig::CLIENTS.replace("token = \"vpn\"", "user = \"Mufasa\"\ndigest = \"ha1\"");
    let text = format!("{text}[web]\ndigest_realm = \"LinOTP2 admin area\"\n");
    let rig =
        Rig::prepared(&text, |directory| plain(directory, "ha1", &md5("Mufasa:LinOTP2 admin area:geheim")))
            .await;
    let url = format!("http://127.0.0.1:{}{ASK}", rig.port());
    let run = async |program: &str, arguments: &[&str]| {
        let (program, arguments) = (program.to_owned(), arguments.iter().map(|a| (*a).to_owned()).collect());
        let ran = tokio::task::spawn_blocking(move || {
            let arguments: Vec<String> = arguments;
            std::process::Command::new(program).args(arguments).output().expect("it is installed")
        });
        let ran = ran.await.unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let codes = "%{http_code} ";
    let curl = ["-s", "--digest", "-u", "Mufasa:geheim", "-o", "/dev/null", "-w", codes, &url];
    let more = ["-o", "/dev/null", &url];
    assert_eq!(run("curl", &[&curl[..], &more, &more, &more].concat()).await, "200 200 200 200 ");
    let wrong = ["-s", "--digest", "-u", "Mufasa:wrong", "-o", "/dev/null", "-w", codes, &url];
    assert_eq!(run("curl", &wrong).await, "401 ");
    let script = format!(
        "import requests, requests.auth as a\ns = requests.Session()\ns.auth = a.HTTPDigestAuth('Mufasa', 'geheim')\n\
         for _ in range(5):\n    r = s.get('{url}')\n    print(r.status_code, len(r.history))\n"
    );
    let said = run("python3", &["-c", &script]).await;
    assert_eq!(said, "200 1\n200 0\n200 0\n200 0\n200 0\n", "one challenge, five requests");
}

/// A request of Mufasa over a nonce, with its number.
fn digest(password: &str, uri: &str, (nonce, nc): (&str, u32)) -> String {
    let response = response("Mufasa", password, uri, (nonce, nc));
    format!(
        "Authorization: Digest username=\"Mufasa\", realm=\"LinOTP2 admin area\", nonce=\"{nonce}\", \
         uri=\"{uri}\", qop=auth, nc={nc:08x}, cnonce=\"c\", response=\"{response}\"\r\n"
    )
}

fn response(user: &str, password: &str, uri: &str, (nonce, nc): (&str, u32)) -> String {
    let ha1 = md5(&format!("{user}:LinOTP2 admin area:{password}"));
    let ha2 = md5(&format!("GET:{uri}"));
    md5(&format!("{ha1}:{nonce}:{nc:08x}:c:auth:{ha2}"))
}

fn response_of(header: &str) -> String {
    header.split("response=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn nonce_of(head: &str) -> &str {
    head.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap()
}

#[tokio::test]
async fn where_it_asks_from_is_proof_only_where_that_is_said() {
    let listen = "address = \"127.0.0.1:1\"\ntrusted_proxies = [\"127.0.0.1\"]";
    let text = rig::CLIENTS
        .replace("address = \"127.0.0.1:1\"", listen)
        .replace("token = \"vpn\"", "by_network = true\nnetworks = [\"10.1.0.0/16\"]");
    let rig = Rig::of(&text).await;
    let ask = async |headers: &str| rig.http().await.get(ASK, headers).await.status;
    assert_eq!(ask("X-Forwarded-For: 10.1.2.3\r\n").await, 200);
    for elsewhere in [
        "",
        "X-Forwarded-For: 10.2.0.1\r\n",
        "X-Forwarded-For: 10.1.2.3, 192.0.2.1\r\n",
        "X-Forwarded-For: x\r\n",
    ] {
        assert_eq!(ask(elsewhere).await, 401, "{elsewhere}");
    }
    let wrong = "X-Forwarded-For: 10.1.2.3\r\nAuthorization: Bearer wrong\r\n";
    assert_eq!(ask(wrong).await, 401, "what is wrong is not made up for");
    let text = rig::CLIENTS.replace("token = \"vpn\"", "by_network = true\nnetworks = [\"127.0.0.2\"]");
    let untrusting = Rig::of(&text).await;
    let claimed = untrusting.http().await.get(ASK, "X-Forwarded-For: 127.0.0.2\r\n").await;
    assert_eq!(claimed.status, 401, "no proxy is trusted here");
}

#[tokio::test]
async fn a_token_is_good_only_from_where_its_client_may_ask() {
    let text = rig::CLIENTS.replace("token = \"vpn\"", "token = \"vpn\"\nnetworks = [\"10.1.0.0/16\"]");
    let rig = Rig::of(&text).await;
    let ask = rig.http().await.get(ASK, &format!("Authorization: Bearer {}\r\n", rig::VPN)).await;
    assert_eq!(ask.status, 401);
}

fn plain(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding as _;
    base64ct::Base64::encode_string(bytes)
}

fn md5(text: &str) -> String {
    use md5::Digest as _;
    format!("{:x}", hyper::body::Bytes::copy_from_slice(&md5::Md5::digest(text)))
}
