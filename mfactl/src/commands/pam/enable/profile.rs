//! All services of a Debian at once: by the distribution's own program, whose result is judged like an edit of ours.

use super::super::super::Context;
use super::change::Change;
use super::way;
use crate::apply::{self, Form, Original, profile};
use crate::cli::{PamEnableArgs, SshdWay};
use crate::doctor::Severity;
use crate::doctor::host::Host;
use crate::doctor::pam::{Model, said};
use crate::failure::Failure;

/// What the profile adds to the file, about so.
const LINE: &str = "auth\trequired\tpam_mfa.so\n";

/// What is to be changed.
pub(super) fn planned(
    context: &mut Context,
    host: &Host,
    arguments: &PamEnableArgs,
) -> Result<Change, Failure> {
    let mut change = Change::of(profile::COMMON, super::super::now());
    let usual = context.target.socket.is_none() && arguments.sshd != Some(SshdWay::Key);
    if !(profile::is_there() && usual && !arguments.optional) {
        return Err(Failure::withheld(
            "all services at once are for pam-auth-update with the profile of the package, with the usual socket, for password \
             and code, and without --optional",
            "name one service at a time: mfactl pam enable sshd",
        ));
    }
    let path = apply::path_of(host, profile::COMMON);
    let Some(common) = Original::read(&path)? else {
        return Err(Failure::withheld("there is no /etc/pam.d/common-auth", "mfactl pam enable sshd"));
    };
    if apply::holds_module(&common.text) {
        return Ok(change);
    }
    let text = format!("{}{LINE}", common.text);
    let model = Model::of(host);
    let sshd =
        model.judge_with("sshd", profile::COMMON, &text).map_err(|finding| apply::unanswered(&finding))?;
    change.profile((common, text), sshd.asking);
    if change.asking().is_some() {
        change.drop_in(way::drop_in(host, arguments, &change, Form::AfterPassword)?);
    }
    Ok(change)
}

/// Has it done, and looks at what came of it, in every service.
pub(super) fn enable(host: &Host) -> Result<(), Failure> {
    profile::enable()?;
    let common = Original::read(&apply::path_of(host, profile::COMMON))?;
    if !common.is_some_and(|common| apply::holds_module(&common.text)) {
        return Err(Failure::withheld(
            "pam-auth-update left common-auth as it is: somebody edited it by hand",
            "pam-auth-update --force writes it anew; or name one service at a time",
        ));
    }
    let model = Model::of(host);
    for service in model.services().map_err(|finding| apply::unanswered(&finding))? {
        let judged = model.judge(&service, None).map_err(|finding| apply::unanswered(&finding))?;
        if let Some(problem) = judged.found.iter().find(|one| one.severity == Severity::Problem) {
            return Err(Failure::withheld(
                format!("the stack of {service} would not be right: {}", said(problem)),
                "mfactl doctor says more; or name one service at a time",
            ));
        }
    }
    Ok(())
}
