//! `code_regex`: the shape of the codes that are made here for an outside service to deliver.
//!
//! Takes the part of regular expressions that says how long a code is: letters, `\d`, `\w`, `[A-Z0-9]`,
//! each with `{n}`. Refuses `*`, `+`, `?`, `|`, groups and `.`, and shapes that are easily guessed.

use std::fmt;

use zeroize::Zeroizing;

use super::{kinds::Checked, suggest::printable};

/// The fewest bits of a code that may be tried a few times: six digits have 19.9.
const MIN_BITS: f64 = 19.9;
/// The most characters of a code that somebody has to type.
const MAX_LENGTH: usize = 32;

/// The shape of a code: for each place, the characters that may stand there.
#[derive(Clone, Eq, PartialEq)]
pub struct CodePattern {
    places: Vec<Vec<u8>>,
}

impl CodePattern {
    /// Reads a pattern such as `[A-Z]{3}\d{5}`. `^` and `$` may stand at the ends.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let inner = pattern.strip_prefix('^').unwrap_or(pattern);
        let mut rest = inner.strip_suffix('$').unwrap_or(inner).as_bytes();
        let mut places: Vec<Vec<u8>> = Vec::new();
        while let Some((class, after)) = class(rest).transpose()? {
            let (count, after) = count(after)?;
            if places.len().saturating_add(count) > MAX_LENGTH {
                return Err(format!("makes codes of more than {MAX_LENGTH} characters: write fewer"));
            }
            places.extend(std::iter::repeat_n(class, count));
            rest = after;
        }
        let pattern = Self { places };
        if pattern.entropy_bits() < MIN_BITS {
            let bits = pattern.entropy_bits();
            return Err(format!(
                "makes codes of {bits:.0} bits, easily guessed: write 20 or more, as `\\d{{7}}`"
            ));
        }
        if pattern.places.iter().flatten().any(|byte| !byte.is_ascii_graphic()) {
            return Err("makes codes with spaces, which no prompt takes: write others".to_owned());
        }
        Ok(pattern)
    }

    /// How many characters each code has.
    pub fn length(&self) -> usize {
        self.places.len()
    }

    /// Whether each code is made of decimal digits alone.
    pub fn is_digits(&self) -> bool {
        self.places.iter().flatten().all(u8::is_ascii_digit)
    }

    /// The logarithm to base 2 of how many codes there are.
    pub fn entropy_bits(&self) -> f64 {
        self.places.iter().map(|class| f64::from(u32::try_from(class.len()).unwrap_or(1)).log2()).sum()
    }

    /// Makes a code, each as likely as any other. `random` fills a buffer with random bytes; its error
    /// ends this.
    pub fn generate<E>(
        &self,
        mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Zeroizing<String>, E> {
        let mut code = Zeroizing::new(String::with_capacity(self.places.len()));
        for class in &self.places {
            code.push(char::from(pick(class, &mut random)?));
        }
        Ok(code)
    }
}

/// One of a class. A random byte beyond the last whole multiple of its size is thrown away, for it would
/// make the first characters likelier.
fn pick<E>(class: &[u8], random: &mut impl FnMut(&mut [u8]) -> Result<(), E>) -> Result<u8, E> {
    let size = u8::try_from(class.len()).unwrap_or(u8::MAX).max(1);
    let whole = (u8::MAX / size).saturating_mul(size);
    loop {
        let mut byte = [0; 1];
        random(&mut byte)?;
        let [byte] = byte;
        if byte < whole
            && let Some(picked) = class.get(usize::from(byte % size))
        {
            return Ok(*picked);
        }
    }
}

impl fmt::Debug for CodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodePattern({} characters, {:.0} bits)", self.length(), self.entropy_bits())
    }
}

type Rest<'a, T> = Checked<(T, &'a [u8])>;

/// The class that the pattern begins with; `None` at its end.
fn class(pattern: &[u8]) -> Option<Rest<'_, Vec<u8>>> {
    let (first, rest) = pattern.split_first()?;
    Some(match first {
        b'[' => bracketed(rest),
        b'\\' => escaped(rest),
        plain if plain.is_ascii_alphanumeric() || matches!(plain, b'-' | b'_' | b' ') => {
            Ok((vec![*plain], rest))
        }
        _ => Err(format!(
            "holds `{}` where none is known: write letters, digits, \\d, \\w, [A-Z0-9], each with {{n}}",
            printable(&String::from_utf8_lossy(pattern).chars().take(1).collect::<String>())
        )),
    })
}

fn escaped(rest: &[u8]) -> Rest<'_, Vec<u8>> {
    match rest.split_first() {
        Some((b'd', rest)) => Ok(((b'0'..=b'9').collect(), rest)),
        Some((b'w', rest)) => {
            Ok(((b'0'..=b'9').chain(b'A'..=b'Z').chain([b'_']).chain(b'a'..=b'z').collect(), rest))
        }
        _ => Err("holds `\\` before what it is not known with: write \\d or \\w".into()),
    }
}

/// What stands between brackets: characters and ranges.
fn bracketed(rest: &[u8]) -> Rest<'_, Vec<u8>> {
    let unclosed = "holds `[` without its `]`: write a list as [A-Z0-9]";
    let end = rest.iter().position(|byte| *byte == b']').ok_or(unclosed)?;
    let (mut inner, rest) = rest.split_at_checked(end).ok_or(unclosed)?;
    let mut class = Vec::new();
    while let Some((first, after)) = inner.split_first() {
        let range = match after {
            [b'-', last, ..] => Some(*last),
            _ => None,
        };
        let last = range.unwrap_or(*first);
        if !first.is_ascii_alphanumeric() || !last.is_ascii_alphanumeric() || last < *first {
            return Err("holds a list that is not known: write letters and digits, as [A-Z0-9]".into());
        }
        class.extend((*first..=last).filter(u8::is_ascii_alphanumeric));
        inner = after.get(if range.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    class.sort_unstable();
    class.dedup();
    if class.is_empty() {
        return Err("holds an empty list: write one as [A-Z0-9]".into());
    }
    Ok((class, rest.get(1..).unwrap_or_default()))
}

/// `{n}` at the beginning, else one.
fn count(pattern: &[u8]) -> Rest<'_, usize> {
    let Some(rest) = pattern.strip_prefix(b"{") else { return Ok((1, pattern)) };
    let end = rest.iter().position(|byte| *byte == b'}');
    let (number, rest) = end.and_then(|end| rest.split_at_checked(end)).unwrap_or_default();
    let number = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
    match number.filter(|number| (1..=MAX_LENGTH).contains(number)) {
        Some(number) => Ok((number, rest.get(1..).unwrap_or_default())),
        None => Err(format!("holds a count that is not known: write {{n}}, from 1 to {MAX_LENGTH}")),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;

    /// Codes from the bytes 0, 1, 2, …
    fn counted(pattern: &str) -> String {
        let mut next = 0_u8;
        let fill = |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                next = next.wrapping_add(1);
                next.wrapping_sub(1)
            });
            Ok::<_, Infallible>(())
        };
        CodePattern::parse(pattern).unwrap().generate(fill).unwrap().to_string()
    }

    #[test]
    fn patterns_of_lemonldap_make_codes_of_their_shape() {
        assert_eq!(counted(r"[A-Z]{3}\d{5}"), "ABC34567");
        assert_eq!(counted(r"^\d{6}$"), "012345");
        assert_eq!(counted("K-[a-c]{9}[2-9]{3}"), "K-cabcabcab567");
        assert_eq!(counted(r"\w{4}"), "0123");
        let pattern = CodePattern::parse(r"[A-Z]{3}\d{5}").unwrap();
        assert_eq!((pattern.length(), pattern.is_digits()), (8, false));
        assert!((30.7..30.8).contains(&pattern.entropy_bits()));
        assert!(CodePattern::parse(r"\d{6}").unwrap().is_digits());
    }

    #[test]
    fn what_is_not_known_or_easily_guessed_is_told() {
        for (pattern, part) in [
            ("", "0 bits"),
            (r"\d{5}", "17 bits"),
            ("abcdefgh", "0 bits"),
            (r"\d+", "holds `+`"),
            (r"\d*", "holds `*`"),
            ("(ab)", "holds `(`"),
            (".{9}", "holds `.`"),
            (r"\s{9}", r"write \d or \w"),
            ("[A-Z", "without its `]`"),
            ("[]{9}", "empty list"),
            ("[^a]{9}", "not known"),
            ("[Z-A]{9}", "not known"),
            ("[é]{9}", "not known"),
            (r"\d{3,9}", "write {n}"),
            (r"\d{0}", "write {n}"),
            (r"\d{33}", "write {n}"),
            (r"\d{99999999999999999999}", "write {n}"),
            (r"\d{20}\d{20}", "more than 32 characters"),
            (r"\d{4} \d{4}", "with spaces"),
        ] {
            let told = CodePattern::parse(pattern).unwrap_err();
            assert!(told.contains(part), "{pattern:?} gave {told:?}");
        }
    }

    #[test]
    fn every_character_of_a_class_is_as_likely_as_any_other() {
        let digits: Vec<u8> = (b'0'..=b'9').collect();
        let mut seen = [0; 256];
        for byte in 0..=u8::MAX {
            // A byte that is thrown away is followed by one that is taken: 0, counted apart.
            let mut bytes = [byte, 0].into_iter();
            let mut used = 0;
            let picked = pick(&digits, &mut |buffer: &mut [u8]| {
                used += 1;
                buffer.fill(bytes.next().unwrap());
                Ok::<_, Infallible>(())
            });
            if used == 1 {
                seen[usize::from(picked.unwrap())] += 1;
            }
        }
        assert!(digits.iter().all(|digit| seen[usize::from(*digit)] == 25), "{seen:?}");
    }

    #[test]
    fn no_random_bytes_make_no_code() {
        let pattern = CodePattern::parse(r"\d{6}").unwrap();
        assert_eq!(pattern.generate(|_| Err("dry")).unwrap_err(), "dry");
    }

    proptest! {
        #[test]
        fn no_pattern_upsets_it(pattern in "(\\[|\\]|\\{|\\}|\\\\|[a-zA-Z0-9,^$-]|\\PC){0,40}") {
            let Ok(pattern) = CodePattern::parse(&pattern) else { return Ok(()) };
            prop_assert!(pattern.length() <= MAX_LENGTH);
        }
    }
}
