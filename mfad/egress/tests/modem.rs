//! Text messages by a modem, over a real D-Bus, with `ModemManager` mocked (python-dbusmock) as the outermost edge:
//! what reaches the modem, that whatever goes wrong is no delivery, and that no message stays there.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

#[path = "common/bus.rs"]
mod bus;
#[path = "modem/support.rs"]
mod support;

use std::{fs, time::Duration};

use mfad_egress::modem::{ModemChoice, ModemError, Step, TextMessage};
use tokio::time::Instant;

use support::{LONG, NUMBER, REGISTERED, TEXT, World, secret, until};

/// Short, where its end is what is waited for.
const SHORT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn number_and_text_reach_the_modem_exactly_and_are_deleted() {
    let world = World::new().await;
    world.add_modem(0, "000", REGISTERED, "send").await;
    world.deliver(LONG).await.unwrap();
    world.nothing_left(1).await;
    let (number, text) = (format!("\"number\": \"{NUMBER}\""), format!("\"text\": \"{TEXT}\""));
    let log = world.log();
    let either = [format!("Create {{{number}, {text}}}\n"), format!("Create {{{text}, {number}}}\n")];
    assert!(either.iter().any(|call| log.contains(call)), "{log}");
    assert_eq!(world.calls("Send").len(), 1);
    // The mock and the question.
    until(async || world.clients().await == 2).await;
}

#[tokio::test]
async fn a_message_that_the_network_takes_later_is_waited_for() {
    let world = World::new().await;
    world.add_modem(0, "000", REGISTERED, "late").await;
    let taken = async {
        until(async || !world.calls("Send").is_empty()).await;
        world.arrive(0).await;
    };
    let (delivered, ()) = tokio::join!(world.deliver(LONG), taken);
    delivered.unwrap();
    world.nothing_left(1).await;
}

#[tokio::test]
async fn a_message_that_is_refused_or_never_sent_is_no_delivery_and_is_deleted() {
    let world = World::new().await;
    world.add_modem(0, "000", REGISTERED, "refuse").await;
    let name = "org.freedesktop.ModemManager1.Error.Core.Failed".to_owned();
    assert_eq!(world.deliver(LONG).await, Err(ModemError::Refused { step: Step::Send, name }));
    world.nothing_left(1).await;
    world.remove_modem(0).await;
    world.add_modem(0, "000", REGISTERED, "never").await;
    assert_eq!(world.deliver(SHORT).await, Err(ModemError::Late(Step::Await)));
    world.nothing_left(2).await;
}

/// The modem makes the message only after nobody waits any more: it is deleted, and was never sent.
#[tokio::test]
async fn a_message_that_is_made_too_late_or_for_nobody_is_deleted_unsent() {
    let world = World::new().await;
    let go = |number: u32| world.file(&format!("go{number}"));
    world.add_modem(0, "000", REGISTERED, &format!("wait {}", go(0).display())).await;
    assert_eq!(world.deliver(SHORT).await, Err(ModemError::Late(Step::Create)));
    fs::write(go(0), "").unwrap();
    world.nothing_left(1).await;

    world.remove_modem(0).await;
    world.add_modem(0, "000", REGISTERED, &format!("wait {}", go(1).display())).await;
    {
        let delivery = world.deliver(LONG);
        let asked = until(async || world.calls("Create").len() == 2);
        tokio::select! {
            biased;
            result = delivery => panic!("{result:?}"),
            () = asked => (),
        }
    }
    fs::write(go(1), "").unwrap();
    world.nothing_left(2).await;
    assert_eq!(world.calls("Send"), Vec::<String>::new());
}

#[tokio::test]
async fn no_modem_the_wrong_modem_and_a_locked_one_are_told_apart() {
    let world = World::new().await;
    let none = |wanted: &str| Err(ModemError::NoModem { wanted: wanted.to_owned() });
    assert_eq!(world.deliver(LONG).await, none("any"));
    world.add_modem(0, "000", 2, "send").await;
    assert!(
        matches!(world.deliver(LONG).await, Err(ModemError::NotReady { state, .. }) if state.contains("PIN"))
    );
    world.add_modem(1, "111", REGISTERED, "send").await;
    let other = ModemChoice::new(Some("999"));
    assert_eq!(world.deliver_by(other, LONG).await, none("999"));
    world.nothing_left(0).await;
    world.deliver_by(ModemChoice::new(Some("111")), LONG).await.unwrap();
    world.deliver_by(ModemChoice::new(Some("/org/freedesktop/ModemManager1/Modem/1")), LONG).await.unwrap();
    world.nothing_left(2).await;
}

#[tokio::test]
async fn a_modem_that_comes_back_elsewhere_and_a_restarted_bus_are_met_as_they_are() {
    let mut world = World::new().await;
    let choice = || ModemChoice::new(Some("111"));
    let (number, text) = (secret(NUMBER), secret(TEXT));
    let message = TextMessage { number: &number, text: &text };
    let modem = world.modem(choice());
    let deliver = || modem.deliver(&message, Instant::now() + LONG);

    world.add_modem(0, "111", REGISTERED, "send").await;
    deliver().await.unwrap();
    world.nothing_left(1).await;
    world.remove_modem(0).await;
    assert!(matches!(deliver().await, Err(ModemError::NoModem { .. })));
    world.add_modem(7, "111", REGISTERED, "send").await;
    deliver().await.unwrap();
    world.nothing_left(2).await;

    world.stop_manager();
    until(async || deliver().await == Err(ModemError::NoManager)).await;
    world.stop_bus();
    assert!(matches!(deliver().await, Err(ModemError::NoBus { .. })));
    world.restart().await;
    world.add_modem(0, "111", REGISTERED, "send").await;
    deliver().await.unwrap();
    world.nothing_left(1).await;
}

/// The manager goes away between making the message and sending it.
#[tokio::test]
async fn a_manager_that_goes_away_in_between_is_no_delivery() {
    let mut world = World::new().await;
    let go = world.file("go");
    world.add_modem(0, "000", REGISTERED, &format!("wait {}", go.display())).await;
    let modem = world.modem(ModemChoice::Any);
    let (number, text) = (secret(NUMBER), secret(TEXT));
    let message = TextMessage { number: &number, text: &text };
    let gone = async {
        until(async || !world.calls("Create").is_empty()).await;
        world.stop_manager();
    };
    let (delivered, ()) = tokio::join!(modem.deliver(&message, Instant::now() + LONG), gone);
    let name = "org.freedesktop.DBus.Error.NoReply".to_owned();
    assert_eq!(delivered, Err(ModemError::Refused { step: Step::Create, name }));
}

#[tokio::test]
async fn a_bus_that_goes_away_in_between_is_no_delivery() {
    let mut world = World::new().await;
    world.add_modem(0, "000", REGISTERED, "never").await;
    let modem = world.modem(ModemChoice::Any);
    let (number, text) = (secret(NUMBER), secret(TEXT));
    let message = TextMessage { number: &number, text: &text };
    let gone = async {
        until(async || !world.calls("Send").is_empty()).await;
        world.stop_bus();
    };
    let (delivered, ()) = tokio::join!(modem.deliver(&message, Instant::now() + LONG), gone);
    assert!(matches!(delivered, Err(ModemError::Lost(Step::Send | Step::Await))), "{delivered:?}");
}

#[tokio::test]
async fn what_polkit_forbids_and_what_is_no_number_is_not_sent() {
    let world = World::new().await;
    world.add_modem(0, "000", REGISTERED, "forbid").await;
    assert_eq!(world.deliver(LONG).await, Err(ModemError::NotAllowed(Step::Create)));
    let (number, text) = (secret("+49170 1234321"), secret(TEXT));
    let message = TextMessage { number: &number, text: &text };
    let refused = world.modem(ModemChoice::Any).deliver(&message, Instant::now() + LONG).await;
    assert_eq!(refused, Err(ModemError::BadNumber));
    assert_eq!(world.calls("Create").len(), 1);
}
