//! What whoever runs the gateway does on the command line: copies and puts them back, keys and people.

use std::path::Path;

use http::Method;
use serde_json::{Value, json};
use testing::http::{As, Http};
use testing::kassa::{Ended, Kassa, run_in};

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");

fn kassa(folder: &Path, flags: &[&str]) -> Ended {
    run_in(KASSA, folder, flags, &[], "")
}

/// What a command says to programs.
fn told(folder: &Path, flags: &[&str]) -> Value {
    let mut all = vec!["--json"];
    all.extend_from_slice(flags);
    let Ended { code, stdout, stderr } = kassa(folder, &all);
    assert_eq!(code, Some(0), "{flags:?}: {stderr}");
    serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("not one object: {stdout}"))
}

/// A payment; answers its id.
async fn paid(kassa: &Kassa, http: &Http) -> String {
    let ready = kassa.ready();
    let cart = json!({
        "merchant_reference": "WEB-1", "country": "SE", "prices": "including_tax",
        "lines": [{ "type": "physical", "name": "Mugg", "quantity": 3, "unit_price": 10000, "tax_rate": 2500 }],
    });
    let checkout =
        http.post(&format!("{}/v1/checkouts", ready.gateway_url), kassa.key(), &cart).await;
    let authorized = http
        .post(
            &format!("{}/playground/v1/shopper/authorize", ready.playground_url),
            As::Anyone,
            &json!({ "client_token": checkout["klarna"]["client_token"] }),
        )
        .await;
    let confirmed = http
        .post(
            &format!(
                "{}/v1/checkouts/{}/confirm",
                ready.gateway_url,
                checkout["id"].as_str().unwrap()
            ),
            kassa.key(),
            &json!({ "authorization_token": authorized["authorization_token"] }),
        )
        .await;
    confirmed["payment"]["id"].as_str().unwrap_or_else(|| panic!("{confirmed}")).to_owned()
}

#[tokio::test]
async fn a_copy_of_a_running_gateway_is_put_back_and_agrees_with_klarna_again() {
    let http = Http::new();
    let mut town = Kassa::start(KASSA);
    let folder = town.folder().to_path_buf();
    let payment = paid(&town, &http).await;
    let copy = folder.join("copy.db").display().to_string();
    let backed_up = told(&folder, &["backup", "--data-dir", "data", &copy]);
    assert_eq!(backed_up["event"], "backed_up");
    assert!(backed_up["bytes"].as_u64().unwrap() > 10_000, "{backed_up}");

    // Nothing is overwritten, and nothing that runs is replaced.
    let again = kassa(&folder, &["backup", "--data-dir", "data", &copy]);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("nothing is overwritten"), "{}", again.stderr);
    let live = kassa(&folder, &["restore", "--data-dir", "data", &copy]);
    assert_eq!(live.code, Some(1));
    assert!(live.stderr.contains("in use by another process"), "{}", live.stderr);

    // Money moves that the copy does not know of.
    let captures = format!("{}/v1/payments/{payment}/captures", town.ready().gateway_url);
    http.post(&captures, town.key(), &json!({ "amount": 12_000 })).await;
    assert!(town.terminate().success());
    let there = kassa(&folder, &["restore", "--data-dir", "data", &copy]);
    assert_eq!(there.code, Some(1));
    assert!(there.stderr.contains("move it away first"), "{}", there.stderr);
    for name in ["gateway.db", "gateway.db-wal", "gateway.db-shm"] {
        let data = folder.join("data");
        let _ = std::fs::rename(data.join(name), data.join(format!("old-{name}")));
    }
    let restored = told(&folder, &["restore", "--data-dir", "data", &copy]);
    assert_eq!((&restored["event"], &restored["payments"]), (&json!("restored"), &json!(1)));
    assert!(restored["known_until"].is_string(), "{restored}");

    town.restart();
    // Whoever asks now has no connection to the process that is gone.
    let http = Http::new();
    // The rest is asked for: Klarna is asked first what was captured.
    let captures = format!("{}/v1/payments/{payment}/captures", town.ready().gateway_url);
    let captured = http.post(&captures, town.key(), &json!({})).await;
    let order = captured["klarna_order_id"].as_str().unwrap_or_else(|| panic!("{captured}"));
    let order = town.order(&http, order).await;
    assert_eq!(order["captured_amount"], 30_000, "{order}");
    let amounts: Vec<_> =
        order["captures"].as_array().unwrap().iter().map(|each| &each["captured_amount"]).collect();
    assert_eq!(amounts, [12_000, 18_000]);
    let shown = town.payment(&http, &payment).await;
    assert_eq!(shown["amounts"]["captured"], 30_000, "{shown}");
    assert!(town.terminate().success());
}

#[tokio::test]
async fn whoever_is_locked_out_finds_a_way_back_in() {
    let http = Http::new();
    let mut town = Kassa::start(KASSA);
    let folder = town.folder().to_path_buf();
    let busy = kassa(&folder, &["gateway", "--data-dir", "data", "keys", "list"]);
    assert_eq!(busy.code, Some(1));
    assert!(busy.stderr.contains("in use by another process"), "{}", busy.stderr);
    assert!(town.terminate().success());

    let operate = |flags: &[&str]| {
        let mut all = vec!["gateway", "--data-dir", "data"];
        all.extend_from_slice(flags);
        told(&folder, &all)
    };
    let listed = operate(&["keys", "list"]);
    assert_eq!(listed["data"][0]["created_by"], "configuration", "{listed}");
    let reader = operate(&["keys", "create", "reports", "--scope", "payments:read"]);
    let first = operate(&["keys", "create", "the shop"]);
    let second =
        operate(&["keys", "rotate", first["id"].as_str().unwrap(), "--overlap-seconds", "0"]);
    let ended = operate(&["keys", "create", "lost"]);
    operate(&["keys", "revoke", ended["id"].as_str().unwrap()]);
    let made = operate(&["users", "create", "eva", "--role", "admin"]);
    let reset = operate(&["users", "reset-password", "eva"]);
    assert_ne!(made["password"], reset["password"]);
    operate(&["users", "remove-second-factor", "admin"]);
    let people = operate(&["users", "list"]);
    let names: Vec<_> =
        people["data"].as_array().unwrap().iter().map(|each| &each["name"]).collect();
    assert_eq!(names, ["admin", "eva"]);
    for (flags, said) in [
        (&["users", "reset-password", "admin"][..], "KASSA_DASHBOARD_PASSWORD"),
        (&["users", "reset-password", "nobody"], "no user nobody"),
        (&["users", "create", "eva"], "already"),
        (&["users", "create", "x", "--role", "king"], "2 to 64"),
        (&["users", "create", "olle", "--role", "king"], "no role king"),
        (&["keys", "revoke", "key_0"], "no key key_0"),
        (&["keys", "create", "x", "--scope", "everything"], "not a scope"),
        (&["keys", "list", "--store", "sto_0"], "no store sto_0"),
    ] {
        let mut all = vec!["gateway", "--data-dir", "data"];
        all.extend_from_slice(flags);
        let refused = kassa(&folder, &all);
        assert_eq!(refused.code, Some(1), "{flags:?}");
        assert!(refused.stderr.contains(said), "{flags:?}: {}", refused.stderr);
    }

    town.restart();
    let payments = format!("{}/v1/payments", town.ready().gateway_url);
    for (key, status) in [(&reader, 200), (&second, 200), (&first, 401), (&ended, 401)] {
        let key = As::Bearer(key["key"].as_str().unwrap());
        let answer = http.send(Method::GET, &payments, key, None).await.unwrap();
        assert_eq!(answer.status.as_u16(), status);
    }
    let log = format!("{}/v1/audit_log?limit=100", town.ready().gateway_url);
    let log = http.get(&log, As::Bearer(second["key"].as_str().unwrap())).await;
    let told: Vec<_> = log["data"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["actor_kind"] == "system")
        .map(|entry| entry["action"].as_str().unwrap())
        .collect();
    for action in [
        "api_key.created",
        "api_key.rotated",
        "api_key.revoked",
        "user.made",
        "user.password_set",
        "user.second_factor_removed",
    ] {
        assert!(told.contains(&action), "{action} is not among {told:?}");
    }
}
