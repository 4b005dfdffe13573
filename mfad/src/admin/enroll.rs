//! New factors: added pending, active once a code has proven that the person has them.

use mfa_proto::{
    admin::{Enrolled, FactorId, FactorKind, NewFactor, NewParams, Refusal, RefusalCode, Reply},
    answer::Answer,
    name::{FactorLabel, UserId},
    secret::SecretText,
};
use zeroize::Zeroizing;

use super::{
    Desk,
    refusal::{not_done, refused},
    rights::parsed,
};
use crate::{
    config::SelfEnrollment,
    factor::{Params, Seed},
    store::{self, Channel, Refused, StoreError},
};

impl Desk<'_> {
    pub(super) async fn enroll(&self, new: NewFactor) -> Result<Reply, Refusal> {
        let NewFactor { user, label, params, secret, activate, replace, current_code } = new;
        let uid = self.root_or_self(&user).await?;
        if activate {
            self.root_only("make a factor active without a code that proves it")?;
        }
        self.may_begin(&user).await?;
        let (params, counter) = checked(&params)?;
        let label = label.map_or_else(|| default_label(params.kind()), Ok)?;
        let brought_along = secret.is_some();
        let seed = secret.map_or_else(
            || Seed::generate(params.algorithm().unwrap_or_default()),
            |text| Seed::from_base32(&text),
        );
        let seed = seed.map_err(|error| refused(RefusalCode::Invalid, &error.to_string()))?;
        let shown = if brought_along { Shown::default() } else { Shown::of(params, counter, &seed, &user)? };
        let order = self.order(&user, uid, current_code)?;
        let start = params.start(counter);
        let secret = seed.into();
        let new = store::NewFactor { order, label: label.clone(), params, start, secret, activate, replace };
        let added = self.core.store().enroll(new).await;
        let added = added.map_err(|e| not_done(&user, "add a factor", self.core.now(), &e))?;
        self.log_change("enroll", &user);
        let (factor, state) = (added.factor, added.state);
        Ok(Reply::Enrolled(Box::new(Enrolled {
            factor,
            label,
            state,
            secret: shown.key,
            uri: shown.link,
            signing_secret: None,
            sent_to: None,
        })))
    }

    /// A first factor is added by its owner only where the administrator lets owners do so, because a
    /// password alone must not be enough to get a second factor. (For a further one the store wants a code.)
    async fn may_begin(&self, user: &UserId) -> Result<(), Refusal> {
        let settings = self.core.settings();
        if self.peer.is_root() || settings.config().enrollment().first_by_self == SelfEnrollment::Open {
            return Ok(());
        }
        let view = self.core.store().view(user.clone(), Channel::Unproven).await;
        let view = view.map_err(|e| not_done(user, "read the factors", self.core.now(), &e))?;
        if view.shape.is_some() && !view.tampered {
            return Ok(());
        }
        Err(refused(
            RefusalCode::NotAllowed,
            "first factors are added by root on this host ([enrollment] self = \"never\"): ask an administrator",
        ))
    }

    pub(super) async fn confirm(
        &self,
        user: UserId,
        factor: Option<FactorId>,
        code: &SecretText,
    ) -> Result<Reply, Refusal> {
        let uid = self.root_or_self(&user).await?;
        let order = self.order(&user, uid, None)?;
        let done = self.core.store().confirm(order, factor, Answer::Code(parsed(code)?)).await;
        done.map_err(|error| {
            if error == StoreError::Refused(Refused::WrongCode) {
                return refused(
                    RefusalCode::WrongCode,
                    "wrong code: it has to be one that the new factor shows now",
                );
            }
            not_done(&user, "confirm the factor", self.core.now(), &error)
        })?;
        self.log_change("confirm", &user);
        Ok(Reply::Done { factors: 1 })
    }
}

fn default_label(kind: FactorKind) -> Result<FactorLabel, Refusal> {
    FactorLabel::new(kind.word()).map_err(|error| refused(RefusalCode::Invalid, &error.to_string()))
}

fn checked(params: &NewParams) -> Result<(Params, i64), Refusal> {
    let (params, counter) = match params {
        NewParams::Totp(totp) => (Params::Totp(*totp), 0),
        NewParams::Hotp(hotp) => {
            let counter = i64::try_from(hotp.counter).map_err(|_| {
                refused(
                    RefusalCode::Invalid,
                    "the counter is too large: it must be below 9223372036854775808",
                )
            })?;
            (Params::Hotp { algorithm: hotp.algorithm, digits: hotp.digits }, counter)
        }
        NewParams::Sms(_) | NewParams::Mail(_) | NewParams::Rest(_) | NewParams::Token(_) => {
            return Err(refused(RefusalCode::Invalid, "this kind of factor is not known here"));
        }
    };
    if params.is_valid() {
        return Ok((params, counter));
    }
    Err(refused(RefusalCode::Invalid, "codes have 6 or 8 digits, and a step lasts 15 to 120 seconds"))
}

/// What the person sets the new factor up with: the key as text, and as link.
#[derive(Debug, Default)]
struct Shown {
    key: Option<SecretText>,
    link: Option<SecretText>,
}

impl Shown {
    /// An error when it cannot be shown: it could not be set up then.
    fn of(params: Params, counter: i64, seed: &Seed, user: &UserId) -> Result<Self, Refusal> {
        let failed =
            || refused(RefusalCode::Invalid, "no link for authenticator apps can be made of this user name");
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let link = params.uri(seed, &host, &user.to_string(), params.start(counter)).ok_or_else(failed)?;
        let take =
            |mut text: Zeroizing<String>| SecretText::new(std::mem::take(&mut *text)).map_err(|_| failed());
        Ok(Self { key: Some(take(seed.to_base32())?), link: Some(take(link)?) })
    }
}
