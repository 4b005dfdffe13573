//! `StartTLS` (RFC 4511 4.14): asks for it and reads the one answer.
//!
//! Reads not a byte more than the answer has, so that nothing which came before TLS is believed after it.

use ldap3::asn1::{PL, StructureTag, TagClass, parse_tag};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::LdapTrouble;

/// An extended request, number 1, of 1.3.6.1.4.1.1466.20037.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// An extended response (RFC 4511 4.12).
const RESPONSE: u64 = 24;
/// The longest answer, in bytes.
const MAX_ANSWER: usize = 1024;

/// Has the server begin TLS.
pub(super) async fn ask(stream: &mut TcpStream) -> Result<(), LdapTrouble> {
    let answer = converse(stream).await.map_err(|_| LdapTrouble::Broken("StartTLS"))?;
    if agrees(&answer) { Ok(()) } else { Err(LdapTrouble::NoStartTls) }
}

async fn converse(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    stream.write_all(REQUEST).await?;
    let mut answer = vec![stream.read_u8().await?, stream.read_u8().await?];
    // The length of the whole, in one byte, or in so many more (X.690 8.1.3).
    let mut length = match answer.last() {
        Some(short @ 0..=0x7f) => usize::from(*short),
        Some(long @ 0x81..=0x84) => {
            let mut length = 0_usize;
            for _ in 0x80..*long {
                let byte = stream.read_u8().await?;
                answer.push(byte);
                length = length.saturating_mul(256).saturating_add(usize::from(byte));
            }
            length
        }
        Some(_) | None => 0,
    };
    length = length.min(MAX_ANSWER);
    let head = answer.len();
    answer.resize(head.saturating_add(length), 0);
    stream.read_exact(answer.get_mut(head..).unwrap_or_default()).await?;
    Ok(answer)
}

fn agrees(answer: &[u8]) -> bool {
    let Ok((_, StructureTag { payload: PL::C(parts), .. })) = parse_tag(answer) else { return false };
    let [number, response, ..] = parts.as_slice() else { return false };
    let is_first = matches!(&number.payload, PL::P(number) if number.as_slice() == [1]);
    let is_response = response.class == TagClass::Application && response.id == RESPONSE;
    let PL::C(fields) = &response.payload else { return false };
    let is_success =
        matches!(fields.first().map(|code| &code.payload), Some(PL::P(code)) if code.as_slice() == [0]);
    is_first && is_response && is_success
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_success_of_this_very_request_agrees() {
        let answer =
            |number: u8, tag: u8, code: u8| [0x30, 0x0c, 2, 1, number, tag, 7, 0x0a, 1, code, 4, 0, 4, 0];
        assert!(agrees(&answer(1, 0x78, 0)));
        for other in [answer(0, 0x78, 0), answer(2, 0x78, 0), answer(1, 0x61, 0), answer(1, 0x78, 2)] {
            assert!(!agrees(&other), "{other:?}");
        }
        for length in 0..14 {
            assert!(!agrees(&answer(1, 0x78, 0)[..length]));
        }
    }

    proptest! {
        #[test]
        fn no_answer_upsets_it(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _judged = agrees(&bytes);
        }
    }
}
