//! New tokens: what is shown of them once, and what can be none.

use mfa_proto::admin::{Reply, Request};
use serde_json::{Value, json};

use super::{
    KEY, LINOTP, are_faults, as_client, call, fault, init, linotp,
    rig::{Rig, VPN},
    rows,
    support::{egress::Egress, outside::OUTSIDE, secret, user_id},
    value,
};

#[tokio::test]
async fn a_key_that_core_makes_is_shown_once() {
    let rig = linotp().await;
    let form = "type=totp&genkey=1&user=jane&hashlib=SHA256&otplen=8&timeStep=60";
    let added = call(&rig, "/admin/init", form).await;
    assert_eq!(value(&added), true);
    let detail = &added["detail"];
    let serial = detail["serial"].as_str().unwrap();
    assert!(serial.starts_with("TOTP") && serial.len() == 12, "{serial}");
    let seed = detail["otpkey"]["value"].as_str().unwrap().strip_prefix("seed://").unwrap();
    assert!(seed.len() == 64 && seed.bytes().all(|b| b.is_ascii_hexdigit()), "32 bytes for sha256: {seed}");
    let link = detail["googleurl"]["value"].as_str().unwrap();
    assert!(link.starts_with("otpauth://totp/") && link.contains("algorithm=SHA256"), "{link}");
    assert_eq!(detail["googleurl"], detail["enrollment_url"]);
    for shown in ["otpkey", "googleurl"] {
        assert!(detail[shown]["img"].as_str().unwrap().contains("data:image/png;base64,iVBOR"), "{shown}");
    }
    let row = rows(&rig, &format!("serial={serial}")).await.remove(0);
    assert_eq!((&row["LinOtp.OtpLen"], &row["LinOtp.TokenType"]), (&json!(8), &json!("TOTP")));
    assert_eq!(row["LinOtp.Count"], 0, "nothing of it was used");
    let info: Value = serde_json::from_str(row["LinOtp.TokenInfo"].as_str().unwrap()).unwrap();
    let expected = json!({ "hashlib": "sha256", "timeWindow": "60", "timeShift": 0.0, "timeStep": "60" });
    assert_eq!(info, expected);
    let shown = as_client(&rig, VPN, "/admin/show", "").await.body;
    assert!(!shown.contains(seed) && !shown.contains("otpauth"), "never again");
}

#[tokio::test]
async fn what_can_be_no_token_is_refused_by_its_number() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane&pin=secret").await;
    init(&rig, "FREE1", "").await;
    let key = format!("otpkey={KEY}");
    let wrong = vec![
        ("init", "type=hmac".into(), 905, "ERR905: Missing parameter: 'otpkey'"),
        ("init", format!("genkey=1&{key}"), 344, "ERR344: [ParameterError]"),
        ("init", "otpkey=zz".into(), -311, "'The provided token seed contains non-hexadecimal characters'"),
        ("init", "otpkey=313".into(), -311, "'The provided token seed"),
        ("init", "otpkey=3132&user=jane".into(), -311, "the key has 16 bits"),
        ("init", "type=nope&genkey=1".into(), 1610, "ERR1610: admin/init failed: unknown token type 'nope'"),
        ("init", "type=pw&otpkey=hunter2".into(), 1610, "ERR1610"),
        ("init", format!("{key}&hashlib=md5"), 905, "ERR905: Bad parameter: 'hashlib'"),
        ("init", format!("{key}&otplen=7"), 905, "ERR905: Bad parameter: 'otplen'"),
        ("init", format!("{key}&type=totp&timeStep=5"), 905, "ERR905: Bad parameter: 'timeStep'"),
        ("init", format!("{key}&serial=a%20b"), 905, "ERR905: Bad parameter: 'serial'"),
        ("init", format!("{key}&serial=mine1&user=john"), -311, "the serial mine1 is taken"),
        ("init", format!("{key}&serial=MINE1&user=jane"), -311, "the serial MINE1 is taken"),
        ("init", format!("{key}&serial=FREE1"), -311, "the serial FREE1 is taken"),
        ("init", format!("{key}&user=jane&pin=123"), -311, "a PIN has 4 to 32 characters"),
        ("init", format!("{key}&pin=1234"), -311, "a device that nobody has has no PIN"),
        ("init", format!("{key}&user=a%2Fb"), 1112, "ERR1112: getUserResolverId failed"),
        ("init", format!("{key}&user=x@unassigned"), 1112, "ERR1112"),
        ("init", "type=sms&user=jane".into(), 905, "ERR905: Missing parameter: 'phone'"),
        ("init", "type=sms&user=jane&phone=%2B491".into(), -311, "no code can be sent that way"),
    ];
    are_faults(&rig, wrong).await;
}

#[tokio::test]
async fn serial_numbers_are_kept_free() {
    let rig = linotp().await;
    init(&rig, "HTEST1", "&user=jane").await;
    let checked = |serial: &'static str| {
        let rig = &rig;
        async move { value(&call(rig, "/admin/check_serial", &format!("serial={serial}")).await).clone() }
    };
    assert_eq!(checked("NEW1").await, json!({ "unique": true, "new_serial": "NEW1" }));
    assert_eq!(checked("htest1").await, json!({ "unique": false, "new_serial": "htest1_01" }));
    init(&rig, "HTEST1_01", "").await;
    assert_eq!(checked("HTEST1").await, json!({ "unique": false, "new_serial": "HTEST1_02" }));
}

#[tokio::test]
async fn a_number_counts_when_a_code_has_come_back() {
    let rig = Rig::of(&format!("{OUTSIDE}{LINOTP}")).await;
    let egress = Egress::willing(rig.daemon.directory.path());
    let added = call(&rig, "/admin/init", "type=sms&user=jane&phone=%2B491701234321").await;
    assert_eq!(value(&added), true);
    let serial = added["detail"]["serial"].as_str().unwrap().to_owned();
    assert!(serial.starts_with("LSSM"), "{serial}");
    assert!(added["detail"].get("otpkey").is_none(), "{added}");
    let row = rows(&rig, &format!("serial={serial}")).await.remove(0);
    assert_eq!((&row["LinOtp.TokenType"], &row["LinOtp.Isactive"]), (&json!("sms"), &json!(false)));
    let code = secret(&egress.last_code());
    let confirm = Request::Confirm { user: user_id("jane"), factor: None, code };
    assert!(matches!(rig.daemon.admin(confirm).await, Reply::Done { .. }));
    assert_eq!(rows(&rig, &format!("serial={serial}")).await[0]["LinOtp.Isactive"], true);
    let told = call(&rig, "/admin/unassign", &format!("serial={serial}")).await;
    assert_eq!(
        fault(&told),
        (-311, "only devices with codes of their own (totp, hotp) go from hand to hand")
    );
}
