//! Where `Match` blocks are, and a login that each of them fits.

use std::path::{Path, PathBuf};

use nix::unistd::Group;

use super::CHECK;
use crate::doctor::host::{Host, shown};

/// Files included one in the other that are followed.
const DEEPEST: usize = 4;

/// A `Match` block.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// Its line as it is written.
    pub(super) line: String,
    /// Where it is.
    pub(super) place: String,
    /// A login that it fits, for `sshd -C`.
    pub(super) specification: String,
}

/// All blocks of the configuration and what it includes. A file that cannot be read has none: sshd says so itself.
pub(super) fn blocks(host: &Host, config: &Path) -> Vec<Block> {
    let mut blocks = Vec::new();
    read(host, config, 0, &mut blocks);
    blocks
}

fn read(host: &Host, path: &Path, depth: usize, blocks: &mut Vec<Block>) {
    let Ok(Some(text)) = Host::text(CHECK, path) else { return };
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> =
            line.split(|c: char| c.is_whitespace() || c == '=').filter(|w| !w.is_empty()).collect();
        let Some((keyword, rest)) = words.split_first() else { continue };
        if keyword.eq_ignore_ascii_case("match") {
            blocks.extend(specification(rest).map(|specification| Block {
                line: line.trim().to_owned(),
                place: format!("{}:{}", shown(path), number.saturating_add(1)),
                specification,
            }));
        } else if keyword.eq_ignore_ascii_case("include") && depth < DEEPEST {
            for file in rest.iter().flat_map(|pattern| included(host, pattern)) {
                read(host, &file, depth.saturating_add(1), blocks);
            }
        }
    }
}

/// The files of an `Include`; a `*` in the last part stands for anything.
fn included(host: &Host, pattern: &str) -> Vec<PathBuf> {
    let path =
        if pattern.starts_with('/') { host.path(pattern) } else { host.path("/etc/ssh").join(pattern) };
    let (Some(directory), Some(last)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
    else {
        return Vec::new();
    };
    let Some((head, tail)) = last.split_once('*') else { return vec![path] };
    let fits = |name: &String| name.starts_with(head) && name.ends_with(tail) && !name.starts_with('.');
    let names = Host::names(CHECK, directory).unwrap_or_default();
    names.into_iter().filter(fits).map(|name| directory.join(name)).collect()
}

/// A login that fits the criteria, as far as a login can be made of them; `None` for `all`, which the settings
/// without a login show.
fn specification(criteria: &[&str]) -> Option<String> {
    let (mut user, mut address, mut host) =
        ("root".to_owned(), "192.0.2.1".to_owned(), "client.example".to_owned());
    let mut pairs = criteria.iter();
    while let Some(criterion) = pairs.next() {
        let value = || pairs.clone().next().map(|list| literal(list));
        match criterion.to_ascii_lowercase().as_str() {
            "all" => return None,
            "user" => user = value()?,
            "group" => user = member(&value()?).unwrap_or(user),
            "address" => address = value()?.split('/').next().unwrap_or_default().replace('*', "1"),
            "host" => host = value()?,
            _ => {}
        }
        pairs.next();
    }
    // A comma or space would begin another field.
    let plain =
        [&user, &address, &host].into_iter().all(|text| !text.contains([',', ' ', '=']) && !text.is_empty());
    plain.then(|| format!("user={user},host={host},addr={address},laddr=192.0.2.2,lport=22"))
}

/// The first of a list that is not negated, with something in place of wildcards.
fn literal(list: &str) -> String {
    let list = list.trim_matches('"');
    let first = list.split(',').find(|one| !one.starts_with('!')).unwrap_or("nobody");
    first.replace('?', "x").replace("*.", "x.").replace('*', "x")
}

fn member(group: &str) -> Option<String> {
    Group::from_name(group).ok()??.mem.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_made_that_fits_the_criteria() {
        for (criteria, expected) in [
            ("User alice,bob", "user=alice,host=client.example,addr=192.0.2.1"),
            ("User !root,back*", "user=backx,host=client.example,addr=192.0.2.1"),
            ("Address 10.0.0.0/8", "user=root,host=client.example,addr=10.0.0.0"),
            ("Address 2001:db8::/32 User eve", "user=eve,host=client.example,addr=2001:db8::"),
            ("Host *.example.org", "user=root,host=x.example.org,addr=192.0.2.1"),
            ("LocalPort 2222", "user=root,host=client.example,addr=192.0.2.1"),
        ] {
            let words: Vec<&str> = criteria.split(' ').collect();
            let found = specification(&words).unwrap();
            assert!(found.starts_with(expected), "{criteria}: {found}");
        }
        assert_eq!(specification(&["all"]), None);
        assert_eq!(specification(&["user"]), None);
    }
}
