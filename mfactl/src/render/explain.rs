//! What decides a login, for people and for programs.

use mfa_proto::admin::{Counting, Explain, ExplainClient, Explanation, KeyClaim, LockState, Outlook};
use mfa_proto::name::{Claim, ServiceName, UserId};
use mfa_proto::text::{ShownText, escape_for_log};
use serde_json::{Value, json};

use super::style::{Style, Tone};
use super::table::{Cell, lines};
use super::time::{Now, span};
use super::{factor, view};

/// The login that is thought through.
pub(crate) enum Login {
    /// Through PAM.
    Host(Explain),
    /// Through a client of mfad-web.
    Client(ExplainClient),
}

impl Login {
    /// Who would log in.
    pub(crate) fn user(&self) -> &UserId {
        match self {
            Self::Host(login) => &login.user,
            Self::Client(login) => &login.user,
        }
    }

    /// The PAM service, where there is one.
    pub(crate) fn service(&self) -> Option<&ServiceName> {
        match self {
            Self::Host(login) => Some(&login.service),
            Self::Client(_) => None,
        }
    }

    /// From where, as far as that is said.
    pub(crate) fn source(&self) -> Option<&Claim> {
        match self {
            Self::Host(login) => login.source.as_ref(),
            Self::Client(login) => login.source.as_ref(),
        }
    }

    /// The key that sshd would have accepted.
    pub(crate) fn key(&self) -> Option<&KeyClaim> {
        match self {
            Self::Host(login) => login.key.as_ref(),
            Self::Client(_) => None,
        }
    }

    /// When, if not now.
    pub(crate) fn at(&self) -> Option<i64> {
        match self {
            Self::Host(login) => login.at,
            Self::Client(login) => login.at,
        }
    }
}

/// The whole explanation, the answer first.
pub(crate) fn text(login: &Login, told: &Explanation, now: &Now, style: Style) -> String {
    let (tone, outlook) = outlook(told);
    let mut facts = vec![[Cell::new("  Outcome"), Cell::toned(tone, outlook)]];
    let rule = told.rule.as_deref().unwrap_or("none matches: a second factor is needed");
    facts.push([Cell::new("  Rule"), Cell::new(rule)]);
    for (at, why) in told.why.iter().enumerate() {
        facts.push([Cell::new(if at == 0 { "  Because" } else { "  " }), Cell::new(why.as_str())]);
    }
    if matches!(told.outlook, Outlook::Asked | Outlook::Denied) && told.needed > 0 {
        facts.push([Cell::new("  Needed"), Cell::new(&needed(told))]);
    }
    facts.extend(told.factors.iter().map(|one| counting(one, now)));
    if told.factors.is_empty() {
        // What is held is looked at only for a rule that asks for it.
        let none = if told.needed == 0 { "not looked at: the rule asks for none" } else { "no active one" };
        facts.push([Cell::new("  Factors"), Cell::new(none)]);
    }
    let remembered = told.remember.map_or_else(
        || "a success is not remembered".to_owned(),
        |seconds| format!("a success counts for {}", span(i64::from(seconds))),
    );
    facts.push([Cell::new("  Remembered"), Cell::new(&remembered)]);
    let (tone, lock) = factor::lock(told.lock, now);
    facts.push([Cell::new("  Account"), Cell::toned(tone, &lock)]);
    let sees = told.sees.as_ref().map_or("nothing from mfad", ShownText::as_str);
    facts.push([Cell::new("  User sees"), Cell::new(sees)]);
    format!("{}\n{}", style.paint(Tone::Strong, &title(login, now)), lines(None, facts, &mut [12, 0], style))
}

/// `alice through sshd from 203.0.113.7 with a key …, at …`.
fn title(login: &Login, now: &Now) -> String {
    let (through, nowhere) = match login {
        Login::Host(login) => (login.service.to_string(), ", at the host itself"),
        Login::Client(login) => (format!("client {}", login.client), ", from where it does not say"),
    };
    let source =
        login.source().map_or_else(|| nowhere.to_owned(), |source| format!(" from {}", source.as_str()));
    let fingerprint = |key: &KeyClaim| key.fingerprint.as_ref().map(|print| format!(" {}", print.as_str()));
    let key = login
        .key()
        .map(|key| format!(", with a key {}{}", key.key_type.as_str(), fingerprint(key).unwrap_or_default()));
    let at = login.at().map(|at| format!(", at {}", now.local(at)));
    let (user, key, at) = (login.user(), key.unwrap_or_default(), at.unwrap_or_default());
    escape_for_log(&format!("{user} through {through}{source}{key}{at}"))
}

fn outlook(told: &Explanation) -> (Tone, &'static str) {
    let locked = told.lock != LockState::Open;
    match told.outlook {
        Outlook::Asked if locked => {
            (Tone::Warn, "a second factor is asked for, and refused while the lock lasts")
        }
        Outlook::Asked => (Tone::Good, "a second factor is asked for"),
        Outlook::Skipped => (Tone::Warn, "no second factor is asked for"),
        Outlook::Denied => (Tone::Bad, "denied, whatever is answered"),
        Outlook::Enrolled => (Tone::Warn, "a first factor is enrolled on the way"),
    }
}

fn needed(told: &Explanation) -> String {
    let open = told.factors.iter().filter(|one| one.counts).count();
    let factors =
        if told.needed == 1 { "1 factor".to_owned() } else { format!("{} different factors", told.needed) };
    format!("{factors}; of those held, {open} {}", if open == 1 { "counts" } else { "count" })
}

fn counting(one: &Counting, now: &Now) -> [Cell; 2] {
    let name = format!("{} \"{}\"", factor::kind(one.kind), escape_for_log(one.label.as_str()));
    let (tone, lock) = factor::lock(one.lock, now);
    let (tone, text) = match (one.counts, tone) {
        (false, _) => (Tone::Plain, format!("{name}: does not count for this rule")),
        (true, Tone::Good) => (Tone::Good, format!("{name}: counts")),
        (true, _) => (tone, format!("{name}: counts, but is {lock}")),
    };
    [Cell::new(&format!("  Factor {}", one.factor.0)), Cell::toned(tone, &text)]
}

/// The same for programs.
pub(crate) fn json(login: &Login, told: &Explanation) -> Value {
    let factors: Vec<Value> = told.factors.iter().map(counting_json).collect();
    let key = login.key();
    let client = match login {
        Login::Host(_) => None,
        Login::Client(login) => Some(login.client.as_str()),
    };
    view::object([
        ("user", json!(login.user().name.as_str())),
        ("realm", json!(login.user().realm.as_str())),
        ("service", json!(login.service().map(ServiceName::as_str))),
        ("client", json!(client)),
        ("source", json!(login.source().map(Claim::as_str))),
        ("key_type", json!(key.map(|key| key.key_type.as_str()))),
        ("key_fingerprint", json!(key.and_then(|key| Some(key.fingerprint.as_ref()?.as_str())))),
        ("outcome", json!(word(&told.outlook))),
        ("rule", json!(told.rule)),
        ("why", json!(told.why.iter().map(ShownText::as_str).collect::<Vec<_>>())),
        ("needed", json!(told.needed)),
        ("factors", json!(factors)),
        ("remember", json!(told.remember)),
        ("lock", view::lock(told.lock)),
        ("sees", json!(told.sees.as_ref().map(ShownText::as_str))),
    ])
    .time("at", login.at())
    .into()
}

fn counting_json(one: &Counting) -> Value {
    json!({
        "factor": one.factor.0,
        "kind": factor::kind(one.kind),
        "label": one.label.as_str(),
        "counts": one.counts,
        "lock": view::lock(one.lock),
    })
}

/// The word for how it would go.
fn word(outlook: &Outlook) -> &'static str {
    match outlook {
        Outlook::Asked => "asked",
        Outlook::Skipped => "skipped",
        Outlook::Denied => "denied",
        Outlook::Enrolled => "enrolled",
    }
}
