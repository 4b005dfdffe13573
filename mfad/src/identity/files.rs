//! Whether the host's account database is a local file and nothing else, so that asking it waits for nobody.
//!
//! Refuses to read accounts: that stays with the C library, which is asked in either case. Whatever is not plainly so
//! counts as something that may wait.

use std::{fs, io, path::Path};

/// A larger file takes longer to go through than to change threads.
const MOST_BYTES: u64 = 256 << 10;

/// The socket of nscd, which the C library asks first where it is there.
const NSCD: &str = "run/nscd/socket";

/// Whether all accounts of the host at `root` are in `/etc/passwd`.
pub(super) fn hold_all(root: &Path) -> bool {
    let small = fs::metadata(root.join("etc/passwd")).is_ok_and(|found| found.len() <= MOST_BYTES);
    let nobody_between =
        fs::metadata(root.join(NSCD)).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
    let sources = fs::read_to_string(root.join("etc/nsswitch.conf"));
    small && nobody_between && sources.is_ok_and(|text| names_files_alone(&text))
}

/// Whether `passwd` has the source `files` and no other (nsswitch.conf(5)), and is said once.
fn names_files_alone(nsswitch: &str) -> bool {
    let lines = nsswitch.lines().map(|line| line.split_once('#').map_or(line, |(before, _)| before));
    let mut said = lines.filter_map(|line| line.split_once(':')).filter(|(what, _)| what.trim() == "passwd");
    let first = said.next().is_some_and(|(_, sources)| sources.trim() == "files");
    first && said.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_that_is_a_file_is_told_from_all_else() {
        for alone in ["passwd: files\n", "# x: y\n passwd :\tfiles # why\ngroup: files systemd\n"] {
            assert!(names_files_alone(alone), "{alone:?}");
        }
        let others = [
            "",
            "group: files\n",
            "passwd:\n",
            "#passwd: files\n",
            "passwd: files systemd\n",
            "passwd: sss files\n",
            "passwd: files [NOTFOUND=return]\n",
            "passwd: compat\n",
            "passwd: files\npasswd: ldap\n",
            "passwd: ldap\npasswd: files\n",
        ];
        for other in others {
            assert!(!names_files_alone(other), "{other:?}");
        }
    }

    #[test]
    fn a_host_with_nscd_a_large_file_or_no_word_on_sources_may_wait() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, bytes: &[u8]| {
            let file = root.path().join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        };
        assert!(!hold_all(root.path()));
        write("etc/passwd", b"root:x:0:0::/:/bin/sh\n");
        assert!(!hold_all(root.path()), "no nsswitch.conf");
        write("etc/nsswitch.conf", b"passwd: files\n");
        assert!(hold_all(root.path()));
        write("run/nscd/socket", b"");
        assert!(!hold_all(root.path()), "nscd");
        fs::remove_file(root.path().join("run/nscd/socket")).unwrap();
        assert!(hold_all(root.path()));
        write("etc/passwd", &vec![b'\n'; (256 << 10) + 1]);
        assert!(!hold_all(root.path()), "a large file");
    }
}
