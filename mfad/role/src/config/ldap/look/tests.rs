use std::time::Duration;

use crate::config::{
    LdapLook,
    tests::{assert_told, read, told},
};

const WHOLE: &str =
    "[ldap]\nservers = [\"a.example.org\"]\nbind_dn = \"cn=m\"\ncredential = \"c\"\nbase = \"dc=x\"\n";
const ALL: &str = "phone_attribute = \"mobile\"\nmail_attribute = \"mail\"\nsecret_attribute = \"mfadTotpSecret\"\nsecret_key = \"k\"\n";

fn look(more: &str) -> Option<LdapLook> {
    read(&format!("{WHOLE}{more}")).unwrap().ldap().look().cloned()
}

#[test]
fn what_is_asked_is_what_is_named() {
    assert_eq!(look(""), None, "passwords alone");
    let all = look(ALL).unwrap();
    assert_eq!(all.attributes().collect::<Vec<_>>(), ["mobile", "mail", "mfadTotpSecret"]);
    assert_eq!(all.secret_key.as_deref(), Some("k"));
    assert_eq!((all.at_login, all.refresh), (false, Duration::from_secs(600)));
    assert_eq!(all.secret_key_dir.to_str(), Some("/etc/mfad/ldap-keys"));
    let one = look("mail_attribute = \"mail\"\nat_login = true\nrefresh = \"0s\"\n").unwrap();
    assert_eq!(one.attributes().collect::<Vec<_>>(), ["mail"]);
    assert_eq!((one.secret_key, one.at_login, one.refresh), (None, true, Duration::ZERO));
}

#[test]
fn core_asks_egress_and_egress_never_has_the_key() {
    let config = read(&format!("{WHOLE}{ALL}timeout = \"25s\"")).unwrap();
    assert!(config.needs_egress() && config.runs_egress());
    assert_eq!(config.credentials(), [("[ldap]".to_owned(), "c")]);
    assert_eq!(config.longest_errand(), Duration::from_secs(25));
    let gateway =
        "[mail]\nserver = \"mx.example.org\"\nfrom = \"m@example.org\"\nuser = \"m\"\ncredential = \"k\"\n";
    assert_told(&format!("{gateway}{WHOLE}{ALL}"), "m.toml:14:14: ", "[mail] too, which egress reads");
    assert_told(&format!("{WHOLE}{}", ALL.replace("\"k\"", "\"c\"")), "m.toml:9:14: ", "core's alone");
    let token = "[token.\"example.org\"]\nseed = \"s\"\nsigning_secret = \"k\"\n";
    assert_told(&format!("{WHOLE}{ALL}{token}"), "m.toml:9:14: ", "two secrets");
    let core = "[core]\ncredential = \"k\"\n";
    assert_told(&format!("{WHOLE}{ALL}{core}"), "m.toml:9:14: ", "two secrets");
    for role in ["egress", "web"] {
        let dir = format!("secret_key_dir = \"/etc/mfad/{role}\"");
        assert_told(&format!("{WHOLE}{ALL}{dir}"), "m.toml:10:18: ", "core's alone");
    }
}

#[test]
fn half_of_it_is_told() {
    for (more, start, part) in [
        ("secret_attribute = \"s\"", "m.toml:6:20: ", "needs `secret_key"),
        ("mail_attribute = \"m\"\nsecret_key = \"k\"", "m.toml:7:14: ", "add `secret_attribute"),
        ("at_login = true", "m.toml:6:12: ", "nothing is asked"),
        ("phone_attribute = \"a,b\"", "m.toml:6:19: ", "no name of an attribute"),
        ("mail_attribute = \"mail;lang-en\"", "m.toml:6:18: ", "no name of an attribute"),
        ("phone_attribute = \"m\"\nmail_attribute = \"M\"", "m.toml:7:18: ", "two things"),
        (
            "mail_attribute = \"m\"\nsecret_attribute = \"m\"\nsecret_key = \"k\"",
            "m.toml:7:20: ",
            "two things",
        ),
        ("secret_attribute = \"s\"\nsecret_key = \"/k\"", "m.toml:7:14: ", "no name of a credential"),
        ("mail_attribute = \"m\"\nrefresh = \"25h\"", "m.toml:7:11: ", "to \"1d\""),
        ("mail_attribute = \"m\"\nat_login = \"yes\"", "m.toml:7:12: ", "true or false"),
    ] {
        assert_told(&format!("{WHOLE}{more}"), start, part);
    }
    let idle = "at_login = false\nrefresh = \"1h\"\nsecret_key_dir = \"/k\"";
    assert_eq!(look(idle), None, "it asks for nothing");
}

#[test]
fn without_a_directory_nothing_can_be_asked() {
    for key in ["phone_attribute", "mail_attribute"] {
        assert_told(&format!("[ldap]\n{key} = \"a\""), "m.toml:2:", "add `servers");
    }
    assert_told("[ldap]\nsecret_attribute = \"a\"\nsecret_key = \"k\"", "m.toml:2:20: ", "add `servers");
}

#[test]
fn a_login_outlives_its_question() {
    let text = format!("[core]\nlogin_timeout = \"20s\"\n{WHOLE}{ALL}timeout = \"20s\"\n");
    assert_eq!(told(&text), [""; 0], "no login asks");
    assert_told(&format!("{text}at_login = true"), "m.toml:12:11: ", "`core.login_timeout` (20s)");
}
