//! A module that goes into Rust by the same way as `pam_mfa.so`, and panics with a secret in its message.
//!
//! It exists so that the module that is installed needs no way to make it panic.
#![forbid(unsafe_code)]

#[path = "../../src/entry.rs"]
mod entry;

mod hooks {
    use std::ffi::CStr;

    use pam::{
        constants::{PamFlag, PamResultCode},
        module::{PamHandle, PamHooks},
    };

    struct Panicking;

    pam::pam_hooks!(Panicking);

    impl PamHooks for Panicking {
        #[expect(clippy::panic, reason = "this is what it is for")]
        fn sm_authenticate(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
            crate::entry::enter(|| panic!("the code is 123456"))
        }
    }
}
