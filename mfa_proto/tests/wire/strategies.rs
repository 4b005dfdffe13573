//! Any message of any type, for property tests.

use mfa_proto::{
    admin::{
        Algorithm, AuditFilter, FactorId, FactorKind, FactorRef, FactorState, HotpParams, LockReason,
        LockState, NewFactor, NewParams, NewTag, Refusal, RefusalCode, Reply, Request, TotpParams, UserPage,
        UserSummary,
    },
    answer::AnswerShape,
    auth_info::AuthInfo,
    egress::{Done, Errand, Found, Look, MAX_SEALED},
    hello::{Hello, Protocol, Welcome},
    login::{ClientMessage, Dialogue, ServerMessage, Start, Verdict, Withheld},
    name::{Claim, FactorLabel, RealmName, ServiceName, UserId, UserName},
    secret::SecretText,
    text::ShownText,
};
use proptest::{option, prelude::*};

fn name<T: std::str::FromStr<Err: std::fmt::Debug> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    "[a-zA-ZäöÜ0-9_.@-]{1,16}".prop_map(|text| text.parse().unwrap())
}

fn claim() -> impl Strategy<Value = Option<Claim>> {
    option::of("\\PC{0,64}|.{0,64}".prop_map(|text| Claim::clean(&text)))
}

fn auth_info() -> impl Strategy<Value = Option<AuthInfo>> {
    option::of(
        "(publickey [a-z0-9@.-]{1,30} [A-Za-z0-9+/=]{1,90}\n|.{0,64}\n){0,3}"
            .prop_map(|text| AuthInfo::clean(&text)),
    )
}

pub(crate) fn secret() -> impl Strategy<Value = SecretText> {
    "[0-9 -]{0,12}|.{0,64}".prop_map(|text| SecretText::new(text).unwrap())
}

fn shown() -> impl Strategy<Value = ShownText> {
    ".{0,300}".prop_map(|text| ShownText::clean(&text))
}

pub(crate) fn user() -> impl Strategy<Value = UserId> {
    (name::<RealmName>(), name::<UserName>()).prop_map(|(realm, name)| UserId { realm, name })
}

pub(crate) fn hello() -> impl Strategy<Value = Hello> {
    let protocol = prop_oneof![Just(Protocol::Login), Just(Protocol::Admin)];
    (any::<[u8; 4]>(), protocol, any::<u16>(), any::<u16>()).prop_map(|(magic, protocol, min, max)| Hello {
        magic,
        protocol,
        min,
        max,
    })
}

pub(crate) fn welcome() -> impl Strategy<Value = Welcome> {
    prop_oneof![
        any::<u16>().prop_map(Welcome::Version),
        any::<(u16, u16)>().prop_map(|(min, max)| Welcome::Unsupported { min, max }),
        Just(Welcome::Busy),
    ]
}

pub(crate) fn start() -> impl Strategy<Value = Start> {
    let dialogue = prop_oneof![Just(Dialogue::Interactive), Just(Dialogue::Combined)];
    (name(), name::<ServiceName>(), dialogue, claim(), claim(), claim(), auth_info()).prop_map(
        |(user, service, dialogue, remote_host, remote_user, terminal, ssh_auth_info)| Start {
            user,
            service,
            dialogue,
            remote_host,
            remote_user,
            terminal,
            ssh_auth_info,
        },
    )
}

pub(crate) fn client_message() -> impl Strategy<Value = ClientMessage> {
    prop_oneof![
        start().prop_map(ClientMessage::Start),
        secret().prop_map(ClientMessage::Answer),
        prop::sample::select(vec![Withheld::Shape, Withheld::SshdRefusal, Withheld::NoAnswer])
            .prop_map(ClientMessage::Withheld),
    ]
}

pub(crate) fn server_message() -> impl Strategy<Value = ServerMessage> {
    let shapes = vec![
        AnswerShape::SIX_DIGITS,
        AnswerShape::EIGHT_DIGITS,
        AnswerShape::ACKNOWLEDGE,
        AnswerShape::SIX_DIGITS.or(AnswerShape::EIGHT_DIGITS),
    ];
    let verdicts =
        vec![Verdict::Accept, Verdict::Deny, Verdict::Locked, Verdict::NotApplicable, Verdict::Unavailable];
    prop_oneof![
        (shown(), any::<bool>(), prop::sample::select(shapes))
            .prop_map(|(text, echo, shape)| ServerMessage::Prompt { text, echo, shape }),
        shown().prop_map(ServerMessage::Info),
        prop::sample::select(verdicts).prop_map(ServerMessage::Settled),
    ]
}

fn target() -> impl Strategy<Value = FactorRef> {
    let factor = option::of(any::<i64>().prop_map(FactorId));
    (user(), factor, option::of(name::<FactorLabel>())).prop_map(|(user, factor, label)| FactorRef {
        user,
        factor,
        label,
    })
}

fn new_factor() -> impl Strategy<Value = NewFactor> {
    let algorithm = || prop::sample::select(vec![Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512]);
    let params = prop_oneof![
        (algorithm(), any::<u8>(), any::<u16>()).prop_map(|(algorithm, digits, period)| NewParams::Totp(
            TotpParams { algorithm, digits, period }
        )),
        (algorithm(), any::<u8>(), any::<u64>()).prop_map(|(algorithm, digits, counter)| NewParams::Hotp(
            HotpParams { algorithm, digits, counter }
        )),
    ];
    let optional = (option::of(name()), option::of(secret()), option::of(secret()), option::of(secret()));
    (user(), params, any::<(bool, bool)>(), optional).prop_map(
        |(user, params, (activate, replace), (label, secret, current_code, invitation))| NewFactor {
            user,
            label,
            params,
            secret,
            activate,
            replace,
            current_code,
            invitation,
            tag: NewTag::default(),
        },
    )
}

fn audit_filter() -> impl Strategy<Value = AuditFilter> {
    let times = any::<(i64, Option<i64>, Option<i64>, Option<u32>)>();
    let words = (option::of("[a-z]{1,9}"), option::of("[a-z]{1,9}"));
    (times, option::of(user()), option::of(name()), claim(), words).prop_map(
        |((after, since, until, last), user, service, source, (verdict, event))| AuditFilter {
            after,
            user,
            service,
            source,
            verdict,
            event,
            since,
            until,
            last,
        },
    )
}

pub(crate) fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        new_factor().prop_map(|new| Request::Enroll(Box::new(new))),
        (user(), any::<Option<i64>>(), secret()).prop_map(|(user, id, code)| Request::Confirm {
            user,
            factor: id.map(FactorId),
            code
        }),
        (option::of(user()), any::<bool>()).prop_map(|(after, orphaned)| Request::List { after, orphaned }),
        user().prop_map(|user| Request::Show { user }),
        (target(), option::of(secret())).prop_map(|(target, code)| Request::Disable { target, code }),
        target().prop_map(|target| Request::Enable { target }),
        (target(), option::of(secret())).prop_map(|(target, code)| Request::Remove { target, code }),
        user().prop_map(|user| Request::Unlock { user }),
        user().prop_map(|user| Request::Reset { user }),
        Just(()).prop_map(|()| Request::Status),
        audit_filter().prop_map(|filter| Request::Audit(Box::new(filter))),
        Just(()).prop_map(|()| Request::ConfigCheck),
        Just(()).prop_map(|()| Request::Reload),
    ]
}

fn lock() -> impl Strategy<Value = LockState> {
    prop_oneof![
        Just(LockState::Open),
        any::<i64>().prop_map(|until| LockState::Until { until, reason: LockReason::Failures }),
        Just(LockState::UntilAdmin { reason: LockReason::LongWindow }),
    ]
}

fn summary() -> impl Strategy<Value = UserSummary> {
    let held = (
        prop::sample::select(vec![FactorKind::Totp, FactorKind::Hotp]),
        prop::sample::select(vec![FactorState::Pending, FactorState::Active, FactorState::Disabled]),
    );
    let times = (any::<Option<i64>>(), any::<Option<i64>>());
    (user(), prop::collection::vec(held, 0..8), times, lock(), any::<bool>()).prop_map(
        |(user, factors, (last_used, emergency_until), lock, tampered)| UserSummary {
            user,
            factors,
            last_used,
            lock,
            tampered,
            emergency_until,
        },
    )
}

/// The replies with lists and free text in them; the golden file has the others.
pub(crate) fn reply() -> impl Strategy<Value = Reply> {
    let codes = vec![RefusalCode::NotAllowed, RefusalCode::Locked, RefusalCode::Unavailable];
    prop_oneof![
        any::<u32>().prop_map(|factors| Reply::Done { factors }),
        (prop::collection::vec(summary(), 0..8), any::<bool>())
            .prop_map(|(users, more)| Reply::Users(UserPage { users, more })),
        (prop::sample::select(codes), shown())
            .prop_map(|(code, message)| Reply::Refused(Refusal { code, message })),
    ]
}

/// The errands and results of a look-up; the golden file has the others.
pub(crate) fn look() -> impl Strategy<Value = (Errand, Done)> {
    let sealed = prop::collection::vec(secret(), 0..=MAX_SEALED);
    (user(), option::of(secret()), option::of(secret()), sealed).prop_map(|(user, phone, mail, sealed)| {
        (Errand::Look(Box::new(Look { user })), Done::Found(Box::new(Found { phone, mail, sealed })))
    })
}
