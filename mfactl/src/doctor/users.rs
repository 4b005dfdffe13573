//! Users: required but not enrolled, grace that ends, orphans, recovery codes that run out, SMS alone.

use mfa_proto::admin::{
    Explain, Explanation, FactorDetail, FactorKind, FactorState, Outlook, Reply, Request, UserDetail,
};
use mfa_proto::hello::Protocol;
use mfa_proto::name::{ServiceName, UserId, UserName};

use super::host::{Host, shown};
use super::pam::Asking;
use super::{Finding, Report, Severity, daemon};
use crate::client::{self, Wire};
use crate::commands::{Context, orphans};
use crate::failure::Failure;
use crate::render;

const CHECK: &str = "users";
/// Accounts, and users with factors, that are asked for.
const MOST: usize = 200;
/// Services that each account is asked for.
const SERVICES: usize = 4;
/// Names in one finding.
const NAMED: usize = 8;
/// Seconds that a grace lasts at least, else it is told.
const SOON: i64 = 7 * 86_400;

/// Asks the daemon for all users. Gives the drift that factors have learned.
pub(super) fn check(context: &Context, host: &Host, asking: &[Asking], report: &mut Report) -> Vec<i32> {
    let mut wire = match context.target.open(Protocol::Admin) {
        Ok(wire) => wire,
        Err(failure) => {
            report.add(daemon::refused(CHECK, &failure));
            return Vec::new();
        }
    };
    let result = enrolled(&mut wire, report).and_then(|drifts| {
        orphaned(&mut wire, report)?;
        let now = context.now.time.as_second();
        accounts(&mut wire, host, asking, now, report)?;
        Ok(drifts)
    });
    result.unwrap_or_else(|failure| {
        report.add(daemon::refused(CHECK, &failure));
        Vec::new()
    })
}

/// Names after one another, the first few of them.
fn named(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let text = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{text} and {more} more") } else { text }
}

fn tell(report: &mut Report, severity: Severity, names: &[String], what: &str, remedy: &str) {
    if !names.is_empty() {
        report.add(Finding::new(CHECK, severity, format!("{what}: {}", named(names))).remedy(remedy));
    }
}

/// What those hold who hold something.
fn enrolled(wire: &mut Wire, report: &mut Report) -> Result<Vec<i32>, Failure> {
    let users = list(wire)?;
    let mut drifts = Vec::new();
    let (mut few, mut sms) = (Vec::new(), Vec::new());
    for user in users.iter().take(MOST) {
        let Reply::User(detail) = client::ask(wire, &Request::Show { user: user.clone() })? else {
            return Err(wire.unexpected());
        };
        let detail: UserDetail = *detail;
        let active: Vec<&FactorDetail> =
            detail.factors.iter().filter(|factor| factor.state == FactorState::Active).collect();
        drifts.extend(active.iter().filter(|f| f.kind == FactorKind::Totp).map(|f| f.drift));
        if active.iter().any(|f| f.left.is_some_and(|left| left <= render::recovery::FEW)) {
            few.push(user.to_string());
        }
        let sent = |factor: &&FactorDetail| matches!(factor.kind, FactorKind::Sms | FactorKind::Mail);
        if !active.is_empty() && active.iter().all(sent) {
            sms.push(user.to_string());
        }
    }
    if users.len() > MOST {
        let what = format!("{} users hold factors; only the first {MOST} were looked at", users.len());
        report.add(Finding::new(CHECK, Severity::Note, what));
    }
    tell(report, Severity::Note, &few, "recovery codes run out", "mfactl recovery new USER");
    tell(
        report,
        Severity::Note,
        &sms,
        "nothing but codes that are sent (SMS, mail), which is weak, and useless when the gateway is down",
        "mfactl enroll totp USER; mfactl recovery new USER",
    );
    Ok(drifts)
}

fn orphaned(wire: &mut Wire, report: &mut Report) -> Result<(), Failure> {
    let found = orphans::all(wire)?;
    let names: Vec<String> = found.orphaned.iter().map(|summary| summary.user.to_string()).collect();
    tell(
        report,
        Severity::Warning,
        &names,
        "factors whose account is gone or has another uid (they deny)",
        "mfactl list --orphaned; then mfactl reassign USER, or mfactl prune --orphaned",
    );
    let unknown: Vec<String> = found.left_alone.iter().map(|left| left.user.to_string()).collect();
    tell(
        report,
        Severity::Unchecked,
        &unknown,
        "accounts that cannot be looked up (they deny)",
        "getent passwd USER; mfactl list --orphaned says why",
    );
    Ok(())
}

/// All users with factors, page after page.
fn list(wire: &mut Wire) -> Result<Vec<UserId>, Failure> {
    let mut users: Vec<UserId> = Vec::new();
    loop {
        let after = users.last().cloned();
        let Reply::Users(page) = client::ask(wire, &Request::List { after: after.clone(), orphaned: false })?
        else {
            return Err(wire.unexpected());
        };
        let last = page.users.last().map(|user| user.user.clone());
        users.extend(page.users.into_iter().map(|user| user.user));
        // A page that does not go on would be asked for again for ever.
        if !page.more || last.is_none() || last == after {
            return Ok(users);
        }
    }
}

/// What is found of accounts.
#[derive(Default)]
struct Found {
    locked_out: Vec<String>,
    grace_ends: Vec<String>,
    graced: Vec<String>,
}

/// What a login of each account would meet.
fn accounts(
    wire: &mut Wire,
    host: &Host,
    asking: &[Asking],
    now: i64,
    report: &mut Report,
) -> Result<(), Failure> {
    let names = match login_accounts(host) {
        Ok(names) => names,
        Err(finding) => {
            report.add(finding);
            return Ok(());
        }
    };
    let services: Vec<ServiceName> = services(asking);
    if names.len() > MOST {
        let what = format!("{} accounts can log in; only the first {MOST} were asked for", names.len());
        report.add(Finding::new(CHECK, Severity::Note, what));
    }
    let mut found = Found::default();
    for name in names.into_iter().take(MOST) {
        account(wire, &UserId::local(name), &services, now, &mut found)?;
    }
    let Found { locked_out, grace_ends, graced } = found;
    if locked_out.is_empty() && !services.is_empty() {
        report.ok(CHECK, "everyone who needs a second factor has one, or is let in without");
    }
    tell(
        report,
        Severity::Warning,
        &locked_out,
        "they need a second factor and have none, or fewer than their rule wants, so that they are denied",
        "mfactl enroll totp USER, mfactl invite USER, or a rule; why: mfactl explain USER --service SERVICE",
    );
    tell(
        report,
        Severity::Warning,
        &grace_ends,
        "they are let in without a factor now, and will be denied within a week",
        "tell them to enroll; mfactl explain USER --service SERVICE says until when",
    );
    tell(
        report,
        Severity::Note,
        &graced,
        "they are let in without a factor because they have none",
        "mfactl enroll totp USER, or mfactl invite USER",
    );
    Ok(())
}

/// How a login of somebody without a factor would go.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Bare {
    LockedOut,
    GraceEnds,
    Graced,
    /// A rule says so, or there is a factor.
    Meant,
}

fn account(
    wire: &mut Wire,
    user: &UserId,
    services: &[ServiceName],
    now: i64,
    found: &mut Found,
) -> Result<(), Failure> {
    let mut all = Vec::new();
    for service in services {
        all.push((one(wire, user, service, now)?, service.as_str()));
    }
    for (bare, list) in [
        (Bare::LockedOut, &mut found.locked_out),
        (Bare::GraceEnds, &mut found.grace_ends),
        (Bare::Graced, &mut found.graced),
    ] {
        let of: Vec<&str> = all.iter().filter(|(is, _)| *is == bare).map(|(_, name)| *name).collect();
        if !of.is_empty() {
            list.push(format!("{} ({})", user.name, of.join(", ")));
        }
    }
    Ok(())
}

fn one(wire: &mut Wire, user: &UserId, service: &ServiceName, now: i64) -> Result<Bare, Failure> {
    let told = explain(wire, user, service, None)?;
    // A rule that denies or skips is meant; that nobody enrolled, or too few factors, is not.
    let denied = told.outlook == Outlook::Denied;
    let few = told.factors.iter().filter(|one| one.counts).count() < usize::from(told.needed);
    let meant = told.rule.is_some() && told.needed == 0;
    let has_enough = !(told.factors.is_empty() || denied && few);
    if meant || has_enough {
        return Ok(Bare::Meant);
    }
    if denied || told.outlook == Outlook::Asked {
        return Ok(Bare::LockedOut);
    }
    let later = explain(wire, user, service, Some(now.saturating_add(SOON)))?;
    Ok(if later.outlook == Outlook::Denied { Bare::GraceEnds } else { Bare::Graced })
}

/// What a login would meet.
pub(crate) fn explain(
    wire: &mut Wire,
    user: &UserId,
    service: &ServiceName,
    at: Option<i64>,
) -> Result<Explanation, Failure> {
    let login = Explain { user: user.clone(), service: service.clone(), source: None, key: None, at };
    let Reply::Explained(told) = client::ask(wire, &Request::Explain(Box::new(login)))? else {
        return Err(wire.unexpected());
    };
    Ok(*told)
}

/// The services that matter most first.
fn services(asking: &[Asking]) -> Vec<ServiceName> {
    let rank =
        |name: &str| ["sshd", "login", "sudo", "su"].iter().position(|known| *known == name).unwrap_or(9);
    let mut names: Vec<&str> =
        asking.iter().map(|one| one.service.as_str()).filter(|n| *n != "other").collect();
    names.sort_by_key(|name| rank(name));
    names.into_iter().take(SERVICES).filter_map(|name| ServiceName::new(name).ok()).collect()
}

/// Accounts with a shell to log in with, as the host's own file has them.
pub(crate) fn login_accounts(host: &Host) -> Result<Vec<UserName>, Finding> {
    let path = host.path("/etc/passwd");
    let text = Host::text(CHECK, &path)?
        .ok_or_else(|| Finding::new(CHECK, Severity::Unchecked, "there is none").at(shown(&path)))?;
    Ok(text.lines().filter_map(login_account).collect())
}

fn login_account(line: &str) -> Option<UserName> {
    let mut fields = line.split(':');
    let name = fields.next()?;
    let shell = fields.nth(5)?.trim();
    let last = shell.rsplit('/').next().unwrap_or(shell);
    // An empty field means /bin/sh (passwd(5)).
    let none = ["nologin", "false", "true", "sync", "halt", "shutdown"];
    // A name that begins so has a directory service added or left out (compat mode of nsswitch.conf).
    if none.contains(&last) || name.starts_with(['+', '-']) { None } else { UserName::new(name).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_with_a_shell_can_log_in() {
        let name = |line| login_account(line).map(String::from);
        assert_eq!(name("alice:x:1000:1000:A:/home/alice:/bin/bash"), Some("alice".to_owned()));
        assert_eq!(name("old:x:1001:1001::/home/old:"), Some("old".to_owned()), "an empty shell is /bin/sh");
        for line in [
            "www:x:33:33::/:/usr/sbin/nologin",
            "x:x:1:1::/:/bin/false",
            "sync:x:4:0::/:/bin/sync",
            "+::::::",
            "",
            "a:b",
        ] {
            assert_eq!(name(line), None, "{line}");
        }
    }

    #[test]
    fn long_lists_are_cut() {
        let names: Vec<String> = (0..10).map(|n| format!("u{n}")).collect();
        assert_eq!(named(&names), "u0, u1, u2, u3, u4, u5, u6, u7 and 2 more");
    }
}
