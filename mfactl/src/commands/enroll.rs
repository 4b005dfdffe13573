//! `enroll`: adds a factor, shows what to scan or type in, and has it confirmed.

use mfa_proto::admin::{
    Enrolled, FactorKind, FactorState, HotpParams, NewFactor, NewParams, Reply, Request, TotpParams,
};
use mfa_proto::name::UserId;
use mfa_proto::secret::SecretText;
use mfa_proto::text::escape_for_log;

use super::{Context, code, confirm, hint, secret, user};
use crate::cli::{EnrollArgs, EnrollKind, QrStyle};
use crate::failure::{Failure, exit};
use crate::render::{self, qr::Ink, qr::Qr, style::Style, style::Tone};
use crate::terminal;

/// Adds a factor.
pub(super) fn run(context: &mut Context, kind: EnrollKind) -> Result<u8, Failure> {
    let (arguments, params, kind) = split(kind);
    let whom = user::resolve(context, &arguments.user)?;
    let brought = if arguments.given.secret_stdin {
        Some(secret::tidy(&terminal::stdin_line(&mut context.out, "key (base32)")?)?)
    } else {
        None
    };
    let current = if arguments.given.code_stdin { Some(code::from_stdin(context)?) } else { None };
    let reply = code::ask_with_current(context, current, |current_code| {
        Request::Enroll(Box::new(NewFactor {
            user: whom.clone(),
            label: arguments.label.clone(),
            params: params.again(),
            secret: brought.as_ref().map(SecretText::again),
            activate: arguments.activation.no_confirm,
            replace: arguments.activation.replace,
            current_code,
        }))
    });
    let reply = reply.map_err(|f| f.or_hint(|code| hint::user(code, &whom, &context.now)))?;
    let Reply::Enrolled(new) = reply else {
        return Err(context.target.unexpected());
    };
    context.out.json(&render::view::enrolled(&whom, kind, &new))?;
    show(context, &whom, &arguments, &params, &new)?;
    finish(context, &whom, &new)
}

fn split(kind: EnrollKind) -> (EnrollArgs, NewParams, FactorKind) {
    match kind {
        EnrollKind::Totp { common, period } => {
            let (algorithm, digits) = (common.algorithm.into(), common.digits);
            (common, NewParams::Totp(TotpParams { algorithm, digits, period }), FactorKind::Totp)
        }
        EnrollKind::Hotp { common, counter } => {
            let (algorithm, digits) = (common.algorithm.into(), common.digits);
            (common, NewParams::Hotp(HotpParams { algorithm, digits, counter }), FactorKind::Hotp)
        }
    }
}

fn show(
    context: &mut Context,
    whom: &UserId,
    arguments: &EnrollArgs,
    params: &NewParams,
    new: &Enrolled,
) -> Result<(), Failure> {
    let state = match new.state {
        FactorState::Active => "active",
        FactorState::Pending | FactorState::Disabled | FactorState::Exhausted => {
            "does not count until it is confirmed"
        }
    };
    let title = format!(
        "New factor {} of {}: {} \"{}\", {state}.",
        new.factor.0,
        escape_for_log(&whom.to_string()),
        render::factor::kind(params.kind()),
        escape_for_log(new.label.as_str()),
    );
    context.out.text(&format!("{}\n", context.out.style.paint(Tone::Strong, &title)))?;
    let Some(secret) = &new.secret else {
        return Ok(());
    };
    let picture = new.uri.as_ref().map_or(Picture::None, |uri| plan(context, arguments.shown.qr, uri));
    context.out.text(match picture {
        Picture::Drawn(..) => "\nScan the code below with an authenticator app, or type in this key:\n\n    ",
        Picture::None | Picture::Impossible(_) => "\nType this key into an authenticator app:\n\n    ",
    })?;
    context.out.text(&secret::grouped(secret))?;
    context.out.text(&format!("\n\n    {}\n\n", parameters(params)))?;
    if let Some(uri) = new.uri.as_ref().filter(|_| arguments.shown.uri) {
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

/// Has a pending factor confirmed when someone can be asked, else says how.
fn finish(context: &mut Context, whom: &UserId, new: &Enrolled) -> Result<u8, Failure> {
    if new.state == FactorState::Active || context.out.json {
        return Ok(exit::OK);
    }
    if terminal::interactive() {
        let prompt = "Code that the authenticator shows now (Ctrl-C to confirm later): ";
        return confirm::until_right(context, whom, Some(new.factor), prompt);
    }
    let command = confirm::command(whom, Some(new.factor));
    context.out.text(&format!("When the authenticator is set up: {command}\n"))?;
    Ok(exit::OK)
}
