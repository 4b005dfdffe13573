//! The way from libpam into Rust: what must be so before anything else runs.
//!
//! Refuses to catch a panic: the hooks of pam-bindings do, at the edge to C, and answer `PAM_ABORT`.

use pam::constants::PamResultCode;

/// Runs a hook with panics silenced: the usual report goes to the host's standard error, which may be the
/// person's terminal or a protocol, and may hold a code. The setting belongs to this library's own copy of
/// the standard library; the host's is untouched.
pub(crate) fn enter(hook: impl FnOnce() -> PamResultCode) -> PamResultCode {
    std::panic::set_hook(Box::new(|_| {}));
    hook()
}
