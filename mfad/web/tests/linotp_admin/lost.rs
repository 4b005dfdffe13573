//! A token is lost: off at once, with a code that lets its owner in once, for clients that may have one made.

use mfa_proto::{
    admin::{FactorKind, Reply, Request},
    login::Verdict,
};
use serde_json::{Value, json};

use super::{
    all, are_faults, as_client, call, fault, init,
    rig::{Rig, VPN, WIKI},
    rows, serials,
    support::{NOW, hotp, user_id},
    value, with_emergency,
};

async fn rig() -> Rig {
    Rig::of(&with_emergency()).await
}

async fn lost(rig: &Rig, form: &str) -> Value {
    value(&call(rig, "/admin/losttoken", form).await).clone()
}

async fn checked(rig: &Rig, form: &str) -> bool {
    let answered = as_client(rig, WIKI, "/validate/check", form).await;
    assert_eq!(answered.json()["result"]["status"], true, "{answered:?}");
    answered.json()["result"]["value"].as_bool().unwrap()
}

fn code(answer: &Value) -> &str {
    let code = answer["password"].as_str().unwrap();
    assert!(code.starts_with("00-") && code.len() == 22, "{answer}");
    code
}

#[tokio::test]
async fn a_lost_token_is_off_and_the_password_lets_in_once() {
    let rig = rig().await;
    init(&rig, "TTEST1", "&user=jane").await;
    init(&rig, "HIS1", "&user=john").await;
    let answer = lost(&rig, "serial=ttest1").await;
    let called = serials(&rig, "user=jane").await.into_iter().find(|serial| serial != "TTEST1").unwrap();
    let expected = json!({
        "serial": called, "init": true, "user": 1, "pin": 0, "valid_to": "2033-05-18T05:33:30Z",
        "password": code(&answer), "end_date": "18/05/33 05:33", "token_typ": "pw", "disable": 1,
    });
    assert_eq!(answer, expected);
    assert_eq!(rows(&rig, "serial=TTEST1").await[0]["LinOtp.Isactive"], false);
    assert_eq!(rows(&rig, &format!("serial={called}")).await[0]["LinOtp.TokenType"], "breakglass");
    let password = code(&answer);
    assert!(!checked(&rig, &format!("user=jane&pass={}", hotp(0))).await, "the token");
    rig.daemon.clock.advance(60);
    assert!(!checked(&rig, &format!("user=john&pass={password}")).await, "another user");
    assert!(!checked(&rig, &format!("user=jane&serial=HIS1&pass={password}")).await, "another's device");
    for serial in ["HIS1", "TTEST1", "lostTTEST1", "NOPE"] {
        let form = format!("serial={serial}&pass={password}");
        let answered = as_client(&rig, WIKI, "/validate/check_s", &form).await;
        assert_ne!(answered.json()["result"]["value"], true, "{serial}");
    }
    rig.daemon.clock.advance(60);
    assert!(checked(&rig, &format!("user=jane&pass={password}")).await, "its owner");
    rig.daemon.clock.advance(60);
    assert!(!checked(&rig, &format!("user=jane&pass={password}")).await, "once");
    assert_eq!(serials(&rig, "user=jane").await, ["TTEST1"]);
    let again = lost(&rig, "serial=TTEST1").await;
    assert_ne!(again["password"], answer["password"], "the next day");
    let login = rig.daemon.login("jane", &[code(&again)]).await;
    assert_eq!(login.verdict, Verdict::Accept, "logins of the host take it, too");
}

#[tokio::test]
async fn it_is_told_in_the_trail_by_whom_and_never_what() {
    let rig = rig().await;
    init(&rig, "TTEST1", "&user=jane").await;
    let answer = lost(&rig, "serial=TTEST1&validity=1").await;
    assert_eq!(answer["end_date"], "19/05/33 03:33");
    let reply = rig.daemon.admin(Request::Audit(Box::default())).await;
    let Reply::Audit(page) = &reply else { panic!("{reply:?}") };
    for (event, reason) in [("disable", "ok"), ("breakglass", "token TTEST1 lost")] {
        let row = page.rows.iter().find(|row| row.event == event).unwrap();
        assert_eq!((row.reason.as_str(), row.client.as_deref()), (reason, Some("console")));
        assert_eq!(row.user.as_ref(), Some(&user_id("jane")));
    }
    let plain = code(&answer).replace('-', "");
    let told = format!("{reply:?} {} {}", all(&rig).await, rows(&rig, "").await.len()).replace('-', "");
    assert!(!told.contains(&plain), "{told}");
    assert!(!as_client(&rig, VPN, "/admin/show", "").await.body.replace('-', "").contains(&plain));
}

#[tokio::test]
async fn it_is_taken_back_like_any_token_and_ends_by_itself() {
    let rig = rig().await;
    init(&rig, "TTEST1", "&user=jane").await;
    let answer = lost(&rig, "serial=TTEST1").await;
    let called = answer["serial"].as_str().unwrap();
    assert_eq!(value(&call(&rig, "/admin/remove", &format!("serial={called}")).await), 1);
    assert!(!checked(&rig, &format!("user=jane&pass={}", code(&answer))).await);
    let answer = lost(&rig, "serial=TTEST1&validity=5m").await;
    rig.daemon.clock.set(NOW.plus(300));
    assert!(!checked(&rig, &format!("user=jane&pass={}", code(&answer))).await);
}

#[tokio::test]
async fn what_was_not_lost_is_refused_by_its_number_and_changes_nothing() {
    let rig = rig().await;
    init(&rig, "TTEST1", "&user=jane").await;
    init(&rig, "FREE1", "").await;
    let answer = lost(&rig, "serial=TTEST1").await;
    let called = answer["serial"].as_str().unwrap().to_owned();
    let span = "ERR905: Bad parameter: 'validity'";
    let wrong = vec![
        ("losttoken", String::new(), 905, "ERR905: Missing parameter: 'serial'"),
        ("losttoken", "user=jane".into(), 905, "ERR905: Missing parameter: 'serial'"),
        ("losttoken", "serial=NOPE".into(), 1102, "ERR1102: No token with serial NOPE found"),
        ("losttoken", "serial=T*".into(), 1102, "ERR1102"),
        ("losttoken", "serial=nobody:1".into(), 1102, "ERR1102"),
        ("losttoken", "serial=FREE1".into(), -311, "You can only define a lost token for an assigned token."),
        ("losttoken", format!("serial={called}"), 1102, "ERR1102: jane has no such factor"),
        ("losttoken", "serial=TTEST1&validity=10".into(), 905, span),
        ("losttoken", "serial=TTEST1&validity=25h".into(), 905, span),
        ("losttoken", "serial=TTEST1&validity=1m".into(), 905, span),
        ("losttoken", "serial=TTEST1&validity=x".into(), 905, span),
    ];
    are_faults(&rig, wrong).await;
    assert!(
        checked(&rig, &format!("user=jane&pass={}", code(&answer))).await,
        "the code before still counts"
    );
}

#[tokio::test]
async fn whose_account_is_gone_gets_none() {
    let rig = rig().await;
    init(&rig, "GONE1", "&user=jane").await;
    let text = format!("[identity]\naccounts = \"nss\"\n{}", with_emergency());
    rig.daemon.reconfigure(&text).await;
    let before = all(&rig).await;
    let (code, _) = fault_of(&rig, "serial=GONE1").await;
    assert_eq!(code, 1112);
    assert_eq!(all(&rig).await, before);
}

async fn fault_of(rig: &Rig, form: &str) -> (i64, String) {
    let answer = call(rig, "/admin/losttoken", form).await;
    let (code, text) = fault(&answer);
    (code, text.to_owned())
}

/// Not with all other rights together; and with it, no code but for a token that is there.
#[tokio::test]
async fn it_takes_a_right_of_its_own_that_covers_nothing_else() {
    let all_others = "[\"verify\", \"factors:read\", \"factors:write\", \"users:read\", \"audit:read\", \"status\", \
                      \"token:verify\", \"token:issue\"]";
    let given = "[\"factors:read\", \"factors:write\", \"users:read\", \"audit:read\", \"status\"]";
    let rig = Rig::of(&super::LINOTP.replace(given, all_others)).await;
    init(&rig, "TTEST1", "&user=jane").await;
    let before = all(&rig).await;
    let (code, text) = fault_of(&rig, "serial=TTEST1").await;
    assert!(code == 410 && text.contains("factors:emergency"), "{text}");
    assert_eq!(all(&rig).await, before);

    let alone = super::LINOTP.replace(given, "[\"factors:read\", \"factors:emergency\"]");
    let rig = Rig::of(&alone).await;
    rig.daemon.enroll_hotp("jane").await;
    let before = all(&rig).await;
    for (path, form) in [
        ("/admin/init", "genkey=1&user=jane"),
        ("/admin/disable", "user=jane"),
        ("/admin/remove", "user=jane"),
        ("/admin/reset", "user=jane"),
        ("/admin/getSerialByOtp", "otp=755224"),
        ("/admin/show", ""),
    ] {
        assert_eq!(fault(&call(&rig, path, form).await).0, 410, "{path}");
    }
    let reason = mfa_proto::text::ShownText::clean("none");
    let roots = Request::BreakGlass { user: user_id("jane"), seconds: 600, reason };
    let reply = rig.desk("console").admin(roots).await.unwrap();
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    assert_eq!(all(&rig).await, before);
    let serial = rows(&rig, "user=jane").await[0]["LinOtp.TokenSerialnumber"].as_str().unwrap().to_owned();
    lost(&rig, &format!("serial={serial}")).await;
    let Reply::User(jane) = rig.daemon.admin(Request::Show { user: user_id("jane") }).await else { panic!() };
    assert!(jane.factors.iter().any(|factor| factor.kind == FactorKind::BreakGlass));
}

#[tokio::test]
async fn without_core_no_token_is_said_to_be_lost() {
    let rig = rig().await;
    init(&rig, "TTEST1", "&user=jane").await;
    rig.take_core_away();
    for path in ["/admin/losttoken", "/admin/getSerialByOtp"] {
        let answer = call(&rig, path, "serial=TTEST1&otp=000000").await;
        assert_eq!(fault(&answer).0, -311, "{answer}");
    }
}
