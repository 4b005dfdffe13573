//! `status`.

use mfa_proto::admin::{Reply, Request};
use mfa_proto::hello::Protocol;

use super::{Context, hint};
use crate::cli::StatusArgs;
use crate::client;
use crate::failure::{Failure, exit};
use crate::render;

/// How the daemon is. Failure when it denies all logins, so that monitoring sees it.
pub(super) fn run(context: &mut Context, arguments: &StatusArgs) -> Result<u8, Failure> {
    if arguments.metrics {
        return metrics(context);
    }
    let reply = context.target.ask(&Request::Status).map_err(|f| f.or_hint(hint::daemon))?;
    let Reply::Status(status) = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::status(&status))?;
    context.out.text(&render::status::status(&status, &context.now, context.out.style))?;
    Ok(if status.store.is_ok() { exit::OK } else { exit::FAILED })
}

/// More than the daemon has to say: one that goes on for ever is not listened to.
const MOST: usize = 1 << 20;

/// All figures, part by part over one connection: the parts are those of one moment.
fn metrics(context: &mut Context) -> Result<u8, Failure> {
    let mut wire = context.target.open(Protocol::Admin)?;
    let mut whole = String::new();
    loop {
        let after = u32::try_from(whole.len()).map_err(|_| wire.unexpected())?;
        let reply =
            client::ask(&mut wire, &Request::Metrics { after }).map_err(|f| f.or_hint(hint::daemon))?;
        let Reply::Metrics { text, more } = reply else { return Err(wire.unexpected()) };
        if more && (text.is_empty() || whole.len() > MOST) {
            return Err(wire.unexpected());
        }
        whole.push_str(&text);
        if !more {
            break;
        }
    }
    context.out.raw(whole.as_bytes())?;
    Ok(exit::OK)
}
