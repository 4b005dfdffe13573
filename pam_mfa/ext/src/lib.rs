//! The libpam calls that `pam-bindings` 0.4 lacks: reading the PAM environment, and setting `PAM_AUTHTOK`.
//!
//! The only `unsafe` code of the workspace. Refuses to decide anything: each function wraps one call of
//! libpam, checks what C cannot, and wipes the copies it makes.
#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]
#![expect(unsafe_code, reason = "calls into libpam; each block says why it is sound")]

use std::ffi::{CStr, c_char, c_int, c_void};

use pam::{constants::PamResultCode, items::ItemType, module::PamHandle};
use zeroize::Zeroizing;

#[link(name = "pam")]
unsafe extern "C" {
    fn pam_getenv(pamh: *mut PamHandle, name: *const c_char) -> *const c_char;
    fn pam_set_item(pamh: *mut PamHandle, item_type: c_int, item: *const c_void) -> c_int;
}

/// `PAM_AUTHTOK`, as `<security/_pam_types.h>` has it; checked against pam-bindings below.
const PAM_AUTHTOK: c_int = 6;
#[expect(clippy::as_conversions, reason = "the discriminant of a C-like enum, in a constant")]
const _: () = assert!(PAM_AUTHTOK == ItemType::AuthTok as c_int, "pam-bindings names another item");

/// Reads the variable `name` of the PAM environment (not of the process): sshd puts `SSH_AUTH_INFO_0`
/// there. At most `most` bytes are copied. `None` when it is not set.
///
/// Takes the handle mutably because libpam's prototype does; nothing is changed.
pub fn pam_environment(pamh: &mut PamHandle, name: &CStr, most: usize) -> Option<Vec<u8>> {
    // SAFETY: `pamh` is a live handle, since pam-bindings hands out references to no other; `name` is
    // NUL-terminated and outlives the call.
    let value = unsafe { pam_getenv(pamh, name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: not NULL, so libpam's own NUL-terminated text. It stays until the variable is set anew,
    // which nobody can do before it is copied here: `pamh` is borrowed mutably.
    let value = unsafe { CStr::from_ptr(value) };
    Some(value.to_bytes().iter().copied().take(most).collect())
}

/// Sets `PAM_AUTHTOK` for the modules that follow. libpam keeps a copy of its own, which it wipes at its
/// end; the one made here to add the NUL is wiped on return.
///
/// # Errors
///
/// `PAM_BAD_ITEM` when `password` holds a NUL, which C would take for its end; else libpam's own code.
pub fn set_authtok(pamh: &mut PamHandle, password: &[u8]) -> Result<(), PamResultCode> {
    // Exactly as large as needed: a buffer that grows leaves its old copy behind, unwiped.
    let mut copy = Zeroizing::new(Vec::with_capacity(password.len().saturating_add(1)));
    copy.extend_from_slice(password);
    copy.push(0);
    let text = CStr::from_bytes_with_nul(&copy).map_err(|_| PamResultCode::PAM_BAD_ITEM)?;
    // SAFETY: `pamh` is a live handle, since pam-bindings hands out references to no other; for this item
    // libpam reads a NUL-terminated text and copies it before it returns.
    let code = unsafe { pam_set_item(pamh, PAM_AUTHTOK, text.as_ptr().cast()) };
    match PamResultCode::try_from(code) {
        Ok(PamResultCode::PAM_SUCCESS) => Ok(()),
        Ok(other) => Err(other),
        Err(_) => Err(PamResultCode::PAM_SYSTEM_ERR),
    }
}
