//! What is known of other modules: what they are for, and which outcomes they can have.

use mfactl::pam::{Code, Entry, Outcome, Stack};

use super::OURS;

/// Modules that prove who it is: passwords, keys, fingers.
const FIRST_FACTORS: [&str; 26] = [
    "pam_unix.so",
    "pam_sss.so",
    "pam_sss_gss.so",
    "pam_ldap.so",
    "pam_ldapd.so",
    "pam_krb5.so",
    "pam_winbind.so",
    "pam_systemd_home.so",
    "pam_pwdfile.so",
    "pam_userdb.so",
    "pam_tcb.so",
    "pam_radius_auth.so",
    "pam_kanidm.so",
    "pam_himmelblau.so",
    "pam_authd.so",
    "pam_aad.so",
    "pam_lsass.so",
    "pam_vas3.so",
    "pam_centrifydc.so",
    "pam_mysql.so",
    "pam_pgsql.so",
    "pam_tacplus.so",
    "pam_pkcs11.so",
    "pam_fprintd.so",
    "pam_u2f.so",
    "pam_ssh_agent_auth.so",
];

/// Modules that decide by a condition: who, from where, when.
const CONDITIONS: [&str; 14] = [
    "pam_succeed_if.so",
    "pam_access.so",
    "pam_listfile.so",
    "pam_localuser.so",
    "pam_usertype.so",
    "pam_wheel.so",
    "pam_time.so",
    "pam_rootok.so",
    "pam_exec.so",
    "pam_script.so",
    "pam_python.so",
    "pam_group.so",
    "pam_securetty.so",
    "pam_xauth.so",
];

/// Programs that people run: there, `pam_rootok.so` says that it was root who did. Elsewhere it says yes always.
const RUN_BY_PEOPLE: [&str; 16] = [
    "su",
    "su-l",
    "runuser",
    "runuser-l",
    "chfn",
    "chsh",
    "chage",
    "chpasswd",
    "passwd",
    "newusers",
    "useradd",
    "userdel",
    "usermod",
    "groupadd",
    "groupdel",
    "groupmod",
];

/// Where our module stands first.
pub(super) fn ours(stack: &Stack) -> Option<usize> {
    stack.entries.iter().position(is_ours)
}

/// Whether the line is ours.
pub(super) fn is_ours(entry: &Entry) -> bool {
    entry.module() == OURS
}

/// Whether the module proves who it is.
pub(super) fn is_first_factor(entry: &Entry) -> bool {
    FIRST_FACTORS.contains(&entry.module())
}

/// Whether the module decides by a condition that an administrator wrote down.
pub(super) fn is_condition(entry: &Entry) -> bool {
    CONDITIONS.contains(&entry.module())
}

/// Whether the line lets root do as root.
pub(super) fn lets_root(service: &str, entry: &Entry) -> bool {
    entry.module() == "pam_rootok.so" && RUN_BY_PEOPLE.contains(&service)
}

/// The outcomes that a module can have.
pub(super) fn outcomes(service: &str, entry: &Entry) -> Vec<Outcome> {
    let only = |code| vec![Outcome::Code(code)];
    match entry.module() {
        "pam_permit.so" => only(Code::SUCCESS),
        "pam_deny.so" => only(Code::AUTH_ERR),
        "pam_warn.so" | "pam_faildelay.so" => only(Code::IGNORE),
        "pam_debug.so" => only(debugged(entry)),
        // A daemon runs as root: the question is answered before it is asked.
        "pam_rootok.so" if !lets_root(service, entry) => only(Code::SUCCESS),
        _ => Code::all().into_iter().map(Outcome::Code).collect(),
    }
}

/// Outcomes without a yes.
pub(super) fn refusals() -> Vec<Outcome> {
    let yes = [Code::SUCCESS, Code::IGNORE, Code::NEW_AUTHTOK_REQD];
    Code::all().into_iter().filter(|code| !yes.contains(code)).map(Outcome::Code).collect()
}

/// `auth=…` of `pam_debug.so`.
fn debugged(entry: &Entry) -> Code {
    let word = entry.arguments.iter().rev().find_map(|argument| argument.strip_prefix("auth="));
    word.and_then(Code::of_word).unwrap_or(Code::SUCCESS)
}
