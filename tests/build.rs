//! Compiles what tests and benchmarks need in C: the PAM application that logs in, and a security key in
//! software for `ssh`. Refuses to do more: what they do is in `driver/`.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
    let driver = compile("driver/pam_driver.c", &["-lpam"], &out.join("pam_driver"))?;
    emit(&format!("rustc-env=MFA_PAM_DRIVER={driver}"));
    // What OpenSSH itself is linked with; its headers need not be installed.
    let shared = ["-shared", "-fPIC", "-l:libcrypto.so.3"];
    let provider = compile("driver/sk_provider.c", &shared, &out.join("sk_provider.so"))?;
    emit(&format!("rustc-env=MFA_SK_PROVIDER={provider}"));
    emit("rerun-if-env-changed=CC");
    Ok(())
}

/// Where it was put.
fn compile(source: &str, arguments: &[&str], out: &Path) -> Result<String, Box<dyn Error>> {
    emit(&format!("rerun-if-changed={source}"));
    let cc = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let status = Command::new(&cc)
        .args(["-O2", "-Wall", "-Wextra", source])
        .args(arguments)
        .arg("-o")
        .arg(out)
        .status()
        .map_err(|error| format!("{}: {error}; run tests/setup/packages.sh build", cc.display()))?;
    if !status.success() {
        return Err(format!("{source} does not compile; are libpam0g-dev and libssl3 installed?").into());
    }
    Ok(out.to_str().ok_or("the path is no text")?.to_owned())
}

fn emit(line: &str) {
    println!("cargo::{line}");
}
