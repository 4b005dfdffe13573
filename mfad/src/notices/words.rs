//! What egress is told of a row of the trail. Refuses more than people need: no code, no other address than
//! the user's own, and that only where it is used.

use mfa_proto::{egress::Notice, name::Claim, text::ShownText};

use crate::store::News;

/// The notice of a row; `None` for a row that names nobody. `mail` says whether the user is told by mail.
pub(super) fn notice(news: News, mail: bool) -> Option<Notice> {
    let News { row, factor, mail: address, .. } = news;
    Some(Notice {
        seq: row.seq,
        time: row.time,
        user: row.user?,
        service: row.service.as_deref().map(Claim::clean),
        source: row.source.as_deref().map(Claim::clean),
        factor: factor.map(|(kind, label)| ShownText::clean(&format!("{} {label}", kind.word()))),
        detail: detail(&row.event, &row.reason).map(|text| ShownText::clean(&text)),
        event: ShownText::clean(&row.event),
        actor: row.actor,
        to: address.filter(|_| mail),
    })
}

/// The reason of a row in a sentence, where it says more than the event.
fn detail(event: &str, reason: &str) -> Option<String> {
    match event {
        "locked" => Some(lock(reason)),
        "recovery_used" | "breakglass" | "breakglass_used" => Some(reason.to_owned()).filter(|r| r != "ok"),
        _ => None,
    }
}

fn lock(reason: &str) -> String {
    if let Some(rest) = reason.strip_prefix("unproven ") {
        return format!("{}; only for logins that do not prove the password first", lock(rest));
    }
    if let Some(rest) = reason.strip_prefix("long_window ") {
        return format!("too many failures in 30 days: {}", lock(rest));
    }
    match reason {
        "until_admin" => "until an administrator unlocks it".to_owned(),
        "exhausted" => "until it is enrolled again".to_owned(),
        wait => format!("for {wait}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_said_in_a_sentence() {
        for (reason, said) in [
            ("900 s", "for 900 s"),
            ("exhausted", "until it is enrolled again"),
            ("unproven 900 s", "for 900 s; only for logins that do not prove the password first"),
            ("long_window until_admin", "too many failures in 30 days: until an administrator unlocks it"),
        ] {
            assert_eq!(detail("locked", reason).as_deref(), Some(said));
        }
        assert_eq!(detail("enroll", "ok"), None);
        assert_eq!(detail("recovery_used", "9 left").as_deref(), Some("9 left"));
    }
}
