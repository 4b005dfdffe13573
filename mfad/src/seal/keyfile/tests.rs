use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_key_file_is_made_once_and_read_back() {
    let directory = directory();
    let path = directory.path().join("key");
    let made = Keyring::create(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(Keyring::load(&path).unwrap().ids(), made.ids());
    assert!(matches!(Keyring::create(&path), Err(KeyFileError::Exists(_))));
    assert_eq!(Keyring::load(&path).unwrap().ids(), made.ids());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn rotation_puts_the_new_key_first_and_forgetting_takes_the_old_one_out() {
    let directory = directory();
    let path = directory.path().join("key");
    let old = Keyring::create(&path).unwrap().current();
    // What a killed writer left behind is no obstacle.
    fs::write(directory.path().join("key.new"), "half a line").unwrap();
    let rotated = Keyring::rotate(&path).unwrap();
    assert_eq!(rotated.ids().len(), 2);
    assert_eq!(rotated.ids()[1], old);
    assert_eq!(Keyring::load(&path).unwrap().ids(), rotated.ids());
    let current = rotated.current();
    assert!(matches!(Keyring::forget(&path, current), Err(KeyFileError::NotForgettable { .. })));
    assert_eq!(Keyring::forget(&path, old).unwrap().ids(), [current]);
    assert!(matches!(Keyring::forget(&path, old), Err(KeyFileError::NotForgettable { .. })));
    assert_eq!(Keyring::load(&path).unwrap().ids(), [current]);
}

#[test]
fn too_many_rotations_are_refused_and_change_nothing() {
    let directory = directory();
    let path = directory.path().join("key");
    Keyring::create(&path).unwrap();
    for _ in 1..Keyring::MAX_KEYS {
        Keyring::rotate(&path).unwrap();
    }
    assert!(Keyring::rotate(&path).is_err());
    assert_eq!(Keyring::load(&path).unwrap().ids().len(), Keyring::MAX_KEYS);
}

#[test]
fn a_file_that_others_may_touch_is_refused() {
    let directory = directory();
    let path = directory.path().join("key");
    Keyring::create(&path).unwrap();
    for mode in [0o604, 0o640, 0o620, 0o602, 0o666, 0o700] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Keyring::load(&path).unwrap_err();
        assert!(matches!(refused, KeyFileError::Exposed { .. }), "{mode:o}: {refused}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).unwrap();
    assert!(Keyring::load(&path).is_err());
    assert!(Keyring::load_credential(&path).is_ok(), "the access list of a credential shows as group");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(Keyring::load(&path).is_ok());
    let link = directory.path().join("link");
    symlink(&path, &link).unwrap();
    assert!(matches!(Keyring::load(&link), Err(KeyFileError::Io { .. })));
    assert!(matches!(Keyring::create(&link), Err(KeyFileError::Exists(_))));
    assert!(matches!(Keyring::load(directory.path()), Err(KeyFileError::Exposed { .. })));
    let missing = Keyring::load(&directory.path().join("none")).unwrap_err();
    assert!(missing.to_string().contains("mfad init"), "{missing}");
}

#[test]
fn whatever_is_not_a_key_line_is_refused_with_its_number() {
    let directory = directory();
    let path = directory.path().join("key");
    Keyring::create(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let (id, key) = good.trim_end().strip_prefix("mfad-key-v1 ").unwrap().split_once(' ').unwrap();
    let rest = |text: &str| text.chars().skip(1).collect::<String>();
    let other_id = format!("{}{}", if id.starts_with('0') { '1' } else { '0' }, rest(id));
    let bad = [
        String::new(),
        "\n".into(),
        "# comment\n".into(),
        format!("mfad-key-v2 {id} {key}\n"),
        format!("mfad-key-v1 {other_id} {key}\n"),
        format!("mfad-key-v1 {id} {}\n", rest(&rest(key))),
        format!("mfad-key-v1 {id} {key}00\n"),
        format!("mfad-key-v1 {id} {key} \n"),
        format!("mfad-key-v1 {id} {}g\n", rest(key)),
        format!("{good}{good}"),
        format!("{good}\n"),
        "x".repeat(5000),
    ];
    for text in bad {
        fs::write(&path, &text).unwrap();
        assert!(matches!(Keyring::load(&path), Err(KeyFileError::Malformed { .. })), "{text:?}");
    }
    fs::write(&path, good.trim_end()).unwrap();
    assert!(Keyring::load(&path).is_ok(), "the last line feed may be missing");
}
