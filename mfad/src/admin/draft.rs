//! What a new factor is made of: parameters and secret as they were asked for, checked, or made here.
//!
//! Refuses what the configuration has no gateway, service or domain for: it could not be used.

use mfa_proto::{
    admin::{Algorithm, HotpParams, NewParams, Refusal, RefusalCode, RestParams, SentParams, TokenParams},
    egress::Medium,
    name::{Claim, UserId},
    secret::SecretText,
};
use zeroize::Zeroizing;

use super::refusal::refused;
use crate::{
    factor::{
        Address, Moving, Outside, Params, Secret, Seed, SeedError, TokenSecret,
        token::{check_signing, fresh_signing},
    },
    settings::Settings,
};

/// A factor to be, and what is shown of it once.
pub(crate) struct Draft {
    pub(crate) params: Params,
    pub(crate) start: Moving,
    pub(crate) secret: Secret,
    pub(crate) shown: Shown,
}

/// What the person sets the new factor up with.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    pub(crate) key: Option<SecretText>,
    pub(crate) link: Option<SecretText>,
    pub(crate) signing: Option<SecretText>,
}

/// Whose key it is, where one was brought along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// Typed or made for this host: as long as the RFC wants.
    Ours,
    /// Another program's, whose keys may be shorter.
    Elsewhere,
}

impl Draft {
    /// Checks what was asked for, and makes what was left to be made.
    pub(crate) fn new(
        settings: &Settings,
        user: &UserId,
        (params, key): (NewParams, Option<SecretText>),
        origin: Origin,
    ) -> Result<Self, Refusal> {
        if key.is_some() && matches!(params, NewParams::Sms(_) | NewParams::Mail(_) | NewParams::Rest(_)) {
            return Err(invalid("this kind of factor has no key"));
        }
        match params {
            NewParams::Totp(totp) => Self::of_seed(user, (Params::Totp(totp), 0), key, origin),
            NewParams::Hotp(HotpParams { algorithm, digits, counter }) => {
                let counter = i64::try_from(counter)
                    .map_err(|_| invalid("the counter is too large: it must be below 9223372036854775808"))?;
                Self::of_seed(user, (Params::Hotp { algorithm, digits }, counter), key, origin)
            }
            NewParams::Sms(sent) => Self::of_address(settings, Medium::Sms, &sent),
            NewParams::Mail(sent) => Self::of_address(settings, Medium::Mail, &sent),
            NewParams::Rest(rest) => Self::of_service(settings, user, rest),
            NewParams::Token(token) => Self::of_token(settings, token, key),
        }
    }

    fn of_seed(
        user: &UserId,
        (params, counter): (Params, i64),
        key: Option<SecretText>,
        origin: Origin,
    ) -> Result<Self, Refusal> {
        if !params.is_valid() {
            return Err(invalid("codes have 6 or 8 digits, and a step lasts 15 to 120 seconds"));
        }
        let start = params.start(counter);
        let Some(key) = key else {
            let seed = Seed::generate(params.algorithm().unwrap_or_default()).map_err(unusable)?;
            let shown = Shown::of_seed(params, start, &seed, user)?;
            return Ok(Self { params, start, secret: seed.into(), shown });
        };
        let seed = match origin {
            Origin::Ours => Seed::from_base32(&key),
            Origin::Elsewhere => Seed::brought_along_base32(&key),
        };
        Ok(Self { params, start, secret: seed.map_err(unusable)?.into(), shown: Shown::default() })
    }

    fn of_address(settings: &Settings, medium: Medium, sent: &SentParams) -> Result<Self, Refusal> {
        let config = settings.config();
        let (on, section, usual) = match medium {
            Medium::Sms => (config.sms().is_on(), "[sms]", config.sms().limits.digits),
            Medium::Mail => (config.mail().is_on(), "[mail]", config.mail().limits.digits),
        };
        if !on {
            return Err(invalid(&format!("no code can be sent that way: {section} is not configured")));
        }
        let address = Address::of(medium, &sent.address).map_err(|error| invalid(&error.to_string()))?;
        let digits = sent.digits.unwrap_or(usual);
        let params = match medium {
            Medium::Sms => Params::Sms { digits },
            Medium::Mail => Params::Mail { digits },
        };
        Ok(Self { start: params.start(0), params, secret: address.into(), shown: Shown::default() })
    }

    fn of_service(settings: &Settings, user: &UserId, rest: RestParams) -> Result<Self, Refusal> {
        let RestParams { service, remote_user } = rest;
        if settings.outside(&service).is_none() {
            return Err(invalid(&format!(
                "there is no service {service}: [rest.{service}] is not configured"
            )));
        }
        let remote_user = remote_user.unwrap_or_else(|| Claim::clean(user.name.as_str()));
        let secret = Secret::Outside(Outside { service, remote_user });
        Ok(Self { params: Params::Rest, start: Params::Rest.start(0), secret, shown: Shown::default() })
    }

    fn of_token(settings: &Settings, token: TokenParams, key: Option<SecretText>) -> Result<Self, Refusal> {
        let start = Params::Token.start(0);
        let draft =
            |secret, shown| Self { params: Params::Token, start, secret: Secret::Token(secret), shown };
        match (token.domain, key, token.signing_secret) {
            (Some(domain), None, None) => {
                let known = settings.for_store();
                if !known.token.domains.iter().any(|known| known.name == domain) {
                    let message = format!(
                        "[token.\"{domain}\"] is not configured: there is nothing to verify its tokens by"
                    );
                    return Err(invalid(&message));
                }
                Ok(draft(TokenSecret::Domain(domain), Shown::default()))
            }
            (None, None, None) => {
                let seed = Seed::generate(Algorithm::Sha1).map_err(unusable)?;
                let signing = fresh_signing().map_err(unusable)?;
                let shown =
                    Shown { key: Some(text(seed.to_base32())?), link: None, signing: Some(signing.again()) };
                Ok(draft(TokenSecret::Own { seed, signing }, shown))
            }
            (None, Some(key), Some(signing)) => {
                let seed = Seed::brought_along_base32(&key).map_err(unusable)?;
                check_signing(&signing)
                    .map_err(|error| invalid(&format!("the signing secret cannot be used: {error}")))?;
                Ok(draft(TokenSecret::Own { seed, signing }, Shown::default()))
            }
            _ => Err(invalid("a token factor has a domain, or both secrets of its own, or neither")),
        }
    }
}

impl Shown {
    /// An error when it cannot be shown: it could not be set up then.
    fn of_seed(params: Params, start: Moving, seed: &Seed, user: &UserId) -> Result<Self, Refusal> {
        let host = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
        let host = host.unwrap_or_else(|| "localhost".to_owned());
        let link = params.uri(seed, &host, &user.to_string(), start).ok_or_else(not_showable)?;
        Ok(Self { key: Some(text(seed.to_base32())?), link: Some(text(link)?), signing: None })
    }
}

fn text(mut text: Zeroizing<String>) -> Result<SecretText, Refusal> {
    SecretText::new(std::mem::take(&mut *text)).map_err(|_| not_showable())
}

fn not_showable() -> Refusal {
    invalid("no link for authenticator apps can be made of this user name")
}

fn unusable(error: SeedError) -> Refusal {
    invalid(&error.to_string())
}

fn invalid(message: &str) -> Refusal {
    refused(RefusalCode::Invalid, message)
}
