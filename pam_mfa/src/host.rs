//! The program that the person logs in with, as libpam shows it.
//!
//! Refuses to believe it: what is claimed of the remote side is passed on as claims, cut and escaped; the
//! account's name alone is used as it is, and must stay the same to the end.

use mfa_proto::{
    auth_info::AuthInfo,
    login::{Dialogue, Start},
    name::{Claim, ServiceName, UserName},
    secret::SecretText,
};
use pam::{
    constants::{PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_SILENT, PAM_TEXT_INFO, PamFlag, PamResultCode},
    conv::Conv,
    items::{AuthTok, RHost, RUser, Service, Tty, User},
    module::{PamHandle, PamResult},
};
use zeroize::Zeroizing;

use crate::{fault::Fault, relay::Host};

/// The most bytes that are looked at of what sshd says it accepted: lines that fit are taken out of them.
const MOST_AUTH_INFO: usize = 16 * 1024;

/// The host behind a PAM handle.
pub(crate) struct PamHost<'h> {
    handle: &'h mut PamHandle,
    silent: bool,
}

impl<'h> PamHost<'h> {
    /// The host that called a hook with these `flags`.
    pub(crate) fn new(handle: &'h mut PamHandle, flags: PamFlag) -> Self {
        Self { handle, silent: flags & PAM_SILENT != 0 }
    }

    /// The name of the account; libpam asks for it when the program has not.
    pub(crate) fn user(&mut self) -> Result<UserName, Fault> {
        let user = self.handle.get_user(None).map_err(libpam("asking for the account's name"))?;
        Ok(UserName::new(user)?)
    }

    /// What the daemon is told of a login to `user`.
    pub(crate) fn start(&mut self, user: UserName, dialogue: Dialogue) -> Result<Start, Fault> {
        let service = self.service()?.unwrap_or_default();
        let ssh_auth_info = pam_mfa_ext::pam_environment(self.handle, c"SSH_AUTH_INFO_0", MOST_AUTH_INFO);
        let handle = &*self.handle;
        Ok(Start {
            user,
            service: ServiceName::new(service)?,
            dialogue,
            remote_host: name(handle.get_item::<RHost<'_>>().map(|item| item.map(|text| text.to_bytes())))?,
            remote_user: name(handle.get_item::<RUser<'_>>().map(|item| item.map(|text| text.to_bytes())))?,
            terminal: name(handle.get_item::<Tty<'_>>().map(|item| item.map(|text| text.to_bytes())))?,
            ssh_auth_info: ssh_auth_info.map(|text| AuthInfo::clean(&String::from_utf8_lossy(&text))),
        })
    }

    /// The PAM service, when set; what is not UTF-8 in it is replaced, and refused as a name.
    pub(crate) fn service(&self) -> Result<Option<String>, Fault> {
        let service = self.handle.get_item::<Service<'_>>().map_err(libpam("reading PAM_SERVICE"))?;
        Ok(service.map(|text| text.to_string_lossy().into_owned()))
    }

    /// Checks that `PAM_USER` still is `user`: the verdict is on no one else.
    pub(crate) fn expect_user(&self, user: &UserName) -> Result<(), Fault> {
        let now = self.handle.get_item::<User<'_>>().map_err(libpam("reading PAM_USER"))?;
        match now {
            Some(now) if now.to_bytes() == user.as_str().as_bytes() => Ok(()),
            Some(_) | None => Err(Fault::UserChanged),
        }
    }

    fn say(&self, style: i32, text: &str) -> PamResult<Option<Zeroizing<Vec<u8>>>> {
        let Some(conversation) = self.handle.get_item::<Conv<'_>>()? else {
            return Err(PamResultCode::PAM_CONV_ERR);
        };
        let typed = conversation.send(style, text)?;
        Ok(typed.map(|typed| Zeroizing::new(typed.as_bytes().to_vec())))
    }
}

impl Host for PamHost<'_> {
    fn ask(&mut self, text: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>> {
        let style = if echo { PAM_PROMPT_ECHO_ON } else { PAM_PROMPT_ECHO_OFF };
        self.say(style, text).ok().flatten()
    }

    /// Not an error when it fails: some programs answer texts with nothing at all, and what is essential
    /// stands in the prompts.
    fn inform(&mut self, text: &str) {
        if !self.silent {
            drop(self.say(PAM_TEXT_INFO, text));
        }
    }

    fn password(&self) -> Option<Zeroizing<Vec<u8>>> {
        let stored = self.handle.get_item::<AuthTok<'_>>().ok().flatten()?;
        Some(Zeroizing::new(stored.as_bytes().to_vec()))
    }

    fn keep_password(&mut self, password: &SecretText) -> Result<(), Fault> {
        pam_mfa_ext::set_authtok(self.handle, password.expose().as_bytes())
            .map_err(libpam("setting PAM_AUTHTOK"))
    }
}

/// A claim that is a name, and as short: with four long ones the first message would outgrow its frame.
fn name(item: PamResult<Option<&[u8]>>) -> Result<Option<Claim>, Fault> {
    let text = item.map_err(libpam("reading an item"))?.filter(|text| !text.is_empty());
    Ok(text.map(|text| {
        let start = text.get(..Claim::MAX_NAME).unwrap_or(text);
        Claim::clean_to(&String::from_utf8_lossy(start), Claim::MAX_NAME)
    }))
}

fn libpam(doing: &'static str) -> impl Fn(PamResultCode) -> Fault {
    move |code| Fault::Libpam { doing, code }
}
