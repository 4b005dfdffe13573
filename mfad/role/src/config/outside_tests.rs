//! What the sections of egress promise: nothing that leaks, nothing half, nothing idle.

use super::{
    tests::{assert_told, read, told},
    *,
};

/// A gateway that is whole but for what `more` says.
fn gateway(more: &str) -> String {
    format!(
        "[sms]\ngateways = [\"a\"]\n[sms.gateway.a]\ntype = \"http\"\nurl = \"https://a.example.org/\"\n{more}"
    )
}

const TOLD: &str = "form = { to = \"{number}\", text = \"{text}\" }\n";

#[test]
fn without_gateway_server_and_service_nothing_is_needed() {
    let config = read("").unwrap();
    assert!(!config.needs_egress() && !config.sms().is_on() && !config.mail().is_on());
    assert_eq!(config.sms().limits, config.mail().limits);
    assert_eq!((config.sms().limits.digits, config.sms().limits.global_day), (6, 1000));
    assert_eq!(config.egress().user, "mfad-egress");
    let text = config.sms().text.pieces();
    assert!(text.ends_with(&[Piece::Text(" #".into()), Piece::Fact(Fact::Code)]), "{text:?}");
}

#[test]
fn gateways_are_tried_in_the_order_that_is_written() {
    let one = |name: &str| format!("[sms.gateway.{name}]\ntype = \"file\"\ndirectory = \"/{name}\"\n");
    let text =
        format!("[sms]\ngateways = [\"b\", \"c\", \"a\"]\n{}{}{}{}", one("a"), one("b"), one("c"), one("d"));
    let config = read(&text).unwrap();
    let names: Vec<_> = config.sms().gateways.iter().map(|gateway| gateway.name.as_str()).collect();
    assert_eq!(names, ["b", "c", "a"]);
    assert!(config.needs_egress());
    assert_eq!(config.longest_errand(), config.egress().timeout * 3);
}

#[test]
fn a_gateway_is_whole_or_told() {
    assert_eq!(told(&gateway(TOLD)), [""; 0]);
    for (more, start, part) in [
        ("", "m.toml:3:14: ", "told nothing of use"),
        ("form = { to = \"{number}\" }", "m.toml:3:14: ", "told nothing of use"),
        ("form = { to = \"{nubmer}\", t = \"{text}{number}\" }", "m.toml:6:15: ", "stands for nothing"),
        ("query = { a = \"{number}{text}\" }\njson = 3", "m.toml:7:8: ", "no table"),
        ("json = { a = \"{number}\", b = [\"{text}\"] , c = 1.5 }", "m.toml:6:", "with a fraction"),
    ] {
        assert_told(&gateway(more), start, part);
    }
    for (more, start, part) in [
        ("json = { a = \"b\" }", "m.toml:7:8: ", "`json` and `form`"),
        ("method = \"GET\"", "m.toml:6:1: ", "has no body"),
        ("method = \"get\"", "m.toml:7:10: ", "write one of \"GET\""),
        ("user = \"a\"", "m.toml:7:8: ", "needs `credential`"),
        ("user = \"a:b\"\ncredential = \"c\"", "m.toml:7:8: ", "holds `:`"),
        ("credential = \"/etc/passwd\"", "m.toml:7:14: ", "no name of a credential"),
        ("credential = \"c\"\nheaders = { authorization = \"x\" }", "m.toml:3:14: ", "keep one"),
        ("headers = { Host = \"x\" }", "m.toml:7:1: ", "set by HTTP itself"),
        ("headers = { Transfer-Encoding = \"x\" }", "m.toml:7:1: ", "set by HTTP itself"),
        ("headers = { \"a b\" = \"x\" }", "m.toml:7:1: ", "no name of a header"),
        ("headers = { a = \"x\\ny\" }", "m.toml:7:1: ", "line end"),
        ("success = [302]", "m.toml:7:11: ", "no status of success"),
        ("success_pointer = \"/a\"", "m.toml:7:19: ", "write both"),
        ("success_pointer = \"a\"\nsuccess_value = 1", "m.toml:7:19: ", "JSON pointer"),
        ("success_pointer = \"/~2\"\nsuccess_value = 1", "m.toml:7:19: ", "JSON pointer"),
        ("ca = \"ca.pem\"", "m.toml:7:6: ", "relative path"),
        ("directory = \"/a\"", "m.toml:7:1: ", "`directory` is not a key"),
        ("insecure_http = true", "m.toml:7:1: ", "not a key"),
    ] {
        assert_told(&gateway(&format!("{TOLD}{more}")), start, part);
    }
    let plain = gateway(TOLD).replace("https", "http");
    assert_told(&plain, "m.toml:5:7: ", "unencrypted");
}

#[test]
fn gateways_and_their_order_go_together() {
    let file = "[sms.gateway.a]\ntype = \"file\"\ndirectory = \"/a\"\n";
    assert_told(file, "m.toml:1:14: ", "gateways = [\"a\"]");
    assert_told(&format!("[sms]\ngateways = [\"b\"]\n{file}"), "m.toml:2:12: ", "add [sms.gateway.b]");
    assert_told("[sms]\ngateways = []", "m.toml:2:12: ", "empty list");
    assert_told("[sms]\ngateways = [\"a\"]\n[sms.gateway.a]\nurl = \"x\"", "m.toml:3:14: ", "add `type");
    assert_told("[sms]\ngateway = 3", "m.toml:2:1: ", "write a table");
    assert_told("[sms.gateway]\na = 3", "m.toml:2:1: ", "write a table, [sms.gateway.a]");
    assert_told("[sms.gateway.\"a b\"]\ntype = \"x\"", "m.toml:1:14: ", "write a name");
}

#[test]
fn codes_that_are_sent_keep_to_their_bounds() {
    for (text, start, part) in [
        ("[sms]\ndigits = 5", "m.toml:2:10: ", "from 6 to 8"),
        ("[sms]\nlifetime = \"11m\"", "m.toml:2:12: ", "to \"10m\""),
        ("[sms]\nlifetime = \"1m\"\nresend_interval = \"2m\"", "m.toml:3:19: ", "at most \"1m\""),
        ("[sms]\nresend_interval = \"0s\"", "m.toml:2:19: ", "from \"10s\""),
        ("[sms]\nper_user_day = 0", "m.toml:2:16: ", "from 1"),
        ("[sms]\nglobal_day = 30\nper_number_day = 31", "m.toml:3:18: ", "above `global_day` (30)"),
        ("[sms]\ntext = \"hello\"", "m.toml:2:8: ", "no {code}"),
        ("[sms]\ntext = \"{number} {code}\"", "m.toml:2:8: ", "stands for nothing"),
        ("[sms]\ntext = \"{code}\\u001b\"", "m.toml:2:8: ", "control characters"),
        ("[mail]\nsubject = \"a\\nb\"", "m.toml:2:11: ", "control characters"),
        ("[mail]\ntext = \"hello\"", "m.toml:2:8: ", "no {code}"),
        ("[mail]\nper_number_day = 3", "m.toml:2:1: ", "did you mean"),
    ] {
        assert_told(text, start, part);
    }
}

#[test]
fn mail_leaves_encrypted_or_not_at_all() {
    let mail =
        |more: &str| format!("[mail]\nserver = \"mail.example.org\"\nfrom = \"a@example.org\"\n{more}");
    let server = read(&mail("")).unwrap().mail().server.clone().unwrap();
    assert_eq!((server.port, server.tls, server.login), (587, MailTls::StartTls, None));
    let server = read(&mail("tls = \"tls\"\nuser = \"u\"\ncredential = \"c\""))
        .unwrap()
        .mail()
        .server
        .clone()
        .unwrap();
    assert_eq!((server.port, server.login), (465, Some(("u".into(), "c".into()))));
    assert_eq!(told(&mail("").replace("a@example.org", "Example, Inc. <a@example.org>")), [""; 0]);
    let lines = mail("").replace("a@example.org", "a@b\\r\\nBcc: c");
    assert_told(&lines, "m.toml:3:8: ", "one plain line");
    let local = "[mail]\nserver = \"127.0.0.1\"\nfrom = \"a@b\"\ntls = \"none\"";
    assert_eq!(read(local).unwrap().mail().server.clone().unwrap().port, 25);
    assert_told(&mail("tls = \"none\""), "m.toml:4:7: ", "to another host");
    assert_told(&mail("user = \"u\""), "m.toml:4:8: ", "belong together");
    assert_told("[mail]\nserver = \"a\"", "m.toml:2:10: ", "`from");
    assert_told("[mail]\nfrom = \"a@b\"", "m.toml:2:8: ", "add `server");
    assert_told("[mail]\nserver = \"a b\"\nfrom = \"a@b\"", "m.toml:2:10: ", "name of a host");
    for from in ["a", "a@", "@b", "a@b@c", "A <a@b", "A <a@b>, B <c@d>", "A a@b"] {
        assert_told(
            &format!("[mail]\nserver = \"a\"\nfrom = \"{from}\""),
            "m.toml:3:8: ",
            "write an address",
        );
    }
}

#[test]
fn a_service_has_what_its_contract_needs_and_nothing_idle() {
    let verify = "verify_url = \"https://a/v\"\n";
    let init = "init_url = \"https://a/i\"\n";
    let regex = "code_regex = '\\d{8}'\n";
    let rest = |more: &str| format!("[rest.corp]\n{more}");
    for whole in [
        verify.to_owned(),
        format!("{init}{verify}"),
        format!("{init}{regex}"),
        format!("contract = \"pam_2fa\"\n{}", verify.replace("a/v", "a/{remote_user}/v")),
        format!("contract = \"validate\"\nverify_args = {{ realm = \"'x'\" }}\n{verify}"),
    ] {
        assert_eq!(told(&rest(&whole)), [""; 0], "{whole}");
    }
    for (more, start, part) in [
        (String::new(), "m.toml:1:7: ", "add `verify_url"),
        (init.to_owned(), "m.toml:1:7: ", "add `verify_url"),
        (regex.to_owned(), "m.toml:2:14: ", "needs `init_url`"),
        (format!("{init}{verify}{regex}"), "m.toml:3:14: ", "never called"),
        (format!("contract = \"pam_2fa\"\n{verify}{init}"), "m.toml:4:12: ", "\"lemonldap\""),
        (
            format!("contract = \"pam_2fa\"\n{verify}verify_args = {{ a = \"user\" }}"),
            "m.toml:4:1: ",
            "only the code",
        ),
        (format!("contract = \"validate\"\n{verify}{regex}"), "m.toml:4:14: ", "\"lemonldap\""),
        ("contract = \"validate\"\n".to_owned(), "m.toml:1:7: ", "add `verify_url"),
        (format!("{verify}lifetime = \"5m\""), "m.toml:3:12: ", "add `code_regex`"),
        (format!("{verify}init_args = {{ a = \"user\" }}"), "m.toml:3:1: ", "told to nobody"),
        (format!("{verify}verify_args = {{ a = \"corp\" }}"), "m.toml:3:21: ", "write one of \"user\""),
        (format!("{verify}verify_args = {{ code = \"user\" }}"), "m.toml:3:17: ", "sent anyway"),
        (format!("{init}code_regex = '\\d{{4}}'"), "m.toml:3:14: ", "easily guessed"),
        (verify.replace("https", "http"), "m.toml:2:14: ", "unencrypted"),
        (verify.replace("a/v", "u:p@a/v"), "m.toml:2:14: ", "`credential`"),
    ] {
        assert_told(&rest(&more), start, part);
    }
    for reserved in ["sms", "Mail", "123456"] {
        assert_told(&format!("[rest.{reserved}]\n{verify}"), "m.toml:1:7: ", "something else");
    }
}

#[test]
fn what_core_and_egress_need_of_a_service_stands_apart() {
    let config = read(
        "[rest.corp]\ninit_url = \"https://a/i\"\ncode_regex = '[A-Z]{3}\\d{5}'\nlabel = \"App\"\nauthn_level = 3\nlifetime = \"2m\"\nuser = \"u\"\ncredential = \"c\"",
    )
    .unwrap();
    let (name, rest) = config.rest().first_key_value().unwrap();
    assert_eq!((name.as_str(), rest.terms.label.as_str(), rest.terms.authn_level), ("corp", "App", Some(3)));
    let Judge::Core { pattern, lifetime } = &rest.terms.judge else { panic!("{rest:?}") };
    assert_eq!((pattern.length(), lifetime.as_secs()), (8, 120));
    assert!(rest.terms.begins && rest.calls.begin.is_some() && rest.calls.judge.is_none());
    assert_eq!(rest.calls.access.credential.as_deref(), Some("c"));
}

#[test]
fn an_errand_ends_before_the_login_that_waits_for_it() {
    let gateways = "[sms.gateway.a]\ntype = \"file\"\ndirectory = \"/a\"\n[sms.gateway.b]\ntype = \"file\"\ndirectory = \"/b\"\n";
    let text = |timeout: &str| {
        format!("[egress]\ntimeout = \"{timeout}\"\n[sms]\ngateways = [\"a\", \"b\"]\n{gateways}")
    };
    assert_eq!(told(&text("29s")), [""; 0]);
    assert_told(&text("30s"), "m.toml:2:11: ", "each of 2 gateways makes 1m");
    assert_told(
        "[core]\nlogin_timeout = \"8s\"\n[rest.a]\nverify_url = \"https://a/\"",
        "m.toml:3:2: ",
        "makes 10s",
    );
    assert_eq!(told("[core]\nlogin_timeout = \"8s\"\n"), [""; 0], "nothing waits for egress");
}
