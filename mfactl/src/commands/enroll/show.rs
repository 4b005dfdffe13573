//! What a person needs to set up a new factor: key, QR code, secrets of a token. Shown once.

use mfa_proto::admin::{Enrolled, FactorState, NewParams};
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;
use mfa_qr::{Ink, Qr};

use super::super::{Context, hint, secret};
use super::wanted::Wanted;
use crate::cli::{QrStyle, Shown};
use crate::failure::Failure;
use crate::render::{self, style::Style, style::Tone};

/// Shows the new factor.
pub(super) fn show(context: &mut Context, wanted: &Wanted, new: &Enrolled) -> Result<(), Failure> {
    let state = match new.state {
        FactorState::Active => "active",
        FactorState::Pending | FactorState::Disabled | FactorState::Exhausted => {
            "does not count until it is confirmed"
        }
    };
    let title = format!(
        "New factor {} of {}: {} \"{}\", {state}.",
        new.factor.0,
        escape_for_log(&wanted.whom.to_string()),
        render::factor::kind(wanted.params.kind()),
        escape_for_log(new.label.as_str()),
    );
    context.out.text(&format!("{}\n", context.out.style.paint(Tone::Strong, &title)))?;
    if let Some(to) = &new.sent_to {
        context.out.text(&format!("A code was sent to {}.\n", escape_for_log(to.as_str())))?;
    }
    match (&new.secret, &new.signing_secret, &wanted.shown) {
        (Some(seed), Some(signing), _) => token(context, &wanted.whom, seed, signing),
        (Some(secret), None, Some(shown)) => {
            authenticator(context, (&wanted.params, shown), (secret, new.uri.as_ref()))
        }
        (Some(_), None, None) | (None, ..) => Ok(()),
    }
}

/// The two secrets of a token factor, as what makes tokens has them in its configuration.
fn token(
    context: &mut Context,
    whom: &UserId,
    seed: &SecretText,
    signing: &SecretText,
) -> Result<(), Failure> {
    context
        .out
        .text("\nWhat makes the tokens needs these two, which cannot be shown again:\n\n    otp_seed = \"")?;
    context.out.text(seed.expose())?;
    context.out.text("\"\n    token_secret = \"")?;
    context.out.text(signing.expose())?;
    let whom = hint::shell_word(whom);
    context.out.text(&format!("\"\n\nOn this host, root has tokens made by: mfactl token issue {whom}\n"))
}

/// The key of an authenticator app, as text and as QR code.
pub(in crate::commands) fn authenticator(
    context: &mut Context,
    (params, shown): (&NewParams, &Shown),
    (secret, uri): (&SecretText, Option<&SecretText>),
) -> Result<(), Failure> {
    let picture = uri.map_or(Picture::None, |uri| plan(context, shown.qr, uri));
    context.out.text(match picture {
        Picture::Drawn(..) => "\nScan the code below with an authenticator app, or type in this key:\n\n    ",
        Picture::None | Picture::Impossible(_) => "\nType this key into an authenticator app:\n\n    ",
    })?;
    context.out.text(&secret::grouped(secret))?;
    context.out.text(&format!("\n\n    {}\n\n", parameters(params)))?;
    if let Some(uri) = uri.filter(|_| shown.uri) {
        context.out.text("    ")?;
        context.out.text(uri.expose())?;
        context.out.text("\n\n")?;
    }
    draw(context, &picture)
}

fn parameters(params: &NewParams) -> String {
    match params {
        NewParams::Totp(p) => {
            format!("time-based, {}", render::factor::parameters(p.algorithm, p.digits, Some(p.period)))
        }
        NewParams::Hotp(p) => format!(
            "counter-based from {}, {}",
            p.counter,
            render::factor::parameters(p.algorithm, p.digits, None)
        ),
        NewParams::Sms(_) | NewParams::Mail(_) | NewParams::Rest(_) | NewParams::Token(_) => String::new(),
    }
}

/// What becomes of the QR code.
enum Picture {
    /// It is shown.
    Drawn(Qr, Ink),
    /// It is not wanted.
    None,
    /// It cannot be shown, and why.
    Impossible(String),
}

fn plan(context: &Context, style: QrStyle, uri: &SecretText) -> Picture {
    let Style { color, screen } = context.out.style;
    let ink = match (style, screen) {
        (QrStyle::None, _) | (QrStyle::Auto, None) => return Picture::None,
        (QrStyle::Inverted, _) => Ink::DarkDrawn,
        (QrStyle::Auto, Some(_)) if color => Ink::Colored,
        (QrStyle::Auto | QrStyle::Plain, _) => Ink::LightDrawn,
    };
    let Some(qr) = Qr::of(uri.expose()) else {
        return Picture::Impossible("the link is too long for one".to_owned());
    };
    let Some(screen) = screen else {
        return Picture::Drawn(qr, ink);
    };
    let qr = qr.fitted(screen);
    if qr.fits_columns(screen) {
        return Picture::Drawn(qr, ink);
    }
    let (there, needed) = (screen.columns, qr.columns());
    Picture::Impossible(format!("the terminal has {there} columns, {needed} are needed"))
}

/// Shows the QR code last, next to the prompt, where it is seen whole on the smallest screen.
fn draw(context: &mut Context, picture: &Picture) -> Result<(), Failure> {
    match picture {
        Picture::None => Ok(()),
        Picture::Impossible(why) => context.out.text(&format!("(No QR code: {why}.)\n\n")),
        Picture::Drawn(qr, ink) => {
            if let Some(screen) = context.out.style.screen.filter(|screen| !qr.fits_rows(*screen)) {
                let needed = qr.rows().saturating_add(1);
                let rows = screen.rows;
                let text =
                    format!("(The terminal has {rows} rows; to see the code whole, give it {needed}.)\n\n");
                context.out.text(&text)?;
            }
            context.out.text(&qr.draw(*ink))
        }
    }
}
