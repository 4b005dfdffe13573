//! Rules as they are written: what is taken, what is refused, what is noted.

use crate::config::{Config, Mentioned, Source};

fn read(text: &str) -> Result<Config, Vec<String>> {
    let source = Source { path: "m.toml".into(), text: text.to_owned() };
    Config::from_sources(&[source]).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn rule(name: &str, matches: &str, action: &str) -> String {
    format!("[[policy.rule]]\nname = \"{name}\"\nmatch = {{ {matches} }}\naction = \"{action}\"\n")
}

fn refused(text: &str) -> Vec<String> {
    read(text).err().unwrap_or_default()
}

#[test]
fn what_becomes_of_whom_has_no_factor_is_for_rules_that_require_one() {
    let rule = |action: &str, unenrolled: &str| {
        rule("r", "service = [\"sshd\"]", action) + &format!("unenrolled = \"{unenrolled}\"\n")
    };
    let config = read(&rule("require", "skip")).unwrap();
    assert_eq!(config.policy().rules[0].unenrolled, Some(crate::config::Unenrolled::Skip));
    let told = refused(&rule("skip", "deny")).join("\n");
    assert!(told.contains("`unenrolled` is for rules that require a factor"), "{told}");
    let told = refused(&rule("require", "enroll")).join("\n");
    assert!(told.contains("lets nobody in while users may not enroll"), "{told}");
    assert!(read(&format!("{}[enrollment]\nself = \"open\"\n", rule("require", "enroll"))).is_ok());
}

#[test]
fn each_condition_is_checked_where_it_stands() {
    for (matches, column, part) in [
        ("source = [\"10.20.1.0/16\"]", 20, "write \"10.20.0.0/16\" for that"),
        ("source = [\"mgmt.example\"]", 20, "write an address or a network"),
        ("source = \"10.0.0.0/8\"", 20, "write a list"),
        ("source = [\"10.0.0.0/8\"], origin = \"local\"", 45, "remove one"),
        ("origin = \"remot\"", 20, "did you mean \"remote\"?"),
        ("hours = [\"22-06\"]", 19, "\"22:00-06:00\" past midnight"),
        ("hours = [\"08:00-08:00\"]", 19, "begins when it ends"),
        ("days = [\"Monday\"]", 18, "did you mean \"mon\"?"),
        ("days = []", 18, "empty list"),
        ("key_type = [\"sk*-\"]", 22, "as \"sk-*\""),
        ("key_fingerprint = [\"MD5:00\"]", 29, "ssh-keygen -lf"),
        ("group = [\"a:b\"]", 19, "getent group"),
        ("realm = [\"a/b\"]", 19, "not allowed"),
        ("gruop = [\"a\"]", 11, "did you mean `group`?"),
        ("keytype = [\"sk-*\"]", 11, "did you mean `key_type`?"),
    ] {
        let told = refused(&rule("r", matches, "require"));
        assert_eq!(told.len(), 1, "{matches}: {told:?}");
        assert!(told[0].starts_with(&format!("m.toml:3:{column}: ")), "{matches}: {told:?}");
        assert!(told[0].contains(part), "{matches}: {told:?}");
    }
}

#[test]
fn what_is_wanted_of_factors_is_for_rules_that_require_one() {
    for wanted in ["kinds = [\"totp\"]", "count = 2", "remember = \"8h\"", "default_factor = \"sms\""] {
        let text = rule("r", "user = [\"a\"]", "require") + wanted;
        assert!(read(&text).is_ok(), "{text}");
        for action in ["skip", "deny"] {
            let told = refused(&(rule("r", "user = [\"a\"]", action) + wanted));
            assert!(told.len() == 1 && told[0].starts_with("m.toml:5:"), "{told:?}");
            assert!(told[0].contains("for rules that require a factor"), "{told:?}");
        }
    }
    for (wanted, part) in [
        ("kinds = [\"top\"]", "did you mean \"totp\"?"),
        ("kinds = [\"breakglass\"]", "write one of"),
        ("kinds = []", "empty list"),
        ("count = 0", "from 1 to 3"),
        ("count = 4", "from 1 to 3"),
        ("remember = \"59s\"", "from \"1m\" to \"30d\""),
        ("remember = \"31d\"", "from \"1m\" to \"30d\""),
        ("kinds = [\"totp\"]\ndefault_factor = \"sms\"", "none of the `kinds`"),
    ] {
        let told = refused(&(rule("r", "user = [\"a\"]", "require") + wanted));
        assert!(told.len() == 1 && told[0].contains(part), "{wanted}: {told:?}");
    }
}

/// What the second rule may be where the first matches so, and whether it can ever decide.
const COVERED: [(&str, &str, bool); 22] = [
    ("", "user = [\"a\"]", true),
    ("service = [\"sshd\", \"su\"]", "service = [\"su\"], user = [\"a\"]", true),
    ("service = [\"su\"]", "service = [\"sshd\", \"su\"]", false),
    ("service = [\"su\"]", "", false),
    ("user = [\"a\"]", "group = [\"a\"]", false),
    ("group = [\"a\", \"b\"]", "group = [\"b\"]", true),
    ("group = [\"a\"]", "group = [\"b\"]", false),
    ("source = [\"10.0.0.0/8\"]", "source = [\"10.1.0.0/16\", \"10.2.3.4\"]", true),
    ("source = [\"10.0.0.0/9\", \"10.128.0.0/9\"]", "source = [\"10.0.0.0/8\"]", true),
    ("source = [\"10.0.0.0/8\"]", "origin = \"remote\"", false),
    ("source = [\"0.0.0.0/0\", \"::/0\"]", "origin = \"remote\"", false),
    ("origin = \"remote\"", "source = [\"10.0.0.0/8\"]", true),
    ("origin = \"remote\"", "origin = \"local\"", false),
    ("hours = [\"08:00-18:00\"]", "hours = [\"09:00-17:00\"], days = [\"mon\"]", true),
    ("hours = [\"22:00-06:00\"]", "hours = [\"23:00-01:00\"]", true),
    ("days = [\"mon\"]", "hours = [\"08:00-18:00\"]", false),
    ("days = [\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]", "user = [\"a\"]", true),
    ("key_type = [\"sk-*\"]", "key_type = [\"sk-ssh-ed25519@openssh.com\"]", true),
    ("key_type = [\"ssh-ed25519\"]", "key_type = [\"ssh-*\"]", false),
    (
        "key_type = [\"*\"]",
        "key_fingerprint = [\"SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ\"]",
        true,
    ),
    ("key_type = [\"*\"]", "user = [\"a\"]", false),
    ("realm = [\"local\"]", "user = [\"a\"]", false),
];

#[test]
fn a_rule_that_cannot_be_reached_is_told() {
    for (first, second, covered) in COVERED {
        let told = refused(&(rule("one", first, "require") + &rule("two", second, "deny")));
        assert_eq!(!told.is_empty(), covered, "{first} / {second}: {told:?}");
        if covered {
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with("m.toml:5:1: rule \"two\" is never reached, for \"one\""),
                "{told:?}"
            );
        }
    }
}

#[test]
fn rules_that_share_logins_are_noted() {
    for (first, second, noted) in [
        ("user = [\"a\"]", "service = [\"sshd\"]", true),
        (
            "source = [\"10.0.0.0/8\"], service = [\"sshd\"]",
            "source = [\"10.1.0.0/16\"], user = [\"a\"]",
            true,
        ),
        ("hours = [\"08:00-12:00\"]", "hours = [\"11:00-14:00\"]", true),
        ("key_type = [\"sk-*\"]", "service = [\"sshd\"]", true),
        // The exception comes first: that is how rules are meant to be written.
        ("user = [\"a\"], service = [\"sshd\"]", "service = [\"sshd\"]", false),
        // Nothing in common, or not for all that is known here.
        ("user = [\"a\"], service = [\"su\"]", "service = [\"sshd\"]", false),
        ("user = [\"a\"]", "group = [\"b\"]", false),
        ("group = [\"a\"]", "group = [\"b\"]", false),
        (
            "source = [\"10.0.0.0/8\"], user = [\"a\"]",
            "source = [\"192.0.2.0/24\"], service = [\"su\"]",
            false,
        ),
        ("origin = \"local\", user = [\"a\"]", "source = [\"192.0.2.0/24\"]", false),
        ("hours = [\"08:00-12:00\"], user = [\"a\"]", "hours = [\"12:00-14:00\"]", false),
    ] {
        let config = read(&(rule("one", first, "skip") + &rule("two", second, "require"))).unwrap();
        let notes: Vec<String> = config.notes().iter().map(ToString::to_string).collect();
        assert_eq!(!notes.is_empty(), noted, "{first} / {second}: {notes:?}");
        for note in notes {
            assert!(note.starts_with("m.toml:5:1: rule \"two\" (require) shares some logins"), "{note}");
        }
        let alike = read(&(rule("one", first, "require") + &rule("two", second, "require"))).unwrap();
        assert!(alike.notes().is_empty(), "both do the same");
    }
}

#[test]
fn nobody_skips_the_factor_for_everyone_by_a_detour() {
    for matches in
        ["", "realm = [\"local\"]", "hours = [\"00:00-24:00\"]", "hours = [\"12:00-11:00\", \"11:00-12:00\"]"]
    {
        let told = refused(&rule("r", matches, "skip"));
        assert!(told.len() == 1 && told[0].contains("for every login"), "{matches}: {told:?}");
    }
}

#[test]
fn groups_need_accounts_of_this_host() {
    let text = "[identity]\naccounts = \"any\"\n".to_owned() + &rule("r", "group = [\"wheel\"]", "require");
    let told = refused(&text);
    assert!(told.len() == 1 && told[0].starts_with("m.toml:5:19: "), "{told:?}");
    assert!(told[0].contains("accounts = \"nss\""), "{told:?}");
}

#[test]
fn names_that_mean_something_elsewhere_are_kept_with_their_places() {
    let text = "[policy]\ntimezone = \"Europe/Berlin\"\n".to_owned()
        + &rule("r", "user = [\"jane\"], group = [\"wheel\", \"domain users\"]", "require");
    let config = read(&text).unwrap();
    let found: Vec<(Mentioned, &str, String)> = config
        .mentions()
        .iter()
        .map(|mention| (mention.what, mention.name.as_str(), mention.problem("x").to_string()))
        .collect();
    assert_eq!(
        found,
        [
            (Mentioned::TimeZone, "Europe/Berlin", "m.toml:2:12: x".to_owned()),
            (Mentioned::User, "jane", "m.toml:5:19: x".to_owned()),
            (Mentioned::Group, "wheel", "m.toml:5:37: x".to_owned()),
            (Mentioned::Group, "domain users", "m.toml:5:46: x".to_owned()),
        ]
    );
    for bad in ["", "/etc/passwd", "../x", "Europe Berlin"] {
        assert_eq!(refused(&format!("[policy]\ntimezone = \"{bad}\"")).len(), 1, "{bad}");
    }
}

#[test]
fn a_thousand_rules_are_read() {
    let rules: String = (0..1000)
        .map(|n| {
            rule(
                &format!("r{n}"),
                &format!("user = [\"u{n}\"], source = [\"10.0.{}.0/24\"]", n % 256),
                "skip",
            )
        })
        .collect();
    assert_eq!(read(&rules).unwrap().policy().rules.len(), 1000);
    assert!(refused(&(rules + &rule("last", "service = [\"su\"]", "skip")))[0].contains("one rule too many"));
}
