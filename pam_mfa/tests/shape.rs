//! What the installed file is: its symbols, what it needs, how it is linked, how large it is.
//!
//! Looks at the file that the environment variable `PAM_MFA_SO` names, else builds a release. Needs
//! binutils. Refuses any difference: a new symbol or library in a module that every login loads is to be
//! looked at by a person, and then written down here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod built;

use std::{collections::BTreeSet, ffi::OsStr, fs, path::Path, process::Command};

use self::built::module;

const MOST_BYTES: u64 = 400 * 1024;

/// All that a module can have; those that are missing would be "Module is unknown" to some program.
const HOOKS: [&str; 6] = [
    "pam_sm_acct_mgmt",
    "pam_sm_authenticate",
    "pam_sm_chauthtok",
    "pam_sm_close_session",
    "pam_sm_open_session",
    "pam_sm_setcred",
];

/// Calls that have no place in somebody else's process.
const FORBIDDEN: [&str; 22] = [
    "clone",
    "closelog",
    "dlopen",
    "execve",
    "exit",
    "fork",
    "getaddrinfo",
    "getgrnam_r",
    "getpwnam",
    "getpwnam_r",
    "getpwuid_r",
    "openlog",
    "pam_putenv",
    "posix_spawn",
    "printf",
    "pthread_create",
    "setenv",
    "setlogmask",
    "sigaction",
    "signal",
    "sigprocmask",
    "system",
];

#[test]
fn exactly_the_six_hooks_are_exported() {
    let exported = output("nm", &["--dynamic", "--defined-only", "--format=posix"], module());
    let names: BTreeSet<_> = exported.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, HOOKS.into(), "\n{exported}");
}

#[test]
fn only_libpam_and_the_c_runtime_are_needed() {
    let needed: BTreeSet<_> = dynamic("(NEEDED)").iter().map(|library| soname(library)).collect();
    assert_eq!(needed, ["ld-linux", "libc", "libpam"].map(str::to_owned).into());
    for elsewhere in ["(RPATH)", "(RUNPATH)", "(TEXTREL)"] {
        assert!(dynamic(elsewhere).is_empty(), "{elsewhere}");
    }
}

/// The name without version and machine: `libpam.so.0` and `ld-linux-x86-64.so.2` differ between hosts.
fn soname(line: &str) -> String {
    let name = line.split(['[', ']']).nth(1).unwrap();
    let name = name.split(".so").next().unwrap();
    if name.starts_with("ld-linux") || name.starts_with("ld64") {
        "ld-linux".to_owned()
    } else {
        name.to_owned()
    }
}

#[test]
fn it_is_bound_at_load_never_unloaded_and_has_no_writable_code() {
    let flags = dynamic("(FLAGS_1)").concat();
    for flag in ["NOW", "NODELETE"] {
        assert!(flags.split_whitespace().any(|have| have == flag), "{flag} is missing: {flags}");
    }
    let segments = output("readelf", &["--program-headers", "--wide"], module());
    assert!(segments.contains("GNU_RELRO"), "\n{segments}");
    let stack = segments.lines().find(|line| line.contains("GNU_STACK")).unwrap();
    assert!(stack.contains(" RW ") && !stack.contains("RWE"), "{stack}");
    assert!(!segments.lines().any(|line| line.contains("LOAD") && line.contains("RWE")), "\n{segments}");
}

#[test]
fn nothing_is_called_that_disturbs_the_host() {
    let undefined = output("nm", &["--dynamic", "--undefined-only", "--format=posix"], module());
    let called: BTreeSet<_> = undefined
        .lines()
        .filter_map(|line| line.split(['@', ' ']).next())
        .filter(|name| !name.is_empty())
        .collect();
    let wrong: Vec<_> = FORBIDDEN.into_iter().filter(|name| called.contains(name)).collect();
    assert!(wrong.is_empty(), "{wrong:?} among\n{undefined}");
    let of_libpam: BTreeSet<_> = called.into_iter().filter(|name| name.starts_with("pam_")).collect();
    assert_eq!(of_libpam, ["pam_get_item", "pam_get_user", "pam_getenv", "pam_set_item"].into());
}

#[test]
fn it_is_small() {
    let stripped = scratch().join(format!("stripped.{}", std::process::id()));
    output("strip", &[OsStr::new("-o"), stripped.as_os_str()], module());
    let size = fs::metadata(&stripped).unwrap().len();
    fs::remove_file(&stripped).unwrap();
    assert!(size <= MOST_BYTES, "{size} bytes, more than {MOST_BYTES}");
}

/// Of the source: yes and "pass by" stand where they are to be looked for, and nowhere else.
#[test]
fn the_codes_that_let_pass_stand_once() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    for file in fs::read_dir(sources).unwrap() {
        let path = file.unwrap().path();
        if path.extension() != Some(OsStr::new("rs")) {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let shipped = source.split("#[cfg(test)]").next().unwrap();
        let lines = shipped.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for line in lines.filter(|line| line.contains("PAM_SUCCESS") || line.contains("PAM_IGNORE")) {
            found.push(format!("{name}: {line}"));
        }
    }
    found.sort();
    let expected = [
        "ending.rs: Self::Accepted => PamResultCode::PAM_SUCCESS,",
        "ending.rs: Self::NotApplicable | Self::Excused => PamResultCode::PAM_IGNORE,",
        "hooks.rs: enter(|| PamResultCode::PAM_SUCCESS)",
    ];
    assert_eq!(found, expected);
}

/// The entries of the dynamic section with this tag.
fn dynamic(tag: &str) -> Vec<String> {
    let section = output("readelf", &["--dynamic", "--wide"], module());
    section.lines().filter(|line| line.contains(tag)).map(str::to_owned).collect()
}

fn output(program: &str, arguments: &[impl AsRef<OsStr>], file: &Path) -> String {
    let ran = Command::new(program).args(arguments).arg(file).env("LC_ALL", "C").output();
    let ran = ran.unwrap_or_else(|error| panic!("{program} (Debian package binutils): {error}"));
    assert!(ran.status.success(), "{program}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

fn scratch() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}
