//! Changes of tokens that are there: switched off and on, removed, given to users and taken back, set right.
//!
//! Refuses to take a token out of somebody's hands by giving it to another, and to bring back what failures ended.

use mfa_proto::{
    admin::{FactorState, Refusal, RefusalCode, Reply, Request},
    secret::SecretText,
};
use serde_json::json;

use super::{
    super::envelope::Fault,
    Order,
    meant::{Meant, number_of},
    said::{Done, asked, changed, no_token, no_user, refused, senseless},
    set::new_pin,
    token::{Token, by_serial},
};

/// `enable`: how many tokens count again, or did already.
pub(super) async fn enable(order: Order<'_>) -> Result<Done, Fault> {
    switch(order, FactorState::Active).await
}

/// `disable`: how many tokens count no more, or did not already.
pub(super) async fn disable(order: Order<'_>) -> Result<Done, Fault> {
    switch(order, FactorState::Disabled).await
}

async fn switch(order: Order<'_>, to: FactorState) -> Result<Done, Fault> {
    let (tokens, one) = match order.meant().await? {
        Meant::One(token) => (vec![*token], true),
        Meant::All(_, tokens) => (tokens, false),
    };
    let mut count = 0_u32;
    for token in tokens {
        match token.factor.state {
            state if state == to => {}
            FactorState::Active | FactorState::Disabled => {
                let target = token.target();
                let request = match to {
                    FactorState::Active => Request::Enable { target },
                    FactorState::Disabled | FactorState::Pending | FactorState::Exhausted => {
                        Request::Disable { target, code: None }
                    }
                };
                changed(order.desk, &token.owner, request).await?;
            }
            FactorState::Pending if one => {
                return Err(Fault::other(format!(
                    "{} has not been proven by a code: it counts from then on, or is removed",
                    token.serial()
                )));
            }
            FactorState::Exhausted if one => {
                return Err(Fault::other(format!(
                    "{} was ended by too many failures: remove it, and enroll another",
                    token.serial()
                )));
            }
            FactorState::Pending | FactorState::Exhausted => continue,
        }
        count = count.saturating_add(1);
    }
    Ok(json!(count).into())
}

/// `remove`, which its manual calls `delete`: how many.
pub(super) async fn remove(order: Order<'_>) -> Result<Done, Fault> {
    let count = match order.meant().await? {
        Meant::One(token) => {
            let request = Request::Remove { target: token.target(), code: None };
            changed(order.desk, &token.owner, request).await?
        }
        Meant::All(user, tokens) => {
            let mut count = 0_u32;
            for token in tokens {
                let request = Request::Remove { target: token.target(), code: None };
                count = count.saturating_add(changed(order.desk, &user, request).await?);
            }
            count
        }
    };
    Ok(json!(count).into())
}

/// `reset`: the failures of whoever has the token are forgotten.
pub(super) async fn reset(order: Order<'_>) -> Result<Done, Fault> {
    if let Some(called) = order.asked.get("serial") {
        let Some(token) = by_serial(order.desk, called).await? else {
            let told = json!({ "message": format!("No token with serial {called}") });
            return Ok(Done { value: json!(0), detail: Some(told) });
        };
        changed(order.desk, &token.owner, Request::Reset { user: token.owner.clone() }).await?;
        return Ok(json!(1).into());
    }
    let Meant::All(user, tokens) = order.meant().await? else { return Ok(json!(0).into()) };
    if tokens.is_empty() {
        let told = json!({ "message": format!("No token for user {user}") });
        return Ok(Done { value: json!(0), detail: Some(told) });
    }
    Ok(json!(changed(order.desk, &user, Request::Reset { user: user.clone() }).await?).into())
}

/// `resync`: whether two codes in a row were found.
pub(super) async fn resync(order: Order<'_>) -> Result<Done, Fault> {
    let code = |name| {
        let typed = order.needed(name)?.to_owned();
        SecretText::new(typed).map_err(|_| super::unusable(name, "it is too long"))
    };
    let codes = [code("otp1")?, code("otp2")?];
    let token = order.the_one().await?;
    if token.is_nobodys() {
        return Err(Fault::other(format!("nobody has {}: assign it first", token.serial())));
    }
    match asked(order.desk, Request::Resync { target: token.target(), codes }).await? {
        Ok(Reply::Done { .. }) => Ok(json!(true).into()),
        Ok(reply) => Err(senseless(&reply)),
        Err(Refusal { code: RefusalCode::WrongCode | RefusalCode::Locked, .. }) => Ok(json!(false).into()),
        Err(refusal) => Err(refused(&refusal, &token.owner)),
    }
}

/// `assign`: a token that nobody has is given to a user, with a PIN where one is sent along.
pub(super) async fn assign(order: Order<'_>) -> Result<Done, Fault> {
    let called = order.needed("serial")?;
    order.needed("user")?;
    let Some(user) = order.user()? else { return Err(no_user(order.needed("user")?)) };
    // Judged before anything is changed.
    let pin = order.asked.get("pin").map(new_pin).transpose()?;
    let Some(token) = by_serial(order.desk, called).await? else { return Err(no_token(called)) };
    if !token.is_nobodys() {
        return Err(Fault::other(format!("{called} is in somebody's hands: unassign it first")));
    }
    let serial = number_of(&token)?;
    changed(order.desk, &user, Request::Assign { serial: serial.clone(), user: user.clone() }).await?;
    if let Some(pin) = pin {
        let target = Token { owner: user.clone(), ..token }.target();
        let set = changed(order.desk, &user, Request::SetPin { target, pin: Some(pin), code: None }).await;
        if let Err(fault) = set {
            // Without its PIN it would be a weaker token than was asked for.
            changed(order.desk, &user, Request::Unassign { serial }).await?;
            return Err(fault);
        }
    }
    Ok(json!(true).into())
}

/// `unassign`: tokens are taken back, and are nobody's.
pub(super) async fn unassign(order: Order<'_>) -> Result<Done, Fault> {
    let tokens = match order.meant().await? {
        Meant::One(token) => vec![*token],
        Meant::All(_, tokens) => tokens,
    };
    let held = tokens.into_iter().filter(|token| !token.is_nobodys());
    // All of them can be taken back, or none is.
    let numbers = held.map(|token| Ok((number_of(&token)?, token.owner))).collect::<Result<Vec<_>, _>>()?;
    for (serial, owner) in numbers {
        changed(order.desk, &owner, Request::Unassign { serial }).await?;
    }
    Ok(json!(true).into())
}
