//! Tokens: factors with their owners and devices, found by serial number or by owner.
//!
//! A factor without a serial number is called `owner:number` here, which no serial number can be. Refuses to take one
//! that is not there for a fault: whoever asks says what that means.

use std::collections::HashMap;

use mfa_proto::{
    admin::{
        DeviceDetail, FactorDetail, FactorId, FactorRef, Refusal, RefusalCode, Reply, Request, UserDetail,
    },
    name::{RealmName, UserId, UserName},
    tag::Serial,
};

use super::{
    super::envelope::Fault,
    said::{asked, refused, senseless},
};
use crate::verify::Desk;

/// A factor of somebody, or of nobody.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Whose; of the realm `unassigned` when nobody's.
    pub(super) owner: UserId,
    pub(super) factor: FactorDetail,
    pub(super) device: DeviceDetail,
}

impl Token {
    /// What it is called.
    pub(super) fn serial(&self) -> String {
        match &self.device.serial {
            Some(serial) => serial.to_string(),
            None => format!("{}:{}", self.owner, self.factor.factor.0),
        }
    }

    /// Nobody has it.
    pub(super) fn is_nobodys(&self) -> bool {
        self.owner.realm.is_unassigned()
    }

    /// As verbs about a factor take it.
    pub(super) fn target(&self) -> FactorRef {
        FactorRef { user: self.owner.clone(), factor: Some(self.factor.factor), label: None }
    }
}

/// The token that is called so.
pub(super) async fn by_serial(desk: &Desk, called: &str) -> Result<Option<Token>, Fault> {
    if let Some((owner, number)) = called.rsplit_once(':') {
        return numbered(desk, owner, number).await;
    }
    let Ok(serial) = Serial::new(called) else { return Ok(None) };
    let nobody = UserId { realm: RealmName::unassigned(), name: keeper(&serial)? };
    match asked(desk, Request::Find { serial }).await? {
        Ok(Reply::Found { user, factor, device }) => {
            Ok(Some(Token { owner: user.unwrap_or(nobody), factor: *factor, device: *device }))
        }
        Ok(reply) => Err(senseless(&reply)),
        Err(Refusal { code: RefusalCode::NoSuchFactor, .. }) => Ok(None),
        Err(refusal) => Err(refused(&refusal, &nobody)),
    }
}

/// The name under which core keeps a device that nobody has.
pub(super) fn keeper(serial: &Serial) -> Result<UserName, Fault> {
    UserName::new(serial.as_str().to_ascii_uppercase()).map_err(|error| Fault::other(error.to_string()))
}

/// One without a serial number. Names may have an `@` of their own, numbers are given once.
async fn numbered(desk: &Desk, owner: &str, number: &str) -> Result<Option<Token>, Fault> {
    let Ok(number) = number.parse().map(FactorId) else { return Ok(None) };
    let local = UserName::new(owner).ok().map(UserId::local);
    let elsewhere = owner.rsplit_once('@').and_then(|(name, realm)| {
        Some(UserId { realm: RealmName::new(realm).ok()?, name: UserName::new(name).ok()? })
    });
    for user in [elsewhere, local].into_iter().flatten() {
        let tokens = of_user(desk, &user).await?;
        let found = tokens.into_iter().find(|token| token.factor.factor == number);
        if let Some(token) = found.filter(|token| token.device.serial.is_none()) {
            return Ok(Some(token));
        }
    }
    Ok(None)
}

/// A user as core knows it; `None` for one without a factor.
pub(super) async fn detail(desk: &Desk, user: &UserId) -> Result<Option<UserDetail>, Fault> {
    match asked(desk, Request::Show { user: user.clone() }).await? {
        Ok(Reply::User(detail)) => Ok(Some(*detail)),
        Ok(reply) => Err(senseless(&reply)),
        Err(Refusal { code: RefusalCode::NoSuchFactor | RefusalCode::UnknownUser, .. }) => Ok(None),
        Err(refusal) => Err(refused(&refusal, user)),
    }
}

/// What a user has.
pub(super) async fn of_user(desk: &Desk, user: &UserId) -> Result<Vec<Token>, Fault> {
    let Some(detail) = detail(desk, user).await? else { return Ok(Vec::new()) };
    of_detail(desk, &detail).await
}

/// What a user has of whom the rest is known.
pub(super) async fn of_detail(desk: &Desk, detail: &UserDetail) -> Result<Vec<Token>, Fault> {
    let user = &detail.user;
    let devices = match asked(desk, Request::Devices { user: user.clone() }).await? {
        Ok(Reply::Devices(devices)) => devices,
        Ok(reply) => return Err(senseless(&reply)),
        // Removed between the two questions.
        Err(Refusal { code: RefusalCode::NoSuchFactor | RefusalCode::UnknownUser, .. }) => Vec::new(),
        Err(refusal) => return Err(refused(&refusal, user)),
    };
    let with_device = |factor: &FactorDetail| {
        let device = devices.iter().find(|device| device.factor == factor.factor)?;
        Some(Token { owner: user.clone(), factor: factor.clone(), device: device.clone() })
    };
    Ok(detail.factors.iter().filter_map(with_device).collect())
}

/// The serial numbers of what a user still has.
pub(in super::super) async fn serials_of(desk: &Desk, user: &UserId) -> HashMap<FactorId, Serial> {
    let asked = asked(desk, Request::Devices { user: user.clone() }).await;
    let Ok(Ok(Reply::Devices(devices))) = asked else { return HashMap::new() };
    devices.into_iter().filter_map(|device| Some((device.factor, device.serial?))).collect()
}
