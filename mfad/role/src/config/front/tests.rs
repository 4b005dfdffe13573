use std::path::Path;

use super::*;
use crate::config::{Config, Source};

fn read(text: &str) -> Result<Config, String> {
    let source = Source { path: "m.toml".into(), text: text.to_owned() };
    Config::from_sources(&[source]).map_err(|errors| errors.to_string())
}

const LISTEN: &str = "[[web.listen]]\naddress = \"127.0.0.1:8080\"\n";
const PAGE: &str = "[[web.client]]\nname = \"page\"\nrights = [\"verify\"]\nlogin_page = true\n";
const CLIENT: &str = "[[web.client]]\nname = \"vpn\"\nrights = [\"verify\"]\ntoken = \"vpn-token\"\n";

const TLS: &str = "[[web.listen]]\naddress = \"[::]:443\"\ncertificate = \"/etc/c.pem\"\nkey = \"tls-key\"\n\
                   client_ca = \"/etc/ca.pem\"\n";
const NAMED: &str = "[[web.client]]\nname = \"vpn\"\nrights = [\"verify\"]\nnames = [\"vpn.example.org\"]\n";

#[test]
fn a_name_alone_proves_a_client() {
    let config = read(&format!("{TLS}{}", NAMED.replace("vpn.", "VPN."))).unwrap();
    let names: Vec<_> = config.web().clients[0].proof.names.iter().map(CertificateName::as_str).collect();
    assert_eq!(names, ["vpn.example.org"]);
}

#[test]
fn a_client_and_a_listener_are_enough() {
    let config = read(&format!("{LISTEN}{CLIENT}")).unwrap();
    let web = config.web();
    assert!(web.is_on());
    assert_eq!(web.listen[0].dialects, [Mount { dialect: Dialect::V1, prefix: String::new() }]);
    let client = &web.clients[0];
    assert_eq!((client.service.as_str(), client.password_proven), ("vpn", false));
    assert!(client.rights.include(Right::Verify) && !client.rights.include(Right::FactorsWrite));
    assert!(!client.rights.include(Right::FactorsEmergency));
    assert_eq!(web.credentials(), [("[[web.client]] \"vpn\"".to_owned(), "vpn-token")]);
    assert!(!Config::default().web().is_on());
}

#[test]
fn whoever_has_messages_sent_says_so_and_has_passwords_proven() {
    let proven = "password_proven = true\n";
    let config = read(&format!("{LISTEN}{}{proven}", CLIENT.replace("verify", "deliver"))).unwrap();
    let rights = &config.web().clients[0].rights;
    assert!(rights.include(Right::Deliver) && !rights.include(Right::Verify));
    let every = "verify\", \"factors:write\", \"token:issue";
    let config = read(&format!("{LISTEN}{}{proven}", CLIENT.replace("verify", every))).unwrap();
    assert!(!config.web().clients[0].rights.include(Right::Deliver), "no other right covers it");
}

#[test]
fn files_and_credentials_are_told_apart() {
    let text = "[[web.listen]]\naddress = \"[::]:443\"\ncertificate = \"/etc/c.pem\"\nkey = \"tls-key\"\n\
                dialects = { v1 = \"/mfa\" }\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    let config = read(text).unwrap();
    let listen = &config.web().listen[0];
    let tls = listen.tls.as_ref().unwrap();
    assert_eq!(tls.certificate, PemFile::Path("/etc/c.pem".into()));
    assert_eq!(tls.key, PemFile::Credential("tls-key".into()));
    assert_eq!(listen.dialects[0].prefix, "/mfa");
    let unix = read("[[web.listen]]\nsocket = \"/run/mfad-web/http.sock\"\n").unwrap();
    let expected = WebPlace::Socket(Path::new("/run/mfad-web/http.sock").into());
    assert_eq!(unix.web().listen[0].place, expected);
}

#[test]
fn plain_http_is_for_this_host_alone() {
    for address in ["0.0.0.0:80", "[::]:80", "192.0.2.1:80"] {
        let told = read(&format!("[[web.listen]]\naddress = \"{address}\"\n")).unwrap_err();
        assert!(told.contains("plain HTTP is for this host alone"), "{address}: {told}");
    }
    for address in ["127.0.0.1:80", "127.1.2.3:80", "[::1]:80"] {
        assert!(read(&format!("[[web.listen]]\naddress = \"{address}\"\n")).is_ok(), "{address}");
    }
}

#[test]
fn what_cannot_be_meant_is_told() {
    for (text, told) in [
        ("[[web.listen]]\n".to_owned(), "add `address"),
        ("[[web.listen]]\naddress = \"127.0.0.1\"\n".to_owned(), "an address and a port"),
        ("[[web.listen]]\naddress = \"127.0.0.1:0\"\n".to_owned(), "an address and a port"),
        (format!("{LISTEN}socket = \"/a\"\n"), "keep one"),
        (format!("{LISTEN}certificate = \"/a\"\n"), "go together"),
        (format!("{LISTEN}client_ca = \"/a\"\n"), "needs `certificate`"),
        (format!("{LISTEN}dialects = {{}}\n"), "is empty"),
        (format!("{LISTEN}dialects = {{ v2 = \"/\" }}\n"), "v1"),
        (format!("{LISTEN}dialects = {{ v1 = \"mfa\" }}\n"), "what paths begin with"),
        (format!("{LISTEN}dialects = {{ v1 = \"/../a\" }}\n"), "what paths begin with"),
        (format!("{LISTEN}{LISTEN}"), "has this address already"),
        (CLIENT.to_owned(), "nowhere to ask"),
        (format!("{LISTEN}{CLIENT}{CLIENT}"), "its own name"),
        (format!("{LISTEN}[[web.client]]\nname = \"vpn\"\nrights = [\"verify\"]\n"), "add `token"),
        (format!("{LISTEN}{CLIENT}by_network = true\n"), "needs `networks`"),
        (format!("{LISTEN}{CLIENT}login_page = true\n"), "goes without"),
        (format!("{LISTEN}{PAGE}{}", PAGE.replace("\"page\"", "\"other\"")), "keep one"),
        (format!("{LISTEN}dialects = {{ ceptor = \"/\" }}\n"), "no [[web.client]] has `login_page"),
        (format!("{LISTEN}{CLIENT}user = \"linotp\"\n"), "goes with `password`"),
        (format!("{LISTEN}{CLIENT}certificates = [\"AB\"]\n"), "SHA-256 of the certificate"),
        (format!("{TLS}{CLIENT}names = [\"*.example.org\"]\n"), "one DNS name in full"),
        (format!("{TLS}{CLIENT}names = [\"192.0.2.1\"]\n"), "one DNS name in full"),
        (format!("{TLS}{CLIENT}names = [\"vpn.example.org.\"]\n"), "one DNS name in full"),
        (format!("{TLS}{CLIENT}names = [\"\"]\n"), "one DNS name in full"),
        (format!("{TLS}{CLIENT}names = [\"-vpn.example.org\"]\n"), "one DNS name in full"),
        (format!("{TLS}{CLIENT}names = [\"vpn_1.example.org\"]\n"), "one DNS name in full"),
        (
            format!("{TLS}{NAMED}{}", NAMED.replace("\"vpn\"", "\"wiki\"").replace("vpn.", "VPN.")),
            "has `names` with",
        ),
        (format!("{LISTEN}{NAMED}"), "add `client_ca`"),
        (format!("{TLS}{NAMED}login_page = true\n"), "goes without"),
        (format!("{LISTEN}{CLIENT}certifcates = [\"AB\"]\n"), "did you mean `certificates`?"),
        (format!("{LISTEN}{}", CLIENT.replace("verify", "breakglass")), "verify"),
        (format!("{LISTEN}{}", CLIENT.replace("verify", "deliver")), "it needs `password_proven = true`"),
        (
            format!("{LISTEN}{}password_proven = false\n", CLIENT.replace("verify", "verify\", \"deliver")),
            "it needs `password_proven = true`",
        ),
        (format!("{LISTEN}{}", CLIENT.replace("\"vpn\"", "\"a b\"")), "letters, digits"),
        ("[web]\ndigest_realm = \"a\\\"b\"\n".to_owned(), "without quotes"),
    ] {
        let errors = read(&text).expect_err(&text);
        assert!(errors.contains(told), "{text}: {errors}");
    }
}

#[test]
fn the_print_of_a_certificate_is_read_as_openssl_shows_it() {
    let print = ["AB"; 32].join(":");
    for shown in [print.clone(), print.replace(':', ""), print.to_lowercase()] {
        let config = read(&format!("{LISTEN}{CLIENT}certificates = [\"{shown}\"]\n")).unwrap();
        assert_eq!(config.web().clients[0].proof.certificates[0].0, [0xab; 32]);
    }
}

#[test]
fn what_linotp_is_told_is_read() {
    let config =
        read("[realm.home]\n[web.linotp]\nversion = \"4.0.0.dev0\"\ndefault_realm = \"home\"\n").unwrap();
    let linotp = &config.web().linotp;
    assert_eq!((linotp.default_realm.as_str(), linotp.numbers_version()), ("home", true));
    let some = read("[web.linotp]\nerrors = [905, -311]\n").unwrap();
    let linotp = &some.web().linotp;
    assert!(linotp.makes_a_page(905) && linotp.makes_a_page(-311) && !linotp.makes_a_page(1102));
    let default = Config::default();
    assert!(default.web().linotp.makes_a_page(1102));
    assert!(!default.web().linotp.numbers_version() && !default.web().linotp.challenge_response);
    for (text, told) in [
        ("version = \"two\"", "number of a version"),
        ("version = \"2.11\\n\"", "number of a version"),
        ("default_realm = \"unassigned\"", "nobody has"),
        ("default_realm = \"hoem\"", "[realm.hoem]"),
        ("default_realm = \"a/b\"", "default_realm"),
        ("detail = true", "detail"),
        ("errors = []", "leave it out"),
        ("errors = 905", "list of numbers"),
        ("errors = [\"905\"]", "whole number"),
        ("errors = [905, 10000]", "-999 to 9999"),
    ] {
        let problem = read(&format!("[web.linotp]\n{text}\n")).unwrap_err();
        assert!(problem.contains(told), "{text}: {problem}");
    }
}

#[test]
fn a_right_gives_itself_and_no_other() {
    for (word, right) in Right::ALL {
        let text = CLIENT.replace("\"verify\"]", &format!("\"{word}\"]\npassword_proven = true"));
        let config = read(&format!("{LISTEN}{text}")).unwrap();
        let rights = &config.web().clients[0].rights;
        let had: Vec<_> = Right::ALL.into_iter().filter(|(_, right)| rights.include(*right)).collect();
        assert_eq!(had, [(word, right)]);
    }
}
