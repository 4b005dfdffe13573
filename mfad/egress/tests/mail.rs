//! Mail against a real SMTP server (aiosmtpd): what arrives, and that whatever goes wrong is no delivery.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

#[path = "mail/support.rs"]
mod support;

use std::time::Duration;

use mfad_egress::mail::{MailOptions, MailTls, MailTrouble, Reply, Stage};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use support::{Certificates, LONG, Server, TO, deliver, deliver_to, login, options};

/// The message as the server has it, without what differs each time.
fn received(event: &Value) -> String {
    let text = event["content"].as_str().unwrap();
    let (dates, rest): (Vec<_>, Vec<_>) =
        text.split_inclusive("\r\n").partition(|l| l.starts_with("Date: ") || l.starts_with("Message-ID: "));
    assert!(dates.iter().any(|l| l.starts_with("Date: ") && l.ends_with("+0000\r\n")), "{dates:?}");
    assert!(
        dates.iter().any(|l| l.starts_with("Message-ID: <") && l.ends_with("@example.org>\r\n")),
        "{dates:?}"
    );
    assert_eq!(dates.len(), 2);
    rest.concat()
}

const GOLDEN: &str = "From: =?utf-8?b?WnVnw6RuZ2U=?= <mfa@example.org>\r
To: jane.marker@example.org\r
Subject: Your code for host.example.org =?utf-8?b?4oCT?= Zugang\r
Auto-Submitted: auto-generated\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
\r
Code: 755224\r
F=C3=BCr sshd on host.example.org.\r
.\r
\r
@host.example.org #755224\r
";

#[tokio::test]
async fn a_message_arrives_as_it_was_meant_by_starttls() {
    let certificates = Certificates::new("Ours");
    let chain = certificates.chain("localhost");
    let server = Server::start(&json!({"tls": "starttls", "chain": chain, "login": ["mfa", "pass word"]}));
    let options = options(server.port, MailTls::StartTls, Some(certificates.authority()));
    deliver(MailOptions { login: Some(login("pass word")), ..options }, LONG).await.unwrap();
    let events = server.end();
    assert_eq!(events.len(), 1);
    let told = |name: &str| events[0][name].clone();
    assert_eq!(told("from"), "mfa@example.org");
    assert_eq!(told("to"), json!([TO]));
    assert_eq!(
        (told("tls"), told("login"), told("hello")),
        (json!(true), json!("mfa"), json!("host.example.org"))
    );
    assert_eq!(received(&events[0]), GOLDEN);
}

#[tokio::test]
async fn implicit_tls_and_no_tls_on_this_host_deliver_too() {
    let certificates = Certificates::new("Ours");
    let chain = certificates.chain("localhost");
    let server = Server::start(&json!({"tls": "implicit", "chain": chain, "login": ["mfa", "pw"]}));
    let options = options(server.port, MailTls::Implicit, Some(certificates.authority()));
    deliver(MailOptions { login: Some(login("pw")), ..options }, LONG).await.unwrap();
    assert_eq!(received(&server.end()[0]), GOLDEN);

    let server = Server::start(&json!({"tls": "none"}));
    deliver(support::options(server.port, MailTls::None, None), LONG).await.unwrap();
    let events = server.end();
    assert_eq!((received(&events[0]).as_str(), &events[0]["tls"]), (GOLDEN, &json!(false)));
}

/// Nothing may have arrived, and the reason is the expected one.
async fn refused(what: Value, options: impl FnOnce(u16) -> MailOptions, wait: Duration) -> MailTrouble {
    let server = Server::start(&what);
    let trouble = deliver(options(server.port), wait).await.unwrap_err().trouble;
    assert_eq!(server.end(), Vec::<Value>::new());
    trouble
}

#[tokio::test]
async fn without_starttls_nothing_is_sent_not_even_the_login() {
    let certificates = Certificates::new("Ours");
    let ca = certificates.authority();
    let with_login =
        |port| MailOptions { login: Some(login("pw")), ..options(port, MailTls::StartTls, Some(ca)) };
    assert_eq!(refused(json!({"tls": "none"}), with_login, LONG).await, MailTrouble::NoStartTls);
}

#[tokio::test]
async fn certificates_of_other_hosts_other_authorities_and_no_tls_at_all_are_refused() {
    let (ours, others) = (Certificates::new("Ours"), Certificates::new("Theirs"));
    let is_tls =
        |trouble: &MailTrouble, word: &str| matches!(trouble, MailTrouble::Tls(why) if why.contains(word));
    for (tls, name) in [(MailTls::StartTls, "starttls"), (MailTls::Implicit, "implicit")] {
        let ca = || Some(ours.authority());
        let other_host = json!({"tls": name, "chain": ours.chain("mail.example.org")});
        let trouble = refused(other_host, |port| options(port, tls, ca()), LONG).await;
        assert!(is_tls(&trouble, "not valid for name"), "{trouble:?}");
        let other_authority = json!({"tls": name, "chain": others.chain("localhost")});
        let trouble = refused(other_authority.clone(), |port| options(port, tls, ca()), LONG).await;
        assert!(is_tls(&trouble, "UnknownIssuer"), "{trouble:?}");
        let trouble = refused(other_authority, |port| options(port, tls, None), LONG).await;
        assert!(is_tls(&trouble, "UnknownIssuer"), "the system does not know it: {trouble:?}");
    }
    let plain = |port| options(port, MailTls::Implicit, Some(ours.authority()));
    let trouble = refused(json!({"tls": "none"}), plain, LONG).await;
    assert!(is_tls(&trouble, "corrupt message"), "{trouble:?}");
}

/// Runs against a plain server on this host.
async fn plainly(what: Value, wait: Duration) -> (MailTrouble, Vec<Value>) {
    let server = Server::start(&what);
    let trouble = deliver(options(server.port, MailTls::None, None), wait).await.unwrap_err().trouble;
    (trouble, server.end())
}

fn says(stage: Stage, code: u16, enhanced: Option<[u16; 3]>) -> MailTrouble {
    MailTrouble::Refused { stage, reply: Reply { code, enhanced } }
}

#[tokio::test]
async fn a_refused_login_sends_nothing() {
    let server = Server::start(&json!({"tls": "none", "login": ["mfa", "pw"]}));
    let with =
        |password| MailOptions { login: Some(login(password)), ..options(server.port, MailTls::None, None) };
    let trouble = deliver(with("markerpw"), LONG).await.unwrap_err().trouble;
    assert_eq!(trouble, says(Stage::Login, 535, Some([5, 7, 8])));
    let without = deliver(options(server.port, MailTls::None, None), LONG).await.unwrap_err().trouble;
    assert!(matches!(without, MailTrouble::Refused { stage: Stage::Sender, .. }), "{without:?}");
    assert_eq!(server.end(), Vec::<Value>::new());

    let server = Server::start(&json!({"tls": "none"}));
    let options = MailOptions { login: Some(login("pw")), ..options(server.port, MailTls::None, None) };
    assert_eq!(deliver(options, LONG).await.unwrap_err().trouble, MailTrouble::NoLogin);
}

#[tokio::test]
async fn what_the_server_does_not_take_is_not_delivered() {
    let mailbox = json!({"tls": "none", "answer": {"rcpt": "550 5.1.1 <{address}>: no such user"}});
    let (trouble, events) = plainly(mailbox, LONG).await;
    assert_eq!((trouble, events.len()), (says(Stage::Recipient, 550, Some([5, 1, 1])), 0));
    let greylist = json!({"tls": "none", "answer": {"rcpt": "451 4.7.1 {address} greylisted"}});
    let (trouble, events) = plainly(greylist, LONG).await;
    assert_eq!((trouble, events.len()), (says(Stage::Recipient, 451, Some([4, 7, 1])), 0));
    let content = json!({"tls": "none", "answer": {"data": "554 spam: {content}"}});
    let (trouble, _) = plainly(content, LONG).await;
    assert_eq!(trouble, says(Stage::Message, 554, None));
    let more = json!({"tls": "none", "answer": {"data": "354 go on"}});
    assert_eq!(plainly(more, LONG).await.0, MailTrouble::Broken(Stage::Message));
    let dropped = json!({"tls": "none", "drop": true});
    assert_eq!(plainly(dropped, LONG).await.0, MailTrouble::Broken(Stage::Message));
}

#[tokio::test]
async fn the_deadline_holds_wherever_the_server_falls_silent() {
    let wait = Duration::from_secs(2);
    for (place, stage) in [("greeting", Stage::Connect), ("rcpt", Stage::Recipient), ("data", Stage::Message)]
    {
        let (trouble, _) = plainly(json!({"tls": "none", "hang": place}), wait).await;
        assert_eq!(trouble, MailTrouble::Late(stage));
    }
    let certificates = Certificates::new("Ours");
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let options = options(port, MailTls::Implicit, Some(certificates.authority()));
    let trouble = deliver(options, wait).await.unwrap_err().trouble;
    assert_eq!(trouble, MailTrouble::Late(Stage::Connect));
}

#[tokio::test]
async fn no_server_and_bad_addresses_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let trouble = deliver(options(closed, MailTls::None, None), LONG).await.unwrap_err().trouble;
    assert!(matches!(&trouble, MailTrouble::Unreachable(why) if why.contains("refused")), "{trouble:?}");
    let there = Server::start(&json!({"tls": "none"}));
    for to in ["marker@example.org\r\nRCPT TO:<x@example.org>", "marker@example.org,x@example.org", "marker"]
    {
        let trouble =
            deliver_to(to, options(there.port, MailTls::None, None), LONG).await.unwrap_err().trouble;
        assert_eq!(trouble, MailTrouble::BadRecipient);
    }
    assert_eq!(there.end(), Vec::<Value>::new());
}

#[tokio::test]
async fn without_tls_no_other_host_is_spoken_to() {
    let elsewhere = MailOptions { server: "192.0.2.1".into(), ..options(25, MailTls::None, None) };
    assert_eq!(deliver(elsewhere, LONG).await.unwrap_err().trouble, MailTrouble::NotLocal);
}

/// Somebody on the way appends replies of their own to the go-ahead for STARTTLS.
#[tokio::test]
async fn replies_slipped_in_before_tls_are_not_believed_after_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let forger = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        write.write_all(b"220 mail.test\r\n").await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "EHLO host.example.org");
        write.write_all(b"250-mail.test\r\n250 STARTTLS\r\n").await.unwrap();
        assert_eq!(lines.next_line().await.unwrap().unwrap(), "STARTTLS");
        let forged = "250 mail.test\r\n".repeat(2) + "250 ok\r\n354 go\r\n250 taken\r\n";
        write.write_all(format!("220 go ahead\r\n{forged}").as_bytes()).await.unwrap();
        while let Ok(Some(_)) = lines.next_line().await {}
    });
    let certificates = Certificates::new("Ours");
    let options = options(port, MailTls::StartTls, Some(certificates.authority()));
    let trouble = deliver(options, LONG).await.unwrap_err().trouble;
    assert!(matches!(&trouble, MailTrouble::Tls(why) if why.contains("corrupt message")), "{trouble:?}");
    forger.await.unwrap();
}
