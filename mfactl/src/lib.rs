//! What `mfactl` reads of other programs: parsers without input or output, apart from the program so that
//! tests and fuzzing reach them.
//!
//! Refuses to open files, to ask the daemon, and to decide whose a factor is ([`import`]) or what is wrong with a
//! stack ([`pam`]).
#![forbid(unsafe_code)]

pub mod import;
pub mod pam;
