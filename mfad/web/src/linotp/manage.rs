//! The way in to what manages: who asks, and that no page in a browser asks in its name.
//!
//! A call has to repeat in the parameter `session` what is in the cookie `admin_session`, which pages of others cannot
//! read. Refuses all others that are not known by their network alone; which rights are needed is core's to judge.

use std::fmt::Write as _;

use hyper::{
    StatusCode,
    header::{COOKIE, SET_COOKIE},
};
use subtle::ConstantTimeEq as _;

use super::{
    admin::{self, Order, Said},
    asked::Asked,
    asked_rightly, audit,
    envelope::{Envelope, Fault},
    system,
};
use crate::{
    answer::{Answer, TEXT},
    call::Call,
    clients::Unknown,
    origin,
    verify::Desk,
};

/// The cookie that is to be repeated.
const SESSION_COOKIE: &str = "admin_session";
/// What a call without a session is told.
const NO_SESSION: &str = "You have no valid session!";
/// The verb that gives a session out.
const GET_SESSION: &str = "getsession";
/// Random bytes of a session.
const SESSION_BYTES: usize = 32;

/// Answers a call of `/admin`, `/audit` or `/system`; `None` when there is no such verb.
pub(super) async fn answer(call: &mut Call, (part, verb): (&str, &str)) -> Option<Answer> {
    let known = match part {
        "admin" => verb == GET_SESSION || admin::is_known(verb),
        "system" => system::is_known(verb),
        _ => verb == "search",
    };
    if !known {
        return None;
    }
    let (desk, asked) = match enter(call, verb).await {
        Ok(entered) => entered,
        Err(refused) => return Some(refused),
    };
    if verb == GET_SESSION {
        return Some(get_session(call, &asked));
    }
    let web = &call.state().web;
    let order = Order { asked: &asked, desk: &desk, terms: &web.linotp, lifetime: web.transaction_lifetime };
    let said = match part {
        "admin" => admin::answer(verb, order).await,
        "system" => system::answer(verb, order).await.map(Said::Value),
        _ => audit::search(order).await,
    };
    let envelope = Envelope::new(&web.linotp, 1);
    Some(match said {
        Ok(Said::Value(done)) => envelope.value(done.value, done.detail),
        Ok(Said::List(list, queried)) => envelope.list(list, queried),
        Ok(Said::Bare(value)) => Answer::json(StatusCode::OK, &value),
        Ok(Said::Sheet(sheet)) => sheet.answer(),
        Err(fault) => {
            let envelope = Envelope::new(&web.linotp, admin::fault_number(verb));
            envelope.fault(&fault, asked.httperror())
        }
    })
}

/// Lets a call in that manages: whose it is, and what it carries; or the refusal.
pub(super) async fn enter(call: &mut Call, verb: &str) -> Result<(Desk, Asked), Answer> {
    asked_rightly(call).map_err(|refused| *refused)?;
    let desk = known(call, 1).map_err(|refused| *refused)?;
    let asked = match call.params().await {
        Ok(params) => Asked::new(params),
        Err(bad) => {
            let envelope = Envelope::new(&call.state().web.linotp, 1);
            return Err(envelope.fault_with(bad.status(), &Fault::other(bad.to_string())));
        }
    };
    // What only its network proves, every page in a browser there could ask for.
    let by_network = desk.client().proof.by_network && !origin::is_foreign(call.headers());
    // Pages of other hosts in the same domain can write the cookie, and then know it.
    let in_session = has_session(call, &asked) && !origin::is_of_another_site(call.headers());
    if verb == GET_SESSION || by_network || in_session {
        Ok((desk, asked))
    } else {
        Err(Answer::body(StatusCode::UNAUTHORIZED, TEXT, NO_SESSION))
    }
}

/// Whose call it is; or the refusal, in answers with the number `id`.
pub(super) fn known(call: &Call, id: u8) -> Result<Desk, Box<Answer>> {
    let envelope = Envelope::new(&call.state().web.linotp, id);
    call.client().map_err(|unknown| {
        Box::new(match unknown {
            Unknown::Nobody => {
                let told = Fault::other("Not authenticated");
                call.asking_for_proof(envelope.fault_with(StatusCode::UNAUTHORIZED, &told))
            }
            Unknown::TooOften => {
                envelope.fault_with(StatusCode::TOO_MANY_REQUESTS, &Fault::other("Too many requests"))
            }
        })
    })
}

/// Whether the parameter is what a cookie says, and neither is empty.
fn has_session(call: &Call, asked: &Asked) -> bool {
    let Some(session) = asked.session() else { return false };
    let headers = call.headers().get_all(COOKIE);
    let mut cookies =
        headers.iter().filter_map(|header| header.to_str().ok()).flat_map(|text| text.split(';'));
    cookies.any(|cookie| match cookie.trim().split_once('=') {
        Some((SESSION_COOKIE, value)) => bool::from(value.as_bytes().ct_eq(session.as_bytes())),
        Some(_) | None => false,
    })
}

/// A new session. Nothing is kept: what counts is that a page of another origin cannot know it.
fn get_session(call: &Call, asked: &Asked) -> Answer {
    let envelope = Envelope::new(&call.state().web.linotp, 1);
    let mut bytes = [0; SESSION_BYTES];
    if getrandom::fill(&mut bytes).is_err() {
        let told = Fault::other("no randomness for a session: try again");
        return envelope.fault(&told, asked.httperror());
    }
    let session = bytes.iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02x}");
        hex
    });
    let cookie = format!("{SESSION_COOKIE}={session}; Path=/; SameSite=Strict");
    // Twice, as clients are used to; but for this host both times, not for all below it.
    envelope.value(true, None).with(SET_COOKIE, &cookie).with(SET_COOKIE, &cookie)
}
