//! The release build of the module and of the one that panics: what is tested is what is installed, and
//! whether a panic can be caught depends on the profile. Refuses to use what an earlier build has left.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The module: what the environment variable `PAM_MFA_SO` names, else a release.
pub(crate) fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let release = || build(&["--lib"]).join("libpam_mfa.so");
        let module = std::env::var_os("PAM_MFA_SO").map_or_else(release, PathBuf::from);
        assert!(module.exists(), "{} is not there", module.display());
        module
    })
}

/// Builds a part of the package in a directory of its own: cargo may hold a lock on the usual one. Says where
/// the result is.
pub(crate) fn build(part: &[&str]) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(part)
        .arg("--target-dir")
        .arg(&target)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("release")
}
