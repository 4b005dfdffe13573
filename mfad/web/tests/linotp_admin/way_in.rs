//! Who may ask: sessions, rights, and errors in the form that was asked for.

use serde_json::json;

use super::{
    LINOTP, all, as_client, ask, call, fault, init, linotp,
    rig::{Rig, VPN, WIKI},
    value,
};

#[tokio::test]
async fn an_error_comes_as_a_page_where_that_is_wanted() {
    let rig = linotp().await;
    for (wanted, status, reason) in [
        ("400", 400, "Bad Request"),
        ("", 500, "Internal Server Error"),
        ("777", 777, "LinOTP Error"),
        ("200", 500, "Internal Server Error"),
    ] {
        let answered = as_client(&rig, VPN, "/admin/init", &format!("type=hmac&httperror={wanted}")).await;
        assert_eq!(answered.status, status, "{answered:?}");
        let page = format!(
            "\n<html>\n<head>\n<title>{status} {status} {reason}</title>\n</head>\n<body>\n<h1>{status} {status} {reason}</h1>\n\
             [LinOTP 2.11.2] 905: ERR905: Missing parameter: 'otpkey'\n<br>\n<br>\n</body>\n</html>\n"
        );
        assert_eq!(answered.body, page);
        assert!(answered.head.contains("text/html"), "{answered:?}");
    }
    let good = as_client(&rig, VPN, "/admin/show", "httperror=400").await;
    assert_eq!(good.status, 200, "errors alone");
}

#[tokio::test]
async fn a_page_of_others_cannot_ask_in_the_name_of_a_client() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane").await;
    let before = all(&rig).await;
    let cookie = |value: &str| format!("Cookie: admin_session={value}\r\n");
    for (cookie, form) in [
        (String::new(), "serial=MINE1"),
        (String::new(), "serial=MINE1&session=abc"),
        (cookie("abc"), "serial=MINE1"),
        (cookie("abc"), "serial=MINE1&session=abd"),
        (cookie("abc"), "serial=MINE1&session="),
        (cookie(""), "serial=MINE1&session="),
    ] {
        for path in ["/admin/remove", "/admin/show", "/audit/search", "/system/getConfig"] {
            let answered = ask(&rig, (VPN, &cookie), path, form).await;
            assert_eq!(
                (answered.status, answered.body.as_str()),
                (401, "You have no valid session!"),
                "{path} {form}"
            );
        }
    }
    assert_eq!(all(&rig).await, before);
    let given = ask(&rig, (VPN, ""), "/admin/getsession", "").await;
    assert_eq!(value(&given.json()), true);
    let line = given.head.lines().find_map(|line| line.strip_prefix("set-cookie: admin_session=")).unwrap();
    let session = line.split(';').next().unwrap();
    assert!(session.len() == 64 && session.bytes().all(|byte| byte.is_ascii_hexdigit()), "{session}");
    let head = format!("Authorization: Bearer {VPN}\r\n{}", cookie(session));
    let got = rig.http().await.get(&format!("/admin/disable?serial=MINE1&session={session}"), &head).await;
    assert_eq!(value(&got.json()), 1, "2.x clients write by GET");
}

#[tokio::test]
async fn where_it_asks_from_can_be_proof_enough() {
    let by_network = LINOTP.replace("token = \"vpn\"", "by_network = true\nnetworks = [\"127.0.0.1\"]");
    let rig = Rig::of(&by_network).await;
    let shown = rig.http().await.get("/admin/show", "").await;
    assert_eq!(shown.status, 200, "no session is wanted of it: {shown:?}");
    assert_eq!(value(&shown.json())["data"], json!([]));
    for page in ["Origin: https://evil.example\r\n", "Origin: null\r\n", "Sec-Fetch-Site: cross-site\r\n"] {
        let path = "/admin/init?genkey=1&user=jane";
        let answered = rig.http().await.get(path, page).await;
        assert_eq!((answered.status, answered.body.as_str()), (401, "You have no valid session!"), "{page}");
    }
    let before = all(&rig).await;
    let own = rig.http().await.get("/admin/init?genkey=1&user=jane", "Origin: http://x\r\n").await;
    assert_eq!(value(&own.json()), true, "a page of its own");
    assert_ne!(all(&rig).await, before, "it is that call which changes something");
}

#[tokio::test]
async fn whoever_has_not_the_right_is_told_so_and_changes_nothing() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane").await;
    init(&rig, "FREE1", "").await;
    let before = all(&rig).await;
    for (path, form) in [
        ("/admin/init", "genkey=1&user=jane"),
        ("/admin/disable", "serial=MINE1"),
        ("/admin/remove", "serial=MINE1"),
        ("/admin/remove", "user=jane"),
        ("/admin/reset", "serial=MINE1"),
        ("/admin/resync", "serial=MINE1&otp1=111111&otp2=222222"),
        ("/admin/unassign", "serial=MINE1"),
        ("/admin/assign", "serial=FREE1&user=john"),
        ("/admin/set", "serial=MINE1&pin=secret"),
        ("/admin/show", ""),
        ("/audit/search", ""),
        ("/system/getConfig", ""),
        ("/system/setConfig", "AutoResync=False"),
        ("/system/getRealms", ""),
    ] {
        let answered = as_client(&rig, WIKI, path, form).await;
        assert_eq!(answered.status, 200, "{path} {answered:?}");
        assert_eq!(fault(&answered.json()).0, 410, "{path} {answered:?}");
        let nobody = as_client(&rig, "wrong", path, form).await;
        assert_eq!(nobody.status, 401, "{path}");
    }
    let shown = as_client(&rig, WIKI, "/admin/show", "serial=MINE1").await.json();
    assert_eq!(value(&shown)["data"].as_array().unwrap().len(), 1, "it may read tokens");
    assert_eq!(all(&rig).await, before);
}

#[tokio::test]
async fn without_core_nothing_is_claimed() {
    let rig = linotp().await;
    rig.take_core_away();
    for (path, form) in [
        ("/admin/init", "genkey=1&user=jane"),
        ("/admin/show", ""),
        ("/admin/remove", "serial=MINE1"),
        ("/admin/reset", "serial=MINE1"),
        ("/admin/check_serial", "serial=MINE1"),
        ("/audit/search", ""),
        ("/system/getRealms", ""),
    ] {
        let answer = call(&rig, path, form).await;
        assert_eq!(fault(&answer).0, -311, "{path} {answer}");
    }
}
