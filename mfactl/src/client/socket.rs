//! Connecting to a Unix socket within a bound of time, and saying why it did not work.

use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use mfa_proto::text::escape_for_log;
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect as connect_fd, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use crate::failure::Failure;

/// Connects to `path`. Waits at most `timeout` for a daemon that does not accept.
pub(super) fn connect(path: &Path, timeout: Duration) -> Result<UnixStream, Errno> {
    let fd = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let wait = TimeVal::milliseconds(i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX));
    // Bounds connect(2) too, which waits while the listener's queue is full.
    setsockopt(&fd, sockopt::SendTimeout, &wait)?;
    connect_fd(fd.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(UnixStream::from(fd))
}

/// The connection to the first of `paths` that the caller is allowed to open. Another failure than a lack
/// of permission is not passed over: it is what the person must hear of.
pub(super) fn first_allowed<C>(
    paths: [&Path; 2],
    connect: impl Fn(&Path) -> Result<C, Errno>,
) -> (&Path, Result<C, Errno>) {
    let [first, second] = paths;
    match connect(first) {
        Err(Errno::EACCES) => (second, connect(second)),
        other => (first, other),
    }
}

/// Says why there is no connection.
pub(super) fn unreachable(path: &Path, errno: Errno) -> Failure {
    let running = "is it running? pgrep -a mfad, systemctl status mfad";
    let known = [
        (Errno::ENOENT, "there is no such socket", running),
        (Errno::ECONNREFUSED, "connection refused", running),
        (Errno::EACCES, "permission denied", "run it as root: sudo mfactl …"),
        (
            Errno::EAGAIN,
            "it does not accept connections",
            "it may hang: look at journalctl -t mfad, then restart it",
        ),
        (
            Errno::ENAMETOOLONG,
            "the path is too long for a socket (107 bytes at most)",
            "give a shorter --socket",
        ),
    ];
    let found = known.into_iter().find(|(known, _, _)| *known == errno);
    let (_, why, hint) = found.unwrap_or((errno, errno.desc(), running));
    Failure::Unreachable {
        path: escape_for_log(&path.to_string_lossy()),
        why: why.to_owned(),
        hint: hint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(first: Result<u8, Errno>) -> (&'static str, Result<u8, Errno>) {
        let paths = [Path::new("admin"), Path::new("user")];
        let (path, result) =
            first_allowed(paths, |path| if path == Path::new("admin") { first } else { Ok(2) });
        (path.to_str().unwrap(), result)
    }

    #[test]
    fn the_second_socket_is_for_those_who_may_not_open_the_first() {
        assert_eq!(tried(Ok(1)), ("admin", Ok(1)));
        assert_eq!(tried(Err(Errno::EACCES)), ("user", Ok(2)));
        assert_eq!(tried(Err(Errno::ENOENT)), ("admin", Err(Errno::ENOENT)));
        assert_eq!(tried(Err(Errno::ECONNREFUSED)), ("admin", Err(Errno::ECONNREFUSED)));
    }
}
