//! `/system`: the settings that clients ask for, and the realms.
//!
//! Refuses to change any: they are the host's. What is set as it is already is taken for done, because programs that
//! set up a server do that.

use std::collections::BTreeSet;

use mfa_proto::name::RealmName;
use mfa_role::config::Right;
use serde_json::{Map, Value, json};

use super::{
    admin::{COUNT_WINDOW, Done, Order, SYNC_WINDOW, may_not, realms, resolver},
    envelope::Fault,
};

/// Whether there is such a verb.
pub(super) fn is_known(verb: &str) -> bool {
    ["getConfig", "setConfig", "getRealms"].contains(&verb)
}

/// Answers one of them.
pub(super) async fn answer(verb: &str, order: Order<'_>) -> Result<Done, Fault> {
    if !order.desk.client().rights.include(Right::Status) {
        let text = "this client may not: add \"status\" to its rights in [[web.client]]";
        return Err(may_not(text));
    }
    match verb {
        "getConfig" => Ok(get(order, &settings(order)).into()),
        "setConfig" => set(order, &settings(order)).map(Done::from),
        _ => all_realms(order).await.map(Done::from),
    }
}

/// What LinOTP calls settings that mfad has, or that stand for how it works.
fn settings(order: Order<'_>) -> Vec<(&'static str, String)> {
    let said = |yes: bool| if yes { "True" } else { "False" }.to_owned();
    vec![
        ("AutoResync", said(false)),
        ("DefaultChallengeValidityTime", order.lifetime.as_secs().to_string()),
        ("DefaultCountWindow", COUNT_WINDOW.to_string()),
        ("DefaultOtpLen", "6".to_owned()),
        ("DefaultResetFailCount", said(true)),
        ("DefaultSyncWindow", SYNC_WINDOW.to_string()),
        ("FailCounterIncOnFalsePin", said(true)),
        ("PrependPin", said(true)),
        ("splitAtSign", said(order.terms.split_at_sign)),
    ]
}

/// One setting, or all. One that there is not is empty.
fn get(order: Order<'_>, settings: &[(&'static str, String)]) -> Value {
    match order.asked.get("key") {
        Some(key) => {
            let known = settings.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
            json!({ (format!("getConfig {key}")): known.map_or("", |(_, value)| value.as_str()) })
        }
        None => {
            Value::Object(settings.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect())
        }
    }
}

/// Nothing is set: either all of it is so already, or it is refused.
fn set(order: Order<'_>, settings: &[(&'static str, String)]) -> Result<Value, Fault> {
    let given: Vec<(String, String)> = match order.asked.get("key") {
        Some(key) => vec![(key.to_owned(), order.asked.get("value").unwrap_or_default().to_owned())],
        None => order.asked.rest().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
    };
    if given.is_empty() {
        return Err(Fault::missing("key"));
    }
    let mut value = Map::new();
    for (name, wanted) in given {
        let known = settings.iter().find(|(known, _)| known.eq_ignore_ascii_case(&name));
        match known {
            Some((_, present)) if present.eq_ignore_ascii_case(wanted.trim()) => {
                value.insert(format!("setConfig {name}:{wanted}"), json!(true));
            }
            Some((known, present)) => {
                return Err(may_not(&format!(
                    "{known} is {present}: settings are the host's (mfad.toml), no client's. Nothing was changed"
                )));
            }
            None => {
                return Err(may_not(&format!("there is no setting {name} here. Nothing was changed")));
            }
        }
    }
    Ok(Value::Object(value))
}

/// The realms of users who hold tokens, the one of names without a realm, and no other.
async fn all_realms(order: Order<'_>) -> Result<Value, Fault> {
    let mut known: BTreeSet<RealmName> = realms(order).await?;
    known.insert(order.terms.default_realm.clone());
    let realm = |name: &RealmName| {
        let mut realm = json!({
            "realmname": name,
            "entry": format!("linotp.useridresolver.group.{name}"),
            "useridresolver": [resolver(name.as_str())],
            "admin": false,
        });
        if *name == order.terms.default_realm
            && let Some(fields) = realm.as_object_mut()
        {
            fields.insert("default".to_owned(), json!("true"));
        }
        (name.to_string(), realm)
    };
    Ok(Value::Object(known.iter().map(realm).collect()))
}
