//! The keys: several of them, of the right kind, changing without anybody being locked out.

use serde_json::{Value, json};

use crate::common::World;
use crate::identity::people::{Client, JWKS, claims, read_with};

async fn published(world: &World) -> Value {
    world.send("GET", JWKS, &[], "").await.json
}

fn ids(keys: &Value) -> Vec<String> {
    let id = |key: &Value| key["kid"].as_str().unwrap().to_owned();
    keys["keys"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn there_are_several_and_nothing_private_is_among_them() {
    let world = World::start().await;
    let keys = published(&world).await;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    for key in keys["keys"].as_array().unwrap() {
        assert!(key["kid"].as_str().unwrap().starts_with("public:"));
        let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["kty", "use", "alg", "kid", "n", "e"]);
        assert_eq!(
            (&key["kty"], &key["alg"], &key["use"]),
            (&json!("RSA"), &json!("RS256"), &json!("sig"))
        );
    }
    world.stop().await;
}

#[tokio::test]
async fn whoever_kept_the_keys_for_a_while_knows_the_next_one() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let kept = published(&world).await;
    let old = client.tokens().await["id_token"].as_str().unwrap().to_owned();
    assert!(read_with(&kept, &old).is_some());
    let rotated = world.control("/identity/keys/rotate", &json!({})).await;
    let new = client.tokens().await["id_token"].as_str().unwrap().to_owned();
    assert!(read_with(&kept, &new).is_some(), "announced before it signed");
    assert_eq!(rotated["kid"].as_str().unwrap(), ids(&kept)[1]);
    // What the old one signed can still be checked, for a day.
    claims(&world, &old).await;
    world.control("/identity/keys/rotate", &json!({})).await;
    let newest = client.tokens().await["id_token"].as_str().unwrap().to_owned();
    assert!(read_with(&kept, &newest).is_none(), "whoever kept them has to ask again");
    claims(&world, &newest).await;
    assert_eq!(ids(&published(&world).await).len(), 4);
    world.stop().await;
}

#[tokio::test]
async fn keys_change_by_themselves_after_a_month() {
    let world = World::start().await;
    let before = ids(&published(&world).await);
    world.advance("P29D").await;
    assert_eq!(ids(&published(&world).await), before);
    world.advance("P1D").await;
    let after = ids(&published(&world).await);
    assert_eq!(after[0], before[1], "the one that was announced");
    assert!(after.contains(&before[0]), "what it signed can still be checked");
    world.advance("P30D").await;
    assert!(!ids(&published(&world).await).contains(&before[0]));
    world.stop().await;
}
