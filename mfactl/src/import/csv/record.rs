//! One line of CSV (RFC 4180) as fields. A field does not go over the end of a line.

use std::borrow::Cow;

/// The fields; `None` when quotation marks do not match. Text is copied only where a mark stands in it.
pub(super) fn fields(line: &str, separator: char) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, behind) = match rest.trim_start_matches(' ').strip_prefix('"') {
            Some(quoted) => quoted_field(quoted, separator)?,
            None => match rest.split_once(separator) {
                Some((field, behind)) => (Cow::Borrowed(field), Some(behind)),
                None => (Cow::Borrowed(rest), None),
            },
        };
        if matches!(&field, Cow::Borrowed(text) if text.contains('"')) {
            return None;
        }
        fields.push(field);
        match behind {
            Some(behind) => rest = behind,
            None => return Some(fields),
        }
    }
}

/// What stands before the closing mark, and what follows the separator behind it.
fn quoted_field(text: &str, separator: char) -> Option<(Cow<'_, str>, Option<&str>)> {
    let mut from = 0;
    loop {
        let end = from + text.get(from..)?.find('"')?;
        let (inside, behind) = (text.get(..end)?, text.get(end.checked_add(1)?..)?);
        if behind.starts_with('"') {
            from = end.checked_add(2)?;
            continue;
        }
        let field =
            if inside.contains('"') { Cow::Owned(inside.replace("\"\"", "\"")) } else { inside.into() };
        let behind = behind.trim_start_matches(' ').trim_end_matches('\r');
        return match behind.strip_prefix(separator) {
            Some(behind) => Some((field, Some(behind))),
            None if behind.trim().is_empty() => Some((field, None)),
            None => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Option<Vec<String>> {
        fields(line, ',').map(|fields| fields.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn fields_with_and_without_marks() {
        let some = |fields: &[&str]| Some(fields.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>());
        assert_eq!(read("a,b,,c"), some(&["a", "b", "", "c"]));
        assert_eq!(read(""), some(&[""]));
        assert_eq!(read("\"a,b\", \"c\"\"d\" ,e"), some(&["a,b", "c\"d", "e"]));
        assert_eq!(read("a,\"\""), some(&["a", ""]));
        for bad in ["\"a", "a\"b", "\"a\"b", "a,\"b\"\"", "\""] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(wanted in prop::collection::vec("[^\r\n]{0,8}", 1..6)) {
            let quoted: Vec<String> = wanted.iter().map(|f| format!("\"{}\"", f.replace('"', "\"\""))).collect();
            prop_assert_eq!(read(&quoted.join(",")), Some(wanted));
        }

        #[test]
        fn nothing_panics(line in ".*") {
            drop(fields(&line, ','));
        }
    }
}
