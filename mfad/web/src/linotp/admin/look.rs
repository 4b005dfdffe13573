//! Single questions about a token: whether a serial number is free, who has it. Refuses to change anything.

use mfa_proto::tag::Serial;
use serde_json::json;

use super::{
    super::envelope::Fault,
    Order,
    said::{Done, unusable},
    token::{by_serial, detail},
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
    let uid = detail(order.desk, &token.owner).await?.and_then(|detail| detail.uid);
    let name = token.owner.name.as_str();
    let id = uid.map_or_else(|| name.to_owned(), |uid| uid.to_string());
    Ok(json!({
        "username": name,
        "userid": id,
        "description": "",
        "email": "",
        "givenname": "",
        "surname": "",
        "phone": "",
        "mobile": "",
    })
    .into())
}
