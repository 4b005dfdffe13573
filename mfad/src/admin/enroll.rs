//! New factors: added pending, active once a code has proven that the person has them.

use mfa_proto::{
    admin::{Enrolled, FactorId, NewFactor, NewParams, Refusal, RefusalCode, Reply},
    answer::OtpCode,
    name::UserId,
    secret::SecretText,
};
use zeroize::Zeroizing;

use super::{
    Desk,
    refusal::{change_refused, refused},
};
use crate::{
    config::SelfEnrollment,
    factor::{Params, Seed},
    store::Enrollment,
};

impl Desk<'_> {
    pub(super) async fn enroll(&self, new: NewFactor) -> Result<Reply, Refusal> {
        let uid = self.root_or_self(&new.user).await?;
        let NewFactor { user, label, params, secret, activate, replace, current_code } = new;
        if activate {
            self.root_only("make a factor active without a code that proves it")?;
        }
        let (params, counter) = checked(params)?;
        self.may_add(&user, uid, current_code).await?;
        let brought_along = secret.is_some();
        let seed = match secret {
            Some(text) => Seed::from_base32(&text),
            None => Seed::generate(params.algorithm()),
        }
        .map_err(|error| refused(RefusalCode::Invalid, &error.to_string()))?;
        let (key, link) = if brought_along { (None, None) } else { to_show(params, counter, &seed, &user)? };
        let context = self.context(&user);
        let enrollment = Enrollment {
            context,
            uid,
            label,
            params,
            moving: params.start(counter),
            seed,
            activate,
            replace,
        };
        let added = self
            .core
            .store()
            .enroll(enrollment)
            .await
            .map_err(|e| change_refused(&user, "add a factor", e))?;
        self.log_change("enroll", &user);
        Ok(Reply::Enrolled(Box::new(Enrolled {
            factor: added.factor,
            label: added.label,
            state: added.state,
            secret: key,
            uri: link,
        })))
    }

    /// A user may add to what it holds when it proves that it holds it; a first factor only where the
    /// administrator lets users do so, because a password alone must not be enough to get a second factor.
    async fn may_add(
        &self,
        user: &UserId,
        uid: Option<u32>,
        code: Option<SecretText>,
    ) -> Result<(), Refusal> {
        if self.peer.is_root() {
            return Ok(());
        }
        let held = self.core.store().has_active_factor(user.clone()).await;
        if held.map_err(|e| change_refused(user, "read the factors", e))? {
            return self.proven(user, uid, code).await;
        }
        match self.core.settings().config().enrollment().first_by_self {
            SelfEnrollment::Open => Ok(()),
            SelfEnrollment::Never => Err(refused(
                RefusalCode::NotAllowed,
                "first factors are added by root on this host ([enrollment] self = \"never\"): ask an administrator",
            )),
        }
    }

    pub(super) async fn confirm(
        &self,
        user: UserId,
        factor: Option<FactorId>,
        code: &SecretText,
    ) -> Result<Reply, Refusal> {
        self.root_or_self(&user).await?;
        let code = OtpCode::parse(code.expose())
            .ok_or_else(|| refused(RefusalCode::WrongCode, "a code has 6 or 8 digits"))?;
        let done = self.core.store().confirm(self.context(&user), factor, code).await;
        done.map_err(|error| change_refused(&user, "confirm the factor", error))?;
        self.log_change("confirm", &user);
        Ok(Reply::Done { factors: 1 })
    }
}

fn checked(params: NewParams) -> Result<(Params, i64), Refusal> {
    let (params, counter) = match params {
        NewParams::Totp(totp) => (Params::Totp(totp), 0),
        NewParams::Hotp(hotp) => {
            let counter = i64::try_from(hotp.counter).map_err(|_| {
                refused(
                    RefusalCode::Invalid,
                    "the counter is too large: it must be below 9223372036854775808",
                )
            })?;
            (Params::Hotp { algorithm: hotp.algorithm, digits: hotp.digits }, counter)
        }
    };
    if params.is_valid() {
        return Ok((params, counter));
    }
    Err(refused(RefusalCode::Invalid, "codes have 6 or 8 digits, and a step lasts 15 to 120 seconds"))
}

/// The key as text and as link. What cannot be shown cannot be set up: an error then.
fn to_show(
    params: Params,
    counter: i64,
    seed: &Seed,
    user: &UserId,
) -> Result<(Option<SecretText>, Option<SecretText>), Refusal> {
    let failed = || {
        refused(RefusalCode::Unavailable, "the link for authenticator apps cannot be made for this user name")
    };
    let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let host = host.unwrap_or_else(|| "localhost".to_owned());
    let mut link = params.uri(seed, &host, &user.to_string(), params.start(counter)).ok_or_else(failed)?;
    let mut key = seed.to_base32();
    let take = |text: &mut Zeroizing<String>| SecretText::new(std::mem::take(text)).map_err(|_| failed());
    Ok((Some(take(&mut key)?), Some(take(&mut link)?)))
}
