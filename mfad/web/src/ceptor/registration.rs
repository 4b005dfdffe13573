//! A new secret for an authenticator app, as a QR code. Refuses whoever is not logged on or does not give the
//! password again, and to let the secret count: that takes a code of it (`verifytotp`).

use base64ct::{Base64, Encoding as _};
use hyper::StatusCode;
use mfa_proto::{
    admin::{Enrolled, NewFactor, NewParams, NewTag, Reply, Request, TotpParams},
    name::UserId,
    secret::SecretText,
};
use serde::{Deserialize, Serialize};

use super::{Visit, session::Stage, words};
use crate::{answer::Answer, image, prover::Proven};

/// What is sent.
#[derive(Deserialize)]
struct Asked {
    password: SecretText,
}

/// What is shown.
#[derive(Serialize)]
struct Shown<'a> {
    qr: &'a str,
    secret: &'a str,
}

/// `POST /totp/qr`.
pub(super) async fn begin(visit: Visit<'_>) -> Answer {
    let found = visit.sessions.of(visit.call, &visit.desk.client().name);
    let on = found.filter(|found| matches!(found.session.stage, Stage::LoggedOn(_)));
    let Some(found) = on else { return words::REQUIRES_LOGIN.with(StatusCode::FORBIDDEN) };
    let Ok(Asked { password }) = visit.call.json().await else { return words::UNREADABLE.bad() };
    match visit.prove(&found.session.user, password).await {
        Proven::Yes => {}
        Proven::No | Proven::MustChange => return words::WRONG_PASSWORD.bad(),
        Proven::TooMany => return words::TOO_MANY.bad(),
        Proven::Unknown => return words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
    let new = NewFactor {
        user: UserId::local(found.session.user.clone()),
        // The name of its kind: what was registered under it before is replaced.
        label: None,
        params: NewParams::Totp(TotpParams::default()),
        secret: None,
        activate: false,
        replace: true,
        current_code: None,
        invitation: None,
        tag: NewTag::default(),
    };
    match visit.desk.admin(Request::Enroll(Box::new(new))).await {
        Ok(Reply::Enrolled(enrolled)) => {
            visit.sessions.note(&found, Stage::LoggedOn(Some(enrolled.factor)));
            shown(&enrolled)
        }
        Ok(_) => words::NOT_REGISTERED.bad(),
        Err(_) => words::UNAVAILABLE.with(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn shown(enrolled: &Enrolled) -> Answer {
    let (Some(secret), Some(uri)) = (&enrolled.secret, &enrolled.uri) else {
        return words::NOT_REGISTERED.bad();
    };
    let Some(png) = image::png(uri.expose()) else { return words::NOT_REGISTERED.bad() };
    let qr = zeroize::Zeroizing::new(Base64::encode_string(&png));
    Answer::json(StatusCode::OK, &Shown { qr: &qr, secret: secret.expose() })
}
