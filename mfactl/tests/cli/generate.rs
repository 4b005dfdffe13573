//! Completions and man pages are made, and are sound.

use std::process::Command;

use crate::run::{Ran, binary, finish};

fn mfactl(arguments: &[&str]) -> Ran {
    let mut command = Command::new(binary());
    command.args(arguments);
    finish(command, "")
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = mfactl(&["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        for word in [
            "enroll",
            "totp",
            "secret-stdin",
            "unlock",
            "recovery",
            "resync",
            "restore",
            "address-stdin",
            "lost",
        ] {
            assert!(ran.stdout.contains(word), "{shell} does not know {word}");
        }
    }
    let mut bash = Command::new("bash");
    bash.arg("-n");
    let checked = finish(bash, &mfactl(&["completions", "bash"]).stdout);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
}

#[test]
fn every_command_has_a_man_page() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    assert_eq!(mfactl(&["man", "--dir", pages.to_str().unwrap()]).code, 0);
    for name in [
        "mfactl",
        "mfactl-enroll",
        "mfactl-enroll-totp",
        "mfactl-enroll-sms",
        "mfactl-recovery-new",
        "mfactl-restore",
        "mfactl-lost",
        "mfactl-config-check",
        "mfactl-audit",
    ] {
        let page = std::fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!(".TH {name} 1")), "{name}");
        assert!(page.contains(".SH \"SEE ALSO\""), "{name}");
    }
    let main = std::fs::read_to_string(pages.join("mfactl.1")).unwrap();
    for section in ["\"EXIT STATUS\"", "\"JSON OUTPUT\"", "FILES", "ENVIRONMENT"] {
        assert!(main.contains(&format!(".SH {section}\n")), "{section}");
    }
    assert_eq!(mfactl(&["man"]).stdout, main);
}

#[test]
fn pages_that_cannot_be_written_are_a_failure() {
    let ran = mfactl(&["man", "--dir", "/dev/null/x"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("mfactl: cannot write man pages to /dev/null/x: "), "{}", ran.stderr);
}

#[test]
fn help_names_every_exit_code_and_usage_errors_are_two() {
    let help = mfactl(&["--help"]);
    assert_eq!(help.code, 0);
    for code in ["0", "1", "2", "3", "4", "5", "6", "7", "8", "130"] {
        assert!(help.stdout.contains(&format!("\n  {code:>3}  ")), "{code} is not explained");
    }
    for bad in [
        &[][..],
        &["nonsense"],
        &["enroll", "totp", "--period", "14"],
        &["enroll", "totp", "--period", "121"],
        &["enroll", "totp", "--digits", "7"],
        &["enroll", "totp", "a/b"],
        &["unlock"],
        &["remove", "alice", "--all", "--factor", "3"],
        &["show", "--realm", "elsewhere"],
    ] {
        let ran = mfactl(bad);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{bad:?}");
    }
}
