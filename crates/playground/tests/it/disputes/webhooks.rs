//! What a merchant's webhook is told, and how it can be sure who tells it.

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::common;
use crate::disputes::case::Case;
use crate::receiver::Receiver;

fn is_signed(key: &str, body: &[u8], signature: &str) -> bool {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(body);
    let hex: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
    hex == signature
}

#[tokio::test]
async fn each_change_is_told_once_signed_and_in_order() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let receiver = Receiver::start(&[500]).await;
        let webhook = json!({ "webhook": {
            "url": format!("{}/hook", receiver.url), "signing_key": "sesame",
            "signing_key_id": "krn:key:1", "webhook_id": "krn:webhook:1",
        } });
        world.control("/merchants/K123456/disputes", &webhook).await;
        let case = Case::raise(&world, json!({ "script": "manual" })).await;
        receiver.wait_for(1).await;
        // It failed, and is told again.
        world.advance("PT1M").await;
        receiver.wait_for(2).await;
        case.decide(json!({ "decision": "extend", "by": "P7D" })).await;
        receiver.wait_for(3).await;
        case.represent().await;
        receiver.wait_for(4).await;
        case.decide(json!({ "decision": "lost" })).await;
        receiver.wait_for(5).await;
        case.appeal().await;
        receiver.wait_for(6).await;
        case.decide(json!({ "decision": "won" })).await;
        let received = receiver.wait_for(7).await;
        let number = case.id.rsplit(':').next().unwrap();
        let mut told = Vec::new();
        for call in &received {
            assert_eq!(call.path, "/hook");
            let header = |name: &str| call.headers[name].to_str().unwrap().to_owned();
            assert!(is_signed("sesame", &call.body, &header("klarna-signature")));
            assert_eq!(header("klarna-signing-key-id"), "krn:key:1");
            assert_eq!(header("content-type"), "application/json");
            let metadata = &call.json["metadata"];
            assert_eq!(metadata["webhook_id"], "krn:webhook:1");
            for name in ["event_type", "event_id", "occurred_at"] {
                assert_eq!(call.json[name], metadata[name]);
            }
            let mut shown = call.json.clone();
            for name in ["event_id", "correlation_id"] {
                shown["metadata"][name] = json!("{id}");
            }
            shown["event_id"] = json!("{id}");
            let text = shown
                .to_string()
                .replace(&case.order_id, "{order}")
                .replace(&case.capture_id, "{capture}")
                .replace(&world.public_url(), "{base}")
                .replace(number, "{number}");
            told.push(serde_json::from_str::<Value>(&text).unwrap());
        }
        // The repetition is the same message.
        assert_eq!(received[0].body, received[1].body);
        told.remove(1);
        insta::assert_json_snapshot!("each_change_is_told_once_signed_and_in_order", told);
        world.stop().await;
        receiver.stop().await;
    }
}

#[tokio::test]
async fn a_key_is_made_up_and_shown_once() {
    let world = common::World::start().await;
    let webhook = json!({ "webhook": { "url": "https://shop.example/klarna" } });
    let agreed = world.control("/merchants/K123456/disputes", &webhook).await;
    assert!(agreed["webhook"]["signing_key"].as_str().unwrap().len() >= 32);
    let path = "/playground/v1/merchants/K123456/disputes";
    let shown = world.send("GET", path, &[], "").await.json;
    assert_eq!(shown["webhook"]["signing_key"], "");
    assert_eq!(shown["webhook"]["signing_key_id"], agreed["webhook"]["signing_key_id"]);
    world.stop().await;
}
