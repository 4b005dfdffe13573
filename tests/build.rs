//! Compiles the PAM application in C that tests and benchmarks log in with. Refuses to do more: what it is
//! told apart from libpam is in `driver/pam_driver.c`.

use std::{env, error::Error, path::PathBuf, process::Command};

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?).join("pam_driver");
    let cc = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let status = Command::new(&cc)
        .args(["-O2", "-Wall", "-Wextra", "driver/pam_driver.c", "-lpam", "-o"])
        .arg(&out)
        .status()
        .map_err(|error| format!("{}: {error}; run tests/setup/packages.sh build", cc.display()))?;
    if !status.success() {
        return Err("driver/pam_driver.c does not compile; is libpam0g-dev installed?".into());
    }
    emit(&format!("rustc-env=MFA_PAM_DRIVER={}", out.display()));
    emit("rerun-if-changed=driver/pam_driver.c");
    emit("rerun-if-env-changed=CC");
    Ok(())
}

fn emit(line: &str) {
    println!("cargo::{line}");
}
