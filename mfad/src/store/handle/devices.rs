//! Devices: their serial numbers, who has them, and the PINs before their codes.

use mfa_proto::{
    admin::{DeviceDetail, FactorId},
    answer::Pin,
    name::UserId,
    tag::{Description, Serial},
};

use super::Store;
use crate::store::{
    Added, Identified, NewFactor, Order, Search, StoreError, Target, identify,
    look::{self, FoundDevice},
    manage::{self, Label},
};

/// What identifies a new factor's device, and what is to be typed before its codes.
#[derive(Debug, Default)]
pub struct Device {
    /// The serial number, which no other factor may have.
    pub serial: Option<Serial>,
    /// What it is, for people.
    pub description: Option<Description>,
    /// The PIN.
    pub pin: Option<Pin>,
}

impl Store {
    /// Adds a factor with what identifies its device.
    pub async fn enroll_device(&self, new: NewFactor, device: Device) -> Result<Added, StoreError> {
        let Device { serial, description, pin } = device;
        let new = NewFactor { order: self.proven(new.order).await?, ..new };
        let pin = match pin {
            Some(pin) => Some(self.stretch_new(&new.order.context.user, pin).await?),
            None => None,
        };
        let label = Label { serial, description, pin };
        self.manage(move |tx| manage::enroll_labeled(tx, new, label)).await
    }

    /// Sets what is to be typed before the codes of a factor; `None` takes it away, for administrators.
    pub async fn set_pin(
        &self,
        order: Order,
        target: Target,
        pin: Option<Pin>,
    ) -> Result<FactorId, StoreError> {
        let order = self.proven(order).await?;
        let pin = match pin {
            Some(pin) => Some(self.stretch_new(&order.context.user, pin).await?),
            None => None,
        };
        self.manage(move |tx| manage::set_pin(tx, order, &target, pin.as_ref())).await
    }

    /// Names the device of a factor; what is `None` stays. Administrators only.
    pub async fn describe(
        &self,
        order: Order,
        target: Target,
        named: (Option<Serial>, Option<Description>),
    ) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::describe(tx, &order, &target, named)).await
    }

    /// Gives a device that nobody has to the user of the order. Administrators only.
    pub async fn assign(&self, order: Order, serial: Serial) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::assign(tx, &order, &serial)).await
    }

    /// Takes a device back from the user of the order. Administrators only.
    pub async fn unassign(&self, order: Order, serial: Serial) -> Result<FactorId, StoreError> {
        self.manage(move |tx| manage::unassign(tx, &order, &serial)).await
    }

    /// The devices of a user's factors.
    pub async fn devices(&self, user: UserId) -> Result<Vec<DeviceDetail>, StoreError> {
        self.read(move |read| look::devices(read, &user)).await?.map_err(StoreError::Refused)
    }

    /// The factor with a serial number, and whose it is; the user's realm tells of devices that nobody has.
    pub async fn find(&self, serial: Serial) -> Result<Option<FoundDevice>, StoreError> {
        self.read(move |read| look::find(read, &serial)).await
    }

    /// Finds the device that shows a code, and uses the code up. Administrators only.
    pub async fn identify(&self, search: Search) -> Result<Identified, StoreError> {
        // Whoever comes too soon costs no commit; the transaction looks again.
        let asker = search.asker.clone();
        if let Some(until) = self.read(move |read| identify::closed_until(read, &asker)).await? {
            return Ok(Identified::TooSoon { until });
        }
        self.write(move |tx| identify::identify(tx, &search)).await
    }
}
