//! A token goes from hand to hand, is switched off and on, and what cannot be done to it.

use mfa_proto::{
    admin::{FactorState, NewParams, Reply, Request, TotpParams},
    tag::Serial,
};
use serde_json::json;

use super::{
    all, are_faults, as_client, call, fault, init, linotp,
    rig::VPN,
    rows, serials,
    support::{hotp, new_factor, user_id},
    value,
};

#[tokio::test]
async fn a_token_goes_its_way() {
    let rig = linotp().await;
    let added = init(&rig, "HTEST1", "&user=jane&pin=secret&description=my%20token").await;
    assert_eq!(added["detail"], json!({ "serial": "HTEST1" }), "a key that was brought is not repeated");
    let row = rows(&rig, "serial=htest1").await.remove(0);
    let id = row["LinOtp.TokenId"].clone();
    let expected = json!({
        "LinOtp.TokenId": id, "LinOtp.TokenDesc": "my token", "LinOtp.TokenSerialnumber": "HTEST1",
        "LinOtp.TokenType": "HMAC", "LinOtp.TokenInfo": "{\n\"hashlib\": \"sha1\"\n}",
        "LinOtp.IdResolver": "local", "LinOtp.IdResClass": "useridresolver.PasswdIdResolver.IdResolver.local",
        "LinOtp.Userid": "jane", "LinOtp.OtpLen": 6, "LinOtp.MaxFail": 5, "LinOtp.Isactive": true,
        "LinOtp.FailCount": 0, "LinOtp.Count": 0, "LinOtp.CountWindow": 10, "LinOtp.SyncWindow": 100,
        "LinOtp.CreationDate": "Wed, 18 May 2033 03:33:30 GMT", "LinOtp.LastAuthSuccess": "",
        "LinOtp.LastAuthMatch": "", "LinOtp.RealmNames": ["local"], "User.description": "",
        "User.userid": "jane", "User.username": "jane",
    });
    assert_eq!(row, expected);
    let one = |verb: &'static str| {
        let rig = &rig;
        async move { value(&call(rig, &format!("/admin/{verb}"), "serial=HTEST1").await).clone() }
    };
    assert_eq!(one("disable").await, 1);
    assert_eq!(one("disable").await, 1, "it is so already");
    assert_eq!(rows(&rig, "serial=HTEST1").await[0]["LinOtp.Isactive"], false);
    assert_eq!(one("enable").await, 1);
    assert_eq!(rows(&rig, "serial=HTEST1").await[0]["LinOtp.Isactive"], true);

    let resync =
        |first: u64, second: u64| format!("serial=HTEST1&otp1={}&otp2={}", hotp(first), hotp(second));
    assert_eq!(value(&call(&rig, "/admin/resync", &resync(20, 22)).await), false);
    assert_eq!(rows(&rig, "serial=HTEST1").await[0]["LinOtp.FailCount"], 1);
    rig.daemon.clock.advance(3600);
    assert_eq!(value(&call(&rig, "/admin/resync", &resync(20, 21)).await), true);
    assert_eq!(rows(&rig, "serial=HTEST1").await[0]["LinOtp.Count"], 22);
    assert_eq!(value(&call(&rig, "/admin/resync", &resync(20, 21)).await), false, "they were used");
    assert_eq!(one("reset").await, 1);
    assert_eq!(rows(&rig, "serial=HTEST1").await[0]["LinOtp.FailCount"], 0);

    let owner = call(&rig, "/admin/getTokenOwner", "serial=HTEST1").await;
    assert_eq!((&value(&owner)["username"], &value(&owner)["userid"]), (&json!("jane"), &json!("jane")));
    assert_eq!(one("unassign").await, true);
    assert_eq!(one("unassign").await, true, "it is nobody's already");
    assert_eq!(value(&call(&rig, "/admin/getTokenOwner", "serial=HTEST1").await), &json!({}));
    let nobodys = rows(&rig, "user=''").await.remove(0);
    assert_eq!(nobodys["User.username"], "");
    assert_eq!(nobodys["LinOtp.RealmNames"], json!([]));
    let answer = call(&rig, "/admin/assign", "serial=HTEST1&user=john&pin=other").await;
    assert_eq!(value(&answer), true);
    let Reply::Devices(devices) = rig.daemon.admin(Request::Devices { user: user_id("john") }).await else {
        panic!("john has it")
    };
    assert!(devices[0].pin && devices[0].position == Some(22), "{devices:?}");
    assert_eq!(value(&call(&rig, "/admin/set", "serial=HTEST1&pin=").await), &json!({ "set pin": 1 }));
    assert_eq!(one("remove").await, 1);
    assert_eq!(fault(&call(&rig, "/admin/remove", "serial=HTEST1").await).0, 1102);
    assert_eq!(serials(&rig, "").await, [""; 0]);
    let row = rig.daemon.last_audit("john").await;
    assert_eq!((row.event.as_str(), row.client.as_deref()), ("remove", Some("console")));
}

#[tokio::test]
async fn what_cannot_be_done_is_told_by_its_number_and_changes_nothing() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane&pin=secret").await;
    init(&rig, "FREE1", "").await;
    let wrong = vec![
        ("remove", String::new(), 905, "ERR905: missing parameter user or serial!"),
        ("enable", "serial=&user=".into(), 905, "ERR905: missing parameter user or serial!"),
        ("remove", "serial=NOPE".into(), 1102, "ERR1102: No token with serial NOPE found"),
        ("delete", "serial=NOPE".into(), 1102, "ERR1102"),
        ("enable", "serial=NOPE".into(), 1102, "ERR1102"),
        ("disable", "serial=M*".into(), 1102, "ERR1102"),
        ("disable", "serial=jane:999".into(), 1102, "ERR1102"),
        ("unassign", "serial=NOPE".into(), 1102, "ERR1102"),
        ("assign", "serial=NOPE&user=john".into(), 1102, "ERR1102"),
        ("assign", "user=john".into(), 905, "ERR905: Missing parameter: 'serial'"),
        ("assign", "serial=FREE1".into(), 905, "ERR905: Missing parameter: 'user'"),
        ("assign", "serial=MINE1&user=john".into(), -311, "MINE1 is in somebody's hands"),
        ("assign", "serial=FREE1&user=john&pin=1".into(), -311, "a PIN has 4 to 32 characters"),
        ("resync", "serial=MINE1&otp1=1".into(), 905, "ERR905: Missing parameter: 'otp2'"),
        ("resync", "serial=NOPE&otp1=1&otp2=2".into(), 1102, "ERR1102"),
        ("resync", "serial=FREE1&otp1=111111&otp2=222222".into(), -311, "nobody has FREE1"),
        ("set", "serial=MINE1".into(), 77, "ERR77: Usage: set"),
        ("set", "serial=NOPE&pin=secret".into(), 1102, "ERR1102"),
        ("set", "serial=MINE1&pin=other&MaxFailCount=50".into(), -311, "MaxFailCount of MINE1 is 5"),
        ("set", "serial=MINE1&CounterWindow=20".into(), -311, "CounterWindow of MINE1 is 10"),
        ("set", "serial=FREE1&pin=other".into(), -311, "nobody has FREE1"),
        ("check_serial", String::new(), 905, "ERR905: Missing parameter: 'serial'"),
        ("getTokenOwner", "serial=NOPE".into(), 1102, "ERR1102"),
        ("losttoken", "serial=NOPE".into(), 1102, "ERR1102"),
        ("losttoken", "serial=FREE1".into(), -311, "You can only define a lost token for an assigned token."),
        ("losttoken", "serial=MINE1".into(), 410, "ERR410: this client may not: add \"factors:emergency\""),
        ("losttoken", "serial=MINE1&validity=10".into(), 905, "ERR905: Bad parameter: 'validity'"),
        ("getSerialByOtp", String::new(), 905, "ERR905: Missing parameter: 'otp'"),
        ("getSerialByOtp", "otp=12345".into(), 905, "ERR905: Bad parameter: 'otp'"),
        ("getSerialByOtp", format!("otp={}&type=sms", hotp(0)), 905, "ERR905: Bad parameter: 'type'"),
        ("getSerialByOtp", format!("otp={}&assigned=2", hotp(0)), 905, "ERR905: Bad parameter: 'assigned'"),
        ("show", "page=x".into(), 905, "ERR905: Bad parameter: 'page'"),
        ("show", "outform=xml".into(), 905, "ERR905: Bad parameter: 'outform'"),
    ];
    are_faults(&rig, wrong).await;
    let unknown = call(&rig, "/admin/reset", "serial=NOPE").await;
    assert_eq!(
        (value(&unknown), &unknown["detail"]["message"]),
        (&json!(0), &json!("No token with serial NOPE"))
    );
    for verb in ["nosuch", "init/", "setPin", "copyTokenPin"] {
        assert_eq!(as_client(&rig, VPN, &format!("/admin/{verb}"), "").await.status, 404, "{verb}");
    }
}

#[tokio::test]
async fn all_of_a_user_are_switched_together() {
    let rig = linotp().await;
    init(&rig, "ONE1", "&user=jane").await;
    init(&rig, "TWO2", "&user=jane").await;
    let pending = r#"{"type":"hmac","genkey":"1","user":"jane","session":"abc"}"#;
    let length = pending.len();
    let request = format!(
        "POST /admin/init HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\nCookie: admin_session=abc\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{pending}"
    );
    assert_eq!(value(&rig.http().await.ask(&request).await.json()), true, "3 and 4 send JSON");
    assert_eq!(value(&call(&rig, "/admin/disable", "user=jane").await), 3);
    let Reply::User(jane) = rig.daemon.admin(Request::Show { user: user_id("jane") }).await else { panic!() };
    assert!(jane.factors.iter().all(|factor| factor.state == FactorState::Disabled), "{jane:?}");
    assert_eq!(value(&call(&rig, "/admin/enable", "user=jane").await), 3);
    assert_eq!(fault(&call(&rig, "/admin/resync", "user=jane&otp1=1&otp2=2").await).0, 1101);
    assert_eq!(
        value(&call(&rig, "/admin/set", "user=jane&pin=secret&OtpLen=6").await),
        &json!({ "set pin": 3, "set OtpLen": 3 })
    );
    assert_eq!(value(&call(&rig, "/admin/enable", "user=john").await), 0);
    assert_eq!(value(&call(&rig, "/admin/unassign", "user=jane").await), true);
    assert_eq!(serials(&rig, "user=jane").await, [""; 0]);
    assert_eq!(serials(&rig, "user=''").await.len(), 3);
}

#[tokio::test]
async fn what_was_never_proven_is_not_switched_on() {
    let rig = linotp().await;
    let params = NewParams::Totp(TotpParams::default());
    let mut new = new_factor("jane", params, "phone");
    (new.activate, new.tag.serial) = (false, Some(Serial::new("PEND1").unwrap()));
    let reply = rig.daemon.admin(Request::Enroll(Box::new(new))).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
    let before = all(&rig).await;
    for verb in ["enable", "disable"] {
        let answer = call(&rig, &format!("/admin/{verb}"), "serial=PEND1").await;
        let (code, text) = fault(&answer);
        assert!(code == -311 && text.starts_with("PEND1 has not been proven by a code"), "{answer}");
        assert_eq!(value(&call(&rig, &format!("/admin/{verb}"), "user=jane").await), 0);
    }
    assert_eq!(rows(&rig, "serial=PEND1").await[0]["LinOtp.Isactive"], false);
    assert_eq!(all(&rig).await, before);
}

#[tokio::test]
async fn failures_are_shown_and_forgotten() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane").await;
    for failed in 1..=3 {
        rig.daemon.clock.advance(3600);
        let wrong = call(&rig, "/admin/resync", "serial=MINE1&otp1=000000&otp2=000000").await;
        assert_eq!(value(&wrong), false);
        assert_eq!(rows(&rig, "serial=MINE1").await[0]["LinOtp.FailCount"], failed);
    }
    let limits = call(&rig, "/admin/set", "serial=MINE1&MaxFailCount=5").await;
    assert_eq!(value(&limits), &json!({ "set MaxFailCount": 1 }), "it is so already");
    assert_eq!(value(&call(&rig, "/admin/reset", "user=jane").await), 1);
    assert_eq!(rows(&rig, "serial=MINE1").await[0]["LinOtp.FailCount"], 0);
}
