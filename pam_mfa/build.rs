//! How `pam_mfa.so` is linked. Refuses to do anything else: no code is generated here.

fn main() {
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
}
