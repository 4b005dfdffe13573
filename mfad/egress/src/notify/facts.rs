//! What a notice says, for mail and for the program: hostile text kept to one line.

use jiff::Timestamp;
use mfa_proto::{
    egress::Notice,
    name::Claim,
    text::{ShownText, escape_for_log},
};
use mfa_role::config::Fact;
use serde::Serialize;

/// The most characters of one part: a mail can be read, and its subject is a subject.
const MOST: usize = 256;
/// What stands for what is not known.
const UNKNOWN: &str = "-";

/// The event's word in the trail, for logs.
pub(super) fn word(notice: &Notice) -> String {
    line(notice.event.as_str())
}

/// What can stand in the texts of a mail.
pub(super) fn of(notice: &Notice, host: &str) -> Vec<(Fact, String)> {
    let known = |text: Option<&str>| text.filter(|text| !text.is_empty()).map_or(UNKNOWN.into(), line);
    let service = notice.service.as_ref().map(Claim::as_str);
    let source = notice.source.as_ref().map(Claim::as_str);
    let factor = notice.factor.as_ref().map(ShownText::as_str);
    let detail = notice.detail.as_ref().map(ShownText::as_str);
    vec![
        (Fact::Event, line(phrase(notice.event.as_str()))),
        (Fact::User, line(&notice.user.to_string())),
        (Fact::Host, line(host)),
        (Fact::Service, known(service)),
        (Fact::Source, known(source)),
        (Fact::Time, time(notice.time)),
        (Fact::Factor, known(factor)),
        (Fact::Detail, known(detail)),
    ]
}

/// One line for people, for each word of the trail.
fn phrase(event: &str) -> &str {
    match event {
        "enroll" | "confirm" | "directory_adopt" | "directory_back" => "a factor was added",
        "enroll_replace" | "directory_change" => "a factor was replaced",
        "recovery_new" => "new recovery codes were made",
        "remove" | "remove_tampered" => "a factor was removed",
        "disable" | "directory_gone" => "a factor was switched off",
        "recovery_used" => "a recovery code was used",
        "locked" => "locked after wrong codes",
        "code_reused" => "a code was used a second time",
        "breakglass" => "a break-glass code was made",
        "breakglass_used" => "a break-glass code was used",
        "invite" => "an invitation was made",
        other => other,
    }
}

/// Without anything that ends a line, steers a terminal or turns its direction; cut.
fn line(text: &str) -> String {
    escape_for_log(text).chars().take(MOST).collect()
}

/// UTC, as RFC 3339 has it.
fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| UNKNOWN.to_owned(), |time| time.to_string())
}

/// What the program gets. No address: the user's own is for mail alone.
#[derive(Serialize)]
struct Told<'a> {
    seq: i64,
    time: i64,
    event: &'a str,
    user: String,
    host: &'a str,
    service: Option<&'a str>,
    source: Option<&'a str>,
    factor: Option<&'a str>,
    detail: Option<&'a str>,
    actor: u32,
}

/// One line of JSON, with its end.
pub(super) fn json(notice: &Notice, host: &str) -> String {
    let told = Told {
        seq: notice.seq,
        time: notice.time,
        event: notice.event.as_str(),
        user: notice.user.to_string(),
        host,
        service: notice.service.as_ref().map(Claim::as_str),
        source: notice.source.as_ref().map(Claim::as_str),
        factor: notice.factor.as_ref().map(ShownText::as_str),
        detail: notice.detail.as_ref().map(ShownText::as_str),
        actor: notice.actor,
    };
    // Texts and numbers alone: there is nothing in it that JSON cannot say.
    let mut line = serde_json::to_string(&told).unwrap_or_default();
    line.push('\n');
    line
}

#[cfg(test)]
pub(super) mod tests {
    use mfa_proto::{
        name::{UserId, UserName},
        secret::SecretText,
    };
    use proptest::prelude::*;

    use super::*;

    pub(in crate::notify) fn notice(source: &str, detail: &str) -> Notice {
        Notice {
            seq: 7,
            time: 2_000_000_010,
            event: ShownText::clean("locked"),
            user: UserId::local(UserName::new("jane").unwrap()),
            service: Some(Claim::clean("sshd")),
            source: Some(Claim::clean(source)),
            factor: Some(ShownText::clean("totp phone")),
            detail: Some(ShownText::clean(detail)),
            actor: 0,
            to: Some(SecretText::new("jane.marker@example.org".into()).unwrap()),
        }
    }

    #[test]
    fn what_is_told_in_full() {
        let notice = notice("203.0.113.7", "for 900 s");
        assert_eq!(
            json(&notice, "h"),
            "{\"seq\":7,\"time\":2000000010,\"event\":\"locked\",\"user\":\"jane\",\"host\":\"h\",\
             \"service\":\"sshd\",\"source\":\"203.0.113.7\",\"factor\":\"totp phone\",\
             \"detail\":\"for 900 s\",\"actor\":0}\n"
        );
        let facts = of(&notice, "h");
        let fact = |wanted| facts.iter().find(|(fact, _)| *fact == wanted).unwrap().1.as_str();
        assert_eq!(
            (fact(Fact::Time), fact(Fact::Event)),
            ("2033-05-18T03:33:30Z", "locked after wrong codes")
        );
        let bare = Notice { source: None, detail: None, factor: None, service: None, ..notice };
        assert!(of(&bare, "h").iter().all(|(_, text)| !text.is_empty()));
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_line(source in "(\\PC|[\r\n\0\u{1b}\u{202e}])*", detail in "(\\PC|[\r\n\0])*") {
            let notice = notice(&source, &detail);
            for (_, text) in of(&notice, "h") {
                prop_assert!(!text.chars().any(char::is_control), "{text:?}");
                prop_assert!(text.chars().count() <= MOST);
            }
            let json = json(&notice, "h");
            prop_assert_eq!(json.matches('\n').count(), 1);
            let back: serde_json::Value = serde_json::from_str(&json).unwrap();
            let kept = Claim::clean(&source);
            prop_assert_eq!(back["source"].as_str(), Some(kept.as_str()));
            prop_assert!(!json.contains("marker"));
        }
    }
}
