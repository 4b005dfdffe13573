//! The schema and the access lists that admins are given for their directory, in `OpenLDAP`'s slapd.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{fs, process::Command};

use mfa_outside::{SLAPD_PASSWORD as PASSWORD, Slapd};

const TOKEN: &str = "marker-token-8f3b";
const LOOKER: &str = "cn=mfad,dc=example,dc=org";
const SEALED: &str = "{1}marker-sealed-c2VhbGVk";

/// The access lists of docs/ldap.md, which the server was started with.
#[test]
fn nobody_else_sees_a_secret_or_writes_where_codes_go() {
    let slapd = Slapd::start_with(
        TOKEN,
        None,
        &Slapd::person(
            "whole",
            &format!("mobile: +1\nmail: a@example.org\nmfadTotpSecret: {SEALED}\nuserPassword: {PASSWORD}"),
        ),
    );
    let whole = "uid=whole,ou=people,dc=example,dc=org";
    let jane = "uid=jane,ou=people,dc=example,dc=org";
    let seen = slapd.search_as(Some((LOOKER, TOKEN)), "(uid=whole)");
    assert!(seen.contains(SEALED), "{seen}");
    for who in [jane, whole] {
        let seen = slapd.search_as(Some((who, PASSWORD)), "(uid=whole)");
        assert!(seen.contains("mobile: ") && !seen.contains("mfadTotpSecret"), "{who}: {seen}");
        // Nor can it be guessed.
        for filter in [format!("(mfadTotpSecret={SEALED})"), "(mfadTotpSecret=*)".to_owned()] {
            let seen = slapd.search_as(Some((who, PASSWORD)), &filter);
            assert!(!seen.contains("uid=whole"), "{who}: {seen}");
        }
    }
    assert_eq!(slapd.search_as(None, "(uid=whole)").trim(), "", "nobody");
    assert!(
        !slapd.search_as(Some((LOOKER, TOKEN)), "(mfadTotpSecret={1}*)").contains("uid=whole"),
        "no part of it is searched for"
    );
    for attribute in ["mobile", "mail", "mfadTotpSecret"] {
        let change = format!("dn: {whole}\nchangetype: modify\nreplace: {attribute}\n{attribute}: +1\n");
        for who in [whole, jane] {
            let done = slapd.change_as(who, &change);
            assert_eq!(done.status.code(), Some(50), "{who} {attribute}: insufficient access");
        }
    }
}

#[test]
fn both_forms_of_the_schema_are_one() {
    let place = tempfile::tempdir().unwrap();
    let path = |name: &str| place.path().join(name).display().to_string();
    let tool = |name: &str, arguments: &[&str]| {
        let done = Command::new(format!("/usr/sbin/{name}")).args(arguments).output().unwrap();
        assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    };
    let form = |name: &str| format!("{}/../../packaging/ldap/{name}", env!("CARGO_MANIFEST_DIR"));
    let shown = |name: &str, include: &str| {
        let (conf, config) = (path(&format!("{name}.conf")), path(name));
        let text = format!("include /etc/ldap/schema/core.schema\n{include}\n");
        fs::write(&conf, text).unwrap();
        fs::create_dir(&config).unwrap();
        tool("slaptest", &["-f", &conf, "-F", &config]);
        if include.is_empty() {
            tool("slapadd", &["-n", "0", "-F", &config, "-l", &form("mfad.ldif")]);
        }
        let all = tool("slapcat", &["-n", "0", "-F", &config, "-o", "ldif-wrap=no", "-a", "(cn=*mfad)"]);
        all.lines().filter(|line| line.starts_with("olc")).map(str::to_owned).collect::<Vec<_>>()
    };
    let by_schema = shown("schema", &format!("include {}", form("mfad.schema")));
    assert_eq!(by_schema, shown("ldif", ""));
    assert!(by_schema.iter().any(|line| line.contains("2.25.330535371003110555926742605083874691408")));
    assert_eq!(by_schema.len(), 5, "{by_schema:#?}");
}
