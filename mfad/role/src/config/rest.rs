//! `[rest.NAME]`: outside services that begin and judge a second factor.
//!
//! What core and egress need of one stands apart: core never learns how it is called, egress never
//! what its word is worth.

use std::{collections::BTreeMap, time::Duration};

use mfa_proto::name::FactorLabel;

use super::{
    arguments::{Argument, arguments},
    codes::CodePattern,
    kinds::{Checked, choice, duration, line, number, text},
    reader::{Found, Reader, Section},
    sent::RESEND,
    template::{Allowed, Fact},
    tree::{Place, Value},
    url::{Url, url},
    web::Access,
};

const MINUTE: Duration = Duration::from_secs(60);
/// The most services.
const MAX_SERVICES: usize = 16;
/// What may stand in the address of a service.
const IN_ADDRESSES: Allowed =
    Allowed { facts: &[Fact::User, Fact::RemoteUser, Fact::Service], credentials: false };
/// Words that a prompt takes for something else.
const RESERVED: [&str; 7] = ["totp", "hotp", "recovery", "sms", "mail", "rest", "token"];

/// An outside service.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Rest {
    /// What its word is worth, and how it is asked for: for core.
    pub terms: RestTerms,
    /// How it is called: for egress.
    pub calls: RestCalls,
}

/// All services by name.
pub type RestServices = BTreeMap<FactorLabel, Rest>;

/// What core needs of an outside service.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RestTerms {
    /// What prompts call it.
    pub label: String,
    /// Whether it is told that a login begins, before anything is asked.
    pub begins: bool,
    /// How long after it was told it may be told again.
    pub resend_interval: Duration,
    /// What its yes is worth, for front ends that ask.
    pub authn_level: Option<u8>,
    /// Who judges.
    pub judge: Judge,
}

/// Who judges what the person answered.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Judge {
    /// The service.
    Service,
    /// Core, which makes the code that the service only delivers.
    Core {
        /// What a code looks like.
        pattern: CodePattern,
        /// How long it counts.
        lifetime: Duration,
    },
}

/// What egress needs of an outside service.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RestCalls {
    /// What is sent, and what answers mean.
    pub contract: Contract,
    /// How it is told that a login begins.
    pub begin: Option<RestCall>,
    /// How it is asked to judge.
    pub judge: Option<RestCall>,
    /// Whom to trust, and what proves who calls.
    pub access: Access,
}

/// One call of an outside service.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RestCall {
    /// Where.
    pub url: Url,
    /// What it is told beside user and code.
    pub arguments: Vec<(String, Argument)>,
}

/// What is sent to a service, and what its answers mean.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Contract {
    /// `LemonLDAP::NG`'s REST second factor: JSON `{"user":…,"code":…}`; yes is `{"result":true}`.
    LemonLdap,
    /// CERN's `pam_2fa`: the code is the body; yes is status 200, no is 401 and 403.
    Pam2fa,
    /// LinOTP's and privacyIDEA's `/validate/check`: a form of `user` and `pass`; yes is `value` true.
    Validate,
}

/// Reads all services.
pub(super) fn read_all(reader: &mut Reader, root: &mut Section) -> RestServices {
    let mut services = RestServices::new();
    for (index, (name, place, table)) in reader.tables(root, "rest").into_iter().enumerate() {
        if index == MAX_SERVICES {
            reader.fault(Some(place), format!("this is one service too many: keep {MAX_SERVICES}"));
        }
        let label = FactorLabel::new(name.clone()).ok();
        let reserved = RESERVED.iter().any(|word| word.eq_ignore_ascii_case(&name));
        if reserved || name.bytes().all(|b| b.is_ascii_digit()) {
            let message =
                format!("[rest.{name}]: a prompt takes `{name}` for something else: give it another name");
            reader.fault(Some(place), message);
        }
        if let Some((label, rest)) = label.zip(read(reader, &name, place, table)) {
            services.insert(label, rest);
        }
    }
    services
}

/// Notes the keys of a service as known, though there may be none.
pub(super) fn note_keys(reader: &mut Reader, place: Place) {
    let _none = read(reader, "NAME", place, Section::empty("rest.NAME"));
}

fn read(reader: &mut Reader, name: &str, place: Place, mut section: Section) -> Option<Rest> {
    let s = &mut section;
    let contracts = choice(&[
        ("lemonldap", Contract::LemonLdap),
        ("pam_2fa", Contract::Pam2fa),
        ("validate", Contract::Validate),
    ]);
    let contract = reader.value(s, "contract", Contract::LemonLdap, contracts);
    let begin = read_call(reader, s, ("init_url", "init_args"));
    let judge = read_call(reader, s, ("verify_url", "verify_args"));
    let pattern = reader.optional(s, "code_regex", code_regex);
    let lifetime = reader.value(s, "lifetime", MINUTE * 5, duration(MINUTE..=MINUTE * 10));
    if lifetime.place.is_some() && pattern.place.is_none() {
        reader.fault(
            lifetime.place,
            "`lifetime` is for codes that are made here: add `code_regex`, or remove it",
        );
    }
    let access = Access::read(reader, s);
    let terms = RestTerms {
        label: reader.optional(s, "label", line(64)).value.unwrap_or_else(|| name.to_owned()),
        begins: begin.is_some(),
        resend_interval: reader
            .value(s, "resend_interval", RESEND, duration(Duration::from_secs(10)..=MINUTE * 10))
            .value,
        authn_level: reader.optional(s, "authn_level", number(1..=9)).value,
        judge: match pattern.value.clone() {
            Some(pattern) => Judge::Core { pattern, lifetime: lifetime.value },
            None => Judge::Service,
        },
    };
    let unread = s.is_unread();
    reader.close(section);
    let whole = check_calls(reader, place, &contract, (&begin, &judge), &pattern);
    let call = |called: Option<Called>| called.and_then(|called| called.call);
    let calls = RestCalls { contract: contract.value, begin: call(begin), judge: call(judge), access };
    (whole && !unread).then_some(Rest { terms, calls })
}

/// A call that was written, though it may be faulty.
struct Called {
    call: Option<RestCall>,
    /// Where its address stands.
    place: Place,
    /// Where its arguments stand, if it has any.
    told_at: Option<Place>,
}

fn read_call(
    reader: &mut Reader,
    s: &mut Section,
    (address, told): (&'static str, &'static str),
) -> Option<Called> {
    let found: Found<Option<Url>> = reader.optional(s, address, url(IN_ADDRESSES));
    let told_at = s.place_of(told);
    let arguments = arguments(reader, s, told);
    if found.place.is_none() {
        reader.fault(told_at, format!("`{told}` is told to nobody: add `{address}`"));
    }
    let call = found.value.map(|url| RestCall { url, arguments });
    found.place.map(|place| Called { call, place, told_at })
}

/// Whether what the contract needs is there, and nothing that is never used.
fn check_calls(
    reader: &mut Reader,
    place: Place,
    contract: &Found<Contract>,
    (begin, judge): (&Option<Called>, &Option<Called>),
    pattern: &Found<Option<CodePattern>>,
) -> bool {
    let at = |called: &Option<Called>| called.as_ref().map(|called| called.place);
    let mut told = |place: Option<Place>, message: &str| {
        reader.fault(place, message);
        false
    };
    if contract.faulty {
        return false;
    }
    if contract.value != Contract::LemonLdap {
        if let Some(stray) = at(begin).or(pattern.place) {
            return told(
                Some(stray),
                "`init_url` and `code_regex` belong to `contract = \"lemonldap\"`: remove them",
            );
        }
        let arguments = judge.as_ref().and_then(|called| called.told_at);
        if contract.value == Contract::Pam2fa && arguments.is_some() {
            return told(arguments, "`contract = \"pam_2fa\"` sends only the code: remove `verify_args`");
        }
        if judge.is_none() {
            return told(Some(place), "this service is not whole: add `verify_url = \"https://…\"`");
        }
        return true;
    }
    match (pattern.place, at(begin), at(judge)) {
        (Some(_), None, _) => {
            told(pattern.place, "`code_regex` needs `init_url`: the service that delivers the code")
        }
        (Some(_), Some(_), Some(judge)) => {
            told(Some(judge), "`verify_url` is never called when `code_regex` is set: remove one of them")
        }
        (None, _, None) => told(
            Some(place),
            "this service is not whole: add `verify_url = \"https://…\"` (or `init_url` and `code_regex`)",
        ),
        (Some(_), Some(_), None) | (None, _, Some(_)) => true,
    }
}

fn code_regex(value: &Value) -> Checked<CodePattern> {
    CodePattern::parse(text(value)?)
}
