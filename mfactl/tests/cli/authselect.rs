//! The profile for authselect that is shipped: whatever features are selected, there is no way around the module.

use std::fs;

use crate::doctor::{changed, stacks};

/// A line of a template as authselect writes it with these features, or nothing. Knows what the profile uses.
fn line(template: &str, features: &[&str]) -> Option<String> {
    let mut text = template.to_owned();
    while let Some((before, rest)) = text.clone().split_once('{') {
        let (condition, after) = rest.split_once('}').unwrap();
        let feature = condition.split('"').nth(1).unwrap();
        let on = features.contains(&feature);
        let kept = match condition.split('"').next().unwrap() {
            "include if " | "if not " if on => "",
            "exclude if " if !on => "",
            "include if " | "exclude if " => return None,
            "if not " => condition.split_once("\":").unwrap().1,
            other => panic!("what is {other:?}?"),
        };
        text = format!("{before}{kept}{after}");
    }
    Some(text)
}

fn generated(file: &str, features: &[&str]) -> String {
    let path = format!("{}/../packaging/authselect/{file}", env!("CARGO_MANIFEST_DIR"));
    let template = fs::read_to_string(path).unwrap();
    template
        .lines()
        .filter_map(|text| line(text, features))
        .fold(String::new(), |all, text| all + &text + "\n")
}

const FEATURES: [&[&str]; 3] =
    [&[], &["with-faillock"], &["with-faillock", "with-mkhomedir", "with-pamaccess", "without-nullok"]];

#[test]
fn no_feature_opens_a_way_around_the_module() {
    for features in FEATURES {
        let files =
            ["password-auth", "system-auth", "postlogin"].map(|file| (file, generated(file, features)));
        let mut changes: Vec<(&str, &str)> =
            files.iter().map(|(file, text)| (*file, text.as_str())).collect();
        changes.push(("sshd", "auth substack password-auth\nauth include postlogin\n"));
        changes.push(("login", "auth substack system-auth\nauth include postlogin\n"));
        changes.push(("sudo", "auth include system-auth\n"));
        assert_eq!(stacks(changed("fedora", &changes).path()), Vec::<String>::new(), "{features:?}");
    }
}

#[test]
fn a_jump_that_is_one_too_long_would_be_noticed() {
    let broken = generated("password-auth", &["with-faillock"]).replace("success=2", "success=3");
    let changes = [("password-auth", broken.as_str()), ("sshd", "auth substack password-auth\n")];
    let found = stacks(changed("fedora", &changes).path());
    assert!(found.iter().any(|f| f.contains("jumps over pam_mfa.so")), "{found:?}");
}
