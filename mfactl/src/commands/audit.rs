//! `audit`: rows of the trail, page after page, and new ones as they come; whether the trail is whole.

use std::time::Duration;

use mfa_proto::admin::{AuditFilter, AuditPage, AuditReport, Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::name::UserId;

use super::{Context, hint};
use crate::cli::{self, AuditArgs, AuditRows, AuditVerb, Link, VerifyArgs};
use crate::client::{self, Wire};
use crate::failure::{Failure, exit};
use crate::render::{self, audit::Widths};

/// Rows shown when nothing says which.
const LAST: u32 = 50;
/// How long `--follow` waits before it asks again.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows rows, or does what else is asked for.
pub(super) fn run(context: &mut Context, arguments: &AuditArgs) -> Result<u8, Failure> {
    match &arguments.verb {
        Some(AuditVerb::Verify(arguments)) => verify(context, arguments),
        None => show(context, &arguments.rows),
    }
}

fn show(context: &mut Context, arguments: &AuditRows) -> Result<u8, Failure> {
    let mut showing = Showing { filter: filter(context, arguments)?, shown: false, widths: Widths::usual() };
    let mut wire = context.target.open(Protocol::Admin)?;
    loop {
        match showing.until_the_end(context, &mut wire, arguments.follow) {
            Err(failure) if arguments.follow && failure.may_be_a_restart() => {
                wire = again(context, &failure)?;
            }
            Err(failure) => return Err(failure),
            Ok(()) => break,
        }
    }
    if !showing.shown {
        context.out.text("No audit rows fit.\n")?;
    }
    Ok(exit::OK)
}

/// A new connection to a daemon that went away: it is waited for.
fn again(context: &mut Context, failure: &Failure) -> Result<Wire, Failure> {
    context.out.note(&format!("mfactl: {failure}; waiting for it"));
    loop {
        match context.target.open(Protocol::Admin) {
            Ok(wire) => {
                context.out.note("mfactl: mfad is back");
                return Ok(wire);
            }
            Err(failure) if failure.may_be_a_restart() => client::pause(PAUSE),
            Err(failure) => return Err(failure),
        }
    }
}

/// What is shown, and how far that has come.
struct Showing {
    filter: AuditFilter,
    shown: bool,
    widths: Widths,
}

impl Showing {
    /// Shows what there is; to follow is to go on with what comes.
    fn until_the_end(&mut self, context: &mut Context, wire: &mut Wire, follow: bool) -> Result<(), Failure> {
        loop {
            let page = page(wire, &self.filter)?;
            if page.upto < self.filter.after {
                let upto = page.upto;
                context.out.note(&format!(
                    "mfactl: the trail ends at row {upto} now: the database was replaced by an older copy"
                ));
            }
            if !page.rows.is_empty() || follow {
                rows(context, &page, !self.shown, &mut self.widths)?;
                self.shown = true;
            }
            // What is left of "the last N" lies after what was shown: all of it is wanted.
            self.filter.after = page.upto;
            self.filter.last = None;
            match (page.more, follow) {
                (true, _) => {}
                (false, true) => wire.rest(PAUSE)?,
                (false, false) => return Ok(()),
            }
        }
    }
}

fn filter(context: &Context, arguments: &AuditRows) -> Result<AuditFilter, Failure> {
    let when = |text: &Option<String>| {
        text.as_ref()
            .map(|text| cli::when(text, context.now.time, &context.now.zone).map_err(Failure::usage))
            .transpose()
    };
    let unbounded = arguments.since.is_none() && arguments.until.is_none();
    Ok(AuditFilter {
        after: 0,
        user: arguments.user.clone().map(UserId::local),
        service: arguments.service.clone(),
        source: arguments.source.clone(),
        verdict: arguments.verdict.clone(),
        event: arguments.event.clone(),
        since: when(&arguments.since)?,
        until: when(&arguments.until)?,
        last: arguments.last.or(unbounded.then_some(LAST)),
    })
}

/// One page. One that does not go on would be asked for again for ever.
fn page(wire: &mut Wire, filter: &AuditFilter) -> Result<AuditPage, Failure> {
    let request = Request::Audit(Box::new(filter.clone()));
    let Reply::Audit(page) = client::ask(wire, &request).map_err(|f| f.or_hint(hint::daemon))? else {
        return Err(wire.unexpected());
    };
    let mut before = filter.after;
    for row in &page.rows {
        if row.seq <= before {
            return Err(wire.unexpected());
        }
        before = row.seq;
    }
    let behind = page.rows.last().is_some_and(|row| page.upto < row.seq);
    if behind || (page.more && page.rows.is_empty()) {
        return Err(wire.unexpected());
    }
    Ok(page)
}

fn rows(context: &mut Context, page: &AuditPage, first: bool, widths: &mut Widths) -> Result<(), Failure> {
    if context.out.json {
        return page.rows.iter().try_for_each(|row| context.out.json(&render::view::audit_row(row)));
    }
    let text = render::audit::page(&page.rows, first, widths, &context.now, context.out.style);
    context.out.text(&text)
}

/// Whether the trail is whole; failure when it is not, so that monitoring sees it.
fn verify(context: &mut Context, arguments: &VerifyArgs) -> Result<u8, Failure> {
    let mut wire = context.target.open(Protocol::Admin)?;
    let reply = client::ask(&mut wire, &Request::AuditVerify).map_err(|f| f.or_hint(hint::daemon))?;
    let Reply::AuditReport(report) = reply else { return Err(wire.unexpected()) };
    let mut unlike = Vec::new();
    for link in &arguments.expect {
        if !is_there(&mut wire, &report, link)? {
            unlike.push(link.clone());
        }
    }
    let whole = report.broken_at.is_none() && unlike.is_empty();
    context.out.json(&render::view::audit_report(&report, &unlike))?;
    context.out.text(&render::audit::report(&report, &unlike, context.out.style))?;
    Ok(if whole { exit::OK } else { exit::FAILED })
}

/// Whether a row has the link it had. Of one that was pruned only the last is known: what came before is not
/// contradicted.
fn is_there(wire: &mut Wire, report: &AuditReport, link: &Link) -> Result<bool, Failure> {
    let cut = report.first.saturating_sub(1);
    if link.seq <= cut {
        return Ok(link.seq < cut || link.chain == report.cut_chain);
    }
    let before = link.seq.saturating_sub(1);
    let found = page(wire, &AuditFilter { after: before, ..AuditFilter::default() })?;
    Ok(found.rows.first().is_some_and(|row| row.seq == link.seq && row.chain == link.chain))
}
