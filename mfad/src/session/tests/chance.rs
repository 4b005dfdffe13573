//! Logins of every kind, by the thousand: whatever a client sends and the store and the gateways say, yes
//! wants a proof, every login ends, and no prompt says more than it may.

use mfa_proto::{
    answer::{Answer, AnswerShape},
    login::{ClientMessage, Dialogue, Start, Verdict, Withheld},
    name::{FactorLabel, ServiceName, UserName},
    text::{MAX_SHOWN, ShownText},
};
use proptest::prelude::*;

use super::{
    super::{Holding, Issued, MOST_ROUNDS, Opening, Reason, Settled, Step, Way, begin},
    NOW, corp, jane, llng, mail, push, recovery, settings, sms, totp, types,
};
use crate::{
    limits::Gate,
    policy::Kinds,
    store::{Outcome, Proof},
};

/// In every text that a client types here and that means nothing to the daemon.
const MARKER: &str = "xYzzY";
const MARKED_CODE: &str = "918273";

/// What a client may do at a prompt.
#[derive(Clone, Debug)]
enum Client {
    Types(String),
    Withholds(Withheld),
    StartsAgain,
}

/// What the store may say of an answer.
#[derive(Clone, Copy, Debug)]
enum Said {
    Accepted(Option<u32>),
    Wrong(Gate),
    Used(Gate),
    Locked(Gate),
    Unreachable(Gate),
    NoFactor,
    Orphaned,
    Tampered,
    ClockUnusable,
}

impl Said {
    fn outcome(self) -> Outcome {
        match self {
            Self::Accepted(None) => Outcome::Accepted(Proof::of_nothing(jane())),
            Self::Accepted(Some(left)) => Outcome::Accepted(Proof::of_recovery(jane(), left)),
            Self::Wrong(gate) => Outcome::Wrong { gate },
            Self::Used(gate) => Outcome::Used { gate },
            Self::Locked(gate) => Outcome::Locked { gate },
            Self::Unreachable(gate) => Outcome::Unreachable { gate },
            Self::NoFactor => Outcome::NoFactor,
            Self::Orphaned => Outcome::Orphaned,
            Self::Tampered => Outcome::Tampered,
            Self::ClockUnusable => Outcome::ClockUnusable,
        }
    }
}

/// One round: what the client does, and what is said of it where somebody has to be asked.
type Move = (Client, Said, Issued);

fn gate() -> impl Strategy<Value = Gate> {
    prop_oneof![
        3 => Just(Gate::Open),
        1 => (-10_i64..4000).prop_map(|s| Gate::Wait { until: NOW.plus(s) }),
        1 => Just(Gate::UntilAdmin),
        1 => Just(Gate::Exhausted),
    ]
}

fn client() -> impl Strategy<Value = Client> {
    let text = |text: &str| Client::Types(text.to_owned());
    prop_oneof![
        3 => "[0-9]{6}|[0-9]{8}".prop_map(Client::Types),
        1 => Just(text(MARKED_CODE)),
        1 => Just(text(MARKER)),
        2 => ".{0,20}".prop_map(Client::Types),
        3 => prop::sample::select(vec!["?", "", "sms", "mail", "phone", "corp", "push", "llng", "rest", "totp"])
            .prop_map(text),
        1 => Just(text("07-GAYT-EMZU-GU3D-OOBZ")),
        1 => Just(Client::Withholds(Withheld::Shape)),
        1 => Just(Client::Withholds(Withheld::SshdRefusal)),
        1 => Just(Client::Withholds(Withheld::NoAnswer)),
        1 => Just(Client::StartsAgain),
    ]
}

/// A client that does nothing which ends a login at once.
fn patient() -> impl Strategy<Value = Client> {
    client().prop_filter("it ends the login", |client| {
        !matches!(client, Client::StartsAgain | Client::Withholds(Withheld::SshdRefusal | Withheld::NoAnswer))
    })
}

fn said() -> impl Strategy<Value = Said> {
    prop_oneof![
        1 => proptest::option::of(0_u32..10).prop_map(Said::Accepted),
        3 => gate().prop_map(Said::Wrong),
        1 => gate().prop_map(Said::Used),
        1 => gate().prop_map(Said::Locked),
        1 => gate().prop_map(Said::Unreachable),
        1 => Just(Said::NoFactor),
        1 => Just(Said::Orphaned),
        1 => Just(Said::Tampered),
        1 => Just(Said::ClockUnusable),
    ]
}

fn issued() -> impl Strategy<Value = Issued> {
    prop_oneof![
        6 => Just(Issued::Out),
        1 => (0_i64..4000).prop_map(|s| Issued::TooSoon { until: NOW.plus(s) }),
        1 => (0_i64..90_000).prop_map(|s| Issued::Capped { until: NOW.plus(s) }),
        1 => gate().prop_map(|gate| Issued::Locked { gate }),
        1 => Just(Issued::Failed),
        1 => Just(Issued::Busy),
        1 => Just(Issued::Impossible(Reason::NoFactor)),
    ]
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    proptest::collection::vec((client(), said(), issued()), 1..16)
}

prop_compose! {
    fn opening()(
        held in prop::sample::subsequence(
            vec![totp(), sms(), mail(), recovery(), corp(), push(), llng()], 0..=7),
        labels in proptest::collection::vec(proptest::option::of("[a-zA-Z][a-z ]{0,60}[a-z]"), 7),
        text in "[ -~]{1,128}",
        (conceal, proven, tokens) in (any::<bool>(), any::<bool>(), any::<bool>()),
        attempts in 0_u32..6,
        gate in gate(),
        preferred in proptest::option::of(prop::sample::select(vec!["sms", "mail", "push", "phone", "none"])),
    ) -> Opening {
        let mut held = held;
        for (holding, label) in held.iter_mut().zip(labels) {
            if let Some(label) = label {
                holding.label = FactorLabel::new(label).unwrap();
            }
        }
        Opening {
            settings: super::PromptSettings { text: ShownText::clean(&text), ..settings(conceal, attempts) },
            held: if held.is_empty() { Holding::of_nobody().into_iter().collect() } else { held },
            tokens,
            gate,
            proven,
            preferred: preferred.map(str::to_owned),
            kinds: Kinds::ALL,
            needed: 1,
        }
    }
}

fn message(client: &Client) -> ClientMessage {
    match client {
        Client::Types(text) => types(text),
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
    judged: u32,
    accepted_by_store: bool,
}

/// What a login is watched with: everything that must hold of each step.
struct Watch {
    held: Vec<Holding>,
    shape: AnswerShape,
}

impl Watch {
    fn way(&self, factor: mfa_proto::admin::FactorId) -> Way {
        self.held.iter().find(|holding| holding.factor == factor).expect("it is one of those held").way
    }

    fn look(&mut self, step: &Step) {
        let printed = format!("{step:?}");
        assert!(!printed.contains(MARKER) && !printed.contains(MARKED_CODE), "{printed}");
        match step {
            Step::Ask(asking) => {
                assert!(asking.text().as_str().len() <= MAX_SHOWN);
                self.shape = asking.shape();
            }
            Step::Judge(_, answer) => {
                let form = match answer {
                    Answer::Code(code) => code.shape(),
                    Answer::Recovery(_) => AnswerShape::RECOVERY,
                    Answer::Token(_) => AnswerShape::TOKEN,
                    Answer::Text(_) => AnswerShape::TEXT,
                    Answer::Pinned(_) => AnswerShape::PINNED,
                    Answer::Acknowledged | Answer::Choice(_) | Answer::Empty => {
                        panic!("{answer:?} is judged")
                    }
                };
                assert!(self.shape.includes(form), "only what the prompt asked for is judged");
            }
            Step::Issue(_, factor) => assert_ne!(self.way(*factor), Way::Own),
            Step::Consult(_, factor, _) => assert!(matches!(self.way(*factor), Way::Outside { .. })),
            Step::Inform(..) | Step::Settle(_) => {}
        }
    }
}

fn play(opening: Opening, moves: &[Move]) -> Seen {
    let mut watch = Watch { held: opening.held.clone(), shape: AnswerShape::NONE };
    let mut step = begin(opening, NOW);
    let (mut prompts, mut judged, mut accepted_by_store) = (Vec::new(), 0, false);
    let mut moves = moves.iter().cycle();
    let (_, mut said, mut issued) = moves.next().unwrap().clone();
    loop {
        watch.look(&step);
        step = match step {
            Step::Settle(settled) => return Seen { settled, prompts, judged, accepted_by_store },
            Step::Ask(asking) => {
                prompts.push(asking.text().as_str().to_owned());
                assert!(prompts.len() < 20, "a login that never ends: {prompts:?}");
                let next = moves.next().unwrap();
                (said, issued) = (next.1, next.2);
                asking.answered(&message(&next.0))
            }
            Step::Judge(judging, _) => {
                judged += 1;
                accepted_by_store |= matches!(said, Said::Accepted(_));
                judging.judged(said.outcome(), NOW)
            }
            Step::Consult(consulting, ..) => {
                judged += 1;
                accepted_by_store |= matches!(said, Said::Accepted(_));
                consulting.consulted(said.outcome(), NOW)
            }
            Step::Issue(issuing, factor) => issuing.issued(factor, issued, NOW),
            Step::Inform(informing, _) => {
                assert!(accepted_by_store, "only who got in is told of it");
                informing.informed()
            }
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn yes_wants_a_proof_and_every_login_ends(opening in opening(), moves in moves()) {
        let (settings, gate) = (opening.settings.clone(), opening.gate);
        let seen = play(opening, &moves);
        prop_assert_eq!(seen.settled.verdict() == Verdict::Accept, seen.accepted_by_store);
        prop_assert_ne!(seen.settled.verdict(), Verdict::NotApplicable);
        prop_assert!(seen.prompts.len() <= usize::try_from(MOST_ROUNDS).unwrap());
        prop_assert!(seen.judged <= settings.attempts.max(1));
        if settings.conceal {
            prop_assert!(seen.prompts.iter().all(|prompt| *prompt == settings.text.as_str()), "{:?}", seen.prompts);
        } else if !super::super::wait_is_short(gate, NOW) {
            prop_assert!(seen.prompts.len() == 1 && seen.judged == 0);
            prop_assert!(matches!(seen.settled.verdict(), Verdict::Locked | Verdict::Deny));
        }
    }

    #[test]
    fn one_factor_is_never_several(opening in opening(), moves in moves(), needed in 2_u8..5) {
        // All proofs here are of one factor.
        let seen = play(Opening { needed, ..opening }, &moves);
        prop_assert_ne!(seen.settled.verdict(), Verdict::Accept);
        prop_assert!(seen.prompts.len() <= usize::try_from(MOST_ROUNDS).unwrap());
    }

    #[test]
    fn a_patient_client_is_heard_until_its_rounds_are_used(
        opening in opening(),
        moves in proptest::collection::vec((patient(), said(), issued()), 1..16),
    ) {
        let seen = play(opening, &moves);
        prop_assert!(seen.prompts.len() <= usize::try_from(MOST_ROUNDS).unwrap());
        prop_assert_eq!(seen.settled.verdict() == Verdict::Accept, seen.accepted_by_store);
    }

    #[test]
    fn nothing_is_sent_unasked_before_the_password_is_proven(opening in opening()) {
        let begun = begin(Opening { proven: false, ..opening }, NOW);
        prop_assert!(!matches!(begun, Step::Issue(..)));
    }

    #[test]
    fn whoever_holds_one_code_of_their_own_meets_what_nobody_meets(
        opening in opening(),
        moves in moves(),
    ) {
        let with = |held: Holding| Opening {
            settings: opening.settings.clone(),
            held: vec![held],
            preferred: opening.preferred.clone(),
            ..opening
        };
        let moves: Vec<Move> = moves
            .into_iter()
            .map(|(client, said, issued)| {
                let said = if matches!(said, Said::Accepted(_)) { Said::Wrong(Gate::Open) } else { said };
                (client, said, issued)
            })
            .collect();
        let (real, nobody) = (play(with(totp()), &moves), play(with(Holding::of_nobody().unwrap()), &moves));
        prop_assert_eq!(real.prompts, nobody.prompts);
        prop_assert_eq!(real.settled.verdict(), nobody.settled.verdict());
    }
}
