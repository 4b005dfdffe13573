//! Rules as written, against logins: which decides, and what is never skipped unasked.

use std::collections::BTreeMap;

use mfa_proto::{
    admin::FactorKind,
    name::{RealmName, UserName},
};
use proptest::prelude::*;

use super::*;
use crate::config::{Config, Source as Text};

/// 2033-05-18 03:33:30 UTC, a Wednesday.
const NOW: UnixTime = UnixTime(2_000_000_010);
const GROUPS: [(&str, u32); 3] = [("admins", 1001), ("robots", 1002), ("staff", 1003)];
const SK: &str = "sk-ssh-ed25519@openssh.com";
const PRINT: &str = "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ";

/// The rules of a configuration on a host with [`GROUPS`], in UTC.
fn policy(text: &str) -> Policy {
    let source = Text { path: "m.toml".into(), text: text.to_owned() };
    let config = Config::from_sources(&[source]).unwrap_or_else(|errors| panic!("{text}\n{errors}"));
    let groups: BTreeMap<String, u32> = GROUPS.iter().map(|(name, gid)| ((*name).to_owned(), *gid)).collect();
    Policy::of(&config, &Names::known(groups, Zone::UTC))
}

fn rules(rules: &[(&str, &str, &str)]) -> Policy {
    let rule = |(name, matches, rest): &(&str, &str, &str)| {
        let action = if rest.is_empty() { "action = \"require\"" } else { rest };
        format!("[[policy.rule]]\nname = \"{name}\"\nmatch = {{ {matches} }}\n{action}\n")
    };
    policy(&rules.iter().map(rule).collect::<String>())
}

/// Rules in an order that a configuration would not be allowed, because some are never reached.
fn piled(listed: &[(&str, &str, &str)]) -> Policy {
    let all = listed.iter().flat_map(|rule| rules(&[*rule]).rules.to_vec()).collect();
    Policy { rules: all, ..rules(&[]) }
}

/// A login; without more, of jane through sshd at the host itself.
#[derive(Clone, Debug)]
struct Case {
    user: UserId,
    service: ServiceName,
    client: Option<ClientName>,
    origin: Origin,
    membership: Option<Membership>,
    now: UnixTime,
}

impl Case {
    fn new() -> Self {
        Self {
            user: UserId::local(UserName::new("jane").unwrap()),
            service: ServiceName::new("sshd").unwrap(),
            client: None,
            origin: Origin { source: Source::Local, keys: Vec::new() },
            membership: Some(Membership::of(GROUPS.map(|(_, gid)| (gid, false)))),
            now: NOW,
        }
    }

    fn user(self, name: &str) -> Self {
        Self { user: UserId::local(UserName::new(name).unwrap()), ..self }
    }

    fn realm(self, realm: &str) -> Self {
        let user = UserId { realm: RealmName::new(realm).unwrap(), ..self.user };
        Self { user, ..self }
    }

    fn service(self, name: &str) -> Self {
        Self { service: ServiceName::new(name).unwrap(), ..self }
    }

    fn client(self, name: &str) -> Self {
        Self { client: Some(ClientName::new(name).unwrap()), ..self }
    }

    fn from(self, host: &str) -> Self {
        Self { origin: Origin { source: Source::named(host), ..self.origin }, ..self }
    }

    fn key(mut self, key_type: &str, fingerprint: &str) -> Self {
        self.origin.keys.push(Key { key_type: key_type.to_owned(), fingerprint: fingerprint.to_owned() });
        self
    }

    fn in_groups(self, gids: &[u32]) -> Self {
        let membership = Membership::of(GROUPS.map(|(_, gid)| (gid, gids.contains(&gid))));
        Self { membership: Some(membership), ..self }
    }

    /// Only these groups could be looked up, and the account is in none.
    fn knowing(self, gids: &[u32]) -> Self {
        Self { membership: Some(Membership::of(gids.iter().map(|gid| (*gid, false)))), ..self }
    }

    fn at(self, now: i64) -> Self {
        Self { now: UnixTime(now), ..self }
    }

    fn ask<T>(&self, then: impl FnOnce(&Request<'_>) -> T) -> T {
        then(&Request {
            user: &self.user,
            service: &self.service,
            client: self.client.as_ref(),
            origin: &self.origin,
            membership: self.membership.as_ref(),
            now: self.now,
        })
    }

    fn decided(&self, policy: &Policy) -> Result<Decision, Undecided> {
        self.ask(|request| policy.decide(request))
    }

    /// Whether a rule with these conditions fits.
    fn fits(&self, matches: &str) -> Result<bool, Undecided> {
        let decided = self.decided(&rules(&[("r", matches, "action = \"deny\"")]))?;
        Ok(matches!(decided, Decision::Deny { .. }))
    }

    fn need(&self, policy: &Policy) -> Need {
        match self.decided(policy) {
            Ok(Decision::Require(need)) => need,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn each_condition_fits_what_it_says() {
    let jane = Case::new;
    for (matches, case, expected) in [
        ("", jane(), true),
        ("service = [\"su\", \"sshd\"]", jane(), true),
        ("service = [\"su\"]", jane(), false),
        ("user = [\"jane\"]", jane(), true),
        ("user = [\"jane\"]", jane().user("Jane"), false),
        ("user = [\"jane\"], service = [\"su\"]", jane(), false),
        ("realm = [\"local\"]", jane(), true),
        ("realm = [\"local\"]", jane().realm("corp"), false),
        ("group = [\"admins\"]", jane().in_groups(&[1001]), true),
        ("group = [\"admins\", \"staff\"]", jane().in_groups(&[1003]), true),
        ("group = [\"admins\"]", jane().in_groups(&[1002, 1003]), false),
        ("source = [\"10.20.0.0/16\"]", jane().from("10.20.255.1"), true),
        ("source = [\"10.20.0.0/16\"]", jane().from("::ffff:10.20.0.1"), true),
        ("source = [\"10.20.0.0/16\"]", jane().from("10.21.0.1"), false),
        ("source = [\"10.20.0.0/16\"]", jane(), false),
        ("source = [\"10.20.0.0/16\"]", jane().from("host.10.20.0.1"), false),
        ("source = [\"0.0.0.0/0\", \"::/0\"]", jane().from("some.name"), false),
        ("source = [\"0.0.0.0/0\"]", jane().from("2001:db8::1"), false),
        ("source = [\"2001:db8::/32\"]", jane().from("2001:db8::1"), true),
        ("source = [\"127.0.0.1\"]", jane().from("localhost"), false),
        ("origin = \"local\"", jane(), true),
        ("origin = \"local\"", jane().from("127.0.0.1"), false),
        ("origin = \"local\"", jane().from("localhost"), false),
        ("origin = \"remote\"", jane().from("some.name"), true),
        ("origin = \"remote\"", jane(), false),
        ("hours = [\"03:00-04:00\"]", jane(), true),
        ("hours = [\"03:34-04:00\"]", jane(), false),
        ("hours = [\"22:00-03:34\"]", jane(), true),
        ("days = [\"wed\"]", jane(), true),
        ("days = [\"wed\"], hours = [\"22:00-06:00\"]", jane(), false),
        ("days = [\"tue\"], hours = [\"22:00-06:00\"]", jane(), true),
        ("days = [\"thu\"]", jane().at(NOW.0 + 86_400), true),
        ("key_type = [\"sk-*\"]", jane().key(SK, PRINT), true),
        ("key_type = [\"sk-*\"]", jane(), false),
        ("key_type = [\"sk-*\"]", jane().key("ssh-ed25519", PRINT), false),
        ("key_type = [\"sk-*\"]", jane().key("ssh-ed25519", "x").key(SK, PRINT), true),
        ("key_type = [\"ssh-ed25519\"]", jane().key("ssh-ed25519-cert-v01@openssh.com", PRINT), false),
        (&format!("key_fingerprint = [\"{PRINT}\"]"), jane().key("ssh-ed25519", PRINT), true),
        (&format!("key_fingerprint = [\"{PRINT}\"]"), jane().key("ssh-ed25519", "SHA256:x"), false),
        // One key has to be both.
        (
            &format!("key_type = [\"sk-*\"], key_fingerprint = [\"{PRINT}\"]"),
            jane().key(SK, "SHA256:x").key("ssh-ed25519", PRINT),
            false,
        ),
    ] {
        assert_eq!(case.fits(matches), Ok(expected), "{matches} {case:?}");
    }
}

#[test]
fn a_group_that_is_not_known_leaves_the_login_undecided() {
    let group = |group: &str| Err(Undecided::Group { rule: "r".into(), group: group.into() });
    let case = Case::new;
    assert_eq!(case().knowing(&[]).fits("group = [\"admins\"]"), group("admins"));
    assert_eq!(Case { membership: None, ..case() }.fits("group = [\"admins\"]"), group("admins"));
    // Being in one is enough; not being in one is not.
    let half = Membership::of([(1001, true)]);
    let member = Case { membership: Some(half), ..case() };
    assert_eq!(member.fits("group = [\"robots\", \"admins\"]"), Ok(true));
    assert_eq!(case().knowing(&[1001]).fits("group = [\"admins\", \"robots\"]"), group("robots"));
    // A rule that does not fit anyway asks for no group.
    assert_eq!(case().knowing(&[]).fits("group = [\"admins\"], service = [\"su\"]"), Ok(false));
    // What the rules were never told to be is no group of the host.
    let source = Text {
        path: "m.toml".into(),
        text: "[[policy.rule]]\nname = \"r\"\nmatch = { group = [\"admins\"] }\naction = \"deny\"".into(),
    };
    let unresolved = Policy::of(&Config::from_sources(&[source]).unwrap(), &Names::default());
    assert_eq!(case().in_groups(&[1001]).decided(&unresolved).err(), group("admins").err());
}

#[test]
fn a_clock_that_is_not_set_leaves_the_login_undecided() {
    let undecided = Err(Undecided::Time { rule: "r".into() });
    assert_eq!(Case::new().at(0).fits("hours = [\"08:00-18:00\"]"), undecided);
    assert_eq!(Case::new().at(0).fits("days = [\"thu\"], service = [\"su\"]"), Ok(false));
    let zoneless = Policy { zone: None, ..rules(&[("r", "days = [\"wed\"]", "")]) };
    assert_eq!(Case::new().decided(&zoneless).err(), undecided.err());
}

#[test]
fn groups_are_looked_up_only_where_they_decide() {
    let policy = rules(&[
        ("1", "service = [\"su\"], group = [\"admins\"]", "action = \"deny\""),
        ("2", "origin = \"remote\", group = [\"robots\"]", "action = \"skip\""),
        ("3", "user = [\"jane\"]", ""),
        ("4", "group = [\"staff\"]", "action = \"skip\""),
    ]);
    let wanted = |case: Case| case.ask(|request| policy.groups_wanted(request));
    assert_eq!(wanted(Case::new()), Vec::<u32>::new());
    assert_eq!(wanted(Case::new().from("x")), [1002]);
    assert_eq!(wanted(Case::new().service("su")), [1001]);
    assert_eq!(wanted(Case::new().user("john").from("x").service("su")), [1001, 1002, 1003]);
}

#[test]
fn the_first_match_wins_and_without_one_a_factor_is_required() {
    let policy = rules(&[
        ("robots", "service = [\"sshd\"], user = [\"robot\"]", "action = \"skip\""),
        ("no su", "service = [\"su\"]", "action = \"deny\""),
        ("everyone", "service = [\"sshd\"]", ""),
    ]);
    let case = Case::new;
    let grant = Grant::by("robots".into());
    assert_eq!(case().user("robot").decided(&policy), Ok(Decision::Skip(grant)));
    assert_eq!(
        case().user("robot").service("su").decided(&policy),
        Ok(Decision::Deny { rule: "no su".into() })
    );
    assert_eq!(case().need(&policy).rule.as_deref(), Some("everyone"));
    assert_eq!(case().service("login").need(&policy), Need::default());
    assert_eq!(Policy::without_factor(&Need::default()), None);
}

#[test]
fn a_rule_says_what_becomes_of_whom_has_no_factor() {
    let case = Case::new;
    let optional = ("optional", "service = [\"sshd\"]", "action = \"require\"\nunenrolled = \"skip\"");
    let strict = ("strict", "service = [\"su\"]", "action = \"require\"\nunenrolled = \"deny\"");
    for (everywhere, login) in [(Unenrolled::Deny, None), (Unenrolled::Skip, Some("unenrolled = skip"))] {
        let policy = Policy { unenrolled: everywhere, ..rules(&[optional, strict]) };
        let without = |service: &str| Policy::without_factor(&case().service(service).need(&policy));
        let by = |rule: &str| Some(Grant::by(rule.to_owned()));
        assert_eq!(without("sshd"), by("optional"));
        assert_eq!(without("su"), None);
        assert_eq!(without("login"), login.and_then(by));
    }
    let enrolls = policy(
        "[enrollment]\nself = \"invite\"\n[[policy.rule]]\nname = \"r\"\nmatch = { user = [\"jane\"] }\naction = \"require\"\nunenrolled = \"enroll\"",
    );
    assert_eq!(Policy::without_factor(&case().need(&enrolls)), None);
}

#[test]
fn a_rule_says_what_it_wants_of_factors() {
    let policy = rules(&[(
        "r",
        "service = [\"sshd\", \"sudo\"]",
        "action = \"require\"\nkinds = [\"totp\", \"hotp\"]\ncount = 2\nremember = \"8h\"\ndefault_factor = \"totp\"",
    )]);
    let need = Case::new().need(&policy);
    assert_eq!((need.count, need.preferred.as_deref()), (2, Some("totp")));
    assert_eq!(need.remember, Some(Remember { seconds: 28_800 }));
    assert!(need.kinds.contains(FactorKind::Hotp) && !need.kinds.contains(FactorKind::Sms));
}

#[test]
fn what_is_sent_unasked_is_the_rules_word_before_the_prompts() {
    let policy = policy(
        "[prompt]\ndefault = \"sms\"\n[[policy.rule]]\nname = \"jane\"\nmatch = { user = [\"jane\"] }\naction = \"require\"\ndefault_factor = \"mail\"\n[[policy.rule]]\nname = \"su\"\nmatch = { service = [\"su\"] }\naction = \"require\"",
    );
    let preferred = |case: Case| case.need(&policy).preferred;
    assert_eq!(preferred(Case::new()).as_deref(), Some("mail"));
    assert_eq!(preferred(Case::new().user("john").service("su")).as_deref(), Some("sms"));
    assert_eq!(preferred(Case::new().user("john")).as_deref(), Some("sms"));
}

#[test]
fn a_success_is_not_remembered_for_becoming_another_unless_named() {
    let remember = "action = \"require\"\nremember = \"8h\"";
    for service in BECOMING_ANOTHER {
        for (matches, remembered) in [
            (String::new(), false),
            ("user = [\"jane\"]".to_owned(), false),
            (format!("service = [\"{service}\", \"sshd\"]"), true),
        ] {
            let need = Case::new().service(service).need(&rules(&[("r", &matches, remember)]));
            assert_eq!(need.remember.is_some(), remembered, "{service} {matches}");
        }
    }
    assert!(Case::new().need(&rules(&[("r", "", remember)])).remember.is_some());
}

#[test]
fn what_is_remembered_is_granted_by_the_rule_that_has_it_remembered_alone() {
    let policy = rules(&[
        ("office", "service = [\"sshd\"]", "action = \"require\"\nremember = \"1m\""),
        ("other", "", ""),
    ]);
    let remember = Some(Remember { seconds: 60 });
    let need = |rule: &str| Need { remember, rule: Some(rule.to_owned()), ..Need::default() };
    let user = |name: &str| UserId::local(UserName::new(name).unwrap());
    let recalled = |need: &Need, rule: &str, name: &str| {
        policy.remembered(need, &user("jane"), Recollection::of_nothing(user(name), rule))
    };
    let granted = recalled(&need("office"), "office", "jane").unwrap();
    assert_eq!((granted.rule(), granted.reason()), ("office", Reason::Remembered));
    for (need, rule, name) in [
        (need("office"), "office", "john"),
        (need("office"), "other", "jane"),
        (need("other"), "other", "jane"),
        (need("gone"), "gone", "jane"),
        (Need { remember: None, ..need("office") }, "office", "jane"),
        (Need { rule: None, ..need("office") }, "office", "jane"),
    ] {
        assert_eq!(recalled(&need, rule, name), None, "{need:?} {rule} {name}");
    }
}

#[test]
fn the_way_to_the_rule_is_told() {
    let policy = rules(&[
        ("robots", "group = [\"robots\"]", "action = \"skip\""),
        ("office", "source = [\"10.20.0.0/16\"]", "action = \"skip\""),
        ("keys", "key_type = [\"sk-*\"]", "action = \"skip\""),
        ("admins", "group = [\"admins\"], source = [\"203.0.113.0/24\"]", ""),
    ]);
    let case = Case::new().from("203.0.113.7").in_groups(&[1001]);
    let path = case.ask(|request| policy.path(request));
    assert_eq!(
        path.decided,
        "rule 4 \"admins\" is the first that matches: group admins (gid 1001), source 203.0.113.0/24"
    );
    assert_eq!(
        path.before,
        [
            "rule 1 \"robots\" does not match: the user is not in group robots (gid 1002)",
            "rule 2 \"office\" does not match: it is for source 10.20.0.0/16; this login comes from 203.0.113.7",
            "rule 3 \"keys\" does not match: it is for keys sk-*; no key is known that sshd accepted",
        ]
    );
    let path = case.knowing(&[]).ask(|request| policy.path(request));
    assert!(path.decided.starts_with("nothing can be decided, so the login is refused: rule \"robots\""));
}

/// Conditions of which a part fits any of the logins below.
const CONDITIONS: [&str; 9] = [
    "user = [\"jane\"]",
    "service = [\"sshd\"]",
    "group = [\"admins\"]",
    "group = [\"robots\", \"staff\"]",
    "source = [\"10.0.0.0/8\"]",
    "origin = \"remote\"",
    "hours = [\"00:00-12:00\"]",
    "key_type = [\"sk-*\"]",
    "service = [\"su\"], group = [\"staff\"]",
];

prop_compose! {
    fn logins()(
        user in prop_oneof!["jane", "john"],
        service in prop_oneof!["sshd", "su"],
        host in prop_oneof![Just(None), Just(Some("10.1.2.3")), Just(Some("192.0.2.1")), Just(Some("name"))],
        key in proptest::option::of(prop_oneof![Just(SK), Just("ssh-ed25519")]),
        known in proptest::collection::vec(proptest::option::of(any::<bool>()), 3),
        now in prop_oneof![Just(0), NOW.0..NOW.0 + 86_400],
    ) -> Case {
        let case = Case::new().user(&user).service(&service).at(now);
        let case = match host { Some(host) => case.from(host), None => case };
        let case = match key { Some(key) => case.key(key, PRINT), None => case };
        let known = GROUPS.iter().zip(known).filter_map(|((_, gid), is_in)| Some((*gid, is_in?)));
        Case { membership: Some(Membership::of(known)), ..case }
    }
}

proptest! {
    /// Whatever the order of rules and whichever look-ups fail: a login is skipped only by a skip rule that
    /// fits it for certain, and before which each other is certain not to fit.
    #[test]
    fn nothing_is_skipped_unasked(
        mut chosen in Just((0..CONDITIONS.len()).collect::<Vec<_>>()).prop_shuffle(),
        actions in proptest::collection::vec(0..3_usize, CONDITIONS.len()),
        length in 0..=CONDITIONS.len(),
        case in logins(),
    ) {
        chosen.truncate(length);
        let words = ["action = \"require\"", "action = \"skip\"", "action = \"deny\""];
        let written: Vec<(String, &str, &str)> =
            chosen.iter().map(|one| (format!("r{one}"), CONDITIONS[*one], words[actions[*one]])).collect();
        let listed: Vec<(&str, &str, &str)> =
            written.iter().map(|(name, matches, action)| (name.as_str(), *matches, *action)).collect();
        let policy = piled(&listed);
        let decided = case.decided(&policy);
        // What is passed over unseen does not fit.
        let (seen, all) = case.ask(|request| {
            let look = Look::new(request, policy.zone.as_ref());
            let may_decide = |rule: &&Rule| !matches!(look.unmet(rule), Ok(Some(_)));
            let seen = policy.rules.that_may_fit(request).find(may_decide);
            (seen.cloned(), policy.rules.iter().find(may_decide).cloned())
        });
        prop_assert_eq!(seen, all);
        let first = listed.iter().find(|(_, matches, _)| case.fits(matches) != Ok(false));
        match (&decided, first) {
            (Ok(Decision::Skip(grant)), Some((name, matches, action))) => {
                prop_assert_eq!(case.fits(matches), Ok(true));
                prop_assert_eq!((grant.rule(), *action), (*name, words[1]));
            }
            (Ok(Decision::Skip(_)), None) => prop_assert!(false, "skipped by no rule"),
            (Err(_), Some((_, matches, _))) => prop_assert!(case.fits(matches).is_err()),
            (Err(_), None) => prop_assert!(false, "undecided by no rule"),
            (Ok(Decision::Require(_) | Decision::Deny { .. }), _) => {}
        }
    }

    /// Knowing less never lets in: what is skipped with some groups unknown is skipped with all known, too.
    #[test]
    fn a_look_up_that_fails_skips_nothing(
        order in Just((0..CONDITIONS.len()).collect::<Vec<_>>()).prop_shuffle(),
        actions in proptest::collection::vec(0..3_usize, CONDITIONS.len()),
        case in logins(),
        members in proptest::collection::vec(any::<bool>(), 3),
    ) {
        let words = ["action = \"require\"", "action = \"skip\"", "action = \"deny\""];
        let written: Vec<(String, &str, &str)> =
            order.iter().map(|one| (format!("r{one}"), CONDITIONS[*one], words[actions[*one]])).collect();
        let listed: Vec<(&str, &str, &str)> =
            written.iter().map(|(name, matches, action)| (name.as_str(), *matches, *action)).collect();
        let policy = piled(&listed);
        let truth: Vec<(u32, bool)> = GROUPS.iter().zip(&members).map(|((_, gid), is_in)| (*gid, *is_in)).collect();
        let whole = Case { membership: Some(Membership::of(truth.clone())), ..case.clone() };
        for hidden in GROUPS {
            let known = truth.iter().copied().filter(|(gid, _)| *gid != hidden.1);
            let part = Case { membership: Some(Membership::of(known)), ..case.clone() };
            if let Ok(decision) = part.decided(&policy) {
                prop_assert_eq!(Ok(decision), whole.decided(&policy));
            }
        }
    }
}

#[test]
fn a_rule_on_clients_is_for_front_ends_alone() {
    let vpn = Case::new().client("vpn");
    assert_eq!(vpn.fits("client = [\"vpn\", \"wiki\"]"), Ok(true));
    assert_eq!(vpn.fits("client = [\"wiki\"]"), Ok(false));
    assert_eq!(Case::new().fits("client = [\"vpn\"]"), Ok(false), "a login of the host has none");
    assert_eq!(vpn.fits("service = [\"sshd\"]"), Ok(true));
}
