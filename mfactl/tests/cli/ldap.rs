//! Secrets sealed for a directory, and what was taken over from it.

use mfa_proto::admin::{
    Algorithm, DirectoryChange, FactorKind, Pulled, PulledFactor, RefusalCode, Reply, Request, SealedSecret,
    TotpParams,
};
use mfa_proto::name::FactorLabel;
use mfa_proto::text::ShownText;

use crate::daemon::{FakeDaemon, Script, Seen};
use crate::golden::both;
use crate::run::run;
use crate::sample;

const KEY: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

fn sealed(made: bool) -> Reply {
    let uri = format!("otpauth://totp/h:alice?secret={KEY}");
    Reply::Sealed(Box::new(SealedSecret {
        value: sample::secret("mfad1$aes256gcm$38a8beeec1c7e8d7$sha1$6$30$ZGVm"),
        secret: made.then(|| sample::secret(KEY)),
        uri: made.then(|| sample::secret(&uri)),
    }))
}

fn change(change: DirectoryChange, kind: FactorKind, label: &str) -> PulledFactor {
    PulledFactor { change, kind, label: FactorLabel::new(label).ok() }
}

#[test]
fn seal() {
    both("ldap-seal.txt", &["ldap", "seal", "alice"], "", || Script::Admin(vec![sealed(true)]));
    let given = ["ldap", "seal", "alice", "--secret-stdin"];
    both("ldap-seal-given.txt", &given, &format!("{KEY}\n"), || Script::Admin(vec![sealed(false)]));
    let refused = || sample::refused(RefusalCode::Invalid, "there is no key to seal with");
    both("ldap-seal-refused.txt", &["ldap", "seal", "alice"], "", move || Script::Admin(vec![refused()]));
}

#[test]
fn pull() {
    use DirectoryChange as C;
    use FactorKind as K;
    let pulled = || {
        let changes = vec![
            change(C::Adopted, K::Totp, "directory"),
            change(C::Changed, K::Sms, "directory-sms"),
            change(C::Gone, K::Mail, "directory-mail"),
            change(C::NoRoom, K::Totp, ""),
        ];
        let unusable = vec![(K::Totp, ShownText::clean("it does not open"))];
        Reply::Pulled(Pulled { found: true, changes, unusable })
    };
    let nobody = || Reply::Pulled(Pulled { found: false, changes: Vec::new(), unusable: Vec::new() });
    both("ldap-pull.txt", &["ldap", "pull", "alice", "bob"], "", move || {
        Script::Admin(vec![pulled(), nobody()])
    });
    both("ldap-pull-dry.txt", &["ldap", "pull", "alice", "--dry-run"], "", || {
        let changes = vec![change(C::Back, K::Totp, "directory"), change(C::Dropped, K::Totp, "directory-2")];
        Script::Admin(vec![Reply::Pulled(Pulled { found: true, changes, unusable: Vec::new() })])
    });
    let away =
        || sample::refused(RefusalCode::Unavailable, "the directory cannot be asked: no server answers");
    both("ldap-pull-away.txt", &["ldap", "pull", "alice", "bob"], "", move || Script::Admin(vec![away()]));
}

#[test]
fn a_link_says_what_its_codes_are_like_and_no_secret_is_an_argument() {
    let link = format!("otpauth://totp/ACME:alice?secret={KEY}&digits=8&period=60&algorithm=SHA256\n");
    for (typed, expected) in [
        (link.as_str(), TotpParams { algorithm: Algorithm::Sha256, digits: 8, period: 60 }),
        ("jbsw y3dp ehpk 3pxp jbsw y3dp ehpk 3pxp\n", TotpParams::default()),
    ] {
        let daemon = FakeDaemon::admin(vec![sealed(false)]);
        let ran = run(&daemon.socket(), &["ldap", "seal", "alice", "--secret-stdin"], typed);
        assert_eq!((ran.code, ran.stdout.lines().count()), (0, 1), "{ran:?}");
        let seen = daemon.finish();
        let Some(Seen::Request(request)) = seen.last() else { panic!("{seen:?}") };
        let Request::LdapSeal { params, secret: Some(secret), .. } = &**request else {
            panic!("{request:?}")
        };
        assert_eq!((*params, secret.expose()), (expected, KEY));
    }
    for typed in [
        "\n",
        "not base 32 at all! 0189\n",
        "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&counter=1\n",
        "otpauth://totp/x?issuer=y\n",
    ] {
        let daemon = FakeDaemon::admin(Vec::new());
        let ran = run(&daemon.socket(), &["ldap", "seal", "alice", "--secret-stdin"], typed);
        assert_eq!(ran.code, 2, "{typed}");
        assert!(!ran.stderr.contains("0189"), "{}", ran.stderr);
        daemon.finish();
    }
    for arguments in
        [&["ldap", "pull"][..], &["ldap", "pull", "alice", "--all"], &["ldap", "seal", "alice", KEY]]
    {
        let daemon = FakeDaemon::admin(Vec::new());
        assert_eq!(run(&daemon.socket(), arguments, "").code, 2, "{arguments:?}");
        daemon.finish();
    }
}
