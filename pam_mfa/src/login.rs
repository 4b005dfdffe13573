//! The hooks that do something: one login from arguments to PAM code, and the refusal of `account` lines.
//!
//! Refuses to end without a line in the log when the daemon was not the one to decide.

use std::{ffi::CStr, path::Path};

use mfa_proto::{
    login::{Start, Verdict},
    name::UserName,
};
use nix::errno::Errno;
use pam::{
    constants::{PamFlag, PamResultCode},
    module::PamHandle,
};

use crate::{
    args::{Arguments, SOCKET, USER_SOCKET},
    channel::Channel,
    deadline::Deadline,
    ending::Ending,
    fault::Fault,
    greeting::greet,
    host::PamHost,
    log::{self, Subject},
    relay::converse,
};

/// Asks the daemon, and the person for it.
pub(crate) fn authenticate(handle: &mut PamHandle, args: &[&CStr], flags: PamFlag) -> PamResultCode {
    let mut host = PamHost::new(handle, flags);
    let mut subject = subject_of(&host);
    let arguments = match Arguments::parse(args) {
        Ok(arguments) => arguments,
        Err(bad) => return conclude(&subject, &Err(bad.into()), false),
    };
    let outcome = host.user().and_then(|user| {
        subject.user = Some(user.as_str().to_owned());
        let outcome = ask_daemon(&mut host, user.clone(), &arguments);
        host.expect_user(&user).and(outcome)
    });
    conclude(&subject, &outcome, arguments.ignore_unavailable)
}

/// Denies: nothing can be checked where nothing was asked (see the crate's documentation).
pub(crate) fn refuse_account(handle: &mut PamHandle) -> PamResultCode {
    log::misplaced(&subject_of(&PamHost::new(handle, 0)));
    Ending::Faulty.code()
}

fn subject_of(host: &PamHost<'_>) -> Subject {
    let service = host.service().ok().flatten().unwrap_or_else(|| "?".to_owned());
    Subject { service, user: None }
}

fn ask_daemon(host: &mut PamHost<'_>, user: UserName, arguments: &Arguments) -> Result<Verdict, Fault> {
    // Not before the name is known: it may have been asked for, and that is the person's time.
    let deadline = Deadline::after(arguments.timeout);
    let start: Start = host.start(user, arguments.dialogue)?;
    let mut channel = match &arguments.socket {
        Some(path) => Channel::connect(path, deadline)?,
        None => connect_to_default(deadline)?,
    };
    greet(&mut channel, start)?;
    converse(&mut channel, host, arguments.dialogue)
}

/// Connects to the socket for root, or, where this process may not, to the one for everybody.
fn connect_to_default(deadline: Deadline) -> Result<Channel, Fault> {
    match Channel::connect(Path::new(SOCKET), deadline) {
        Err(Fault::System { cause: Errno::EACCES, .. }) => Channel::connect(Path::new(USER_SOCKET), deadline),
        other => other,
    }
}

fn conclude(subject: &Subject, outcome: &Result<Verdict, Fault>, ignore_unavailable: bool) -> PamResultCode {
    let ending = Ending::of(outcome);
    let ending = if ignore_unavailable { ending.with_absence_ignored() } else { ending };
    log::conclusion(subject, outcome, ending);
    ending.code()
}
