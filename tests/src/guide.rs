//! A guide of `docs/guides`, followed word by word on a booted host: what stands in its `console` blocks is typed
//! where its prompts say, and what comes of it is held against what the guide shows. Refuses to help: whatever a
//! guide leaves out is not done, beside what its test says that the reader has.
//!
//! | a line begins with | it is typed |
//! |---|---|
//! | `# ` | by root on the host |
//! | `jane@host$ ` | by jane on the host |
//! | `$ ` | by jane on her own machine, at the other end of the cable |
//! | `laptop# ` | by root there, with the programs that the host has |
//! | `host login: ` | at the host's console |
//! | `rescue# ` | by root in the host's file system, of which nothing else runs |
//!
//! A command that holds `<<'END'` goes on until `END`. The lines after it are what is seen then, all of it: `…` stands
//! for what differs, alone on a line for any lines. Where they hold a question that is known here, what the guide shows
//! as the answer is typed: passwords where nothing is shown, and for the digits of a code one that is right and new.
//! A line `^C` ends a program once the line before it is seen. Where no lines follow, anything may be seen. Each command must succeed, but for the last one of a block behind
//! `<!-- fails -->`. Blocks of other kinds are not looked at.
//! In a command, `hunter2` stands for jane's password and `492039` for a code that is right and new.

mod codes;
mod play;
mod shown;
mod text;
mod typed;

pub use self::{codes::Codes, play::follow};
