//! Patterns in which a star stands for anything. Refuses nothing: every text is a pattern.

/// Whether a text fits, upper and lower case alike.
pub fn fits(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        // The first place leaves the most room for what comes behind it.
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text) in [
            ("*", ""),
            ("*", "x"),
            ("TOTP*", "totp1"),
            ("*1", "totp1"),
            ("t*t*1", "totp1"),
            ("a**b", "ab"),
            ("", ""),
        ] {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("", "x"), ("t", "totp"), ("t*x", "totp"), ("*b*ab", "ab"), ("ab*b", "ab"), ("a.*", "ab")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
