//! A token that was found is found by its code, which then lets nobody in.

use mfa_proto::admin::{Reply, Request};
use serde_json::{Value, json};

use super::{
    LINOTP, all, as_client, call, fault, init, linotp,
    rig::{Rig, VPN, WIKI},
    support::hotp,
    value, with_emergency,
};

const OTHER: &str = "3132333435363738393031323334353637383931";

fn told(serial: &str, login: &str, resolver: &str) -> Value {
    json!({ "success": true, "serial": serial, "user_login": login, "user_resolver": resolver })
}

/// A second after the search before.
async fn found(rig: &Rig, form: &str) -> Value {
    rig.daemon.clock.advance(1);
    value(&call(rig, "/admin/getSerialByOtp", form).await).clone()
}

async fn other(rig: &Rig, serial: &str, user: &str) {
    let form = format!("type=hmac&otpkey={OTHER}&serial={serial}{user}");
    assert_eq!(value(&call(rig, "/admin/init", &form).await), true);
}

#[tokio::test]
async fn a_token_is_found_by_its_code_which_is_used_up() {
    let rig = Rig::of(&with_emergency()).await;
    init(&rig, "HTEST1", "&user=jane").await;
    other(&rig, "HTEST2", "&user=mary@vpn").await;
    let local = "useridresolver.PasswdIdResolver.IdResolver.local";
    let code = hotp(1);
    assert_eq!(found(&rig, &format!("otp={code}")).await, told("HTEST1", "jane", local));
    assert_eq!(found(&rig, &format!("otp={code}")).await, told("", "", ""), "a second time it is nobody's");
    let check = format!("user=jane&pass={code}");
    let checked = as_client(&rig, WIKI, "/validate/check", &check).await.json();
    assert_eq!(checked["result"]["value"], false, "it lets nobody in: {checked}");
    rig.daemon.clock.advance(60);
    let check = format!("user=jane&pass={}", hotp(2));
    let checked = as_client(&rig, WIKI, "/validate/check", &check).await.json();
    assert_eq!(checked["result"]["value"], true, "the next one does: {checked}");
    let rows = as_client(&rig, VPN, "/audit/search", "action=admin%2FgetSerialByOtp").await.json();
    let cells: Vec<_> = rows["rows"].as_array().unwrap().iter().map(|row| &row["cell"]).collect();
    let told: Vec<_> = cells.iter().map(|cell| (&cell[5], &cell[6], &cell[8], &cell[10])).collect();
    let (found, missed) = (json!("1"), json!("0"));
    let expected = [
        (&found, &json!("HTEST1"), &json!("jane"), &json!("console")),
        (&missed, &json!(""), &json!(""), &json!("console")),
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn a_search_is_narrowed_as_it_was() {
    let rig = linotp().await;
    init(&rig, "HTEST1", "&user=jane").await;
    other(&rig, "FREE1", "").await;
    other(&rig, "VPN1", "&user=mary@vpn").await;
    let code = hotp(0);
    for not in ["type=totp", "assigned=0", "realm=vpn", "serial=HTEST2", "serial=F*"] {
        assert_eq!(found(&rig, &format!("otp={code}&{not}")).await, told("", "", ""), "{not}");
    }
    for (counter, meant) in
        (0..).zip(["type=HMAC&assigned=1&realm=Local&serial=htest*", "type=&assigned=&realm=*&serial=*"])
    {
        let answer = found(&rig, &format!("otp={}&{meant}", hotp(counter))).await;
        assert_eq!(answer["serial"], "HTEST1", "{meant}");
    }
    // Both have one key.
    let mary = "useridresolver.PasswdIdResolver.IdResolver.vpn";
    rig.daemon.clock.advance(1);
    let several = call(&rig, "/admin/getSerialByOtp", &format!("otp={}", other_code(0))).await;
    let (code, text) = fault(&several);
    assert!(code == 1101 && text.contains("more than one device shows this code"), "{several}");
    assert_eq!(
        found(&rig, &format!("otp={}&realm=vpn", other_code(0))).await,
        told("", "", ""),
        "used up as well"
    );
    assert_eq!(found(&rig, &format!("otp={}&realm=vpn", other_code(1))).await, told("VPN1", "mary", mary));
    assert_eq!(found(&rig, &format!("otp={}&assigned=0", other_code(1))).await, told("FREE1", "", ""));
}

/// The code of the other key for a counter.
fn other_code(counter: u64) -> String {
    totp_rs::Builder::new()
        .with_secret(b"12345678901234567891".to_vec())
        .with_step_duration(1)
        .build()
        .unwrap()
        .generate(counter)
        .to_string()
}

/// Whoever has not all three is told which is missing, and uses nothing up.
#[tokio::test]
async fn it_takes_three_rights() {
    for missing in ["factors:read", "factors:write", "users:read"] {
        let fewer = LINOTP.replacen(&format!("\"{missing}\", "), "", 1);
        assert_ne!(fewer, LINOTP);
        let rig = Rig::of(&fewer).await;
        rig.daemon.enroll_hotp("jane").await;
        name(&rig).await;
        let before = all(&rig).await;
        let refused = call(&rig, "/admin/getSerialByOtp", &format!("otp={}", hotp(0))).await;
        let (code, text) = fault(&refused);
        assert!(code == 410 && text.contains(missing), "{missing}: {refused}");
        assert_eq!(all(&rig).await, before);
    }
}

/// Gives jane's token a serial number, as root on the host does.
async fn name(rig: &Rig) {
    let target =
        mfa_proto::admin::FactorRef { user: super::support::user_id("jane"), factor: None, label: None };
    let serial = mfa_proto::tag::Serial::new("HTEST1").ok();
    let named = rig.daemon.admin(Request::Describe { target, serial, description: None }).await;
    assert!(matches!(named, Reply::Done { .. }), "{named:?}");
}

#[tokio::test]
async fn a_client_searches_once_a_second_and_misses_a_few_times_an_hour() {
    let rig = linotp().await;
    init(&rig, "HTEST1", "&user=jane").await;
    assert_eq!(found(&rig, "otp=000000").await, told("", "", ""));
    let (code, text) = (-311, "one search a second, and 20 an hour that find nothing: wait");
    let soon = call(&rig, "/admin/getSerialByOtp", &format!("otp={}", hotp(0))).await;
    assert_eq!(fault(&soon), (code, format!("{text} 1 s").as_str()));
    for _ in 1..20 {
        assert_eq!(found(&rig, "otp=000000").await, told("", "", ""));
    }
    rig.daemon.clock.advance(1);
    let before = all(&rig).await;
    let spent = call(&rig, "/admin/getSerialByOtp", &format!("otp={}", hotp(0))).await;
    assert_eq!(fault(&spent), (code, format!("{text} 3580 s").as_str()));
    assert_eq!(all(&rig).await, before, "it was not even looked at");
}
