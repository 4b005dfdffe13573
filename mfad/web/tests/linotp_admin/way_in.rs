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
    let lines: Vec<_> =
        given.head.lines().filter_map(|line| line.strip_prefix("set-cookie: admin_session=")).collect();
    assert!(lines.len() == 2 && lines[0] == lines[1], "{given:?}");
    let (session, attributes) = lines[0].split_once(';').unwrap();
    assert_eq!(attributes, " Path=/; SameSite=Strict", "for no host but this one");
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

/// A page of another host in the same domain can write the cookie that it then repeats.
#[tokio::test]
async fn a_page_of_the_neighborhood_cannot_ask_with_a_session_of_its_own_making() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane").await;
    let before = all(&rig).await;
    for site in ["same-site", "cross-site", "other"] {
        let cookie = format!("Cookie: admin_session=abc\r\nSec-Fetch-Site: {site}\r\n");
        for path in ["/admin/remove", "/admin/show", "/audit/search", "/system/getConfig"] {
            let answered = ask(&rig, (VPN, &cookie), path, "serial=MINE1&session=abc").await;
            assert_eq!(answered.status, 401, "{path} {site}");
        }
    }
    assert_eq!(all(&rig).await, before);
    for site in ["same-origin", "none"] {
        let cookie = format!("Cookie: admin_session=abc\r\nSec-Fetch-Site: {site}\r\n");
        let answered = ask(&rig, (VPN, &cookie), "/admin/show", "session=abc").await;
        assert_eq!(answered.status, 200, "{site}");
    }
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
        ("/admin/userlist", "username=*"),
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
        ("/admin/userlist", ""),
        ("/admin/tokenrealm", "serial=MINE1&realms=local"),
        ("/audit/search", "outform=csv"),
        ("/admin/show", "outform=csv"),
    ] {
        let answer = call(&rig, path, form).await;
        assert_eq!(fault(&answer).0, -311, "{path} {answer}");
    }
}

#[tokio::test]
async fn whatever_comes_is_answered_in_the_envelope_and_changes_nothing() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane").await;
    let before = all(&rig).await;
    let long = format!("serial={}&user={0}", "x".repeat(20_000));
    let junk = [
        "serial=%00&user=%00",
        "serial=%FF%FE&user=%C3",
        "serial=jane:&otp1=1&otp2=2",
        "serial=:1&pin=x",
        "serial=jane:99999999999999999999&pin=secret",
        "serial=%27%20OR%201=1--&user=%25&pin=secret",
        "user=a@b@c@&realm=%0a&page=-1&rp=-1&key=%00&value=%00&otp1=1&otp2=2",
        "type=&otpkey=%20&hashlib=&otplen=&timeStep=&page=99999999999999999999",
        "genkey=1&description=%1b%5b31m",
        "page=18446744073709551615&pagesize=18446744073709551615&rp=18446744073709551615&key=x&pin=x&genkey=0",
        long.as_str(),
    ];
    let verbs =
        ["init", "enable", "disable", "remove", "delete", "show", "assign", "unassign", "resync", "reset"];
    let verbs = verbs.map(|verb| format!("/admin/{verb}")).into_iter();
    let more = [
        "/admin/tokenrealm",
        "/admin/userlist",
        "/admin/set",
        "/admin/check_serial",
        "/admin/getTokenOwner",
        "/admin/losttoken",
    ];
    let other = ["/admin/getSerialByOtp", "/audit/search", "/system/getConfig", "/system/setConfig"];
    for path in verbs.chain(more.into_iter().chain(other).map(str::to_owned)) {
        for form in junk {
            let answered = as_client(&rig, VPN, &path, form).await;
            assert_eq!(answered.status, 200, "{path} {form}: {answered:?}");
            let json = answered.json();
            assert!(
                json["result"]["status"].is_boolean() || json["rows"].is_array(),
                "{path} {form}: {json}"
            );
        }
    }
    for (kind, body) in [("application/json", "{"), ("application/json", "[1]"), ("text/xml", "<a/>")] {
        let length = body.len();
        let request = format!(
            "POST /admin/remove HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {VPN}\r\nContent-Type: {kind}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        let answered = rig.http().await.ask(&request).await;
        assert!((400..500).contains(&answered.status), "{answered:?}");
        assert_eq!(answered.json()["result"]["status"], false, "{answered:?}");
    }
    assert_eq!(all(&rig).await, before);
}
