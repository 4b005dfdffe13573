//! `pam confirm` and `pam revert`: what waits is kept, or taken back.

use mfa_proto::admin::Request;
use mfa_proto::name::ServiceName;
use serde_json::json;

use super::super::Context;
use crate::apply::{self, Record, State, Timer};
use crate::cli::PamRevertArgs;
use crate::failure::{Failure, exit};

/// Keeps what waits.
pub(super) fn confirm(context: &mut Context, service: Option<&ServiceName>) -> Result<u8, Failure> {
    super::as_root()?;
    let state = State::of_host();
    let services: Vec<String> = match service {
        Some(service) => vec![service.to_string()],
        None => state.pending()?.into_iter().flatten().map(|record| record.service).collect(),
    };
    keep(context, &services)
}

/// Keeps the changes to these services.
pub(super) fn keep(context: &mut Context, services: &[String]) -> Result<u8, Failure> {
    let state = State::of_host();
    let _lock = state.lock()?;
    let mut kept = Vec::new();
    for service in services {
        if state.confirm(service)? {
            context.out.text(&format!("Kept: {service} asks for a code.\n"))?;
            kept.push(json!({ "service": service, "confirmed": true }));
        }
    }
    rest(&state)?;
    context.out.json(&json!({ "services": kept }))?;
    if kept.is_empty() {
        return Err(Failure::NotFound {
            message: "nothing waits to be confirmed".to_owned(),
            hint: "mfactl pam status shows what there is; what was not confirmed in time was taken back"
                .to_owned(),
        });
    }
    Ok(exit::OK)
}

/// Takes back what waits, or what is due.
pub(super) fn run(context: &mut Context, arguments: &PamRevertArgs) -> Result<u8, Failure> {
    super::as_root()?;
    let state = State::of_host();
    let mut unread = Vec::new();
    let mut records = Vec::new();
    match &arguments.service {
        Some(service) => records.extend(state.of(service.as_str())?),
        None => {
            for record in state.pending()? {
                match record {
                    Ok(record) => records.push(record),
                    Err(failure) => unread.push(failure),
                }
            }
        }
    }
    if arguments.due {
        let now = super::now();
        records.retain(|record| record.due(now));
    } else if records.is_empty() && unread.is_empty() {
        return Err(Failure::NotFound {
            message: "nothing is known to take back".to_owned(),
            hint: "mfactl pam disable SERVICE takes the line out of any service".to_owned(),
        });
    }
    let code = take_back(context, &records)?;
    match unread.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(code),
    }
}

/// Takes changes back.
pub(super) fn take_back(context: &mut Context, records: &[Record]) -> Result<u8, Failure> {
    let state = State::of_host();
    let _lock = state.lock()?;
    let (mut done, mut failed) = (Vec::new(), None);
    for record in records {
        // Confirmed or taken back by somebody else meanwhile: not ours to touch.
        if state.of(&record.service)?.as_ref() != Some(record) {
            continue;
        }
        match apply::undo(&super::here(), &state, record) {
            Ok(undone) => {
                context.out.text(&format!("Taken back: {} is as it was.\n", record.service))?;
                for note in &undone.notes {
                    context.out.note(note);
                }
                if undone.rule {
                    reload(context);
                }
                done.push(json!({ "service": record.service, "reverted": true, "notes": undone.notes }));
            }
            Err(failure) => failed = Some(failure),
        }
    }
    rest(&state)?;
    context.out.json(&json!({ "services": done }))?;
    failed.map_or(Ok(exit::OK), Err)
}

/// Has the daemon read its rules again; where it does not run, it does when it starts.
pub(super) fn reload(context: &mut Context) {
    if let Err(failure) = context.target.ask(&Request::Reload) {
        context.out.note(&format!("mfad has not read its rules again ({failure}): mfactl reload"));
    }
}

/// The timer stops when nothing waits.
pub(super) fn rest(state: &State) -> Result<(), Failure> {
    if state.pending()?.is_empty()
        && let Some(timer) = Timer::find()
    {
        timer.rest();
    }
    Ok(())
}
