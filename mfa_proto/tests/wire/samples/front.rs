//! Questions of front ends, and what core answers.

use mfa_proto::{
    admin::{FactorId, Request},
    answer::AnswerShape,
    front::{
        Ask, Deliver, Ended, FrontMessage, PasswordMessage, PasswordOutcome, Verify, VerifyDevice, What,
    },
    login::{ServerMessage, Verdict},
    name::{Claim, ClientName},
    tag::Serial,
    text::ShownText,
};

use super::{Sample, jane, label, secret};

pub(crate) fn all() -> Vec<Sample> {
    let ask = |what| Ask {
        client: ClientName::new("vpn").unwrap(),
        address: Some(Claim::clean("192.0.2.1")),
        source: Some(Claim::clean("192.0.2.7")),
        what,
    };
    let verify = Verify {
        user: jane(),
        choose: Some(label("phone")),
        only: Some(FactorId(7)),
        answer: Some(secret("123456")),
        patience: 120,
    };
    let bare = Verify { user: jane(), choose: None, only: None, answer: None, patience: 1 };
    let device = |user| VerifyDevice {
        serial: Serial::new("OATH00019E8B").unwrap(),
        user,
        answer: Some(secret("1234755224")),
        patience: 120,
    };
    let of_device = |user| ask(What::VerifyDevice(Box::new(device(user))));
    let deliver = |choose| {
        let code = secret("KJU64680").try_into().unwrap();
        ask(What::Deliver(Box::new(Deliver { user: jane(), code, choose, minutes: 2 })))
    };
    let prompt = ServerMessage::Prompt {
        text: ShownText::clean("Verification code: "),
        echo: true,
        shape: AnswerShape::SIX_DIGITS,
    };
    let ended = Ended {
        verdict: Verdict::Locked,
        unjudged: true,
        wait: 900,
        factor: Some(FactorId(7)),
        session: "0011223344556677".into(),
    };
    vec![
        Sample::of("front/ask/verify", &ask(What::Verify(Box::new(verify)))),
        Sample::of("front/ask/verify/bare", &ask(What::Verify(Box::new(bare)))),
        Sample::of("front/ask/admin", &ask(What::Admin(Box::new(Request::Show { user: jane() })))),
        Sample::of("front/ask/verify-device", &of_device(None)),
        Sample::of("front/ask/verify-device/of", &of_device(Some(jane()))),
        Sample::of("front/ask/deliver", &deliver(Some(label("phone")))),
        Sample::of("front/ask/deliver/bare", &deliver(None)),
        Sample::of("front/turn", &FrontMessage::Turn { message: prompt, refused: true }),
        Sample::of("front/ended", &FrontMessage::Ended(ended)),
        Sample::of("front/ask/password", &ask(What::Password(Box::new(jane())))),
        Sample::of("front/password/try", &PasswordMessage::Try),
        Sample::of("front/password/blocked", &PasswordMessage::Blocked { wait: 540 }),
        Sample::of("front/password/noted", &PasswordMessage::Noted),
        Sample::of("front/password/unavailable", &PasswordMessage::Unavailable),
        Sample::of("front/password/right", &PasswordOutcome::Right),
        Sample::of("front/password/wrong", &PasswordOutcome::Wrong),
        Sample::of("front/password/unjudged", &PasswordOutcome::Unjudged),
    ]
}
