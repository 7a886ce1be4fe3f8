//! How it goes when everybody does what they should.

use serde_json::json;

use crate::common::World;
use crate::identity::people::{Client, HOME, SHOP, Shopper, TOKEN, VERIFIER, claims, encode, told};

#[tokio::test]
async fn the_description_is_one_that_clients_can_go_by() {
    let world = World::start().await;
    let reply = world.send("GET", "/.well-known/openid-configuration", &[], "").await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-origin"), "*");
    let issuer = world.public_url();
    assert_eq!(reply.json["issuer"], json!(issuer));
    for name in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "revocation_endpoint",
        "end_session_endpoint",
    ] {
        let at = reply.json[name].as_str().unwrap();
        let path = at.strip_prefix(&issuer).unwrap();
        let answered = world.send("GET", path, &[], "").await;
        assert_ne!(answered.status, 404, "{name}");
    }
    let claims = reply.json["claims_supported"].as_array().unwrap();
    assert!(["sub", "nonce", "at_hash", "email"].iter().all(|name| claims.contains(&json!(name))));
    for (name, expected) in [
        ("response_types_supported", json!(["code"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("id_token_signing_alg_values_supported", json!(["RS256"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
    ] {
        assert_eq!(reply.json[name], expected, "{name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_shopper_signs_in_and_the_shop_learns_what_they_share() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let back = shopper.sign_in(&client.request(&[]), "customer@email.se").await;
    assert_eq!(back["state"], "the-state");
    assert_eq!(back["iss"], world.public_url());
    assert!(back["code"].starts_with("ory_ac_"));
    let reply = client.redeem(&back["code"], &[]).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("cache-control"), "no-store");
    let tokens = reply.json;
    assert_eq!(tokens["token_type"], "bearer");
    assert_eq!(tokens["expires_in"], 299);
    assert!(tokens["access_token"].as_str().unwrap().starts_with("ory_at_"));
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("ory_rt_"));
    let said = claims(&world, tokens["id_token"].as_str().unwrap()).await;
    assert_eq!(said["iss"], json!(world.public_url()));
    assert_eq!(said["aud"], json!(client.client_id));
    assert_eq!(said["nonce"], "the-nonce");
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 300);
    assert_eq!(said["email"], "customer@email.se");
    assert_eq!(said["email_verified"], true);
    assert_eq!(said["billing_address"]["street_address2"], json!(null));
    assert!(said["sub"].as_str().unwrap().starts_with("krn:kuid:"));
    assert!(said.get("phone").is_none(), "nobody asked for it: {said}");
    let info = client.userinfo(tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(info.status, 200, "{info:?}");
    assert_eq!(info.json["sub"], said["sub"]);
    assert_eq!(info.json["billing_address"], said["billing_address"]);
    world.stop().await;
}

#[tokio::test]
async fn a_shopper_keeps_what_they_want_to_keep() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let page = shopper.begin(&client.request(&[])).await;
    shopper.identify(&page, "customer@email.de").await;
    let shown = shopper.get(&page).await;
    assert!(shown.text.contains("shop.example") && shown.text.contains("Neue Schönhauser"));
    let reply = shopper.post(&page, &[("action", "agree")]).await;
    let back = told(reply.header("location"));
    let tokens = client.redeem(&back["code"], &[]).await.json;
    assert!(!tokens["scope"].as_str().unwrap().contains("billing_address"), "{tokens}");
    let said = claims(&world, tokens["id_token"].as_str().unwrap()).await;
    assert!(said.get("billing_address").is_none(), "{said}");
    assert_eq!(said["given_name"], "Mock");
    // The next time it is as they chose, without a question.
    let again = told(&shopper.begin(&client.request(&[])).await);
    let tokens = client.redeem(&again["code"], &[]).await.json;
    assert!(!tokens["scope"].as_str().unwrap().contains("billing_address"), "{tokens}");
    world.stop().await;
}

#[tokio::test]
async fn who_was_here_before_is_asked_nothing_unless_the_shop_wants_it() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let first = shopper.sign_in(&client.request(&[]), "customer@email.se").await;
    let again = told(&shopper.begin(&client.request(&[("prompt", "none")])).await);
    assert_ne!(again["code"], first["code"]);
    for (changes, asks) in [
        (vec![("prompt", "login")], "contact"),
        (vec![("prompt", "select_account")], "contact"),
        (vec![("prompt", "consent")], "agree"),
        (vec![("scope", "openid profile:phone")], "agree"),
    ] {
        let page = shopper.begin(&client.request(&changes)).await;
        let shown = shopper.get(&page).await;
        assert!(shown.text.contains(asks), "{changes:?}: {}", shown.text);
    }
    world.advance("PT2M").await;
    let aged = shopper.begin(&client.request(&[("max_age", "60")])).await;
    assert!(aged.starts_with("/sign-in/"), "{aged}");
    // Who types the code is through at once: everything was agreed to.
    assert!(told(&shopper.identify(&aged, "customer@email.se").await).contains_key("code"));
    let other = Shopper::new(&world);
    let nobody = told(&other.begin(&client.request(&[("prompt", "none")])).await);
    assert_eq!(nobody["error"], "login_required");
    let more = client.request(&[("prompt", "none"), ("scope", "openid profile:phone")]);
    assert_eq!(told(&shopper.begin(&more).await)["error"], "consent_required");
    world.stop().await;
}

#[tokio::test]
async fn who_does_not_want_to_is_taken_back() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let page = shopper.begin(&client.request(&[])).await;
    let reply = shopper.post(&page, &[("action", "decline")]).await;
    let back = told(reply.header("location"));
    assert_eq!((back["error"].as_str(), back["state"].as_str()), ("access_denied", "the-state"));
    assert_eq!(shopper.get(&page).await.status, 404);
    // The same for who does not know the code.
    let page = shopper.begin(&client.request(&[])).await;
    shopper.post(&page, &[("action", "identify"), ("contact", "no contact")]).await;
    assert!(shopper.get(&page).await.text.contains("neither an e-mail address"));
    shopper.post(&page, &[("action", "identify"), ("contact", "customer@email.se")]).await;
    for _ in 0..4 {
        let wrong = shopper.post(&page, &[("action", "code"), ("code", "999999")]).await;
        assert_eq!(wrong.header("location"), page);
        assert!(shopper.get(&page).await.text.contains("not the code"));
    }
    let last = shopper.post(&page, &[("action", "code"), ("code", "12345")]).await;
    assert_eq!(told(last.header("location"))["error"], "access_denied");
    world.stop().await;
}

#[tokio::test]
async fn tokens_are_renewed_one_after_the_other() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let mut tokens = client.tokens().await;
    let first = claims(&world, tokens["id_token"].as_str().unwrap()).await;
    for _ in 0..3 {
        world.advance("P1D").await;
        let old = tokens["refresh_token"].as_str().unwrap().to_owned();
        let reply = client.refresh(&old).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_ne!(reply.json["refresh_token"], tokens["refresh_token"]);
        let stale = client.userinfo(tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(stale.status, 401, "five minutes are over");
        tokens = reply.json;
        let said = claims(&world, tokens["id_token"].as_str().unwrap()).await;
        assert_eq!((&said["sub"], &said["auth_time"]), (&first["sub"], &first["auth_time"]));
    }
    let narrow = client
        .refresh_with(tokens["refresh_token"].as_str().unwrap(), &[("scope", "openid")])
        .await;
    assert_eq!(narrow.json["scope"], "openid");
    let said = claims(&world, narrow.json["id_token"].as_str().unwrap()).await;
    assert!(said.get("email").is_none(), "{said}");
    world.stop().await;
}

#[tokio::test]
async fn without_offline_access_there_is_nothing_to_renew() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let request = client.request(&[("scope", "openid profile:email")]);
    let back = shopper.sign_in(&request, "customer@email.se").await;
    let tokens = client.redeem(&back["code"], &[]).await.json;
    assert!(tokens.get("refresh_token").is_none(), "{tokens}");
    world.stop().await;
}

#[tokio::test]
async fn a_client_with_a_secret_shows_it_in_either_place() {
    let world = World::start().await;
    let client = Client::confidential(&world).await;
    let secret = client.secret.clone().unwrap();
    // It may do without a challenge.
    let bare = client.request(&[("code_challenge", ""), ("code_challenge_method", "")]);
    let shopper = Shopper::new(&world);
    let back = shopper.sign_in(&bare, "customer@email.se").await;
    let posted = client.redeem(&back["code"], &[("code_verifier", "")]).await;
    assert_eq!(posted.status, 200, "{posted:?}");
    let back = told(&shopper.begin(&client.request(&[])).await);
    let pair = format!("{}:{secret}", client.client_id);
    let basic = format!(
        "Basic {}",
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, pair)
    );
    let form = [
        ("grant_type", "authorization_code"),
        ("redirect_uri", HOME),
        ("code", back["code"].as_str()),
        ("code_verifier", VERIFIER),
    ];
    let headers =
        [("authorization", basic.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let reply = world.send("POST", TOKEN, &headers, encode(&form)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    world.stop().await;
}

#[tokio::test]
async fn a_page_of_the_shop_may_ask_and_read_the_answer() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let back = Shopper::new(&world).sign_in(&client.request(&[]), "customer@email.se").await;
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", client.client_id.as_str()),
        ("redirect_uri", HOME),
        ("code", back["code"].as_str()),
        ("code_verifier", VERIFIER),
    ];
    let call = async |origin: &str| {
        let headers = [("origin", origin), ("content-type", "application/x-www-form-urlencoded")];
        world.send("POST", TOKEN, &headers, encode(&form)).await
    };
    for origin in ["https://evil.example", "null", "https://shop.example.evil.example"] {
        let refused = call(origin).await;
        assert_eq!((refused.status, &refused.json["error"]), (403, &json!("unauthorized_client")));
        assert!(refused.headers.get("access-control-allow-origin").is_none());
    }
    let reply = call(SHOP).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("access-control-allow-origin"), SHOP);
    world.stop().await;
}

#[tokio::test]
async fn signing_out_is_asked_for_and_leads_back_to_a_registered_place_only() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let back = shopper.sign_in(&client.request(&[]), "customer@email.se").await;
    let tokens = client.redeem(&back["code"], &[]).await.json;
    let hint = tokens["id_token"].as_str().unwrap();
    let out = |further: &[(&str, &str)]| format!("/oauth2/sessions/logout?{}", encode(further));
    let is_signed_in = async || {
        told(&shopper.begin(&client.request(&[("prompt", "none")])).await).contains_key("code")
    };
    // Anybody can send a browser here, so nobody is signed out by that alone.
    let asked = shopper.get(&out(&[])).await;
    assert!(asked.status == 200 && asked.text.contains("Sign out?"), "{asked:?}");
    assert!(is_signed_in().await);
    let foreign = world
        .send(
            "POST",
            "/oauth2/sessions/logout",
            &[
                ("cookie", &shopper.cookies()),
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            "action=confirm",
        )
        .await;
    assert!(foreign.text.contains("Sign out?"), "{foreign:?}");
    assert!(is_signed_in().await);
    let elsewhere =
        [("id_token_hint", hint), ("post_logout_redirect_uri", "https://evil.example/")];
    let refused = shopper.get(&out(&elsewhere)).await;
    assert_eq!(refused.status, 400);
    shopper.sign_in(&client.request(&[("prompt", "login consent")]), "customer@email.se").await;
    let home = [("id_token_hint", hint), ("post_logout_redirect_uri", HOME), ("state", "bye")];
    let done = shopper.get(&out(&home)).await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, "https://shop.example/signed-in?state=bye")
    );
    assert!(!is_signed_in().await);
    world.stop().await;
}

#[tokio::test]
async fn what_is_revoked_is_over() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let tokens = client.tokens().await;
    let text = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let revoke = async |client_id: &str, token: &str| {
        client.post("/oauth2/revoke", &[("client_id", client_id), ("token", token)]).await
    };
    let other = Client::public(&world).await;
    assert_eq!(revoke(&other.client_id, &text("refresh_token")).await.status, 200);
    assert_eq!(client.userinfo(&text("access_token")).await.status, 200, "another client's wish");
    assert_eq!(revoke(&client.client_id, "ory_rt_unknown").await.status, 200);
    assert_eq!(revoke(&client.client_id, &text("refresh_token")).await.status, 200);
    assert_eq!(client.userinfo(&text("access_token")).await.status, 401);
    let reply = client.refresh(&text("refresh_token")).await;
    assert_eq!((reply.status, &reply.json["error"]), (400, &json!("invalid_grant")));
    world.stop().await;
}

#[tokio::test]
async fn who_has_signed_in_is_not_asked_who_they_are_when_they_pay() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let tokens = client.tokens().await;
    let begin = async |access_token: &str| {
        let body = json!({
            "purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE",
            "order_amount": 10_000, "order_tax_amount": 0,
            "order_lines": [{ "name": "Mugg", "quantity": 1, "unit_price": 10_000, "total_amount": 10_000 }],
            "customer": { "klarna_access_token": access_token },
        });
        let session = world.call("POST", "/payments/v1/sessions", &body).await;
        assert_eq!(session.status, 200, "{session:?}");
        let bearer = format!("Bearer {}", session.json["client_token"].as_str().unwrap());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = json!({ "page_origin": SHOP, "kind": "authorize", "options": {}, "data": {} });
        let flow = world.send("POST", "/kp/v1/flow", &headers, body.to_string()).await;
        assert_eq!(flow.status, 200, "{flow:?}");
        flow.json["view"]["step"].clone()
    };
    assert_eq!(begin(tokens["access_token"].as_str().unwrap()).await, "choose");
    for wrong in ["ory_at_guessed", tokens["refresh_token"].as_str().unwrap()] {
        assert_eq!(begin(wrong).await, "identify");
    }
    world.advance("PT5M").await;
    assert_eq!(begin(tokens["access_token"].as_str().unwrap()).await, "identify", "too late");
    world.stop().await;
}
