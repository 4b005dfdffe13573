//! Tokens are found, those of nobody and of who is gone among them; the trail and the settings.

use serde_json::{Value, json};

use super::{LINOTP, as_client, call, fault, init, linotp, rig::VPN, rows, serials, value};

#[tokio::test]
async fn tokens_are_found_sorted_and_turned_page_by_page() {
    let rig = linotp().await;
    for (serial, more) in [
        ("AA2", "&user=jane&description=blue"),
        ("AB1", "&user=jane"),
        ("BA3", "&user=john&description=Blue%20one"),
        ("CC1", "&user=mary@vpn"),
        ("DD1", ""),
        ("DD2", ""),
    ] {
        init(&rig, serial, more).await;
    }
    rig.daemon.enroll_hotp("john").await;
    let plain = serials(&rig, "user=john").await.into_iter().find(|serial| serial != "BA3").unwrap();
    assert!(plain.starts_with("john:"), "what has no serial is called by its owner: {plain}");
    assert_eq!(serials(&rig, &format!("serial={plain}")).await, [plain.as_str()]);
    assert_eq!(value(&call(&rig, "/admin/disable", &format!("serial={plain}")).await), 1);
    let found = |form: &'static str| {
        let rig = &rig;
        async move { serials(rig, form).await }
    };
    assert_eq!(found("serial=A*&sortby=TokenSerialnumber").await, ["AA2", "AB1"]);
    assert_eq!(found("serial=*1&sortby=TokenSerialnumber&sortdir=desc").await, ["DD1", "CC1", "AB1"]);
    assert_eq!(found("filter=BLUE&sortby=TokenSerialnumber").await, ["AA2", "BA3"]);
    assert_eq!(found("user=ja*&sortby=TokenSerialnumber").await, ["AA2", "AB1"]);
    assert_eq!(found("user=mary@vpn").await, ["CC1"]);
    assert_eq!(found("user=mary&realm=vpn").await, ["CC1"]);
    assert_eq!(found("realm=vpn").await, ["CC1"]);
    assert_eq!(found("viewrealm=vpn&user=jane").await, [""; 0]);
    assert_eq!(found("user=nobody").await, [""; 0]);
    assert_eq!(found("serial=NOPE").await, [""; 0]);
    assert_eq!(found("serial=AA2&user=jane&realm=local").await, ["AA2"]);
    for other in ["user=john", "user=''", "realm=vpn", "user=/:no user info:/"] {
        assert_eq!(serials(&rig, &format!("serial=AA2&{other}")).await, [""; 0], "{other}");
    }
    for nobodys in ["user=''", "user=/:no user:/", "realm=''", "realm=/:no realm:/"] {
        assert_eq!(serials(&rig, nobodys).await, ["DD1", "DD2"], "{nobodys}");
    }
    for all in ["", "user=", "user=*", "realm=*", "realm=&serial=*"] {
        assert_eq!(serials(&rig, all).await.len(), 7, "{all}");
    }
    let everything = serials(&rig, "").await;
    let mut turned = Vec::new();
    for page in 1..=4 {
        let answer = call(&rig, "/admin/show", &format!("page={page}&pagesize=2")).await;
        let (data, set) = (&value(&answer)["data"], &value(&answer)["resultset"]);
        assert_eq!(set, &json!({ "pages": 4, "pagesize": 2, "tokens": 7, "page": page }));
        let serial = |row: &Value| row["LinOtp.TokenSerialnumber"].as_str().unwrap().to_owned();
        turned.extend(data.as_array().unwrap().iter().map(serial));
    }
    assert_eq!(turned, everything);
    assert_eq!(found("page=9&pagesize=2").await, [""; 0]);
    let sorted = call(&rig, "/admin/show", "sortby=TokenSerialnumber&page=2&pagesize=2&serial=*").await;
    assert_eq!(value(&sorted)["data"][0]["LinOtp.TokenSerialnumber"], "BA3");
    assert_eq!(value(&call(&rig, "/admin/remove", "user=jane").await), 2);
    assert_eq!(value(&call(&rig, "/admin/remove", "user=jane").await), 0);
}

#[tokio::test]
async fn tokens_whose_owner_is_gone_are_found() {
    let rig = linotp().await;
    init(&rig, "GONE1", "&user=jane").await;
    init(&rig, "FREE1", "").await;
    rig.daemon.reconfigure(&format!("[identity]\naccounts = \"nss\"\n{LINOTP}")).await;
    init(&rig, "ROOT1", "&user=root").await;
    let gone = rows(&rig, "user=/:no user info:/").await;
    assert_eq!(gone.len(), 1, "{gone:?}");
    let row = &gone[0];
    assert_eq!(row["LinOtp.TokenSerialnumber"], "GONE1");
    assert_eq!(
        (&row["User.username"], &row["User.userid"]),
        (&json!("/:no user info:/"), &json!("/:no user info:/"))
    );
    assert_eq!(row["LinOtp.RealmNames"], json!(["local"]));
    assert_eq!(serials(&rig, "user=''").await, ["FREE1"], "nobody's is no orphan");
    let root = rows(&rig, "serial=ROOT1").await.remove(0);
    assert_eq!((&root["User.username"], &root["User.userid"]), (&json!("root"), &json!("0")));
    let unknown = call(&rig, "/admin/assign", "serial=FREE1&user=nobody-is-called-so").await;
    let told = "ERR1112: getUserResolverId failed: UserError(description='getUserId failed: no user >nobody-is-called-so< found!', id=1205)";
    assert_eq!((fault(&unknown), &unknown["id"]), ((1112, told), &json!(0)));
    assert_eq!(serials(&rig, "user=''").await, ["FREE1"]);
    assert_eq!(value(&call(&rig, "/admin/remove", "serial=GONE1").await), 1);
    assert_eq!(serials(&rig, "user=/:no user info:/").await, [""; 0]);
}

#[tokio::test]
async fn the_trail_is_searched() {
    let rig = linotp().await;
    init(&rig, "MINE1", "&user=jane").await;
    call(&rig, "/admin/disable", "serial=MINE1").await;
    init(&rig, "HIS1", "&user=john").await;
    rig.daemon.login("jane", &["000000"; 3]).await;
    let searched = |form: &'static str| {
        let rig = &rig;
        async move { as_client(rig, VPN, "/audit/search", form).await.json() }
    };
    let all = searched("sortname=number&sortorder=desc").await;
    assert_eq!(all["page"], 1);
    let rows = all["rows"].as_array().unwrap();
    assert_eq!(all["total"], rows.len());
    let numbers: Vec<_> = rows.iter().map(|row| row["id"].as_i64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] > pair[1]), "{numbers:?}");
    let added = searched("user=john&action=admin/init").await;
    let cell = &added["rows"][0]["cell"];
    let number = &added["rows"][0]["id"];
    assert_eq!(
        cell,
        &json!([
            number,
            "2033-05-18T03:33:30.000+00:00",
            "",
            "",
            "admin/init",
            "1",
            "HIS1",
            "",
            "john",
            "local",
            "console",
            "",
            cell[12],
            "mfad",
            "127.0.0.1",
            "INFO",
            0
        ])
    );
    let count = |answer: &Value| answer["rows"].as_array().unwrap().len();
    assert_eq!(count(&searched("action=admin%2F%25&user=jane").await), 2, "SQL's pattern");
    assert_eq!(count(&searched("user=ja%25&action=admin%2Fdisable").await), 1);
    assert_eq!(count(&searched("query=user%3Djohn%3Baction%3Dadmin%2Finit&qtype=extsearch").await), 1);
    assert_eq!(count(&searched("query=admin%2Fdisable&qtype=action").await), 1);
    assert_eq!(count(&searched("action=admin%2Fdisable&query=john&qtype=user").await), 0);
    assert_eq!(count(&searched("action=admin%2Fdisable&query=john&qtype=user&or=true").await), 2);
    assert_eq!(searched("user=nobody").await, json!({ "page": 1, "rows": [], "total": 0 }));
    let second = searched("rp=1&page=2&sortorder=desc").await;
    assert_eq!((&second["page"], &second["rows"][0]["id"]), (&json!(2), &json!(numbers[1])));
    assert_eq!(fault(&searched("rp=0").await).0, 905);
    let failed = searched("user=jane&action=validate%2Fcheck").await;
    assert_eq!(failed["rows"][0]["cell"][5], "0", "{failed}");
}

#[tokio::test]
async fn settings_are_told_and_stay_as_they_are() {
    let rig = linotp().await;
    let got = |key: &'static str| {
        let rig = &rig;
        async move { value(&call(rig, "/system/getConfig", &format!("key={key}")).await).clone() }
    };
    assert_eq!(got("DefaultCountWindow").await, json!({ "getConfig DefaultCountWindow": "10" }));
    assert_eq!(got("nosuch").await, json!({ "getConfig nosuch": "" }));
    let all = call(&rig, "/system/getConfig", "").await;
    assert_eq!((&value(&all)["AutoResync"], &value(&all)["splitAtSign"]), (&json!("False"), &json!("True")));
    let same = call(&rig, "/system/setConfig", "AutoResync=False").await;
    assert_eq!(value(&same), &json!({ "setConfig AutoResync:False": true }));
    let same = call(&rig, "/system/setConfig", "key=PrependPin&value=true").await;
    assert_eq!(value(&same), &json!({ "setConfig PrependPin:true": true }));
    for other in
        ["AutoResync=True", "AutoResync=False&PrependPin=False", "nosuch=1", "key=AutoResync&value=True"]
    {
        assert_eq!(fault(&call(&rig, "/system/setConfig", other).await).0, 410, "{other}");
    }
    assert_eq!(fault(&call(&rig, "/system/setConfig", "").await).0, 905);
    assert_eq!(got("AutoResync").await, json!({ "getConfig AutoResync": "False" }));
    init(&rig, "ONE1", "&user=mary@vpn").await;
    init(&rig, "FREE1", "").await;
    let realm = |name: &str| {
        json!({
            "realmname": name,
            "entry": format!("linotp.useridresolver.group.{name}"),
            "useridresolver": [format!("useridresolver.PasswdIdResolver.IdResolver.{name}")],
            "admin": false,
        })
    };
    let mut local = realm("local");
    local["default"] = json!("true");
    let realms = call(&rig, "/system/getRealms", "").await;
    assert_eq!(value(&realms), &json!({ "local": local, "vpn": realm("vpn") }));
    assert_eq!(as_client(&rig, VPN, "/system/setRealm", "realm=x").await.status, 404);
}

/// More users than core names at once.
#[tokio::test]
async fn tokens_of_many_are_turned_through() {
    let rig = linotp().await;
    for number in 0..110 {
        rig.daemon.enroll_hotp(&format!("user{number:03}")).await;
    }
    init(&rig, "LAST1", "&user=zoe@vpn").await;
    let names = |form: String| {
        let rig = &rig;
        async move {
            let name = |row: &Value| row["User.username"].as_str().unwrap().to_owned();
            rows(rig, &form).await.iter().map(name).collect::<Vec<_>>()
        }
    };
    let mut expected: Vec<_> = (0..110).map(|number| format!("user{number:03}")).collect();
    expected.push("zoe".to_owned());
    assert_eq!(names(String::new()).await, expected);
    let mut turned = Vec::new();
    for page in 1..=4 {
        turned.extend(names(format!("page={page}&pagesize=30")).await);
    }
    assert_eq!(turned, expected);
    assert_eq!(names("serial=LAST*".to_owned()).await, ["zoe"]);
    let realms = call(&rig, "/system/getRealms", "").await;
    assert!(value(&realms).get("vpn").is_some(), "{realms}");
}
