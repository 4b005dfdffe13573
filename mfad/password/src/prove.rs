//! The child's side: one request from standard input, one reply to standard output, the end. Refuses to
//! outlive its parent.

use std::{
    io::{Read, Write},
    process::ExitCode,
};

use mfa_proto::{codec, frame, password::Request};
use mfa_role::{config::Log, harden, log};
use nix::sys::{prctl, signal::Signal};
use zeroize::Zeroizing;

use crate::pam;

/// Runs it. Any exit status but 0 is no answer.
pub(crate) fn run(service: &str) -> ExitCode {
    match answer(service) {
        Some(()) => ExitCode::SUCCESS,
        None => ExitCode::FAILURE,
    }
}

fn answer(service: &str) -> Option<()> {
    harden::harden().ok()?;
    prctl::set_pdeathsig(Signal::SIGKILL).ok()?;
    log::start(&Log::default()).ok()?;
    let request = request(&mut std::io::stdin().lock())?;
    let reply = codec::encode(&pam::prove(service, &request)).ok()?;
    let mut output = std::io::stdout().lock();
    output.write_all(&reply).and_then(|()| output.flush()).ok()
}

/// The one request that is there, to the end of the input.
fn request(input: &mut impl Read) -> Option<Request> {
    let most = frame::HEADER.saturating_add(frame::MAX_PAYLOAD);
    // One allocation of the largest size, so that no copy is left behind.
    let mut whole = Zeroizing::new(Vec::with_capacity(most.saturating_add(1)));
    let limit = u64::try_from(most).ok()?.saturating_add(1);
    input.take(limit).read_to_end(&mut whole).ok()?;
    let (header, payload) = whole.split_first_chunk::<{ frame::HEADER }>()?;
    if frame::payload_length(*header).ok()? != payload.len() {
        return None;
    }
    codec::decode(payload).ok()
}

#[cfg(test)]
mod tests {
    use mfa_proto::{
        name::UserName,
        password::{Check, Request},
        secret::SecretText,
    };

    use super::*;

    #[test]
    fn one_whole_request_is_taken_and_nothing_else() {
        let check = Check {
            user: UserName::new("jane").unwrap(),
            password: SecretText::new("x".repeat(512)).unwrap(),
            source: None,
        };
        let whole = codec::encode(&Request::Check(Box::new(check))).unwrap();
        assert!(request(&mut whole.as_slice()).is_some());
        for length in 0..whole.len() {
            assert!(request(&mut &whole[..length]).is_none(), "cut to {length}");
        }
        let longer = [whole.as_slice(), b"x"].concat();
        assert!(request(&mut longer.as_slice()).is_none());
        assert!(request(&mut std::io::repeat(0x0f)).is_none());
    }
}
