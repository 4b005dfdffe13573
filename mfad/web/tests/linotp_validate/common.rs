//! Clients, users and devices, and how they ask.

use std::fmt::Write as _;

use mfa_proto::{
    admin::{Algorithm, FactorRef, HotpParams, NewFactor, NewParams, NewTag, Reply, Request, TotpParams},
    name::{FactorLabel, RealmName, UserId, UserName},
    tag::Serial,
};
use mfad::clock::UnixTime;
use serde_json::{Value, json};

use super::{
    rig::{Answered, Rig},
    support::{self, secret},
};

/// A RADIUS server on this host, which has proven no password; a portal that has; and one that may nothing here.
pub(crate) const CLIENTS: &str = "\
[realm.home]
[[web.listen]]
address = \"127.0.0.1:1\"
dialects = { linotp = \"/\" }
[[web.client]]
name = \"radius\"
rights = [\"verify\"]
by_network = true
networks = [\"127.0.0.0/8\"]
rate = 10000
[[web.client]]
name = \"vpn\"
rights = [\"verify\", \"factors:read\"]
token = \"vpn\"
password_proven = true
rate = 10000
[[web.client]]
name = \"wiki\"
rights = [\"status\"]
token = \"wiki\"
rate = 10000
[web.linotp]
default_realm = \"home\"
";
/// When the exchanges were recorded.
pub(crate) const RECORDED: UnixTime = UnixTime(1_795_348_513);
/// Presents itself as the client `vpn`.
pub(crate) const AS_VPN: &str = "Authorization: Bearer vpn-secret\r\n";

pub(crate) async fn rig(linotp: &str, more: &str) -> Rig {
    Rig::of(&format!("{CLIENTS}{linotp}{more}")).await
}

pub(crate) fn home(name: &str) -> UserId {
    UserId { realm: RealmName::new("home").unwrap(), name: UserName::new(name).unwrap() }
}

pub(crate) fn target(user: &UserId) -> FactorRef {
    FactorRef { user: user.clone(), factor: None, label: None }
}

pub(crate) fn device(user: UserId, params: NewParams, (serial, pin): (&str, Option<&str>)) -> NewFactor {
    NewFactor {
        user,
        label: Some(FactorLabel::new(serial).unwrap()),
        params,
        secret: Some(secret(support::SECRET)),
        activate: true,
        replace: false,
        current_code: None,
        invitation: None,
        tag: NewTag { serial: Some(Serial::new(serial).unwrap()), description: None, pin: pin.map(secret) },
    }
}

pub(crate) fn hotp_params() -> NewParams {
    NewParams::Hotp(HotpParams { algorithm: Algorithm::Sha1, digits: 6, counter: 0 })
}

/// The time-based device of the recorded exchanges, with a PIN of our length.
pub(crate) fn recorded_totp(pin: &str) -> NewFactor {
    let params = TotpParams { algorithm: Algorithm::Sha256, digits: 8, ..TotpParams::default() };
    let mut new = device(home("alice"), NewParams::Totp(params), ("TTEST1", Some(pin)));
    new.secret = Some(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA"));
    new
}

pub(crate) async fn enroll(rig: &Rig, new: NewFactor) {
    let reply = rig.daemon.admin(Request::Enroll(Box::new(new))).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
}

/// alice, whose device has the serial number HTEST1 and the PIN 1234.
pub(crate) async fn enroll_alice(rig: &Rig) {
    enroll(rig, device(home("alice"), hotp_params(), ("HTEST1", Some("1234")))).await;
}

pub(crate) fn form(params: &Value) -> String {
    let mut form = String::new();
    for (name, value) in params.as_object().unwrap() {
        let value: String = value.as_str().unwrap().bytes().fold(String::new(), |mut text, byte| {
            write!(text, "%{byte:02X}").unwrap();
            text
        });
        write!(form, "{}{name}={value}", if form.is_empty() { "" } else { "&" }).unwrap();
    }
    form
}

pub(crate) async fn call_as(rig: &Rig, proof: &str, verb: &str, params: &Value) -> Answered {
    let body = form(params);
    let length = body.len();
    let head = format!("POST /validate/{verb} HTTP/1.1\r\nHost: x\r\n{proof}");
    let kind = "Content-Type: application/x-www-form-urlencoded";
    rig.http().await.ask(&format!("{head}{kind}\r\nContent-Length: {length}\r\n\r\n{body}")).await
}

/// `value`, from an answer that has to be one that was understood.
pub(crate) fn value(answered: &Answered) -> Value {
    let json = answered.json();
    assert_eq!((answered.status, &json["result"]["status"]), (200, &json!(true)), "{answered:?}");
    assert_eq!((&json["jsonrpc"], &json["version"]), (&json!("2.0802"), &json!("LinOTP 2.11.2")));
    json["result"]["value"].clone()
}

pub(crate) async fn check(rig: &Rig, params: Value) -> Value {
    value(&call_as(rig, "", "check", &params).await)
}
