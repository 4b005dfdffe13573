//! `/admin`: tokens are added, shown, changed and taken away.
//!
//! Each verb takes the rights that core wants for it, and reading tokens beside. Refuses verbs that nothing here stands
//! for.

mod by_code;
mod change;
mod init;
mod look;
mod lost;
mod meant;
mod owners;
mod people;
mod rows;
mod said;
mod seed;
mod set;
mod show;
mod token;

use std::time::Duration;

use mfa_role::config::LinOtp;

pub(super) use self::{
    owners::realms,
    rows::{COUNT_WINDOW, SYNC_WINDOW, resolver},
    said::{Done, Said, asked, may_not, refused, senseless, unusable},
    token::serials_of,
};
use super::{asked::Asked, envelope::Fault};
use crate::verify::Desk;

/// What a verb works with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order<'a> {
    pub(super) asked: &'a Asked,
    pub(super) desk: &'a Desk,
    pub(super) terms: &'a LinOtp,
    /// How long challenges are open.
    pub(super) lifetime: Duration,
}

/// The number that errors of a verb have. Values have 1.
pub(super) fn fault_number(verb: &str) -> u8 {
    u8::from(verb != "assign")
}

/// Whether there is such a verb.
pub(super) fn is_known(verb: &str) -> bool {
    VERBS.contains(&verb)
}

const VERBS: [&str; 17] = [
    "init",
    "enable",
    "disable",
    "remove",
    "delete",
    "show",
    "assign",
    "unassign",
    "resync",
    "reset",
    "set",
    "tokenrealm",
    "userlist",
    "check_serial",
    "getTokenOwner",
    "losttoken",
    "getSerialByOtp",
];

/// Does what a verb says.
pub(super) async fn answer(verb: &str, order: Order<'_>) -> Result<Said, Fault> {
    let done = match verb {
        "init" => init::init(order).await,
        "enable" => change::enable(order).await,
        "disable" => change::disable(order).await,
        // Its manual says the one, its server has the other.
        "remove" | "delete" => change::remove(order).await,
        "assign" => change::assign(order).await,
        "unassign" => change::unassign(order).await,
        "resync" => change::resync(order).await,
        "reset" => change::reset(order).await,
        "set" => set::set(order).await,
        "tokenrealm" => set::tokenrealm(order).await,
        "show" => return show::show(order).await,
        "userlist" => return people::userlist(order).await,
        "check_serial" => look::check_serial(order).await,
        "getTokenOwner" => look::owner(order).await,
        "losttoken" => lost::lost(order).await,
        "getSerialByOtp" => by_code::by_code(order).await,
        _ => Err(Fault::other("there is no such verb")),
    };
    done.map(Said::Value)
}
