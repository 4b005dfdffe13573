//! `audit`: rows of the trail, page after page, and new ones as they come.

use std::time::Duration;

use mfa_proto::admin::{AuditFilter, AuditPage, Reply, Request};
use mfa_proto::hello::Protocol;
use mfa_proto::name::UserId;

use super::{Context, hint};
use crate::cli::{self, AuditArgs};
use crate::client::{self, Wire};
use crate::failure::{Failure, exit};
use crate::render::{self, audit::Widths};

/// Rows shown when nothing says which.
const LAST: u32 = 50;
/// How long `--follow` waits before it asks again.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows rows.
pub(super) fn run(context: &mut Context, arguments: &AuditArgs) -> Result<u8, Failure> {
    let mut filter = filter(context, arguments)?;
    let mut wire = context.target.open(Protocol::Admin)?;
    let mut shown = false;
    let mut widths = Widths::usual();
    loop {
        let page = page(&mut wire, &filter)?;
        if !page.rows.is_empty() || arguments.follow {
            show(context, &page, !shown, &mut widths)?;
            shown = true;
        }
        if let Some(last) = page.rows.last() {
            // What is left of "the last N" lies after what was shown: all of it is wanted.
            filter.after = last.seq;
            filter.last = None;
        }
        match (page.more, arguments.follow) {
            (true, _) => {}
            (false, true) => wire.rest(PAUSE)?,
            (false, false) => break,
        }
    }
    if !shown {
        context.out.text("No audit rows fit.\n")?;
    }
    Ok(exit::OK)
}

fn filter(context: &Context, arguments: &AuditArgs) -> Result<AuditFilter, Failure> {
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
        source: None,
        verdict: None,
        event: None,
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
    if page.more && page.rows.is_empty() {
        return Err(wire.unexpected());
    }
    Ok(page)
}

fn show(context: &mut Context, page: &AuditPage, first: bool, widths: &mut Widths) -> Result<(), Failure> {
    if context.out.json {
        return page.rows.iter().try_for_each(|row| context.out.json(&render::view::audit_row(row)));
    }
    let text = render::audit::page(&page.rows, first, widths, &context.now, context.out.style);
    context.out.text(&text)
}
