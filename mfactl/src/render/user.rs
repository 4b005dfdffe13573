//! Users: the list, and one with all it holds.

use std::fmt::Write;

use mfa_proto::admin::{DeviceDetail, FactorDetail, FactorKind, UserDetail, UserSummary};
use mfa_proto::name::UserId;
use mfa_proto::text::escape_for_log;

use super::factor;
use super::style::{Style, Tone};
use super::table::{Cell, lines};
use super::time::Now;

/// The list of users; what to do when it is empty.
pub(crate) fn list(users: &[UserSummary], now: &Now, style: Style) -> String {
    if users.is_empty() {
        return "No user has a factor yet. To add one: mfactl enroll totp USER\n".to_owned();
    }
    let rows = users.iter().map(|user| row(user, now)).collect();
    lines(Some(["USER", "FACTORS", "LAST USED", "ACCOUNT"]), rows, &mut [0; 4], style)
}

fn row(user: &UserSummary, now: &Now) -> [Cell; 4] {
    let factors: Vec<String> = user
        .factors
        .iter()
        .map(|(kind, state)| match user.emergency_until.filter(|_| *kind == FactorKind::BreakGlass) {
            Some(until) => format!("emergency code until {}", now.local(until)),
            None => format!("{} {}", factor::kind(*kind), factor::state(*state)),
        })
        .collect();
    let last = user.last_used.map_or_else(|| "never".to_owned(), |unix| now.ago(unix));
    let (tone, account) = if user.tampered {
        (Tone::Bad, "INTEGRITY CHECK FAILED: logins are denied".to_owned())
    } else {
        factor::lock(user.lock, now)
    };
    [
        Cell::new(&user.user.to_string()),
        Cell::new(&factors.join(", ")),
        Cell::new(&last),
        Cell::toned(tone, &account),
    ]
}

/// One user.
pub(crate) fn detail(user: &UserDetail, devices: &[DeviceDetail], now: &Now, style: Style) -> String {
    let mut text = style.paint(Tone::Strong, &escape_for_log(&user.user.to_string()));
    if let Some(uid) = user.uid {
        let _infallible = write!(text, ", uid {uid}");
    }
    text.push('\n');
    let mut facts: Vec<[Cell; 2]> = Vec::new();
    if user.orphaned {
        let orphaned = "ORPHANED: the account is gone or has another uid now, so its factors deny";
        facts.push([Cell::new("  State"), Cell::toned(Tone::Bad, orphaned)]);
        let next = "same person, new uid or name: mfactl reassign; else: mfactl remove --all";
        facts.push([Cell::new("  What to do"), Cell::new(next)]);
    }
    facts.push(locked("  Account", user.lock, now));
    let unproven = locked("  Without password", user.unproven_lock, now);
    if user.unproven_lock != mfa_proto::admin::LockState::Open {
        facts.push(unproven);
    }
    facts.push([
        Cell::new("  Failures"),
        Cell::new(&format!("{} in the last 30 days", user.failures_30_days)),
    ]);
    if user.remembered > 0 {
        let many = if user.remembered == 1 { "success" } else { "successes" };
        let text = format!("{} {many}: logins like those are not asked", user.remembered);
        facts.push([Cell::new("  Remembered"), Cell::new(&text)]);
    }
    if let Some(until) = user.invited_until {
        facts.push([Cell::new("  Invited"), Cell::new(&format!("until {}", now.full(Some(until))))]);
    }
    if let Some(graced) = user.graced.filter(|graced| *graced > 0) {
        let many = if graced == 1 { "1 login".to_owned() } else { format!("{graced} logins") };
        facts.push([
            Cell::new("  Grace"),
            Cell::toned(Tone::Warn, &format!("{many} without a factor so far")),
        ]);
    }
    text.push_str(&lines(None, facts, &mut [13, 0], style));
    if user.factors.is_empty() {
        text.push_str("\nNo factors.\n");
    }
    for factor in &user.factors {
        text.push('\n');
        text.push_str(&one_factor(factor, devices, now, style));
    }
    text
}

/// The device with a serial number.
pub(crate) fn found(
    user: Option<&UserId>,
    (factor, device): (&FactorDetail, &DeviceDetail),
    now: &Now,
    style: Style,
) -> String {
    let whose = user.map_or_else(|| "Nobody has it.".to_owned(), |user| escape_for_log(&user.to_string()));
    format!("{whose}\n\n{}", one_factor(factor, std::slice::from_ref(device), now, style))
}

/// What is known of the device of a factor.
fn device(device: &DeviceDetail, factor: &FactorDetail, now: &Now) -> Vec<[Cell; 2]> {
    let mut facts = Vec::new();
    let mut fact = |title: &str, text: &str| facts.push([Cell::new(title), Cell::new(text)]);
    if let Some(serial) = &device.serial {
        fact("  Serial", serial.as_str());
    }
    if let Some(description) = &device.description {
        fact("  Device", description.as_str());
    }
    if device.pin {
        fact("  PIN", "set: typed before each code");
    }
    if let Some(counter) = device.position.filter(|_| factor.kind == FactorKind::Hotp) {
        fact("  Counter", &format!("{counter} comes next"));
    }
    if let Some(time) = factor::used_up_to(factor, device) {
        fact("  Used up to", &format!("the code of {}", now.full(Some(time))));
    }
    facts
}

/// How often it failed, how many times lock it, and when it was last.
fn failures(factor: &FactorDetail, device: Option<&DeviceDetail>, now: &Now) -> String {
    let mut text = format!("{} since the last success", factor.failures);
    if let Some(device) = device.filter(|device| device.locks_at > 0) {
        let _infallible = write!(text, " ({} lock it)", device.locks_at);
        if let Some(last) = device.last_failed {
            let _infallible = write!(text, "; the last {}", now.full(Some(last)));
        }
    }
    text
}

fn one_factor(detail: &FactorDetail, devices: &[DeviceDetail], now: &Now, style: Style) -> String {
    let title = format!("Factor {}: {}", detail.factor.0, name(detail));
    let meaning = factor::state_meaning(detail.state);
    let (codes_tone, codes) = factor::described(detail);
    let own = devices.iter().find(|device| device.factor == detail.factor);
    let mut facts = vec![
        [Cell::new("  State"), Cell::toned(factor::tone(detail.state), meaning)],
        [Cell::new("  Codes"), Cell::toned(codes_tone, &codes)],
        [Cell::new("  Added"), Cell::new(&now.full(Some(detail.created)))],
        [Cell::new("  Last used"), Cell::new(&now.full(detail.last_used))],
        [Cell::new("  Failures"), Cell::new(&failures(detail, own, now))],
        locked("  Lock", detail.lock, now),
    ];
    if let Some(until) = detail.until {
        let over = now.until(until) == 0;
        let ends = if over { "expired".to_owned() } else { now.full(Some(until)) };
        facts.push([Cell::new("  Until"), Cell::toned(Tone::Warn, &ends)]);
    }
    facts.extend(own.map(|own| device(own, detail, now)).unwrap_or_default());
    if detail.drift != 0 {
        let way = if detail.drift > 0 { "ahead" } else { "behind" };
        let steps = detail.drift.unsigned_abs();
        let drift = format!("{steps} step{} {way}", if steps == 1 { "" } else { "s" });
        facts.push([Cell::new("  Its clock"), Cell::new(&drift)]);
    }
    format!("{}\n{}", style.paint(Tone::Strong, &title), lines(None, facts, &mut [13, 0], style))
}

/// `totp "phone"`.
pub(crate) fn name(detail: &FactorDetail) -> String {
    format!("{} \"{}\"", factor::kind(detail.kind), escape_for_log(detail.label.as_str()))
}

fn locked(title: &str, lock: mfa_proto::admin::LockState, now: &Now) -> [Cell; 2] {
    let (tone, text) = factor::lock(lock, now);
    [Cell::new(title), Cell::toned(tone, &text)]
}
