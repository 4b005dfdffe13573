//! What strangers write in a request to mfad-web: who they say they are, where from, cookies, parameters.

use std::{fs, net::IpAddr, os::unix::fs::PermissionsExt as _, sync::OnceLock};

use hyper::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use mfa_role::{
    config::{Config, Network, Source},
    credentials::Credentials,
};
use mfad_web::{
    call::Params,
    ceptor,
    clients::{Clients, Shown, Unknown},
    origin,
};

/// A client for each way to prove one, with secrets that nothing guesses.
const CLIENTS: &str = "[[web.listen]]\naddress = \"127.0.0.1:1\"\n\
    [[web.client]]\nname = \"a\"\nrights = [\"verify\"]\ntoken = \"hash\"\nuser = \"Mufasa\"\npassword = \"hash\"\n\
    digest = \"ha1\"\n";

/// Reads a request: the first byte says as what, the rest is it. Nobody is a client by luck; an address that counts is
/// the peer's, or of the header and no trusted proxy's beside others; what is shown of parameters and cookies stood there.
pub fn web(bytes: &[u8]) {
    let Some((kind, text)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => authorization(text),
        1 => forwarded(text),
        2 => cookies(text),
        3 => form(text),
        _ => object(text),
    }
}

/// All clients, made once: their secrets are read from files.
fn clients() -> &'static Clients {
    static CLIENTS_ONCE: OnceLock<Clients> = OnceLock::new();
    CLIENTS_ONCE.get_or_init(|| {
        let directory = std::env::temp_dir().join(format!("mfa-fuzz-web-{}", std::process::id()));
        fs::create_dir_all(&directory).expect("a directory for credentials");
        for (name, digits) in [("hash", 64), ("ha1", 32)] {
            let path = directory.join(name);
            fs::write(&path, "0a".repeat(digits / 2)).expect("a credential");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("its mode");
        }
        let source = Source { path: "/fuzz".into(), text: CLIENTS.to_owned() };
        let config = Config::from_sources(&[source]).expect("it has no faults");
        let clients = Clients::load(&config, &Credentials::for_group(&directory)).expect("all is there");
        fs::remove_dir_all(&directory).expect("it is ours");
        clients
    })
}

/// Headers of one name, one for each line.
fn headers(name: &HeaderName, text: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in text.split(|byte| *byte == b'\n') {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(name, value);
        }
    }
    headers
}

fn authorization(text: &[u8]) {
    let headers = headers(&AUTHORIZATION, text);
    let shown = Shown { method: "GET", target: "/", headers: &headers, certificate: None, address: None };
    assert_eq!(clients().identify(&shown).err(), Some(Unknown::Nobody));
    let asked = clients().challenges(&shown);
    assert!(asked.len() == 3 && asked.iter().all(|value| HeaderValue::from_str(value).is_ok()));
    assert!(!asked.iter().any(|value| value.contains("stale")), "who knows no secret learns nothing");
}

fn forwarded(text: &[u8]) {
    let peer: IpAddr = [10, 0, 0, 1].into();
    let headers = headers(&HeaderName::from_static("x-forwarded-for"), text);
    let trusted: [Network; 2] =
        ["10.0.0.0/8".parse().expect("a network"), "2001:db8::/32".parse().expect("a network")];
    let said = String::from_utf8_lossy(text);
    if let Some(found) = origin::address(peer, &headers, &trusted) {
        let is = |hop: &str| hop.trim().parse::<IpAddr>().is_ok_and(|hop| hop.to_canonical() == found);
        assert!(found == peer || said.split([',', '\n']).any(is), "{found} of {said:?}");
    }
    assert_eq!(origin::address(peer, &headers, &[]), Some(peer), "nobody is trusted");
}

fn cookies(text: &[u8]) {
    let headers = headers(&COOKIE, text);
    if let Some(value) = ceptor::cookie_of(&headers) {
        assert!(!value.contains(';'));
        let said = String::from_utf8_lossy(text);
        assert!(said.contains(&format!("__Host-mfad-ceptor={value}")), "{said:?}");
    }
}

fn form(text: &[u8]) {
    let params = Params::parse(text);
    for (name, value) in params.iter() {
        assert!(name.len() + value.len() <= text.len().saturating_mul(3));
        assert!(params.get(name).is_some());
    }
    assert_eq!(format!("{params:?}"), "Params(redacted)");
}

fn object(text: &[u8]) {
    let Ok(params) = Params::of_json(text) else { return };
    let read: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(text).expect("what was taken is an object");
    assert_eq!(params.iter().count(), read.len());
    for (name, value) in params.iter() {
        match &read[name] {
            serde_json::Value::String(text) => assert_eq!(value, text),
            serde_json::Value::Null => assert!(value.is_empty()),
            other => assert_eq!(value, other.to_string()),
        }
    }
}
