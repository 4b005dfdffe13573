//! Why a command failed, for people (message and next step) and for programs (word and exit code).
//!
//! Refuses to carry secrets: no variant holds what was typed.

use std::io;

use mfa_proto::admin::{Refusal, RefusalCode};

/// Exit codes, a stable part of the interface: documented in `--help` and the man page.
pub(crate) mod exit {
    /// Done.
    pub(crate) const OK: u8 = 0;
    /// Refused or failed for a reason without a code of its own.
    pub(crate) const FAILED: u8 = 1;
    /// The command line is not valid.
    pub(crate) const USAGE: u8 = 2;
    /// The daemon cannot be reached or cannot answer at present.
    pub(crate) const UNREACHABLE: u8 = 3;
    /// The code was wrong, used before, or missing.
    pub(crate) const WRONG_CODE: u8 = 4;
    /// Too many wrong codes.
    pub(crate) const LOCKED: u8 = 5;
    /// The caller may not do this.
    pub(crate) const NOT_ALLOWED: u8 = 6;
    /// No such user or factor.
    pub(crate) const NOT_FOUND: u8 = 7;
    /// `mfactl test`: policy asks no second factor of this login.
    pub(crate) const NOT_APPLICABLE: u8 = 8;
    /// Ctrl-C, as shells report it.
    pub(crate) const INTERRUPTED: u8 = 130;
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// No connection to the daemon.
    #[error("cannot reach mfad at {path}: {why}")]
    Unreachable {
        /// The socket tried.
        path: String,
        /// What the system said.
        why: String,
        /// What to do.
        hint: String,
    },
    /// Someone listens on the socket who may not be the daemon.
    #[error("refusing to talk to what listens at {path}: {why}")]
    Untrusted {
        /// The socket.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The daemon did not keep to the protocol, or fell silent.
    #[error("the talk with mfad at {path} failed: {why}")]
    Conversation {
        /// The socket.
        path: String,
        /// What went wrong.
        why: String,
        /// What to do.
        hint: &'static str,
    },
    /// The daemon said no. Nothing was changed.
    #[error("{}", mfa_proto::text::escape_for_log(.refusal.message.as_str()))]
    Refused {
        /// What it said.
        refusal: Refusal,
        /// What to do next.
        hint: Option<String>,
    },
    /// The daemon went away in the middle.
    #[error("the talk with mfad at {path} failed: it hung up before it answered")]
    HungUp {
        /// The socket.
        path: String,
    },
    /// The user has no factor that fits, as far as was looked up here.
    #[error("{message}")]
    NotFound {
        /// What there is not.
        message: String,
        /// Where to look.
        hint: String,
    },
    /// What was given on the command line or on standard input is not valid.
    #[error("{message}")]
    Usage {
        /// What is wrong and what would be right.
        message: String,
    },
    /// The person gave up at a prompt.
    #[error("{state}")]
    Interrupted {
        /// How things stand now.
        state: String,
        /// How to go on later.
        hint: Option<String>,
    },
    /// The person said no to a question.
    #[error("{state}")]
    Declined {
        /// How things stand now.
        state: &'static str,
    },
    /// What was wanted would do harm, as things stand. Nothing was changed.
    #[error("{message}")]
    Withheld {
        /// What would go wrong.
        message: String,
        /// What to do first.
        hint: Option<String>,
    },
    /// Standard output does not take more; nothing to report when its reader went away.
    #[error("cannot write the output: {0}")]
    Output(#[source] io::Error),
    /// Something local failed.
    #[error("cannot {what}: {why}")]
    Local {
        /// What was tried, on what.
        what: String,
        /// What the system said.
        why: String,
    },
}

impl Failure {
    /// A [`Failure::Usage`].
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage { message: message.into() }
    }

    /// A [`Failure::Withheld`].
    pub(crate) fn withheld(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Withheld { message: message.into(), hint: Some(hint.into()) }
    }

    /// A [`Failure::Local`].
    pub(crate) fn local(what: impl Into<String>, why: &dyn std::fmt::Display) -> Self {
        Self::Local { what: what.into(), why: why.to_string() }
    }

    /// The code to exit with.
    pub(crate) fn exit(&self) -> u8 {
        match self {
            Self::Unreachable { .. }
            | Self::Untrusted { .. }
            | Self::Conversation { .. }
            | Self::HungUp { .. } => exit::UNREACHABLE,
            Self::Refused { refusal, .. } => exit_of(refusal.code),
            Self::NotFound { .. } => exit::NOT_FOUND,
            Self::Usage { .. } => exit::USAGE,
            Self::Interrupted { .. } => exit::INTERRUPTED,
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => exit::OK,
            Self::Declined { .. } | Self::Withheld { .. } | Self::Output(_) | Self::Local { .. } => {
                exit::FAILED
            }
        }
    }

    /// The stable word for it in JSON.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "unreachable",
            Self::Untrusted { .. } => "untrusted_daemon",
            Self::Conversation { .. } | Self::HungUp { .. } => "protocol",
            Self::Refused { refusal, .. } => word_of(refusal.code),
            Self::NotFound { .. } => word_of(RefusalCode::NoSuchFactor),
            Self::Usage { .. } => "usage",
            Self::Interrupted { .. } => "interrupted",
            Self::Declined { .. } => "declined",
            Self::Withheld { .. } => "withheld",
            Self::Output(_) => "output",
            Self::Local { .. } => "local",
        }
    }

    /// What to do next, when there is something.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::Unreachable { hint, .. } | Self::NotFound { hint, .. } => Some(hint),
            Self::Untrusted { .. } => {
                Some("nothing was sent; look who owns the socket and its directory: ls -ld /run/mfad")
            }
            Self::Conversation { hint, .. } => Some(hint),
            Self::HungUp { .. } => Some("it may be restarting: try again; when it lasts: journalctl -t mfad"),
            Self::Refused { hint, .. } | Self::Interrupted { hint, .. } | Self::Withheld { hint, .. } => {
                hint.as_deref()
            }
            Self::Usage { .. } | Self::Declined { .. } | Self::Output(_) | Self::Local { .. } => None,
        }
    }

    /// Whether the daemon refused with this code.
    pub(crate) fn refused_with(&self, code: RefusalCode) -> bool {
        matches!(self, Self::Refused { refusal, .. } if refusal.code == code)
    }

    /// Whether it looks as if the daemon were being restarted.
    pub(crate) fn may_be_a_restart(&self) -> bool {
        matches!(self, Self::HungUp { .. } | Self::Unreachable { .. })
    }

    /// The same failure with `hint`, where a refusal has none yet.
    pub(crate) fn or_hint(mut self, text: impl FnOnce(RefusalCode) -> Option<String>) -> Self {
        if let Self::Refused { refusal, hint: hint @ None } = &mut self {
            *hint = text(refusal.code);
        }
        self
    }
}

fn exit_of(code: RefusalCode) -> u8 {
    match code {
        RefusalCode::NotAllowed | RefusalCode::Invitation => exit::NOT_ALLOWED,
        RefusalCode::UnknownUser | RefusalCode::NoSuchFactor => exit::NOT_FOUND,
        RefusalCode::WrongCode => exit::WRONG_CODE,
        RefusalCode::Locked | RefusalCode::TooSoon => exit::LOCKED,
        RefusalCode::Unavailable | RefusalCode::NotSent => exit::UNREACHABLE,
        RefusalCode::Invalid => exit::USAGE,
        RefusalCode::Ambiguous | RefusalCode::WrongState | RefusalCode::TooMany | RefusalCode::Tampered => {
            exit::FAILED
        }
    }
}

fn word_of(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::NotAllowed => "not_allowed",
        RefusalCode::UnknownUser => "unknown_user",
        RefusalCode::NoSuchFactor => "no_such_factor",
        RefusalCode::Ambiguous => "ambiguous",
        RefusalCode::WrongCode => "wrong_code",
        RefusalCode::Locked => "locked",
        RefusalCode::WrongState => "wrong_state",
        RefusalCode::Invalid => "invalid",
        RefusalCode::TooMany => "too_many",
        RefusalCode::Tampered => "tampered",
        RefusalCode::Unavailable => "unavailable",
        RefusalCode::TooSoon => "too_soon",
        RefusalCode::NotSent => "not_sent",
        RefusalCode::Invitation => "invitation",
    }
}
