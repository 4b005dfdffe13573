//! How `pam_mfa.so` is linked. Refuses to do anything else: no code is generated here.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let options = [
        // libpam unloads modules at pam_end; destructors of thread-local data, or a signal that arrives
        // late, must not run into unmapped code.
        "-Wl,-z,nodelete",
        // All symbols are bound at load, the table is then read-only, and a missing one shows at once
        // instead of in the middle of a login.
        "-Wl,-z,now",
        "-Wl,-z,relro",
        "-Wl,-z,defs",
        "-Wl,-z,noexecstack",
    ];
    for option in options {
        println!("cargo::rustc-cdylib-link-arg={option}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?);
    let own = out.join("unwinder");
    fs::create_dir_all(&own)?;
    if has_static_unwinder() {
        take_in_unwinder(&own)
    } else {
        println!("cargo::warning=no libgcc_eh.a: pam_mfa.so will load libgcc_s.so.1 into each host");
        Ok(())
    }
}

/// Has the unwinder linked into the module. The standard library asks for the shared one, which few PAM
/// hosts have loaded: to find, map, and start it takes longer than to load the module itself. Panics do not
/// leave the module, so whose unwinder the host uses does not matter.
///
/// The linker looks for `libgcc_s.so` in this directory first, and is sent on.
fn take_in_unwinder(own: &Path) -> io::Result<()> {
    fs::write(own.join("libgcc_s.so"), "INPUT(-lgcc_eh)\n")?;
    // For the module, and for the one of the tests that panics.
    for kind in ["cdylib-link-arg", "link-arg-examples"] {
        println!("cargo::rustc-{kind}=-L{}", own.display());
    }
    Ok(())
}

/// Whether the compiler that links has the unwinder as an archive; gcc has it beside its own libraries.
fn has_static_unwinder() -> bool {
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let linker = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let found = Command::new(linker).arg("-print-file-name=libgcc_eh.a").output();
    // What is not found is printed without its directory.
    found.is_ok_and(|found| Path::new(String::from_utf8_lossy(&found.stdout).trim()).is_absolute())
}
