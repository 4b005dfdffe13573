//! `list` and `show`.

use mfa_proto::admin::{DeviceDetail, Reply, Request, UserDetail, UserSummary};
use mfa_proto::hello::Protocol;
use mfa_proto::name::UserId;

use super::{Context, hint, user};
use crate::cli::OptionalUser;
use crate::client;
use crate::failure::{Failure, exit};
use crate::render;

/// Shows all users with factors.
pub(super) fn list(context: &mut Context) -> Result<u8, Failure> {
    let users = all(context).map_err(|f| f.or_hint(hint::daemon))?;
    context.out.json(&render::view::users(&users))?;
    context.out.text(&render::user::list(&users, &context.now, context.out.style))?;
    Ok(exit::OK)
}

/// All users with factors, page after page.
pub(super) fn all(context: &Context) -> Result<Vec<UserSummary>, Failure> {
    let mut wire = context.target.open(Protocol::Admin)?;
    let mut users: Vec<UserSummary> = Vec::new();
    loop {
        let after = users.last().map(|user| user.user.clone());
        let Reply::Users(page) =
            client::ask(&mut wire, &Request::List { after: after.clone(), orphaned: false })?
        else {
            return Err(wire.unexpected());
        };
        // A page that does not go on would be asked for again for ever.
        let goes_on = page.users.last().is_some_and(|last| after.as_ref() != Some(&last.user));
        if page.more && !goes_on {
            return Err(wire.unexpected());
        }
        users.extend(page.users);
        if !page.more {
            return Ok(users);
        }
    }
}

/// One user.
pub(super) fn show(context: &mut Context, whom: &OptionalUser) -> Result<u8, Failure> {
    let id = user::resolve(context, whom)?;
    let detail = detail(context, &id)?;
    let devices = if detail.devices { devices(context, &id)? } else { Vec::new() };
    context.out.json(&render::view::user(&detail, &devices))?;
    context.out.text(&render::user::detail(&detail, &devices, &context.now, context.out.style))?;
    Ok(exit::OK)
}

/// The devices of `id`.
fn devices(context: &Context, id: &UserId) -> Result<Vec<DeviceDetail>, Failure> {
    let reply = context.target.ask(&Request::Devices { user: id.clone() });
    let Reply::Devices(devices) = reply.map_err(|f| f.or_hint(|code| hint::show(code, id, &context.now)))?
    else {
        return Err(context.target.unexpected());
    };
    Ok(devices)
}

/// What the daemon knows of `id`.
pub(super) fn detail(context: &Context, id: &UserId) -> Result<UserDetail, Failure> {
    let mut wire = context.target.open(Protocol::Admin)?;
    let reply = client::ask(&mut wire, &Request::Show { user: id.clone() })
        .map_err(|f| f.or_hint(|code| hint::show(code, id, &context.now)))?;
    let Reply::User(detail) = reply else {
        return Err(wire.unexpected());
    };
    Ok(*detail)
}
