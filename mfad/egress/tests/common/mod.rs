//! Errands and configurations for tests.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "each test file uses a part; a test that fails should say where"
)]

pub(crate) mod egress;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use mfa_proto::{
    egress::{Consultation, Delivery, Done, Errand, Medium},
    name::{Claim, FactorLabel, ServiceName, UserId, UserName},
    secret::SecretText,
};
use mfa_role::{
    config::{Config, Source},
    credentials::Credentials,
};
use mfad_egress::errand::Outside;

/// Enough for a slow machine; what is expected to happen ends the wait.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Markers: what must not be seen where it does not belong.
pub(crate) const NUMBER: &str = "+4917055501234";
pub(crate) const CODE: &str = "75522483";
pub(crate) const TOKEN: &str = "marker-token-8f3b";

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.into()).unwrap()
}

pub(crate) fn jane() -> UserId {
    UserId::local(UserName::new("jane").unwrap())
}

pub(crate) fn text_message() -> Errand {
    text_message_to(NUMBER)
}

pub(crate) fn text_message_to(number: &str) -> Errand {
    Errand::Deliver(Box::new(Delivery {
        medium: Medium::Sms,
        to: secret(number),
        code: secret(CODE),
        user: jane(),
        service: ServiceName::new("sshd").unwrap(),
        source: Some(Claim::clean("192.0.2.7")),
        minutes: 5,
    }))
}

pub(crate) fn consultation(code: Option<&str>) -> Consultation {
    Consultation {
        outside: FactorLabel::new("corp").unwrap(),
        remote_user: Claim::clean("jane.doe"),
        user: jane(),
        service: ServiceName::new("sshd").unwrap(),
        source: Some(Claim::clean("192.0.2.7")),
        code: code.map(secret),
    }
}

pub(crate) fn judge() -> Errand {
    Errand::Judge(Box::new(consultation(Some(CODE))))
}

pub(crate) fn config(text: &str) -> Config {
    let source = Source { path: "m.toml".into(), text: text.to_owned() };
    Config::from_sources(&[source]).unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// What a configuration makes of errands, with credentials in `places`.
pub(crate) fn outside_with(text: &str, places: &Path) -> Outside {
    let places = Credentials::for_group(places);
    Outside::new(Arc::new(config(text)), &places).unwrap_or_else(|faults| panic!("{faults:?}"))
}

pub(crate) fn outside(text: &str) -> Outside {
    outside_with(text, Path::new("/nonexistent"))
}

/// Does an errand, however long it may take on a slow machine.
pub(crate) async fn run(outside: &Outside, errand: Errand) -> Done {
    tokio::time::timeout(LONG, outside.run(errand)).await.expect("an errand ends by itself")
}

/// Why an errand failed; it must have.
#[track_caller]
pub(crate) fn why(done: Done) -> String {
    let Done::Failed { why } = done else { panic!("{done:?} is no failure") };
    let why = why.as_str().to_owned();
    for marker in [NUMBER, NUMBER.trim_start_matches('+'), CODE, TOKEN] {
        assert!(!why.contains(marker), "{why}");
    }
    why
}

/// A directory with one credential in it.
pub(crate) fn credential(directory: &Path, name: &str) -> PathBuf {
    let places = directory.join("credentials");
    if !places.exists() {
        fs::create_dir(&places).unwrap();
        fs::set_permissions(&places, fs::Permissions::from_mode(0o700)).unwrap();
    }
    let file = places.join(name);
    fs::write(&file, format!("{TOKEN}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    places
}
