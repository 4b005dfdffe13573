//! Single questions about a token: whether a serial number is free, who has it. Refuses to change anything.

use mfa_proto::tag::Serial;
use serde_json::{Value, json};

use super::{
    super::envelope::Fault,
    Order,
    people::person,
    said::{Done, unusable},
    token::by_serial,
};

/// Numbers that are tried behind one that is taken.
const TRIED: u32 = 99;

/// `check_serial`: whether it is free, and one that is.
pub(super) async fn check_serial(order: Order<'_>) -> Result<Done, Fault> {
    let wanted = order.needed("serial")?;
    Serial::new(wanted).map_err(|error| unusable("serial", &error.to_string()))?;
    if by_serial(order.desk, wanted).await?.is_none() {
        return Ok(json!({ "unique": true, "new_serial": wanted }).into());
    }
    for number in 1..=TRIED {
        let other = format!("{wanted}_{number:02}");
        if Serial::new(other.as_str()).is_ok() && by_serial(order.desk, &other).await?.is_none() {
            return Ok(json!({ "unique": false, "new_serial": other }).into());
        }
    }
    Err(Fault::other(format!("no number behind {wanted} is free: choose another")))
}

/// `getTokenOwner`: what is known of who has it; nothing when nobody has.
pub(super) async fn owner(order: Order<'_>) -> Result<Done, Fault> {
    let token = order.with_serial().await?;
    if token.is_nobodys() {
        return Ok(json!({}).into());
    }
    Ok(Value::Object(person(order, &token.owner).await?).into())
}
