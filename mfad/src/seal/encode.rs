//! The one canonical way to write fields as bytes before they are authenticated.
//!
//! Each field is a tag, a length and the bytes, so no two lists of fields give the same bytes.

/// A list of fields in canonical form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<u8>);

impl Fields {
    /// Begins a list; `context` says what it is for, so that codes of one use never fit another.
    pub(crate) fn new(context: &str) -> Self {
        let mut fields = Self(Vec::with_capacity(512));
        fields.text(context);
        fields
    }

    fn push(&mut self, tag: u8, bytes: &[u8]) {
        // usize is at most 64 bits on every target.
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.0.push(tag);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend_from_slice(bytes);
    }

    /// Adds bytes.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.push(b'b', bytes);
        self
    }

    /// Adds text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.push(b't', text.as_bytes());
        self
    }

    /// Adds a number.
    pub(crate) fn int(&mut self, number: impl Into<i64>) -> &mut Self {
        self.push(b'i', &number.into().to_be_bytes());
        self
    }

    /// Adds a number that may be missing; missing differs from every number.
    pub(crate) fn maybe_int(&mut self, number: Option<impl Into<i64>>) -> &mut Self {
        match number {
            Some(number) => self.int(number),
            None => self.none(),
        }
    }

    /// Adds text that may be missing; missing differs from empty.
    pub(crate) fn maybe_text(&mut self, text: Option<&str>) -> &mut Self {
        match text {
            Some(text) => self.text(text),
            None => self.none(),
        }
    }

    fn none(&mut self) -> &mut Self {
        self.push(b'n', &[]);
        self
    }

    /// The bytes to authenticate.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(build: impl FnOnce(&mut Fields)) -> Vec<u8> {
        let mut fields = Fields::new("test");
        build(&mut fields);
        fields.as_bytes().to_vec()
    }

    #[test]
    fn no_two_lists_give_the_same_bytes() {
        let lists = [
            made(|f| _ = f.text("ab").text("c")),
            made(|f| _ = f.text("a").text("bc")),
            made(|f| _ = f.text("abc")),
            made(|f| _ = f.bytes(b"abc")),
            made(|f| _ = f.text("abc").text("")),
            made(|f| _ = f.text("abc").maybe_text(None)),
            made(|f| _ = f.int(0)),
            made(|f| _ = f.maybe_int(None::<i64>)),
            made(|f| _ = f.bytes(&[0; 8])),
        ];
        for (i, a) in lists.iter().enumerate() {
            for b in lists.iter().skip(i + 1) {
                assert_ne!(a, b);
            }
        }
    }
}
