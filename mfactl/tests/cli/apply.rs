//! `pam` as far as it changes nothing: what is shown of an edit, and what is refused, on stacks of distributions.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::golden::check;
use crate::run::run;

/// A distribution's PAM files before the module is in them, with other texts in some.
fn bare(base: &str, changes: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("etc/pam.d");
    fs::create_dir_all(&target).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor").join(base).join("etc/pam.d");
    for entry in fs::read_dir(fixtures).unwrap() {
        let entry = entry.unwrap();
        let text = fs::read_to_string(entry.path()).unwrap();
        let without: String =
            text.split_inclusive('\n').filter(|line| !line.contains("pam_mfa.so")).collect();
        fs::write(target.join(entry.file_name()), without).unwrap();
    }
    for (name, text) in changes {
        fs::write(target.join(name), text).unwrap();
    }
    root
}

#[test]
fn an_edit_is_shown_before_it_is_made() {
    let include = "#%PAM-1.0\nauth       include      password-auth\naccount    include      password-auth\n";
    let around = "auth sufficient pam_unix.so\nauth required pam_deny.so\n";
    let mut text = String::new();
    for (base, changes, words) in [
        ("debian", vec![], &["sshd"][..]),
        ("debian", vec![], &["sshd", "--sshd", "key"]),
        ("debian", vec![], &["su", "--json"]),
        ("fedora", vec![("sudo", include)], &["sudo"]),
        ("arch", vec![], &["sudo"]),
        ("debian", vec![("app", around)], &["app"]),
        ("debian", vec![], &["nowhere"]),
        ("debian", vec![], &["common-account"]),
    ] {
        let root = bare(base, &changes);
        let place = root.path().to_str().unwrap();
        let arguments = [&["pam", "enable"], words, &["--dry-run", "--root", place]].concat();
        let ran = run(&root.path().join("no-daemon"), &arguments, "");
        let shown = format!(
            "$ mfactl pam enable {} --dry-run    ({base})\n--- stdout\n{}--- stderr\n{}--- exit {}\n",
            words.join(" "),
            ran.stdout,
            ran.stderr,
            ran.code
        );
        let socket = format!(" socket={place}/no-daemon");
        text.push_str(&shown.replace(&socket, "").replace(place, ""));
    }
    check("pam-dry.txt", &text);
}
