//! The six functions that libpam calls. Refuses to do anything in them: each goes through [`enter`].

use std::ffi::CStr;

use pam::{
    constants::{PamFlag, PamResultCode},
    module::{PamHandle, PamHooks},
};

use crate::{entry::enter, login};

struct MfaModule;

pam::pam_hooks!(MfaModule);

impl PamHooks for MfaModule {
    fn sm_authenticate(pamh: &mut PamHandle, args: Vec<&CStr>, flags: PamFlag) -> PamResultCode {
        enter(|| login::authenticate(pamh, &args, flags))
    }

    fn sm_setcred(_: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        enter(|| PamResultCode::PAM_SUCCESS)
    }

    fn acct_mgmt(pamh: &mut PamHandle, _: Vec<&CStr>, _: PamFlag) -> PamResultCode {
        enter(|| login::refuse_account(pamh))
    }
}
