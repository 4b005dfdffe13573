//! What `mfactl` reads of other programs: parsers without input or output, apart from the program so that
//! tests and fuzzing reach them.
//!
//! Refuses to open files, to ask the daemon, and to decide whose a factor is: see [`import`].
#![forbid(unsafe_code)]

pub mod import;
