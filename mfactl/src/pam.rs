//! PAM stacks as libpam reads and walks them: what the lines say, and where each outcome of a module leads.
//!
//! Refuses to open files (a closure gives their text), to load modules, and to know what a module does: who
//! asks says which outcomes each may have.

mod control;
mod edit;
mod line;
mod search;
mod stack;
mod walk;

pub use self::{
    control::{Action, Code, Control},
    edit::{ASIDE, Insertion, Instead, MARK, insert, places, take_back, without_module},
    line::{in_pam_conf, logical},
    search::{Goal, Outcome, Step, find},
    stack::{Entry, Kind, NotRead, Place, Run, Source, Stack},
    walk::{Machine, Verdict, walk},
};
