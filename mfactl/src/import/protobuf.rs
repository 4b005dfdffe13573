//! The little of protocol buffers that a migration payload needs: fields in order, varints and bytes.
//!
//! Refuses groups, field number 0, numbers over 64 bits, and lengths beyond the end.

/// The value of a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Value<'b> {
    /// A varint.
    Number(u64),
    /// Bytes: text, or a message.
    Bytes(&'b [u8]),
    /// Four or eight bytes, which nothing here uses.
    Fixed,
}

/// The bytes are not a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Malformed;

/// The fields of a message: number and value.
#[derive(Debug)]
pub(super) struct Fields<'b>(pub(super) &'b [u8]);

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Result<(u64, Value<'b>), Malformed> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| Malformed)?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            _ => return Err(Malformed),
        };
        if tag >> 3 == 0 { Err(Malformed) } else { Ok((tag >> 3, value)) }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0_u32..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Malformed)?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            let placed = bits << shift;
            if placed >> shift != bits {
                return Err(Malformed);
            }
            number |= placed;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Malformed)
    }

    fn bytes(&mut self, length: usize) -> Result<&'b [u8], Malformed> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, Malformed> {
        Fields(bytes).collect()
    }

    #[test]
    fn fields_as_the_encoding_guide_has_them() {
        assert_eq!(fields(&[0x08, 0x96, 0x01]), Ok(vec![(1, Value::Number(150))]));
        assert_eq!(fields(b"\x12\x07testing"), Ok(vec![(2, Value::Bytes(b"testing"))]));
        let most = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(fields(&most), Ok(vec![(1, Value::Number(u64::MAX))]));
        assert_eq!(fields(&[0x0d, 1, 2, 3, 4]), Ok(vec![(1, Value::Fixed)]));
    }

    #[test]
    fn what_is_cut_or_too_large_is_malformed() {
        let too_large = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        let too_long = [0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        for bytes in [
            &[0x08][..],
            &[0x08, 0x80],
            b"\x12\x08testing",
            &[0x00, 1],
            &[0x0b],
            &[0x0c],
            &too_large,
            &too_long,
        ] {
            assert_eq!(fields(bytes), Err(Malformed), "{bytes:x?}");
        }
    }

    proptest! {
        #[test]
        fn it_ends_on_anything(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Fields(&bytes).count() <= bytes.len());
        }
    }
}
