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
    let nonce = asked.head.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let answer = |password: &str, uri: &str| {
        let ha1 = md5(&format!("Mufasa:LinOTP2 admin area:{password}"));
        let ha2 = md5(&format!("GET:{uri}"));
        let response = md5(&format!("{ha1}:{nonce}:00000001:c:auth:{ha2}"));
        format!(
            "Authorization: Digest username=\"Mufasa\", realm=\"LinOTP2 admin area\", nonce=\"{nonce}\", \
             uri=\"{uri}\", qop=auth, nc=00000001, cnonce=\"c\", response=\"{response}\"\r\n"
        )
    };
    assert_eq!(rig.http().await.get(ASK, &answer("geheim", ASK)).await.status, 200);
    assert_eq!(rig.http().await.get(ASK, &answer("wrong", ASK)).await.status, 401);
    assert_eq!(rig.http().await.get("/v1/users", &answer("geheim", ASK)).await.status, 401, "another path");
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
