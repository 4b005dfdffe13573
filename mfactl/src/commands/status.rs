//! `status`.

use mfa_proto::admin::{Reply, Request};

use super::{Context, hint};
use crate::failure::{Failure, exit};
use crate::render;

/// How the daemon is. Failure when it denies all logins, so that monitoring sees it.
pub(super) fn run(context: &mut Context) -> Result<u8, Failure> {
    let reply = context.target.ask(&Request::Status).map_err(|f| f.or_hint(hint::daemon))?;
    let Reply::Status(status) = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::status(&status))?;
    context.out.text(&render::status::status(&status, context.out.style))?;
    Ok(if status.store.is_ok() { exit::OK } else { exit::FAILED })
}
