//! What the configuration as a whole promises: all problems at once, each where it stands; no panic.

use std::{path::PathBuf, time::Duration};

use proptest::prelude::*;

use super::*;

fn source(path: &str, text: &str) -> Source {
    Source { path: PathBuf::from(path), text: text.to_owned() }
}

/// A configuration of one file.
pub(super) fn read(text: &str) -> Result<Config, ConfigErrors> {
    Config::from_sources(&[source("m.toml", text)])
}

/// All problems of a text, one line each.
pub(super) fn told(text: &str) -> Vec<String> {
    read(text).map_or_else(|errors| errors.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

/// The text has exactly one problem, and it starts so and has this in it.
#[track_caller]
pub(super) fn assert_told(text: &str, start: &str, part: &str) {
    let told = told(text);
    assert_eq!(told.len(), 1, "{text:?} gave {told:#?}");
    assert!(told[0].starts_with(start) && told[0].contains(part), "{text:?} gave {told:#?}");
}

#[test]
fn nothing_written_gives_the_defaults() {
    let config = read("").unwrap();
    assert_eq!(config, Config::default());
    assert_eq!(config, Config::from_sources(&[]).unwrap());
    let core = config.core();
    assert_eq!(core.socket, PathBuf::from("/run/mfad/mfad.sock"));
    assert_eq!((core.user_socket.clone(), core.max_connections, core.per_uid_connections), (None, 512, 64));
    assert_eq!(core.key, KeySource::File("/etc/mfad/key".into()));
    assert_eq!(
        (core.login_timeout, core.name_lookup_timeout),
        (Duration::from_secs(60), Duration::from_secs(5))
    );
    assert_eq!(config.policy().unenrolled, Unenrolled::Deny);
    assert_eq!((config.totp().window, config.totp().learn_drift), (1, false));
    assert_eq!(config.enrollment().first_by_self, SelfEnrollment::Never);
}

#[test]
fn what_is_written_is_what_holds() {
    let config = read(
        r#"
        [core]
        socket = "/tmp/x/s"
        user_socket = "/tmp/x/u"
        credential = "mfad-key"
        max_connections = 10
        [policy]
        unenrolled = "skip"
        [[policy.rule]]
        name = "robots"
        match = { service = ["sshd", "sshd"], user = ["backup"] }
        action = "skip"
        [limits]
        profile = "pci"
        lock = "45m"
        burst = 10
        "#,
    )
    .unwrap();
    assert_eq!(config.core().key, KeySource::Credential("mfad-key".into()));
    assert_eq!(config.core().per_uid_connections, 10, "the default gives way to the total");
    let rule = &config.policy().rules[0];
    assert_eq!((rule.name.as_str(), rule.action, rule.matches.services.len()), ("robots", Action::Skip, 1));
    assert_eq!(rule.matches.users, ["backup".parse().unwrap()]);
    assert_eq!(config.limits().lock, Some(Duration::from_secs(2700)));
    assert_eq!(config.limits().lock_max, None);
}

#[test]
fn all_problems_are_told_at_once_and_where_they_stand() {
    let text = "\
[core]
sokcet = \"/run/x\"
state_dir = \"state\"
max_connections = 0
[limits]
burst = \"five\"
lock = \"0s\"
[polcy]
unenrolled = \"deny\"
";
    let told = told(text);
    let starts =
        ["m.toml:2:1: ", "m.toml:3:13: ", "m.toml:4:19: ", "m.toml:6:9: ", "m.toml:7:8: ", "m.toml:8:2: "];
    assert_eq!(told.len(), starts.len(), "{told:#?}");
    for (told, start) in told.iter().zip(starts) {
        assert!(told.starts_with(start), "{told:?} does not start with {start:?}");
    }
    assert!(told[0].ends_with("`sokcet` is not a key of [core]: did you mean `socket`?"));
    assert!(told[5].ends_with("did you mean `policy`?"));
}

#[test]
fn each_kind_of_mistake_is_told() {
    for (text, start, part) in [
        ("core = 3", "m.toml:1:1: ", "write a table, [core]"),
        ("[core]\nburst = 3", "m.toml:2:1: ", "it belongs in [limits]"),
        ("[core]\nsocket = 3", "m.toml:2:10: ", "`core.socket` is a whole number: write a text in quotes"),
        ("[core]\nuser_socket = \"/run/mfad/mfad.sock\"", "m.toml:2:15: ", "same as `core.socket`"),
        ("[core]\nkey_file = \"/k\"\ncredential = \"k\"", "m.toml:3:14: ", "both set"),
        ("[core]\nper_uid_connections = 600", "m.toml:2:23: ", "write at most 512"),
        ("[core]\nlogin_timeout = 60", "m.toml:2:17: ", "write a duration from \"5s\" to \"10m\""),
        ("[core]\nlogin_timeout = \"5s\"", "m.toml:2:17: ", "name_lookup_timeout"),
        ("[totp]\nwindow = 2", "m.toml:2:10: ", "from 0 to 1"),
        ("[totp]\nwindow = 0\nlearn_drift = true", "m.toml:3:15: ", "needs `totp.window = 1`"),
        ("[prompt]\necho = \"yes\"", "m.toml:2:8: ", "write true or false"),
        ("[prompt]\nattempts = 0", "m.toml:2:12: ", "from 1 to 5"),
        ("[prompt]\ntext = \"a\\u001b[2J\"", "m.toml:2:8: ", "control characters"),
        ("[policy]\nunenrolled = \"alow\"", "m.toml:2:14: ", "write one of \"deny\", \"skip\""),
        ("[policy]\nrule = 1", "m.toml:2:1: ", "write [[policy.rule]]"),
        ("[policy]\nrule = [1]", "m.toml:2:9: ", "write a table"),
        ("[limits]\ndisable_at = 101", "m.toml:2:14: ", "from 1 to 100"),
        ("[limits]\ndisable_at = 1e2", "m.toml:2:14: ", "a number with a fraction"),
        ("[limits]\ndisable_at = 99999999999999999999", "m.toml:2:14: ", "out of all bounds"),
        ("[limits]\nburst = 9\ndisable_at = 8", "m.toml:3:14: ", "below `limits.burst`"),
        ("[limits]\nlock = \"2h\"\nlock_max = \"1h\"", "m.toml:3:12: ", "at least \"2h\""),
        (
            "[limits]\nprofile = \"pci\"\nburst = 11",
            "m.toml:3:9: ",
            "breaks profile \"pci\": write at most 10",
        ),
        ("[limits]\nprofile = \"pci\"\nlock = \"29m\"", "m.toml:3:8: ", "write at least \"30m\""),
        ("[limits]\nprofile = \"stig\"\nunlock = \"time\"", "m.toml:3:10: ", "write \"admin\""),
        ("[audit]\nkeep = 2020-01-01", "m.toml:2:8: ", "is a date"),
        ("[log]\nlevel = \"trace\"", "m.toml:2:9: ", "write one of \"error\", \"warn\", \"info\", \"debug\""),
    ] {
        assert_told(text, start, part);
    }
}

#[test]
fn rules_that_cannot_be_meant_are_told() {
    let rule = |body: &str| format!("[[policy.rule]]\n{body}");
    let whole = "name = \"r\"\naction = \"deny\"\nmatch = {}\n";
    assert_eq!(told(&rule(whole)), [""; 0]);
    for (body, start, part) in [
        ("action = \"deny\"\nmatch = {}", "m.toml:1:1: ", "add `name"),
        ("name = \"r\"\nmatch = {}", "m.toml:1:1: ", "add `action"),
        ("name = \"r\"\naction = \"skip\"", "m.toml:1:1: ", "add `match"),
        ("name = \"r\"\naction = \"skip\"\nmatch = {}", "m.toml:1:1: ", "every login"),
        ("name = \"r\"\naction = \"skip\"\nmatch = { service = [] }", "m.toml:4:21: ", "empty list"),
        ("name = \"r\"\naction = \"skip\"\nmatch = { user = [\"a/b\"] }", "m.toml:4:18: ", "not allowed"),
        ("name = \"r\"\naction = \"skip\"\nmatch = { user = \"a\" }", "m.toml:4:18: ", "write a list"),
        (
            "name = \"r\"\naction = \"skip\"\nmatch = { servcie = [\"a\"] }",
            "m.toml:4:11: ",
            "did you mean `service`?",
        ),
        (
            "name = \"r\"\naction = \"skip\"\nmatch = { planet = [\"a\"] }",
            "m.toml:4:11: ",
            "one of service, client, user, group, source",
        ),
        ("name = \"r\"\naction = \"skip\"\nmatch = \"all\"", "m.toml:4:1: ", "write a table"),
    ] {
        assert_told(&rule(body), start, part);
    }
    assert_told(
        &format!("{}{}", rule(whole), rule(whole).replace("\"r\"", "\"s\"")),
        "m.toml:5:1: ",
        "never reached",
    );
    let twice = rule("name = \"r\"\naction = \"deny\"\nmatch = { user = [\"a\"] }\n");
    assert_told(&format!("{twice}{twice}"), "m.toml:5:1: ", "own name");
}

#[test]
fn text_that_is_not_toml_is_told_line_by_line() {
    let told =
        told("[core]\nsocket = \nmax_connections = 0\nlogin_timeout = \"60s\n[log\nlevel = \"info\"\n");
    let starts: Vec<_> = told.iter().map(|t| t.split(": ").next().unwrap().to_owned()).collect();
    for line in ["m.toml:2:", "m.toml:3:19", "m.toml:4:", "m.toml:5:"] {
        assert_eq!(starts.iter().filter(|s| s.starts_with(line)).count(), 1, "{line} in {told:#?}");
    }
}

#[test]
fn files_add_to_each_other_and_never_override() {
    let files = [
        source(
            "/e/mfad.toml",
            "[core]\nsocket = \"/a\"\n[[policy.rule]]\nname=\"1\"\naction=\"deny\"\nmatch={user=[\"a\"]}",
        ),
        source(
            "/e/conf.d/1.toml",
            "[core]\nstate_dir = \"/b\"\n[[policy.rule]]\nname=\"2\"\naction=\"deny\"\nmatch={}",
        ),
    ];
    let config = Config::from_sources(&files).unwrap();
    assert_eq!(
        (config.core().socket.as_path(), config.core().state_dir.as_path()),
        (Path::new("/a"), Path::new("/b"))
    );
    let names: Vec<_> = config.policy().rules.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["1", "2"]);
    let clash = [files[0].clone(), source("/e/conf.d/2.toml", "\n[core]\nsocket = \"/a\"\n")];
    let errors = Config::from_sources(&clash).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "/e/conf.d/2.toml:3:1: `core.socket` is already set at /e/mfad.toml:2:1: a key may stand in one file only"
    );
    let steering = [source("/e/1", "\"a\\u001b[2J\" = 1"), source("/e/2", "\"a\\u001b[2J\" = 1")];
    let errors = Config::from_sources(&steering).unwrap_err();
    assert!(errors.iter().all(|p| p.message.contains("a\\u{1b}[2J")), "{errors}");
    let bad = [source("/e/1", "x = 1"), source("/e/2", "[core"), source("/e/3", "[log]\nlevel = 1")];
    let errors = Config::from_sources(&bad).unwrap_err();
    let files: Vec<_> = errors.iter().map(|p| p.file.display().to_string()).collect();
    assert_eq!(files, ["/e/1", "/e/2", "/e/3"]);
}

#[test]
fn a_file_on_disk_is_read_and_a_bad_one_tells_of_mode_and_content_alike() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("mfad.toml");
    let set_mode = |mode| std::fs::set_permissions(&main, std::fs::Permissions::from_mode(mode)).unwrap();
    std::fs::write(&main, "[totp]\nwindow = 0\n").unwrap();
    set_mode(0o644);
    assert_eq!(Config::load(&main).unwrap().totp().window, 0);
    let conf_d = dir.path().join("conf.d");
    std::fs::create_dir(&conf_d).unwrap();
    std::fs::set_permissions(&conf_d, std::fs::Permissions::from_mode(0o755)).unwrap();
    let more = conf_d.join("a.toml");
    std::fs::write(&more, "[totp]\nwindw = 0\n").unwrap();
    std::fs::set_permissions(&more, std::fs::Permissions::from_mode(0o644)).unwrap();
    set_mode(0o666);
    let told = Config::load(&main).unwrap_err().to_string();
    assert!(told.contains("chmod go-w") && told.contains("a.toml:2:1: `windw`"), "{told}");
    let told = Config::load(&dir.path().join("none.toml")).unwrap_err().to_string();
    assert!(told.contains("none.toml: does not exist"), "{told}");
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let problems = [
        told(&format!("x = {}1{}", "[".repeat(100_000), "]".repeat(100_000))),
        told(&format!("x = {}", "{a=".repeat(100_000))),
        told(&format!("[{}a]\n", "a.".repeat(100_000))),
        told(&format!("{}a = 1\n", "a.".repeat(100_000))),
    ];
    for told in problems {
        assert!(!told.is_empty());
        assert!(told.iter().all(|line| line.len() < 1000), "a message is too long");
    }
}

#[test]
fn a_file_that_is_something_else_altogether_is_told_in_part() {
    let told = told(&(0..20_000).map(|i| format!("key{i} = 1\n")).collect::<Vec<_>>().concat());
    assert_eq!(told.len(), MAX_FAULTS + 1);
    assert_eq!(told[MAX_FAULTS], "m.toml:100:1: and 19900 more problems from here on");
}

/// The example file that is installed, as seen from the manifest of this crate.
fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../etc/mfad.toml");
    std::fs::read_to_string(&path).unwrap()
}

/// The example with each `#key = …` line as a setting, and its key.
fn example_settings() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut settings = Vec::new();
    for line in example().lines() {
        let line = line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line);
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            settings.push((format!("{section}.{key}"), line.to_owned()));
        }
    }
    settings
}

#[test]
fn the_installed_example_changes_nothing() {
    assert_eq!(read(&example()).unwrap(), Config::default());
}

/// What has no default of its own is shown with an example.
const WITHOUT_DEFAULT: [&str; 28] = [
    "policy.timezone",
    "core.credential",
    "enrollment.enroll_by",
    "enrollment.grace_logins",
    "egress.host",
    "sms.gateways",
    "mail.server",
    "mail.ca",
    "mail.user",
    "mail.credential",
    "mail.from",
    "ldap.servers",
    "ldap.ca",
    "ldap.bind_dn",
    "ldap.credential",
    "ldap.base",
    "ldap.filter",
    "ldap.phone_attribute",
    "ldap.mail_attribute",
    "ldap.secret_attribute",
    "ldap.secret_key",
    "token.host",
    "metrics.socket_group",
    "metrics.textfile",
    "prompt.default",
    "notify.mail_admin",
    "notify.hook",
    "web.linotp.errors",
];

#[test]
fn the_installed_example_shows_every_key_with_its_default() {
    let settings = example_settings();
    let shown: BTreeSet<String> = settings.iter().map(|(key, _)| key.clone()).collect();
    let in_rules = |key: &String| key.starts_with("policy.rule.match.");
    let sections = "core identity realm policy totp prompt limits enrollment egress sms mail rest ldap token remember \
                    notify metrics web audit log process";
    let containers: Vec<_> = sections
        .split(' ')
        .chain(["policy.rule", "sms.gateway", "web.linotp", "web.listen", "web.client"])
        .collect();
    let known: BTreeSet<String> = known_keys()
        .into_iter()
        .filter(|key| !in_rules(key) && !containers.contains(&key.as_str()))
        .collect();
    assert_eq!(shown, known);
    let alone = |key: &str| {
        let listed = ["policy.rule", "web.listen", "web.client"];
        !listed.iter().any(|list| key.starts_with(list)) && !key.contains(".NAME.")
    };
    for (key, setting) in
        settings.iter().filter(|(key, _)| alone(key) && !WITHOUT_DEFAULT.contains(&key.as_str()))
    {
        let (section, _) = key.rsplit_once('.').unwrap();
        let config = read(&format!("[{section}]\n{setting}\n")).unwrap_or_else(|e| panic!("{key}: {e}"));
        // What takes its default from the profile is shown with that of one.
        if section != "limits" {
            assert_eq!(config, Config::default(), "{key} is not shown with its default");
        }
    }
}

#[test]
fn the_man_page_shows_what_the_example_shows() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/man/mfad.toml.5");
    let page = std::fs::read_to_string(&path).unwrap().replace("\\e", "\\");
    let shown: BTreeSet<&str> = page.lines().collect();
    for (key, setting) in example_settings() {
        assert!(shown.contains(setting.as_str()), "mfad.toml.5 does not show {key} as `{setting}`");
    }
}

#[test]
fn the_rule_of_the_installed_example_is_valid() {
    let example = example();
    let commented = example.lines().skip_while(|line| *line != "#[[policy.rule]]");
    let rule: Vec<_> = commented.map_while(|line| line.strip_prefix('#')).collect();
    let config = read(&rule.join("\n")).unwrap();
    assert_eq!(config.policy().rules.len(), 1);
    let preferring = read(&example_tables("[policy.rule]").concat()).unwrap();
    let preferred: Vec<_> =
        preferring.policy().rules.iter().map(|rule| rule.default_factor.clone()).collect();
    assert_eq!(preferred, [None, Some("mail".parse().unwrap()), None]);
    for key in known_keys().iter().filter_map(|key| key.strip_prefix("policy.rule.match.")) {
        assert!(example.contains(key), "{key} is not explained");
    }
}

/// The settings of each commented table of the example that is headed so, without the comments.
fn example_tables(header: &str) -> Vec<String> {
    let example = example();
    let mut tables = Vec::new();
    for part in example.split(&format!("#[{header}]\n")).skip(1) {
        let lines = part.lines().take_while(|line| !line.starts_with(['[']) && !line.starts_with("#["));
        let settings = lines.filter_map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')));
        tables.push(format!("[{header}]\n{}\n", settings.collect::<Vec<_>>().join("\n")));
    }
    tables
}

#[test]
fn the_gateways_of_the_installed_example_are_valid() {
    let tables = example_tables("sms.gateway.NAME");
    let kinds: Vec<_> = tables
        .iter()
        .map(|table| {
            let config = read(&format!("[sms]\ngateways = [\"NAME\"]\n{table}"));
            config.unwrap_or_else(|e| panic!("{table}: {e}")).sms().gateways[0].kind.clone()
        })
        .collect();
    assert!(
        matches!(
            kinds.as_slice(),
            [GatewayKind::Http(_), GatewayKind::Http(_), GatewayKind::Modem { .. }, GatewayKind::File { .. }]
        ),
        "{kinds:?}"
    );
}

#[test]
fn the_mail_server_and_the_services_of_the_installed_example_are_valid() {
    let mail: Vec<_> = example_settings()
        .into_iter()
        .filter_map(|(key, setting)| key.starts_with("mail.").then_some(setting))
        .collect();
    let config = read(&format!("[mail]\n{}", mail.join("\n"))).unwrap();
    assert_eq!(config.mail().server.as_ref().unwrap().host, "mail.example.org");
    let services = example_tables("rest.NAME");
    let judges: Vec<_> = services
        .iter()
        .map(|table| {
            let config = read(table).unwrap_or_else(|e| panic!("{table}: {e}"));
            config.rest().values().next().unwrap().terms.judge.clone()
        })
        .collect();
    assert!(matches!(judges.as_slice(), [Judge::Service, Judge::Core { .. }]), "{judges:?}");
}

#[test]
fn the_domain_of_the_installed_example_is_valid() {
    let tables = example_tables("token.NAME");
    assert_eq!(tables.len(), 1);
    let config = read(&tables[0].replace("NAME", "\"example.org\"")).unwrap();
    assert_eq!(config.token().domains[0].seed, "example.org-seed");
}

/// Text that is nearly a configuration: more gets past the parser than with random text.
fn nearly() -> impl Strategy<Value = String> {
    let keys: Vec<String> = known_keys().iter().flat_map(|k| k.split('.').map(str::to_owned)).collect();
    let value = prop_oneof![
        "\\PC*",
        "\"\\PC*\"",
        "-?[0-9]{1,22}",
        "\"[0-9]{1,22}[smhdw]?\"",
        "\\[(\"\\PC{0,3}\",?){0,3}\\]",
        "\\{ ?[a-z]{1,5} ?= ?\\[?\"[a-z/]{0,3}\"\\]? ?\\}",
        Just("true".to_owned()),
    ];
    let key = prop_oneof![4 => prop::sample::select(keys.clone()), 1 => "\\PC{0,12}"];
    let line = prop_oneof![
        5 => (key.clone(), value).prop_map(|(key, value)| format!("{key} = {value}")),
        2 => key.clone().prop_map(|key| format!("[{key}]")),
        1 => Just("[[policy.rule]]".to_owned()),
        1 => Just("[sms.gateway.a]\ntype = \"http\"".to_owned()),
        1 => Just("[rest.a]".to_owned()),
        1 => Just("[token.a]".to_owned()),
        1 => "\\PC*",
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_input_panics_and_every_problem_lies_in_its_file(texts in prop::collection::vec(nearly(), 1..3)) {
        let sources: Vec<_> =
            texts.iter().enumerate().map(|(i, text)| source(&format!("{i}.toml"), text)).collect();
        let Err(errors) = Config::from_sources(&sources) else { return Ok(()) };
        prop_assert!(errors.iter().len() > 0);
        prop_assert_eq!(errors.to_string().lines().count(), errors.iter().len(), "one line each: {}", errors);
        for problem in &errors {
            let text = &sources.iter().find(|s| s.path == problem.file).unwrap().text;
            let at = problem.position.unwrap();
            let line = text.split('\n').nth(at.line - 1);
            prop_assert!(line.is_some_and(|l| at.column <= l.chars().count() + 1), "{:?} in {:?}", problem, text);
            prop_assert!(!problem.message.chars().any(char::is_control));
        }
    }

    #[test]
    fn no_bytes_that_are_text_panic(text in any::<String>()) {
        let _verdict = read(&text);
    }
}
