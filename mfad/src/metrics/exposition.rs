//! All figures as text: those that were counted, and those that are looked up now.

use mfa_proto::{admin::FactorKind, login::Verdict};

use super::{
    Metrics,
    text::{Kind, Text},
};
use crate::{core::Core, store::Figures};

/// The figures of `core`. Where the store cannot be read, its own are left out, and `mfad_store_up` says so.
pub(crate) async fn exposition(core: &Core) -> String {
    let figures = core.store().figures().await;
    let mut text = Text::default();
    text.family(Kind::Gauge, "mfad_build_info", "The version of the daemon.");
    text.sample("mfad_build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.family(Kind::Gauge, "mfad_uptime_seconds", "Time since the start.");
    text.sample("mfad_uptime_seconds", &[], core.now().since(core.started()).max(0));
    text.family(
        Kind::Gauge,
        "mfad_sandbox",
        "How far the sandbox goes: the version of Landlock; whether seccomp.",
    );
    let level = core.sandbox().and_then(|sandbox| sandbox.level).unwrap_or_default();
    text.sample("mfad_sandbox", &[("part", "landlock")], level.landlock.unwrap_or_default());
    text.sample("mfad_sandbox", &[("part", "seccomp")], u8::from(level.seccomp));
    counted(&mut text, core.metrics());
    beside(&mut text, core);
    text.family(Kind::Gauge, "mfad_store_up", "Whether the store can be read.");
    text.sample("mfad_store_up", &[], u8::from(figures.is_ok()));
    if let Ok(figures) = figures {
        stored(&mut text, &figures);
    }
    if let Ok(notices) = core.notices_waiting().await {
        text.family(Kind::Gauge, "mfad_notices_waiting", "Notices that have not been sent.");
        text.sample("mfad_notices_waiting", &[], notices);
    }
    text.end()
}

fn counted(text: &mut Text, metrics: &Metrics) {
    text.family(Kind::Counter, "mfad_logins", "Logins that ended, by verdict.");
    for (verdict, word) in [
        (Verdict::Accept, "accept"),
        (Verdict::Deny, "deny"),
        (Verdict::Locked, "locked"),
        (Verdict::NotApplicable, "skip"),
        (Verdict::Unavailable, "unavailable"),
    ] {
        text.sample("mfad_logins_total", &[("verdict", word)], metrics.logins(verdict));
    }
    text.family(Kind::Counter, "mfad_denials", "Logins that were not let in, by reason.");
    for (reason, count) in metrics.refused() {
        text.sample("mfad_denials_total", &[("reason", reason)], count);
    }
    text.family(Kind::Counter, "mfad_factors_accepted", "Answers that were right, by kind of factor.");
    for kind in FactorKind::ALL {
        let count = metrics.kind(kind).load(std::sync::atomic::Ordering::Relaxed);
        text.sample("mfad_factors_accepted_total", &[("kind", kind.word())], count);
    }
    text.family(Kind::Counter, "mfad_locks", "Wrong answers that made a factor or an account wait.");
    text.sample("mfad_locks_total", &[], metrics.locks.load(std::sync::atomic::Ordering::Relaxed));
    text.family(Kind::Counter, "mfad_passwords", "Passwords typed at login pages, by what came of them.");
    for (result, count) in metrics.passwords() {
        text.sample("mfad_passwords_total", &[("result", result)], count);
    }
    let (buckets, all, microseconds) = metrics.judging.read();
    let name = "mfad_judging_seconds";
    text.family(Kind::Histogram, name, "Time from an answer to its verdict, which is durable by then.");
    for (bound, count) in buckets {
        text.sample("mfad_judging_seconds_bucket", &[("le", bound)], count);
    }
    text.sample("mfad_judging_seconds_bucket", &[("le", "+Inf")], all);
    text.sample("mfad_judging_seconds_count", &[], all);
    let (seconds, rest) = (microseconds / 1_000_000, microseconds % 1_000_000);
    text.sample("mfad_judging_seconds_sum", &[], format_args!("{seconds}.{rest:06}"));
}

fn beside(text: &mut Text, core: &Core) {
    text.family(Kind::Gauge, "mfad_connections", "Connections that are open.");
    text.sample("mfad_connections", &[], core.connections());
    text.family(Kind::Gauge, "mfad_store_jobs_waiting", "Jobs that wait for the store.");
    text.sample("mfad_store_jobs_waiting", &[], core.store().waiting());
    text.family(Kind::Counter, "mfad_store_errors", "Jobs that the store could not do.");
    text.sample("mfad_store_errors_total", &[], core.store().errors());
}

fn stored(text: &mut Text, figures: &Figures) {
    for (name, help, value) in [
        ("mfad_users", "Users with a factor.", figures.users),
        ("mfad_active_factors", "Factors that count.", figures.active_factors),
        ("mfad_audit_rows", "Rows of the audit trail.", figures.audit_rows),
        ("mfad_users_locked", "Users that are locked out; at most 10000 are counted.", figures.locked),
        ("mfad_rows_with_old_key", "Users that may be sealed with an older key.", figures.rows_with_old_key),
    ] {
        text.family(Kind::Gauge, name, help);
        text.sample(name, &[], value);
    }
}
