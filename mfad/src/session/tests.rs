//! Logins of every kind, by the thousand: whatever a client sends and the store says, yes wants a proof.

use mfa_proto::{
    answer::AnswerShape,
    login::{ClientMessage, Dialogue, Start, Verdict, Withheld},
    name::{ServiceName, UserId, UserName},
    secret::SecretText,
    text::ShownText,
};
use proptest::prelude::*;

use super::{PromptSettings, Settled, Step, begin};
use crate::{
    clock::UnixTime,
    limits::Gate,
    store::{Outcome, Proof},
};

const NOW: UnixTime = UnixTime(2_000_000_000);

/// What a client may do at a prompt.
#[derive(Clone, Debug)]
enum Client {
    Types(String),
    Withholds(Withheld),
    StartsAgain,
}

/// What the store may say of a code.
#[derive(Clone, Copy, Debug)]
enum Said {
    Accepted,
    Wrong(Gate),
    Used(Gate),
    Locked(Gate),
    NoFactor,
    Orphaned,
    Tampered,
    ClockUnusable,
}

impl Said {
    fn outcome(self) -> Outcome {
        match self {
            Self::Accepted => Outcome::Accepted(Proof::of_nothing(jane())),
            Self::Wrong(gate) => Outcome::Wrong { gate },
            Self::Used(gate) => Outcome::Used { gate },
            Self::Locked(gate) => Outcome::Locked { gate },
            Self::NoFactor => Outcome::NoFactor,
            Self::Orphaned => Outcome::Orphaned,
            Self::Tampered => Outcome::Tampered,
            Self::ClockUnusable => Outcome::ClockUnusable,
        }
    }
}

fn jane() -> UserId {
    UserId::local(UserName::new("jane").unwrap())
}

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![
        Just(Gate::Open),
        (-10_i64..4000).prop_map(|s| Gate::Wait { until: NOW.plus(s) }),
        Just(Gate::UntilAdmin),
        Just(Gate::Exhausted),
    ]
}

fn client() -> impl Strategy<Value = Client> {
    prop_oneof![
        4 => "[0-9]{6}|[0-9]{8}".prop_map(Client::Types),
        2 => ".{0,20}".prop_map(Client::Types),
        1 => Just(Client::Withholds(Withheld::Shape)),
        1 => Just(Client::Withholds(Withheld::SshdRefusal)),
        1 => Just(Client::Withholds(Withheld::NoAnswer)),
        1 => Just(Client::StartsAgain),
    ]
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        Just(Said::Accepted),
        gate().prop_map(Said::Wrong),
        gate().prop_map(Said::Used),
        gate().prop_map(Said::Locked),
        Just(Said::NoFactor),
        Just(Said::Orphaned),
        Just(Said::Tampered),
        Just(Said::ClockUnusable),
    ]
}

fn message(client: &Client) -> ClientMessage {
    match client {
        Client::Types(text) => ClientMessage::Answer(SecretText::new(text.clone()).unwrap()),
        Client::Withholds(why) => ClientMessage::Withheld(*why),
        Client::StartsAgain => ClientMessage::Start(Start {
            user: UserName::new("root").unwrap(),
            service: ServiceName::new("sshd").unwrap(),
            dialogue: Dialogue::Interactive,
            remote_host: None,
            remote_user: None,
            terminal: None,
            ssh_auth_info: None,
        }),
    }
}

/// What was seen of one login.
#[derive(Debug)]
struct Seen {
    settled: Settled,
    prompts: Vec<String>,
    accepted_by_store: bool,
}

fn play(settings: &PromptSettings, first: Gate, moves: &[(Client, Said)]) -> Seen {
    let mut step = begin(settings.clone(), AnswerShape::SIX_DIGITS, first, NOW);
    let (mut prompts, mut accepted_by_store) = (Vec::new(), false);
    let mut moves = moves.iter().cycle();
    let mut next = moves.next().unwrap();
    loop {
        step = match step {
            Step::Settle(settled) => return Seen { settled, prompts, accepted_by_store },
            Step::Ask(asking) => {
                prompts.push(asking.text().as_str().to_owned());
                assert!(prompts.len() < 20, "a login that never ends: {prompts:?}");
                next = moves.next().unwrap();
                asking.answered(&message(&next.0))
            }
            Step::Judge(judging, code) => {
                assert_eq!(code.digits(), 6, "only what the prompt asked for is judged");
                accepted_by_store |= matches!(next.1, Said::Accepted);
                judging.judged(next.1.outcome(), NOW)
            }
        };
    }
}

fn settings(conceal: bool, attempts: u32) -> PromptSettings {
    PromptSettings { text: ShownText::clean("Verification code: "), echo: true, conceal, attempts }
}

proptest! {
    #[test]
    fn yes_wants_a_proof_and_every_login_ends(
        conceal: bool,
        attempts in 0_u32..6,
        first in gate(),
        moves in proptest::collection::vec((client(), said()), 1..12),
    ) {
        let seen = play(&settings(conceal, attempts), first, &moves);
        prop_assert_eq!(seen.settled.verdict() == Verdict::Accept, seen.accepted_by_store);
        prop_assert_ne!(seen.settled.verdict(), Verdict::NotApplicable);
        // As many prompts as allowed, and one more that only tells why it ends.
        prop_assert!(seen.prompts.len() <= usize::try_from(attempts.max(1)).unwrap() + 1);
        if conceal {
            prop_assert!(seen.prompts.iter().all(|prompt| prompt == "Verification code: "), "{:?}", seen.prompts);
        }
    }

    #[test]
    fn nothing_is_judged_where_nothing_may_be(
        first in gate(),
        moves in proptest::collection::vec((client(), said()), 1..12),
    ) {
        let closed = match first {
            Gate::Open => false,
            Gate::Wait { until } => until.since(NOW) > super::SHORT_WAIT,
            Gate::UntilAdmin | Gate::Exhausted => true,
        };
        prop_assume!(closed);
        let seen = play(&settings(false, 3), first, &moves);
        prop_assert_eq!(seen.prompts.len(), 1);
        prop_assert!(!seen.accepted_by_store);
        prop_assert!(matches!(seen.settled.verdict(), Verdict::Locked | Verdict::Deny));
    }
}
