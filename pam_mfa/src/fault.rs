//! Why a login got no verdict. Refuses to say what follows from it: that is [`crate::ending`].

use std::{fmt, io, path::PathBuf};

use mfa_proto::{codec::CodecError, frame::FrameError, name::NameError};
use nix::errno::Errno;

use crate::args::BadArgument;

/// Each way in which a login can fail to reach a verdict.
#[derive(Debug)]
pub(crate) enum Fault {
    /// There is no daemon at the socket.
    Absent {
        /// Where it was looked for.
        socket: PathBuf,
        /// What the kernel said.
        cause: Errno,
    },
    /// The daemon had its fair share of the time and sent nothing, before the person was asked anything.
    Silent,
    /// The time was up, for a reason that may lie with the person or the host.
    TimedOut,
    /// The daemon, or this host's share of it, has too many connections.
    Busy,
    /// The daemon speaks other versions of the protocol.
    Unsupported {
        /// Its oldest version.
        min: u16,
        /// Its newest version.
        max: u16,
    },
    /// The daemon says that it cannot judge, after the person was asked.
    CannotJudge,
    /// The socket, or who is behind it, is not to be trusted.
    Untrusted(String),
    /// The daemon closed the connection.
    HungUp,
    /// What came is not the protocol.
    Misspoke(CodecError),
    /// What came is the protocol, but not in its order or bounds.
    OutOfTurn(&'static str),
    /// A message could not be made.
    Unsayable(CodecError),
    /// The system refused something that never fails on a healthy host.
    System {
        /// What was tried.
        doing: &'static str,
        /// What the kernel said.
        cause: Errno,
    },
    /// The application could not ask the person, or the person gave up.
    NoAnswer,
    /// An argument of the module.
    Argument(BadArgument),
    /// The account or the service has no valid name.
    Name(NameError),
    /// libpam did not give or take something.
    Libpam {
        /// What was tried.
        doing: &'static str,
        /// What libpam said.
        code: pam::constants::PamResultCode,
    },
    /// `PAM_USER` is another one than at the start.
    UserChanged,
}

impl Fault {
    /// What the kernel refused while `doing` something, from an error of the standard library.
    pub(crate) fn of_io(doing: &'static str, error: &io::Error) -> Self {
        Self::System { doing, cause: Errno::from_raw(error.raw_os_error().unwrap_or(0)) }
    }
}

impl From<FrameError> for Fault {
    fn from(error: FrameError) -> Self {
        Self::Misspoke(error.into())
    }
}

impl From<CodecError> for Fault {
    fn from(error: CodecError) -> Self {
        Self::Misspoke(error)
    }
}

impl From<BadArgument> for Fault {
    fn from(error: BadArgument) -> Self {
        Self::Argument(error)
    }
}

impl From<NameError> for Fault {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent { socket, cause } => {
                write!(f, "no daemon at {}: {}; is mfad running?", socket.display(), cause.desc())
            }
            Self::Silent => f.write_str("mfad does not answer; see its log, or restart it"),
            Self::TimedOut => f.write_str("the time for this login is up (argument timeout=)"),
            Self::Busy => f.write_str("mfad has too many connections; try again, or see its limits"),
            Self::Unsupported { min, max } => write!(
                f,
                "mfad speaks versions {min} to {max} of the protocol, this module {} to {}; update the older one",
                mfa_proto::hello::OLDEST,
                mfa_proto::hello::NEWEST,
            ),
            Self::CannotJudge => f.write_str("mfad cannot judge the answer at present; see its log"),
            Self::Untrusted(what) => f.write_str(what),
            Self::HungUp => f.write_str("mfad closed the connection before a verdict; see its log"),
            Self::Misspoke(what) => write!(f, "mfad sent what is not the protocol: {what}"),
            Self::OutOfTurn(what) => write!(f, "mfad does not keep to the protocol: {what}"),
            Self::Unsayable(what) => write!(f, "a message to mfad cannot be made: {what}"),
            Self::System { doing, cause } => write!(f, "{doing}: {}", cause.desc()),
            Self::NoAnswer => f.write_str("the application could not ask for the second factor"),
            Self::Argument(what) => what.fmt(f),
            Self::Name(what) => what.fmt(f),
            Self::Libpam { doing, code } => write!(f, "{doing}: libpam says {code:?}"),
            Self::UserChanged => f.write_str("PAM_USER was changed while the second factor was asked for"),
        }
    }
}
