//! Devices: their PINs, serial numbers, and who has them.

use mfa_proto::admin::{DeviceDetail, FactorDetail, FactorRef, Reply, Request};
use mfa_proto::answer::Pin;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::tag::Serial;

use super::code::Form;
use super::{Context, code, hint, verb};
use crate::cli::{AssignArgs, DescribeArgs, PinTarget, PinVerb, SerialArgs};
use crate::failure::{Failure, exit};
use crate::render;
use crate::terminal;

/// Sets a PIN, or takes it away.
pub(super) fn pin(context: &mut Context, what: PinVerb) -> Result<u8, Failure> {
    match what {
        PinVerb::Set(arguments) => {
            let target = whose(context, arguments.whose)?;
            let given =
                if arguments.code_stdin { Some(code::from_stdin(context, Form::CURRENT)?) } else { None };
            let pin = new_pin(context)?;
            let user = target.user.clone();
            let reply = code::ask_with_current(context, &user, given, |code| Request::SetPin {
                target: target.clone(),
                pin: Some(pin.again()),
                code,
            });
            verb::done(context, &user, "pin_set", "PIN set", reply)
        }
        PinVerb::Clear(arguments) => {
            let target = whose(context, arguments)?;
            let user = target.user.clone();
            let reply = context.target.ask(&Request::SetPin { target, pin: None, code: None });
            verb::done(context, &user, "pin_clear", "PIN taken away", reply)
        }
    }
}

/// Whose factor and which: as named, or as the daemon knows the serial number.
fn whose(context: &mut Context, what: PinTarget) -> Result<FactorRef, Failure> {
    let Some(serial) = what.serial else { return verb::target(context, what.target) };
    let (user, factor, _) = found(context, &serial)?;
    let Some(user) = user else {
        return Err(Failure::NotFound {
            message: format!("nobody has {}: a PIN belongs to whoever has the device", serial.as_str()),
            hint: format!("to give it to somebody: mfactl assign {} USER", serial.as_str()),
        });
    };
    Ok(FactorRef { user, factor: Some(factor.factor), label: None })
}

/// A PIN that is to be set; on a terminal typed twice, because it is not seen.
fn new_pin(context: &mut Context) -> Result<SecretText, Failure> {
    let typed = terminal::stdin_line(&mut context.out, "New PIN")?;
    if let Err(problem) = Pin::new(typed.expose()) {
        return Err(Failure::usage(problem.to_string()));
    }
    if terminal::interactive() {
        let again = terminal::stdin_line(&mut context.out, "The same PIN again")?;
        if again.expose() != typed.expose() {
            return Err(Failure::usage("the two PINs differ: nothing was changed"));
        }
    }
    Ok(typed)
}

/// Shows whose device it is.
pub(super) fn find(context: &mut Context, what: &SerialArgs) -> Result<u8, Failure> {
    let (user, factor, device) = found(context, &what.serial)?;
    context.out.json(&render::view::found(user.as_ref(), &factor, &device))?;
    let text = render::user::found(user.as_ref(), (&factor, &device), &context.now, context.out.style);
    context.out.text(&text)?;
    Ok(exit::OK)
}

/// Whose device has a serial number, of which factor, and how it stands.
type Found = (Option<UserId>, Box<FactorDetail>, Box<DeviceDetail>);

fn found(context: &Context, serial: &Serial) -> Result<Found, Failure> {
    let reply = context.target.ask(&Request::Find { serial: serial.clone() });
    let reply = reply.map_err(|f| f.or_hint(hint::daemon))?;
    let Reply::Found { user, factor, device } = reply else { return Err(context.target.unexpected()) };
    Ok((user, factor, device))
}

/// Names a device.
pub(super) fn describe(context: &mut Context, what: DescribeArgs) -> Result<u8, Failure> {
    let target = verb::target(context, what.target)?;
    let user = target.user.clone();
    let request = Request::Describe { target, serial: what.serial, description: what.text };
    let reply = context.target.ask(&request);
    verb::done(context, &user, "describe", "Described", reply)
}

/// Gives a device to a user.
pub(super) fn assign(context: &mut Context, what: &AssignArgs) -> Result<u8, Failure> {
    let user = what.user.id();
    let reply = context.target.ask(&Request::Assign { serial: what.serial.clone(), user: user.clone() });
    verb::done(context, &user, "assign", "Assigned", reply)
}

/// Takes a device back.
pub(super) fn unassign(context: &mut Context, what: &SerialArgs) -> Result<u8, Failure> {
    let keeper = keeper(&what.serial)?;
    let reply = context.target.ask(&Request::Unassign { serial: what.serial.clone() });
    verb::done(context, &keeper, "unassign", "Taken back", reply)
}

/// As the daemon names a device that nobody has.
fn keeper(serial: &Serial) -> Result<UserId, Failure> {
    serial.keeper().map_err(|e| Failure::usage(e.to_string()))
}
