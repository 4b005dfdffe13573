//! Changes to PAM stacks and sshd that can be taken back: what `mfactl pam` does.
//!
//! Each file is replaced whole, by rename; before the first one, a record is on the disk that says how to take
//! the change back, and by when. Refuses to run a shell, to follow symbolic links, and to write over what it has
//! not read.

mod check;
mod diff;
mod drop_in;
mod file;
mod guard;
mod module;
pub(crate) mod people;
mod plan;
pub(crate) mod profile;
mod program;
mod record;
mod removal;
pub(crate) mod rule;
mod sshd;
mod state;
mod timer;
mod undo;

pub(crate) use self::{
    check::{asks_all, settings_of},
    diff::diff,
    drop_in::{DROP_IN, Way},
    file::{Original, remove},
    guard::{daemon_answers, someone_gets_in},
    module::loadable,
    people::{Caller, has_no_password},
    plan::{Form, Plan, path_of, plan, unanswered},
    record::{DropIn, Edited, Record},
    removal::{Removed, holds_module, removed},
    sshd::Sshd,
    state::State,
    timer::Timer,
    undo::{give_up, undo},
};
