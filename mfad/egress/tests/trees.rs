//! What is linked where: what holds keys has nothing that talks to the network, and what talks to the network
//! nothing that works with keys.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that fails should say where")]

use std::{collections::BTreeSet, path::Path, process::Command};

/// Clients of networks, their encryption, buses.
const NETWORK: [&str; 12] = [
    "reqwest",
    "hyper",
    "hyper-util",
    "http",
    "h2",
    "rustls",
    "tokio-rustls",
    "ring",
    "native-tls",
    "openssl-sys",
    "lettre",
    "zbus",
];
/// The database, codes, sealing.
const KEYS: [&str; 6] = ["rusqlite", "libsqlite3-sys", "totp-rs", "chacha20poly1305", "hkdf", "mfad"];

/// The names of all packages that are built into one.
fn linked(package: &str) -> BTreeSet<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--frozen", "-e", "normal", "--prefix", "none", "--format", "{p}", "-p", package])
        .current_dir(workspace)
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[track_caller]
fn assert_without(package: &str, forbidden: &[&str]) {
    let linked = linked(package);
    assert!(linked.contains(package) && linked.contains("mfa_proto"), "{package}: {linked:?}");
    let found: Vec<_> = forbidden.iter().filter(|name| linked.contains(**name)).collect();
    assert!(found.is_empty(), "{package} links {found:?}");
}

#[test]
fn what_holds_keys_links_nothing_that_talks_to_the_network() {
    for package in ["mfad", "mfa_role", "mfactl", "pam_mfa"] {
        assert_without(package, &NETWORK);
    }
    assert_without("pam_mfa", &["tokio", "tracing", "mfa_role"]);
}

#[test]
fn what_proves_passwords_links_nothing_that_it_does_not_need_and_nobody_else_calls_pam() {
    assert_without("mfad_password", &NETWORK);
    assert_without("mfad_password", &KEYS);
    assert!(linked("mfad_password").contains("libpam-sys"), "the test sees what is linked");
    for package in ["mfad", "mfad_egress", "mfad_web", "mfactl"] {
        assert_without(package, &["nonstick", "libpam-sys", "pam-bindings"]);
    }
}

#[test]
fn what_talks_to_the_network_links_nothing_that_works_with_keys() {
    assert_without("mfad_egress", &KEYS);
    assert_without("mfad_web", &KEYS);
    assert_without("mfad_web", &["reqwest", "lettre", "zbus"]);
    let linked = linked("mfad_egress");
    assert!(linked.contains("reqwest") && linked.contains("rustls"), "the test sees what is linked");
    assert!(!linked.contains("openssl-sys") && !linked.contains("native-tls"));
}
