//! Whether the host's clock can be right: codes are made from it.

use jiff::Timestamp;

use super::host::Host;
use super::{Finding, Report, Severity};

const CHECK: &str = "clock";
/// 2025-01-01: a clock before this was never set.
const FLOOR: i64 = 1_735_689_600;
/// So many factors that drift the same way say more of the host than of themselves.
const MANY: usize = 4;
/// What keeps clocks right, by the file that shows that it runs.
const KEEPERS: [(&str, &str); 5] = [
    ("chronyd", "/run/chrony/chronyd.pid"),
    ("chronyd", "/run/chronyd.pid"),
    ("ntpd", "/run/ntpd.pid"),
    ("ntpd", "/run/ntpsec/ntpd.pid"),
    ("openntpd", "/run/ntpd.sock"),
];

/// Looks at the clock, at who keeps it, and at the drift (in steps) that factors have learned.
pub(super) fn check(host: &Host, drifts: &[i32], report: &mut Report) {
    if host.is_this() {
        now(Timestamp::now(), report);
        report.add(kept(host));
    }
    if let Some(finding) = drift(drifts) {
        report.add(finding);
    }
}

fn now(time: Timestamp, report: &mut Report) {
    if time.as_second() < FLOOR {
        let what = format!("the clock shows {time}: it was never set, and no time-based code fits");
        report.add(Finding::new(CHECK, Severity::Problem, what).remedy("timedatectl set-ntp true"));
    }
}

fn kept(host: &Host) -> Finding {
    if host.path("/run/systemd/timesync/synchronized").exists() {
        return Finding::new(CHECK, Severity::Ok, "systemd-timesyncd has set the clock");
    }
    if let Some((name, _)) = KEEPERS.iter().find(|(_, file)| host.path(file).exists()) {
        return Finding::new(CHECK, Severity::Ok, format!("{name} keeps the clock"));
    }
    if host.path("/run/systemd/container").exists() || host.path("/.dockerenv").exists() {
        return Finding::new(CHECK, Severity::Ok, "this is a container: the clock is its host's");
    }
    let begun = host.path("/run/systemd/timesync").exists();
    let what = if begun {
        "systemd-timesyncd runs, but has not set the clock yet"
    } else {
        "nothing is seen that keeps the clock right: when it is off by more than a step, codes are wrong"
    };
    Finding::new(CHECK, Severity::Warning, what)
        .remedy("timedatectl; systemctl enable --now systemd-timesyncd, or chrony")
}

/// Most factors that learned a drift learned the same.
fn drift(drifts: &[i32]) -> Option<Finding> {
    let ahead = drifts.iter().filter(|drift| **drift > 0).count();
    let behind = drifts.iter().filter(|drift| **drift < 0).count();
    let (many, few, way) = if ahead > behind { (ahead, behind, "behind") } else { (behind, ahead, "ahead") };
    if many < MANY || few.saturating_mul(4) > many {
        return None;
    }
    let all = drifts.len();
    let what = format!("{many} of {all} clocks of factors drift the same way: the host's own is {way}");
    Some(Finding::new(CHECK, Severity::Warning, what).remedy("timedatectl; chronyc tracking"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_that_drift_alike_are_a_clock_that_is_off() {
        assert_eq!(drift(&[1, -1, 1, -1, 0, 2]), None);
        assert_eq!(drift(&[1, 1, 1]), None, "too few to tell");
        assert!(drift(&[1, 1, 2, 1, 0]).unwrap().what.contains("the host's own is behind"));
        assert!(drift(&[-1, -1, -2, -1, 1]).unwrap().what.contains("4 of 5"));
    }

    #[test]
    fn a_clock_that_was_never_set_is_a_problem() {
        let mut report = Report::default();
        now(Timestamp::from_second(FLOOR).unwrap(), &mut report);
        assert_eq!(report.count(Severity::Problem), 0);
        now(Timestamp::UNIX_EPOCH, &mut report);
        assert_eq!(report.count(Severity::Problem), 1);
    }
}
