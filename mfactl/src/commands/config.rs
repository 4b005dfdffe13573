//! `config check` and `reload`.

use mfa_proto::admin::{Reply, Request};

use super::{Context, hint};
use crate::failure::{Failure, exit};
use crate::render;

/// Has the daemon look at the configuration.
pub(super) fn check(context: &mut Context) -> Result<u8, Failure> {
    let mut answer = ask(context, &Request::ConfigCheck, "The configuration is valid.");
    if let Err(Failure::Unreachable { hint, .. }) = &mut answer {
        "without a running daemon: mfad check-config".clone_into(hint);
    }
    answer
}

/// Has the daemon read configuration and key again.
pub(super) fn reload(context: &mut Context) -> Result<u8, Failure> {
    ask(context, &Request::Reload, "The configuration is valid and in force.")
}

fn ask(context: &mut Context, request: &Request, in_force: &str) -> Result<u8, Failure> {
    let reply = context.target.ask(request).map_err(|f| f.or_hint(hint::daemon))?;
    let Reply::Config(report) = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::config(&report))?;
    context.out.text(&render::status::config(&report, in_force, context.out.style))?;
    Ok(if report.valid { exit::OK } else { exit::FAILED })
}
