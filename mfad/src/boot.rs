//! Which start of the machine this is: what is remembered until the next one is bound to it.
//!
//! Refuses to guess: without an answer nothing is bound.

use std::{fs, path::Path};

use nix::time::{ClockId, clock_gettime};

/// Where the kernel says it. Not to be seen where the service manager hides all of `/proc` but processes.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// A text that is another one after the machine was started anew. Where the kernel's own number is hidden, it
/// is the second at which the machine was started, which also changes when the clock is set.
pub(crate) fn current() -> Option<String> {
    by_number(Path::new(BOOT_ID)).or_else(by_time)
}

fn by_number(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let number = text.trim();
    let plain = number.len() == 36 && number.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    plain.then(|| number.to_owned())
}

fn by_time() -> Option<String> {
    let (now, up) =
        (clock_gettime(ClockId::CLOCK_REALTIME).ok()?, clock_gettime(ClockId::CLOCK_BOOTTIME).ok()?);
    Some(format!("at {}", (now - up).tv_sec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_start_of_the_machine_has_one_name() {
        let current = current().unwrap();
        assert!(!current.is_empty());
        assert_eq!(current, super::current().unwrap());
        assert!(by_time().unwrap().starts_with("at "));
    }

    #[test]
    fn what_is_no_number_of_a_start_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("boot_id");
        assert_eq!(by_number(&path), None);
        for text in ["", "0\n", "not-a-number-but-of-the-right-length!"] {
            fs::write(&path, text).unwrap();
            assert_eq!(by_number(&path), None, "{text:?}");
        }
        fs::write(&path, "5e9ba1ea-4f6c-4c5c-9a0b-8a3dbb0a4b5d\n").unwrap();
        assert_eq!(by_number(&path).as_deref(), Some("5e9ba1ea-4f6c-4c5c-9a0b-8a3dbb0a4b5d"));
    }
}
