use std::path::Path;

use super::*;

/// A host with a service that does not ask yet.
fn host(of: &str, service: &str, text: &str) -> (tempfile::TempDir, Host) {
    let place = tempfile::tempdir().unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/doctor").join(of).join("etc/pam.d");
    let directory = place.path().join("etc/pam.d");
    std::fs::create_dir_all(&directory).unwrap();
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let entry = entry.unwrap();
        let bare: String = std::fs::read_to_string(entry.path())
            .unwrap()
            .split_inclusive('\n')
            .filter(|line| !line.contains("pam_mfa.so"))
            .collect();
        std::fs::write(directory.join(entry.file_name()), bare).unwrap();
    }
    if !text.is_empty() {
        std::fs::write(directory.join(service), text).unwrap();
    }
    let host = Host::below(place.path());
    (place, host)
}

fn planned(of: &str, service: &str, text: &str, form: Form) -> Result<Plan, Failure> {
    let (_place, host) = host(of, service, text);
    plan(&host, service, form, "pam_mfa.so").map(Option::unwrap)
}

/// The lines of kind `auth` after the edit, spaces made one.
fn auth(plan: &Plan) -> Vec<String> {
    let squeezed = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = places(&plan.after).into_iter().map(|(_, line)| squeezed(&line));
    said.filter(|line| line.starts_with("auth") || line.contains("-auth")).collect()
}

const OURS: &str = "auth required pam_mfa.so";

#[test]
fn on_debian_the_line_follows_common_auth() {
    for service in ["sshd", "sudo", "su", "login"] {
        let plan = planned("debian", service, "", Form::AfterPassword).unwrap();
        let lines = auth(&plan);
        let at = lines.iter().position(|line| line == OURS).unwrap();
        assert_eq!(lines[at - 1], "@include common-auth", "{service}: {lines:?}");
        assert_eq!(take_back(&plan.after), plan.before);
        assert!(!plan.judged.has(Severity::Warning), "{service}: {:?}", plan.judged.found);
    }
}

#[test]
fn on_fedora_the_line_follows_the_substack_and_an_include_becomes_one() {
    let plan = planned("fedora", "sshd", "", Form::AfterPassword).unwrap();
    assert_eq!(auth(&plan)[..2], ["auth substack password-auth".to_owned(), OURS.to_owned()]);
    let include = "#%PAM-1.0\nauth       include      password-auth\naccount    include      password-auth\n";
    let plan = planned("fedora", "sudo", include, Form::AfterPassword).unwrap();
    assert_eq!(auth(&plan), ["auth substack password-auth", OURS]);
    assert_eq!(take_back(&plan.after), include);
    assert!(
        plan.judged.has(Severity::Warning),
        "a wrong password is followed by a question, and that is told"
    );
}

#[test]
fn on_arch_the_line_follows_the_include() {
    for service in ["sshd", "sudo"] {
        let plan = planned("arch", service, "", Form::AfterPassword).unwrap();
        assert_eq!(auth(&plan)[1], OURS, "{:?}", auth(&plan));
    }
}

#[test]
fn with_a_key_the_code_stands_in_the_place_of_the_password() {
    let plan = planned("debian", "sshd", "", Form::CodeAlone).unwrap();
    assert_eq!(auth(&plan), ["auth requisite pam_mfa.so", "auth required pam_permit.so"]);
    let plan = planned("fedora", "sshd", "", Form::CodeAlone).unwrap();
    assert_eq!(auth(&plan)[..2], ["auth requisite pam_mfa.so", "auth required pam_permit.so"]);
    assert_eq!(take_back(&plan.after), plan.before);
}

#[test]
fn a_stack_with_a_way_around_every_place_is_refused() {
    for text in [
        "auth sufficient pam_unix.so\nauth required pam_deny.so\n",
        "auth required pam_permit.so\n",
        "account required pam_unix.so\n",
    ] {
        let told = planned("debian", "app", text, Form::AfterPassword).unwrap_err();
        assert!(matches!(told, Failure::Withheld { .. }), "{text}: {told}");
    }
}

#[test]
fn what_asks_already_and_what_is_no_service() {
    let (_place, host) = host("debian", "app", "@include common-auth\nauth required pam_mfa.so\n");
    assert!(plan(&host, "app", Form::AfterPassword, "pam_mfa.so").unwrap().is_none());
    assert!(matches!(
        plan(&host, "common-account", Form::AfterPassword, "pam_mfa.so"),
        Err(Failure::Withheld { .. })
    ));
    let told = plan(&host, "nowhere", Form::AfterPassword, "pam_mfa.so").unwrap_err();
    assert!(matches!(&told, Failure::NotFound { hint, .. } if hint.contains("sshd")), "{told}");
}

#[test]
fn a_file_that_is_shipped_elsewhere_is_made_new_here() {
    let (place, host) = host("debian", "", "");
    let vendor = place.path().join("usr/lib/pam.d");
    std::fs::create_dir_all(&vendor).unwrap();
    std::fs::write(vendor.join("cockpit"), "@include common-auth\n").unwrap();
    let plan = plan(&host, "cockpit", Form::AfterPassword, "pam_mfa.so").unwrap().unwrap();
    assert!(plan.original.is_none() && plan.path.ends_with("etc/pam.d/cockpit"), "{plan:?}");
    assert!(plan.after.contains("pam_mfa.so"));
}
