//! Secrets sealed for a directory, and what was taken over from one.

use mfa_proto::{
    admin::{DirectoryChange, FactorKind, Pulled, PulledFactor, Reply, Request, SealedSecret, TotpParams},
    text::ShownText,
};

use super::{Sample, jane, label, secret};

pub(crate) fn all() -> Vec<Sample> {
    let seal = |secret| Request::LdapSeal { user: jane(), params: TotpParams::default(), secret };
    let requests = [
        ("ldap_seal", seal(Some(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")))),
        ("ldap_seal/make_one", seal(None)),
        ("ldap_pull", Request::LdapPull { user: jane(), dry_run: true }),
    ]
    .map(|(name, request)| Sample::of(format!("request/{name}"), &request));
    let sealed = SealedSecret {
        value: secret("mfad1$aes256gcm$38a8beeec1c7e8d7$sha1$6$30$ZGVm"),
        secret: Some(secret("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
        uri: Some(secret("otpauth://totp/jane?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")),
    };
    let change = |change| PulledFactor {
        change,
        kind: FactorKind::Totp,
        label: Some(label("directory")).filter(|_| change != DirectoryChange::NoRoom),
    };
    let pulled = Pulled {
        found: true,
        changes: DirectoryChange::ALL.map(change).to_vec(),
        unusable: vec![(FactorKind::Sms, ShownText::clean("no number"))],
    };
    let replies = [("sealed", Reply::Sealed(Box::new(sealed))), ("pulled", Reply::Pulled(pulled))]
        .map(|(name, reply)| Sample::of(format!("reply/{name}"), &reply));
    requests.into_iter().chain(replies).collect()
}
