//! `pam_mfa.so`: relays the prompts of mfad to the person who logs in, and maps its one verdict to PAM.
//!
//! ```text
//! # /etc/pam.d/sshd
//! auth     required   pam_unix.so
//! auth     required   pam_mfa.so  timeout=60
//! ```
//! A login goes: arguments (`args`), the account's name, the daemon's socket (`peer`, `channel`), the
//! handshake (`greeting`), the conversation (`relay`, `answer`), one PAM code (`ending`).
//!
//! Refuses to judge, to remember, and to disturb its host: it knows no policy and no secret, keeps no state
//! between calls, starts no thread, reads no environment, looks up no name, prints nothing, and lets no
//! panic into C.
//!
//! The hooks, on purpose:
//!
//! | type | hook | does |
//! |---|---|---|
//! | `auth` | authenticate | the login above |
//! | `auth` | setcred | `PAM_SUCCESS`: libpam replays the stack as it went in authenticate, and a module that ignores here turns an accepted login into "permission denied" |
//! | `account` | acct_mgmt | denies, and says so in the log: nothing was asked in this phase. sshd runs it alone after public keys; a module that let these pass would look like a second factor and be none |
//! | `session` | open, close | `PAM_IGNORE`, the default of pam-bindings: no part in it |
//! | `password` | chauthtok | the same |
#![forbid(unsafe_code)]

mod answer;
mod args;
mod channel;
mod deadline;
mod ending;
mod entry;
mod fault;
mod greeting;
mod hooks;
mod host;
mod log;
mod login;
mod peer;
mod relay;
