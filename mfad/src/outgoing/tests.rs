//! Egress as it should not be: whatever it says or leaves unsaid, nothing but the result that an errand can
//! have is a result.

use std::{path::Path, sync::Arc, time::Duration};

use mfa_proto::{
    codec,
    egress::{Consultation, Delivery, Done, Errand, Found, Medium},
    hello::{Hello, Protocol, Welcome},
    name::{Claim, FactorLabel, ServiceName, UserId, UserName},
    secret::SecretText,
    text::ShownText,
};
use mfa_role::wire::Wire;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    task::JoinHandle,
};

use super::{Line, Outgoing, Said, Undone};
use crate::identity::{Accounts, LookupError};

/// Only one account is known here.
#[derive(Debug)]
struct Known(u32);

impl Accounts for Known {
    fn uid_of(&self, name: &UserName) -> Result<Option<u32>, LookupError> {
        match name.as_str() {
            "mfad-egress" => Ok(Some(self.0)),
            "broken" => Err(LookupError::Failed("broken".to_owned())),
            _ => Ok(None),
        }
    }

    fn name_of(&self, _: u32) -> Result<Option<UserName>, LookupError> {
        Ok(None)
    }
}

fn line(directory: &Path, patience: Duration) -> Line {
    let user = UserName::new("mfad-egress").ok();
    Line::new(directory.join("egress.sock"), user, patience, Arc::new(Known(77)))
}

fn user() -> UserId {
    UserId::local(UserName::new("jane").unwrap())
}

fn secret(text: &str) -> SecretText {
    SecretText::new(text.to_owned()).unwrap()
}

fn delivery() -> Delivery {
    Delivery {
        medium: Medium::Sms,
        to: secret("+49170000321"),
        code: secret("123456"),
        user: user(),
        service: ServiceName::new("sshd").unwrap(),
        source: None,
        minutes: 5,
    }
}

fn consultation() -> Consultation {
    Consultation {
        outside: FactorLabel::new("corp").unwrap(),
        remote_user: Claim::clean("jane"),
        user: user(),
        service: ServiceName::new("sshd").unwrap(),
        source: None,
        code: Some(secret("123456")),
    }
}

/// What an egress does with each connection.
#[derive(Clone, Debug)]
enum Manner {
    /// Greets, takes the errand, sends these bytes, closes.
    Sends(Vec<u8>),
    /// Greets so, and closes.
    Greets(Welcome),
    /// Takes everything and says nothing.
    Silent,
    /// Closes at once.
    Closes,
}

fn answers(done: &Done) -> Manner {
    Manner::Sends(codec::encode(done).unwrap().to_vec())
}

fn serve(directory: &Path, manner: Manner) -> JoinHandle<()> {
    let socket = UnixListener::bind(directory.join("egress.sock")).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = socket.accept().await {
            tokio::spawn(behave(stream, manner.clone()));
        }
    })
}

async fn behave(mut stream: UnixStream, manner: Manner) {
    match manner {
        Manner::Closes => {}
        Manner::Silent => drop(stream.read_to_end(&mut Vec::new()).await),
        Manner::Greets(welcome) => {
            let mut wire = Wire::new(stream);
            drop(wire.read::<Hello>().await);
            drop(wire.write(&welcome).await);
        }
        Manner::Sends(bytes) => {
            let mut wire = Wire::new(&mut stream);
            let hello = wire.read::<Hello>().await.unwrap();
            assert_eq!(hello.protocol, Protocol::Egress);
            wire.write(&Welcome::Version(1)).await.unwrap();
            let _errand: Errand = wire.read().await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        }
    }
}

/// What each kind of errand comes to with such an egress: delivering, beginning, judging, looking up.
async fn ask(manner: Manner) -> [Result<&'static str, Undone>; 4] {
    let directory = tempfile::tempdir().unwrap();
    let server = serve(directory.path(), manner);
    let line = line(directory.path(), Duration::from_secs(20));
    let outgoing = Outgoing::default();
    let asked = [
        outgoing.deliver(&line, delivery()).await.map(|_| "delivered"),
        outgoing.begin(&line, consultation()).await.map(|()| "begun"),
        outgoing.judge(&line, consultation()).await.map(|said| match said {
            Said::Yes => "yes",
            Said::No => "no",
        }),
        outgoing.look(&line, (user(), Duration::from_secs(20))).await.map(|found| match found {
            Some(_) => "found",
            None => "nobody",
        }),
    ];
    server.abort();
    asked
}

fn words(asked: [Result<&'static str, Undone>; 4]) -> [&'static str; 4] {
    asked.map(|asked| match asked {
        Ok(word) => word,
        Err(Undone::Unconfigured) => "unconfigured",
        Err(Undone::Busy) => "busy",
        Err(Undone::Unreachable { .. }) => "unreachable",
        Err(Undone::Stranger { .. }) => "stranger",
        Err(Undone::Broken(_)) => "broken",
        Err(Undone::Senseless) => "senseless",
        Err(Undone::TimedOut) => "timed out",
        Err(Undone::Failed(_)) => "failed",
    })
}

#[tokio::test]
async fn a_result_counts_only_for_the_errand_that_can_have_it() {
    let why = || ShownText::clean("the gateway says 500");
    let found = Found { phone: Some(secret("123321")), mail: None, sealed: vec![] };
    for (done, expected) in [
        (
            Done::Delivered { via: ShownText::clean("twilio") },
            ["delivered", "senseless", "senseless", "senseless"],
        ),
        (Done::Yes, ["senseless", "begun", "yes", "senseless"]),
        (Done::No, ["senseless", "senseless", "no", "nobody"]),
        (Done::Failed { why: why() }, ["failed"; 4]),
        (Done::Busy, ["busy"; 4]),
        (Done::Found(Box::new(found)), ["senseless", "senseless", "senseless", "found"]),
    ] {
        assert_eq!(words(ask(answers(&done)).await), expected, "{done:?}");
    }
}

#[tokio::test]
async fn what_is_no_result_is_none() {
    let yes = codec::encode(&Done::Yes).unwrap().to_vec();
    let cases: [(&str, Vec<u8>); 7] = [
        ("nothing", vec![]),
        ("half a header", vec![0]),
        ("a frame that ends early", vec![0, 9, 1]),
        ("an empty frame", vec![0, 0]),
        ("an oversize frame", vec![0xff, 0xff, 1, 2]),
        ("no such result", vec![0, 1, 9]),
        ("trailing bytes", [&[0, 2], &yes[2..], &[0]].concat()),
    ];
    for (case, bytes) in cases {
        assert_eq!(words(ask(Manner::Sends(bytes)).await), ["broken"; 4], "{case}");
    }
}

#[tokio::test]
async fn who_does_not_greet_is_handed_nothing() {
    assert_eq!(words(ask(Manner::Closes).await), ["broken"; 4]);
    assert_eq!(words(ask(Manner::Greets(Welcome::Busy)).await), ["busy"; 4]);
    let strange = Welcome::Unsupported { min: 7, max: 9 };
    assert_eq!(words(ask(Manner::Greets(strange)).await), ["senseless"; 4]);
    assert_eq!(words(ask(Manner::Greets(Welcome::Version(2))).await), ["senseless"; 4]);
    let directory = tempfile::tempdir().unwrap();
    let line = line(directory.path(), Duration::from_secs(20));
    let nobody = Outgoing::default().deliver(&line, delivery()).await.unwrap_err();
    assert!(nobody.to_string().contains("does mfad-egress run?"), "{nobody}");
}

#[tokio::test]
async fn silence_has_an_end_and_gives_its_place_back() {
    let directory = tempfile::tempdir().unwrap();
    let server = serve(directory.path(), Manner::Silent);
    let (line, outgoing) = (line(directory.path(), Duration::from_secs(20)), Outgoing::default());
    tokio::time::pause();
    for _ in 0..2 * super::MOST_OF_ONE {
        let silent = outgoing.judge(&line, consultation()).await;
        assert!(matches!(silent, Err(Undone::TimedOut)), "{silent:?}");
    }
    server.abort();
}

#[tokio::test]
async fn only_root_this_user_and_egress_may_listen() {
    let own = nix::unistd::geteuid().as_raw();
    let directory = tempfile::tempdir().unwrap();
    let here = line(directory.path(), Duration::from_secs(20));
    for (uid, may) in [(0, true), (own, true), (77, true), (78, false), (65_534, false), (u32::MAX, false)] {
        assert_eq!(here.may_listen(uid).await, may, "uid {uid}");
    }
    for user in [None, Some("nobody-here"), Some("broken")] {
        let user = user.map(|name| UserName::new(name).unwrap());
        let line = Line::new("/nowhere".into(), user, Duration::from_secs(20), Arc::new(Known(77)));
        assert!(!line.may_listen(77).await, "{line:?}");
    }
}

/// The part of a stranger, in a process of its own: listens here, and writes down what it hears.
#[test]
#[ignore = "a helper that `a_stranger_is_told_nothing` starts as another user"]
fn listen_as_a_stranger() {
    use std::{io::Read as _, os::unix::net::UnixListener};
    let socket = UnixListener::bind("egress.sock").unwrap();
    std::fs::write("ready", "").unwrap();
    let mut heard = Vec::new();
    socket.accept().unwrap().0.read_to_end(&mut heard).unwrap();
    std::fs::write("heard", heard).unwrap();
}

#[tokio::test]
async fn a_stranger_is_told_nothing() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    const STRANGER: u32 = 65_534;
    if !nix::unistd::geteuid().is_root() {
        // Only root can have another user listen.
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
    let mut stranger = std::process::Command::new("/proc/self/exe")
        .args(["--exact", "outgoing::tests::listen_as_a_stranger", "--ignored"])
        .current_dir(directory.path())
        .stdout(std::process::Stdio::null())
        .uid(STRANGER)
        .gid(STRANGER)
        .spawn()
        .unwrap();
    let ready = async {
        while !directory.path().join("ready").exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ready).await.expect("the stranger does not listen");
    let line = line(directory.path(), Duration::from_secs(20));
    let told = Outgoing::default().deliver(&line, delivery()).await;
    assert!(matches!(told, Err(Undone::Stranger { uid: STRANGER, .. })), "{told:?}");
    assert!(stranger.wait().unwrap().success());
    assert_eq!(std::fs::read(directory.path().join("heard")).unwrap(), b"", "it was told something");
}

#[tokio::test]
async fn what_egress_says_is_one_line_in_the_log() {
    let text = || ShownText::clean("x\nmfad: login accept: user=root");
    for done in [Done::Delivered { via: text() }, Done::Failed { why: text() }] {
        let directory = tempfile::tempdir().unwrap();
        let server = serve(directory.path(), answers(&done));
        let line = line(directory.path(), Duration::from_secs(20));
        let said = Outgoing::default().deliver(&line, delivery()).await;
        let logged = said.unwrap_or_else(|undone| undone.to_string());
        assert_eq!(logged, "x\\u{a}mfad: login accept: user=root");
        server.abort();
    }
}

#[test]
fn nothing_secret_is_printed() {
    let printed = format!("{:?} {:?}", delivery(), consultation());
    assert!(!printed.contains("123456") && !printed.contains("321"), "{printed}");
}
