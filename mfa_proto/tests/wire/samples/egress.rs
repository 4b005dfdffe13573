//! What core asks of egress, and what it is told.

use mfa_proto::{
    egress::{Consultation, Delivery, Done, Errand, Found, Look, Medium},
    name::{Claim, ServiceName},
    text::ShownText,
};

use super::{Sample, jane, label, policy, secret};

/// What core asks of egress, and what it is told.
pub(super) fn errands() -> Vec<Sample> {
    let service = || ServiceName::new("sshd").unwrap();
    let delivery = Delivery {
        medium: Medium::Sms,
        to: secret("+491701234321"),
        code: secret("755224"),
        user: jane(),
        service: service(),
        source: Some(Claim::clean("192.0.2.7")),
        minutes: 5,
    };
    let consultation = || {
        Box::new(Consultation {
            outside: label("corp"),
            remote_user: Claim::clean("j.doe"),
            user: jane(),
            service: service(),
            source: None,
            code: Some(secret("755224")),
        })
    };
    let errands = [
        ("deliver", Errand::Deliver(Box::new(delivery))),
        ("begin", Errand::Begin(consultation())),
        ("judge", Errand::Judge(consultation())),
        ("notify", Errand::Notify(Box::new(policy::notice()))),
        ("authorize", Errand::Authorize(Box::new(policy::authorization()))),
        ("ping", Errand::Ping),
        ("look", Errand::Look(Box::new(Look { user: jane() }))),
    ];
    let done = [
        ("delivered", Done::Delivered { via: ShownText::clean("twilio") }),
        ("yes", Done::Yes),
        ("no", Done::No),
        ("failed", Done::Failed { why: ShownText::clean("HTTP 500") }),
        ("busy", Done::Busy),
        ("found/whole", Done::Found(Box::new(found(["{1}c2VhbGVk", "{1}YW5vdGhlcg"])))),
        ("found/least", Done::Found(Box::new(Found { phone: None, mail: None, sealed: vec![] }))),
    ];
    let errands = errands.iter().map(|(name, errand)| Sample::of(format!("errand/{name}"), errand));
    let mail = Sample::of("errand/medium/mail", &Medium::Mail);
    let done = done.iter().map(|(name, done)| Sample::of(format!("done/{name}"), done));
    errands.chain([mail]).chain(done).collect()
}

/// What a directory may have of a person.
pub(crate) fn found<const N: usize>(sealed: [&str; N]) -> Found {
    Found {
        phone: Some(secret("+491701234321")),
        mail: Some(secret("jane@example.org")),
        sealed: sealed.map(secret).into(),
    }
}
