//! Devices: found by serial number, named, given to users and taken back; and the PINs before their codes.
//!
//! Refuses a device to two users, and PINs that could not be typed again.

use mfa_proto::{
    admin::{DeviceDetail, FactorRef, NewTag, Refusal, RefusalCode, Reply},
    answer::Pin,
    name::UserId,
    secret::SecretText,
    tag::{Description, Serial},
};

use super::{
    Desk,
    refusal::{not_done, refused, store_failed},
    state::taken_apart,
};
use crate::store::{Device, FoundDevice};

impl Desk<'_> {
    pub(super) async fn find(&self, serial: Serial) -> Result<Reply, Refusal> {
        self.root_only("look for a serial number")?;
        let (user, factor, device) = self.found(&serial).await?;
        let device = DeviceDetail { locks_at: self.core.settings().profile().burst, ..device };
        let user = Some(user).filter(|user| !user.realm.is_unassigned());
        Ok(Reply::Found { user, factor: Box::new(factor), device: Box::new(device) })
    }

    pub(super) async fn devices(&self, user: UserId) -> Result<Reply, Refusal> {
        // As for `show`, root sees accounts that are gone, too.
        if !self.acts_for_any() {
            self.root_or_self(&user).await?;
        }
        let devices = self.core.store().devices(user.clone()).await;
        let mut devices = devices.map_err(|e| not_done(&user, "read the factors", self.core.now(), &e))?;
        let burst = self.core.settings().profile().burst;
        for device in &mut devices {
            device.locks_at = burst;
        }
        Ok(Reply::Devices(devices))
    }

    pub(super) async fn set_pin(
        &self,
        target: FactorRef,
        pin: Option<SecretText>,
        code: Option<SecretText>,
    ) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let uid = self.root_or_self(&user).await?;
        if pin.is_none() {
            self.root_only("take a PIN away")?;
        }
        let pin = pin.map(|pin| new_pin(&pin)).transpose()?;
        let what = if pin.is_some() { "pin_set" } else { "pin_clear" };
        let done = self.core.store().set_pin(self.order(&user, uid, code)?, target, pin).await;
        self.changed(what, &user, done.map(|_| 1))
    }

    pub(super) async fn describe(
        &self,
        target: FactorRef,
        serial: Option<Serial>,
        description: Option<Description>,
    ) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let order = self.root_order(&user, "name a device")?;
        let done = self.core.store().describe(order, target, (serial, description)).await;
        self.changed("describe", &user, done.map(|_| 1))
    }

    pub(super) async fn assign(&self, serial: Serial, user: UserId) -> Result<Reply, Refusal> {
        self.root_only("give a device to a user")?;
        let uid = self.root_or_self(&user).await?;
        self.found(&serial).await?;
        let done = self.core.store().assign(self.order(&user, uid, None)?, serial).await;
        self.changed("assign", &user, done.map(|_| 1))
    }

    pub(super) async fn unassign(&self, serial: Serial) -> Result<Reply, Refusal> {
        self.root_only("take a device back")?;
        let (user, _, _) = self.found(&serial).await?;
        let done = self.core.store().unassign(self.order(&user, None, None)?, serial).await;
        self.changed("unassign", &user, done.map(|_| 1))
    }

    async fn found(&self, serial: &Serial) -> Result<FoundDevice, Refusal> {
        let found = self.core.store().find(serial.clone()).await;
        let found = found.map_err(|error| store_failed("look for a serial number", &error))?;
        let none =
            || refused(RefusalCode::NoSuchFactor, &format!("no factor has the serial number {serial}"));
        found.ok_or_else(none)
    }
}

/// A PIN that is to be set.
fn new_pin(typed: &SecretText) -> Result<Pin, Refusal> {
    Pin::new(typed.expose()).map_err(|error| refused(RefusalCode::Invalid, &error.to_string()))
}

/// What a new factor's device is called.
pub(super) fn device(tag: NewTag) -> Result<Device, Refusal> {
    let NewTag { serial, description, pin } = tag;
    let pin = pin.map(|pin| new_pin(&pin)).transpose()?;
    Ok(Device { serial, description, pin })
}
