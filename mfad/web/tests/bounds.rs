//! What a single client of the network can do to the others: nothing.
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

use rig::{Http, Rig, VPN};
use support::hotp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

const SHORT: &str =
    "[web]\nheader_timeout = \"1s\"\nrequest_timeout = \"5s\"\nper_address_connections = 2000\n";

/// Asserts that somebody else is served.
async fn others_are_served(rig: &Rig, counter: u64) {
    let yes = rig.verify(VPN, &format!(r#"{{"user":"jane","code":"{}"}}"#, hotp(counter))).await;
    assert_eq!(yes["result"], "accept");
}

#[tokio::test]
async fn a_head_that_trickles_in_is_not_waited_for() {
    let rig = Rig::start(SHORT).await;
    rig.daemon.enroll_hotp("jane").await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut http = rig.http().await;
        http.0.write_all(b"POST /v1/verify HTTP/1.1\r\nHost: x\r\nX-A: ").await.unwrap();
        slow.push(http);
    }
    others_are_served(&rig, 0).await;
    for mut http in slow {
        // Whether it is told or not: it ends, and nothing was judged.
        if let Some(answered) = http.answer().await {
            assert!((400..500).contains(&answered.status), "{answered:?}");
        }
    }
}

#[tokio::test]
async fn a_body_that_trickles_in_is_not_waited_for() {
    let rig = Rig::start(SHORT).await;
    let mut http = rig.http().await;
    let head = format!(
        "POST /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\nContent-Type: application/json\r\n\
         Content-Length: 60\r\n\r\n{{\"user\":"
    );
    let answered = http.ask(&head).await;
    assert_eq!((answered.status, answered.json()["error"]["code"].as_str()), (503, Some("timeout")));
}

#[tokio::test]
async fn a_huge_body_is_refused_before_it_is_read() {
    let rig = Rig::start("[web]\nmax_body = 1024\n").await;
    let head = |length: &str| {
        format!(
            "POST /v1/verify HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\n\
             Content-Type: application/json\r\n{length}\r\n\r\n"
        )
    };
    for length in ["1025", "99999999999", "18446744073709551615"] {
        let answered = rig.http().await.ask(&head(&format!("Content-Length: {length}"))).await;
        assert!([400, 413, 431].contains(&answered.status), "{length}: {answered:?}");
    }
    // One that does not say how long it is.
    let mut http = rig.http().await;
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    let request = format!("{}{chunk}{chunk}", head("Transfer-Encoding: chunked"));
    assert_eq!(http.ask(&request).await.status, 413);
}

#[tokio::test]
async fn many_or_long_headers_are_refused() {
    let rig = Rig::start("").await;
    let many = "X-A: y\r\n".repeat(100);
    let long = format!("X-Long: {}\r\n", "y".repeat(64 * 1024));
    for headers in [many, long] {
        let mut http = rig.http().await;
        // It may end before all of it is taken.
        drop(
            http.0.write_all(format!("GET /v1/verify HTTP/1.1\r\nHost: x\r\n{headers}\r\n").as_bytes()).await,
        );
        if let Some(answered) = http.answer().await {
            assert_eq!(answered.status, 431, "{answered:?}");
        }
    }
}

#[tokio::test]
async fn what_is_not_http_gets_an_error_and_nothing_else() {
    let rig = Rig::start("").await;
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/verify HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /v1/verify HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/verify HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    ] {
        let mut http = rig.http().await;
        http.0.write_all(bytes).await.unwrap();
        if let Some(answered) = http.answer().await {
            assert!((400..506).contains(&answered.status) && answered.status != 500, "{answered:?}");
        }
    }
}

#[tokio::test]
async fn a_thousand_idle_connections_keep_nobody_else_out() {
    let rig = Rig::start("[web]\nper_address_connections = 900\n").await;
    rig.daemon.enroll_hotp("jane").await;
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(TcpStream::connect(("127.0.0.1", rig.port())).await.unwrap());
    }
    // Those beyond the bound are ended at once.
    let mut ended = 0;
    for stream in idle.iter_mut().skip(900) {
        ended += usize::from(matches!(stream.read(&mut [0; 1]).await, Ok(0) | Err(_)));
    }
    assert_eq!(ended, 100);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.2:0".parse().unwrap()).unwrap();
    let stream = socket.connect(([127, 0, 0, 1], rig.port()).into()).await.unwrap();
    let body = format!(r#"{{"user":"jane","code":"{}"}}"#, hotp(0));
    let answered = Http(stream).post(VPN, "/v1/verify", &body).await;
    assert_eq!((answered.status, answered.json()["result"].as_str()), (200, Some("accept")));
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_told_to_wait() {
    let rig = Rig::of(&rig::CLIENTS.replacen("rate = 10000", "rate = 1", 1)).await;
    let mut http = rig.http().await;
    let ask = r#"{"user":"jane","code":"000000"}"#;
    assert_eq!(http.post(VPN, "/v1/verify", ask).await.status, 200);
    // How fast this host is decides which is the first too many.
    let refused = loop {
        let answered = http.post(VPN, "/v1/verify", ask).await;
        if answered.status != 200 {
            break answered;
        }
    };
    assert_eq!((refused.status, refused.json()["error"]["code"].as_str()), (429, Some("too_many")));
    assert!(refused.head.to_lowercase().contains("retry-after: 1"), "{refused:?}");
}
