//! Proves passwords through PAM for the front ends of mfad, which have no rights to do so.
//!
//! ```text
//! web ──Request──> server ──pace──> child ──stdin──> prove ──> libpam
//!     <──Reply───         <────────       <─stdout──
//! ```
//! Each password is checked in a process of its own: PAM modules need not be safe in threads, may hang, and
//! may leave copies of a password behind; a process can be ended at its deadline, and all of it goes with it.
//!
//! Refuses everything else: it reads no configuration, knows no factor, and says no more than yes or no. A
//! password is in no log, argument or environment.
#![forbid(unsafe_code)]

mod child;
mod pam;
mod prove;
pub mod role;
