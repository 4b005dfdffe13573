//! What is lost, what was done about it, and what to do next.

use mfa_proto::admin::{FactorDetail, FactorId, FactorKind};
use mfa_proto::answer::RecoveryCode;
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;
use serde_json::{Value, json};

use super::view::{EmergencyView, InvitedView};
use super::{factor, shell_word, user, view};

/// Whose loss it is, and how far it is dealt with.
#[derive(Debug)]
pub(crate) struct Case<'d> {
    /// Who has lost something.
    pub(crate) whom: &'d UserId,
    /// What is lost, as it was before.
    pub(crate) lost: Vec<&'d FactorDetail>,
    /// What else counts.
    pub(crate) left: Vec<&'d FactorDetail>,
    /// What was switched off or deleted by now.
    pub(crate) off: Vec<&'d FactorDetail>,
    /// All that the user holds is deleted, not switched off.
    pub(crate) removed: bool,
    /// How many remembered successes were forgotten; `None` before that.
    pub(crate) forgotten: Option<u32>,
}

/// How the user gets in meanwhile.
#[derive(Debug)]
pub(crate) enum WayIn {
    /// As before, or not at all.
    None,
    /// By a code that counts once.
    Emergency {
        /// Its id.
        factor: FactorId,
        /// The code.
        code: RecoveryCode,
        /// Until when it counts, Unix seconds.
        until: i64,
        /// The file it was written to, if it was.
        output: Option<String>,
    },
    /// By enrolling a first factor.
    Invitation {
        /// The invitation.
        code: SecretText,
        /// Until when it counts, Unix seconds.
        until: i64,
    },
}

/// For programs. Not a [`Value`], which would copy the code.
#[derive(serde::Serialize)]
pub(crate) struct LostView<'a> {
    user: &'a str,
    realm: &'a str,
    verb: &'static str,
    removed: bool,
    lost: Vec<Value>,
    left: Vec<Value>,
    forgotten: u32,
    emergency: Option<EmergencyView<'a>>,
    invitation: Option<InvitedView<'a>>,
}

/// The whole of it.
pub(crate) fn json<'a>(case: &'a Case<'_>, way_in: &'a WayIn) -> LostView<'a> {
    let (emergency, invitation) = match way_in {
        WayIn::None => (None, None),
        WayIn::Emergency { factor, code, until, output } => {
            (Some(view::emergency_code(case.whom, *factor, (code, *until), output.as_deref())), None)
        }
        WayIn::Invitation { code, until } => (None, Some(view::invited(case.whom, code, *until))),
    };
    LostView {
        user: case.whom.name.as_str(),
        realm: case.whom.realm.as_str(),
        verb: "lost",
        removed: case.removed,
        lost: case.lost.iter().map(|lost| one(lost)).collect(),
        left: case.left.iter().map(|left| one(left)).collect(),
        forgotten: case.forgotten.unwrap_or(0),
        emergency,
        invitation,
    }
}

fn one(detail: &FactorDetail) -> Value {
    json!({"factor": detail.factor.0, "kind": factor::kind(detail.kind), "label": detail.label.as_str()})
}

/// `factor 3, totp "phone"`.
pub(crate) fn named(detail: &FactorDetail) -> String {
    format!("factor {}, {}", detail.factor.0, user::name(detail))
}

/// The same with its state, where that is another than active.
fn with_state(detail: &FactorDetail) -> String {
    let state = factor::state(detail.state);
    if state == "active" { named(detail) } else { format!("{} ({state})", named(detail)) }
}

/// What is about to be done, before it is asked whether it is meant.
pub(crate) fn before(case: &Case<'_>) -> String {
    let whom = escape_for_log(&case.whom.to_string());
    let lost = case.lost.iter().map(|factor| with_state(factor)).collect::<Vec<_>>().join("; ");
    let left = if case.left.is_empty() {
        format!("nothing that counts. {}", alone(&whom))
    } else {
        case.left.iter().map(|factor| named(factor)).collect::<Vec<_>>().join("; ")
    };
    format!("{whom} has lost: {}\nWhat is left: {left}", if lost.is_empty() { "nothing" } else { &lost })
}

/// How it is without a factor.
fn alone(whom: &str) -> String {
    format!("Logins of {whom} are denied then; where `unenrolled` is \"skip\", the password alone is enough")
}

/// What was done.
pub(crate) fn taken_away(case: &Case<'_>) -> String {
    let whom = escape_for_log(&case.whom.to_string());
    let what = if case.removed { "Deleted" } else { "Switched off" };
    let mut lines: Vec<String> =
        case.off.iter().map(|factor| format!("{what}: {} of {whom}.\n", named(factor))).collect();
    let is_on = |lost: &&&FactorDetail| case.off.iter().all(|off| off.factor != lost.factor);
    let stays = case.lost.iter().filter(is_on);
    lines.extend(stays.map(|factor| format!("Not touched: {} of {whom}.\n", with_state(factor))));
    match case.forgotten {
        Some(1) => lines.push("Forgotten: 1 remembered success.\n".to_owned()),
        Some(many) => lines.push(format!("Forgotten: {many} remembered successes.\n")),
        None => {}
    }
    lines.concat()
}

/// What to do next; `name` is the user in a shell.
pub(crate) fn next(case: &Case<'_>, way_in: &WayIn, name: &str) -> String {
    let mut steps = Vec::new();
    let codes = |factor: &&&FactorDetail| factor.kind == FactorKind::Recovery;
    match (case.left.iter().find(codes), way_in) {
        (_, WayIn::Emergency { .. } | WayIn::Invitation { .. }) => {}
        (Some(set), WayIn::None) => steps.push(format!(
            "{} recovery codes are left: one lets {name} in, another enrolls what replaces it: mfactl enroll",
            set.left.unwrap_or(0)
        )),
        (None, WayIn::None) if case.left.is_empty() => {
            steps.push(format!("to let {name} in once: mfactl breakglass {name} --reason TEXT"));
        }
        (None, WayIn::None) if case.left.iter().all(|left| left.kind == FactorKind::BreakGlass) => {
            steps.push(format!("{name} has an emergency code that still counts: once, and for no change"));
        }
        (None, WayIn::None) => {
            steps.push(format!(
                "{name} logs in with what is left, and enrolls what replaces it: mfactl enroll"
            ));
        }
    }
    if !case.removed {
        for lost in &case.lost {
            let (kind, id) = (factor::kind(lost.kind), lost.factor.0);
            if matches!(lost.kind, FactorKind::Totp | FactorKind::Hotp | FactorKind::Sms | FactorKind::Mail) {
                let label = shell_word(lost.label.as_str());
                steps.push(format!("for a new one: mfactl enroll {kind} {name} --label {label} --replace"));
            }
            steps.push(format!("when it is found: mfactl enable {name} --factor {id}"));
        }
    }
    let mut text = String::new();
    if case.left.is_empty() && matches!(way_in, WayIn::None) {
        text = format!("Nothing that counts is left. {}.\n", alone(&escape_for_log(&case.whom.to_string())));
    }
    if !steps.is_empty() {
        text = format!("{text}\nNext:\n  {}\n", steps.join("\n  "));
    }
    text
}
