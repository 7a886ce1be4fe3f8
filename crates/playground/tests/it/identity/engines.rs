//! What lasts: on both databases, over a restart and over a reset.

use serde_json::json;

use crate::common::engines;
use crate::identity::people::{Client, JWKS, Shopper, claims, told};

#[tokio::test]
async fn who_is_signed_in_stays_so_over_a_restart() {
    for engine in engines().await {
        let world = engine.world().await;
        let client = Client::public(&world).await;
        let shopper = Shopper::new(&world);
        let back = shopper.sign_in(&client.request(&[]), "customer@email.se").await;
        let tokens = client.redeem(&back["code"], &[]).await.json;
        let keys = world.send("GET", JWKS, &[], "").await.json;
        let request = client.request(&[("prompt", "none")]);
        let (client_id, cookies) = (client.client_id.clone(), shopper.cookies());
        world.stop().await;

        let world = engine.world().await;
        assert_eq!(world.send("GET", JWKS, &[], "").await.json, keys, "the keys are kept");
        claims(&world, tokens["id_token"].as_str().unwrap()).await;
        let reply = world.send("GET", &request, &[("cookie", &cookies)], "").await;
        assert!(told(reply.header("location")).contains_key("code"), "{reply:?}");
        let client = Client { world: &world, client_id, secret: None };
        let renewed = client.refresh(tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");
        let again = client.refresh(tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(again.json["error"], "invalid_grant");

        world.control("/reset", &json!({})).await;
        let access = renewed.json["access_token"].as_str().unwrap();
        assert_eq!(client.userinfo(access).await.status, 401);
        assert_eq!(world.send("GET", JWKS, &[], "").await.json, keys, "nothing of a person's");
        world.stop().await;
    }
}
