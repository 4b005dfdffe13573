//! One line from a file descriptor, without a buffer that would keep a copy or take the next line along.

use std::io;
use std::os::fd::AsFd;

use nix::{errno::Errno, unistd};
use zeroize::Zeroizing;

/// Bytes a line may have: what a terminal gives at most in one line (`MAX_CANON` of Linux).
const MAX_LINE: usize = 4096;

/// Reads up to a line feed, which is taken off together with a carriage return before it. `None` at the
/// end of the input. `ready` is waited for before each byte; its error ends the reading.
pub(super) fn read(
    from: &impl AsFd,
    ready: impl Fn() -> io::Result<()>,
) -> io::Result<Option<Zeroizing<String>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LINE));
    let mut byte = Zeroizing::new([0_u8; 1]);
    loop {
        ready()?;
        match unistd::read(from, &mut *byte) {
            Ok(0) if bytes.is_empty() => return Ok(None),
            Ok(0) => break,
            Ok(_) if *byte == *b"\n" => break,
            Ok(_) if bytes.len() == MAX_LINE => return Err(invalid("the line is too long")),
            Ok(_) => bytes.extend_from_slice(&*byte),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| invalid("the line is not UTF-8"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn lines(input: &[u8]) -> Vec<Option<String>> {
        let (reader, mut writer) = io::pipe().unwrap();
        writer.write_all(input).unwrap();
        drop(writer);
        let take = |_| read(&reader, || Ok(())).unwrap().map(|line| line.to_string());
        (0..3).map(take).collect()
    }

    #[test]
    fn each_read_takes_one_line_and_leaves_the_rest() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(lines(b"key\r\n123456\nlast"), [some("key"), some("123456"), some("last")]);
        assert_eq!(lines(b"\n"), [some(""), None, None]);
        assert_eq!(lines(b""), [None, None, None]);
    }

    #[test]
    fn lines_that_cannot_be_are_errors() {
        for input in [vec![b'x'; MAX_LINE + 1], vec![0xff, b'\n']] {
            let (reader, mut writer) = io::pipe().unwrap();
            writer.write_all(&input).unwrap();
            drop(writer);
            assert_eq!(read(&reader, || Ok(())).unwrap_err().kind(), io::ErrorKind::InvalidData);
        }
    }
}
