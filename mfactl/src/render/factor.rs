//! The words for kinds, states, algorithms and locks.

use mfa_proto::admin::{
    Algorithm, DeviceDetail, FactorDetail, FactorKind, FactorState, LockReason, LockState,
};

use super::style::Tone;
use super::time::{Now, span};

/// `totp`, `hotp`, …
pub(crate) fn kind(kind: FactorKind) -> &'static str {
    kind.word()
}

/// `pending`, `active`, `disabled`, `exhausted`.
pub(crate) fn state(state: FactorState) -> &'static str {
    match state {
        FactorState::Pending => "pending",
        FactorState::Active => "active",
        FactorState::Disabled => "disabled",
        FactorState::Exhausted => "exhausted",
    }
}

/// How a state looks.
pub(crate) fn tone(state: FactorState) -> Tone {
    match state {
        FactorState::Pending => Tone::Warn,
        FactorState::Active => Tone::Good,
        FactorState::Disabled | FactorState::Exhausted => Tone::Bad,
    }
}

/// What a state means where its name does not say it.
pub(crate) fn state_meaning(state: FactorState) -> &'static str {
    match state {
        FactorState::Pending => "pending: does not count until it is confirmed by a code",
        FactorState::Active => "active",
        FactorState::Disabled => "disabled",
        FactorState::Exhausted => "exhausted: 100 wrong codes in a row, must be enrolled anew",
    }
}

/// `sha1`, `sha256`, `sha512`.
pub(crate) fn algorithm(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Sha1 => "sha1",
        Algorithm::Sha256 => "sha256",
        Algorithm::Sha512 => "sha512",
    }
}

/// What a factor's codes are like, or where they go: `6 digits, sha1, every 30 s`.
pub(crate) fn described(detail: &FactorDetail) -> (Tone, String) {
    let target = detail.target.as_ref().map(ToString::to_string);
    let digits = detail.digits.map_or_else(String::new, |digits| format!("{digits} digits, "));
    let text = match (detail.kind, target) {
        (FactorKind::BreakGlass, _) => "counts once, in an emergency".to_owned(),
        (FactorKind::Recovery, _) => return codes_left(detail.left.unwrap_or(0)),
        (FactorKind::Totp | FactorKind::Hotp, _) => {
            parameters(detail.algorithm.unwrap_or_default(), detail.digits.unwrap_or_default(), detail.period)
        }
        (FactorKind::Sms | FactorKind::Mail, Some(to)) => format!("{digits}sent to {to}"),
        (FactorKind::Rest, Some(service)) => format!("judged by {service}"),
        (FactorKind::Token, Some(domain)) => format!("tokens signed for {domain}"),
        (FactorKind::Token, None) => "tokens signed with secrets of its own".to_owned(),
        (FactorKind::Sms | FactorKind::Mail | FactorKind::Rest, None) => digits,
    };
    (Tone::Plain, text)
}

/// When the last code that was used up was shown, Unix seconds: that one and those before count no more. `None` where codes
/// have no time, and before the first.
pub(crate) fn used_up_to(detail: &FactorDetail, device: &DeviceDetail) -> Option<i64> {
    let step = device.position.filter(|step| *step >= 0)?;
    let period = detail.period.filter(|_| detail.kind == FactorKind::Totp)?;
    step.checked_mul(i64::from(period))
}

fn codes_left(left: u32) -> (Tone, String) {
    let codes = if left == 1 { "code" } else { "codes" };
    if left > super::recovery::FEW {
        return (Tone::Plain, format!("{left} {codes} left"));
    }
    (Tone::Warn, format!("{left} {codes} left: time to make new ones"))
}

/// `6 digits, sha1, every 30 s`.
pub(crate) fn parameters(hash: Algorithm, digits: u8, period: Option<u16>) -> String {
    let rhythm = period.map_or_else(|| "one per press".to_owned(), |period| format!("every {period} s"));
    format!("{digits} digits, {}, {rhythm}", algorithm(hash))
}

/// `failures`, `long_window`.
pub(crate) fn reason(reason: LockReason) -> &'static str {
    match reason {
        LockReason::Failures => "failures",
        LockReason::LongWindow => "long_window",
    }
}

fn reason_words(reason: LockReason) -> &'static str {
    match reason {
        LockReason::Failures => "after wrong codes",
        LockReason::LongWindow => "after too many wrong codes in 30 days",
    }
}

/// How a lock looks and reads: `locked for 14 min 20 s, after wrong codes`.
pub(crate) fn lock(lock: LockState, now: &Now) -> (Tone, String) {
    match lock {
        LockState::Open => (Tone::Good, "open".to_owned()),
        LockState::Until { until, .. } if now.until(until) == 0 => (Tone::Good, "open".to_owned()),
        LockState::Until { until, reason } => {
            let text = format!("locked for {}, {}", span(now.until(until)), reason_words(reason));
            (Tone::Bad, text)
        }
        LockState::UntilAdmin { reason } => {
            (Tone::Bad, format!("locked until an administrator unlocks it, {}", reason_words(reason)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_say_how_long_and_why() {
        let now = Now::test();
        let until = |until| LockState::Until { until, reason: LockReason::Failures };
        assert_eq!(lock(until(1_700_000_860), &now).1, "locked for 14 min 20 s, after wrong codes");
        assert_eq!(lock(until(1_700_000_000), &now).1, "open");
        assert_eq!(
            lock(LockState::UntilAdmin { reason: LockReason::LongWindow }, &now).1,
            "locked until an administrator unlocks it, after too many wrong codes in 30 days"
        );
    }
}
