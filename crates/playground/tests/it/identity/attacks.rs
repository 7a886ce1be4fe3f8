//! What RFC 9700 warns of, tried one by one.

use serde_json::json;

use crate::common::{Reply, World};
use crate::identity::people::{
    AUTH, Client, HOME, SHOP, Shopper, TOKEN, USERINFO, VERIFIER, challenge, encode, told,
};

fn refused(reply: &Reply, error: &str) {
    assert_eq!((reply.status, &reply.json["error"]), (400, &json!(error)), "{reply:?}");
}

#[tokio::test]
async fn an_answer_goes_to_a_registered_address_letter_by_letter() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    for uri in [
        "https://shop.example/signed-in/",
        "https://shop.example/signed-in?",
        "https://shop.example/signed-in#",
        "https://shop.example/signed-in/../evil",
        "https://shop.example/Signed-in",
        "https://shop.example:8443/signed-in",
        "http://shop.example/signed-in",
        "https://shop.example@evil.example/signed-in",
        "https://evil.example/signed-in",
        "https://shop.example.evil.example/signed-in",
        "https://shop.example/signed-in?to=https://evil.example",
        "https://shop.example/signed-in%0d%0aLocation:%20https://evil.example",
        "javascript:alert(1)",
    ] {
        let reply = world.send("GET", &client.request(&[("redirect_uri", uri)]), &[], "").await;
        assert_eq!(reply.status, 400, "{uri}");
        assert!(reply.headers.get("location").is_none(), "{uri}");
        assert!(!reply.text.contains("evil"), "{uri}");
    }
    let missing = world.send("GET", &client.request(&[("redirect_uri", "")]), &[], "").await;
    assert_eq!(missing.status, 400);
    let twice = format!("{}&redirect_uri=https%3A%2F%2Fevil.example", client.request(&[]));
    assert_eq!(world.send("GET", &twice, &[], "").await.status, 400);
    // Another client's address is not one of this client's.
    let other = client.request(&[("client_id", "klarna_test_client_nobody")]);
    assert_eq!(world.send("GET", &other, &[], "").await.status, 400);
    world.stop().await;
}

#[tokio::test]
async fn pkce_cannot_be_done_without_or_weakened() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    let unnamed = [("code_challenge_method", "")];
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    for changes in [&plain[..], &unnamed, &none] {
        let reply = world.send("GET", &client.request(changes), &[], "").await;
        assert_eq!(told(reply.header("location"))["error"], "invalid_request", "{changes:?}");
    }
    let shopper = Shopper::new(&world);
    let code = shopper.sign_in(&client.request(&[]), "customer@email.se").await["code"].clone();
    refused(&client.redeem(&code, &[("code_verifier", "")]).await, "invalid_grant");
    refused(
        &client.redeem(&code, &[("code_verifier", &challenge(VERIFIER))]).await,
        "invalid_grant",
    );
    // None of that used the code up.
    assert_eq!(client.redeem(&code, &[]).await.status, 200);
    // A client that may do without: taking the challenge out of its request is noticed.
    let client = Client::confidential(&world).await;
    let bare = client.request(&none);
    let code = shopper.sign_in(&bare, "customer@email.se").await["code"].clone();
    refused(&client.redeem(&code, &[]).await, "invalid_grant");
    world.stop().await;
}

#[tokio::test]
async fn a_code_that_was_stolen_is_worth_nothing() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let code = shopper.sign_in(&client.request(&[]), "customer@email.se").await["code"].clone();
    // Injected into another shopper's sign-in: their verifier is another.
    let theirs = "another-verifier-of-at-least-forty-three-chars";
    refused(&client.redeem(&code, &[("code_verifier", theirs)]).await, "invalid_grant");
    // At another client, at another address, too late.
    let other = Client::public(&world).await;
    refused(&other.redeem(&code, &[]).await, "invalid_grant");
    let elsewhere = format!("{HOME}?from=klarna");
    refused(&client.redeem(&code, &[("redirect_uri", &elsewhere)]).await, "invalid_grant");
    refused(&client.redeem(&code, &[("redirect_uri", "")]).await, "invalid_grant");
    refused(&client.redeem("ory_ac_guessed", &[]).await, "invalid_grant");
    world.advance("PT61S").await;
    refused(&client.redeem(&code, &[]).await, "invalid_grant");
    world.stop().await;
}

#[tokio::test]
async fn a_code_that_is_shown_twice_ends_what_came_of_it() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let code = shopper.sign_in(&client.request(&[]), "customer@email.se").await["code"].clone();
    let tokens = client.redeem(&code, &[]).await.json;
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(client.userinfo(access).await.status, 200);
    // A stranger who shows it ends nothing.
    let other = Client::public(&world).await;
    refused(&other.redeem(&code, &[]).await, "invalid_grant");
    assert_eq!(client.userinfo(access).await.status, 200);
    refused(&client.redeem(&code, &[]).await, "invalid_grant");
    assert_eq!(client.userinfo(access).await.status, 401);
    refused(&client.refresh(tokens["refresh_token"].as_str().unwrap()).await, "invalid_grant");
    world.stop().await;
}

#[tokio::test]
async fn a_refresh_token_that_is_used_twice_ends_its_family() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let first = client.tokens().await;
    let stolen = first["refresh_token"].as_str().unwrap();
    let second = client.refresh(stolen).await.json;
    let third = client.refresh(second["refresh_token"].as_str().unwrap()).await.json;
    let access = third["access_token"].as_str().unwrap();
    assert_eq!(client.userinfo(access).await.status, 200);
    // Somebody who copied the first one, long ago.
    refused(&client.refresh(stolen).await, "invalid_grant");
    assert_eq!(client.userinfo(access).await.status, 401);
    refused(&client.refresh(third["refresh_token"].as_str().unwrap()).await, "invalid_grant");
    world.stop().await;
}

#[tokio::test]
async fn of_many_who_renew_at_once_one_is_served() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let token = client.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let replies = futures_util::future::join_all((0..8).map(|_| client.refresh(&token))).await;
    let served: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(served.len(), 1);
    // The others may be whoever stole it, so that one has nothing of it either.
    let access = served[0].json["access_token"].as_str().unwrap();
    assert_eq!(client.userinfo(access).await.status, 401);
    world.stop().await;
}

#[tokio::test]
async fn tokens_are_good_for_what_they_were_given_for() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let tokens = client.tokens().await;
    let text = |name: &str| tokens[name].as_str().unwrap();
    refused(&client.refresh(text("access_token")).await, "invalid_grant");
    refused(&client.redeem(text("refresh_token"), &[]).await, "invalid_grant");
    for wrong in [text("refresh_token"), text("id_token"), "ory_at_guessed", ""] {
        assert_eq!(client.userinfo(wrong).await.status, 401);
    }
    // In an address it would be written down somewhere.
    let query = format!("{USERINFO}?{}", encode(&[("access_token", text("access_token"))]));
    assert_eq!(world.send("GET", &query, &[], "").await.status, 401);
    let other = Client::public(&world).await;
    refused(&other.refresh(text("refresh_token")).await, "invalid_grant");
    let wider = [("scope", "openid profile:phone")];
    refused(&client.refresh_with(text("refresh_token"), &wider).await, "invalid_grant");
    assert_eq!(client.refresh(text("refresh_token")).await.status, 200, "nothing used it up");
    world.stop().await;
}

#[tokio::test]
async fn a_client_shows_its_secret_and_nobody_elses() {
    let world = World::start().await;
    let client = Client::confidential(&world).await;
    let shopper = Shopper::new(&world);
    let code = shopper.sign_in(&client.request(&[]), "customer@email.se").await["code"].clone();
    for secret in ["", "wrong"] {
        let reply = client.redeem(&code, &[("client_secret", secret)]).await;
        assert_eq!(
            (reply.status, &reply.json["error"]),
            (401, &json!("invalid_client")),
            "{reply:?}"
        );
    }
    let public = Client::public(&world).await;
    let reply = public.redeem(&code, &[("client_secret", "any")]).await;
    assert_eq!(reply.status, 401, "it has none: {reply:?}");
    // Credentials in the address, and parameters that are there twice.
    let query = format!("{TOKEN}?{}", encode(&[("client_id", &client.client_id)]));
    assert_ne!(client.post(&query, &[("grant_type", "authorization_code")]).await.status, 200);
    let twice = [("client_id", client.client_id.as_str()), ("client_id", "other")];
    refused(&client.post(TOKEN, &twice).await, "invalid_request");
    let grants = [("client_id", public.client_id.as_str()), ("grant_type", "password")];
    refused(&client.post(TOKEN, &grants).await, "unsupported_grant_type");
    assert_eq!(client.redeem(&code, &[]).await.status, 200);
    world.stop().await;
}

#[tokio::test]
async fn a_sign_in_belongs_to_the_browser_that_began_it() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let victim = Shopper::new(&world);
    let attacker = Shopper::new(&world);
    let page = attacker.begin(&client.request(&[])).await;
    // A link to it is of no use to the victim, nor what the victim would type into it to the attacker.
    assert_eq!(victim.get(&page).await.status, 404);
    let typed =
        victim.post(&page, &[("action", "identify"), ("contact", "customer@email.se")]).await;
    assert_eq!(typed.status, 404);
    // A form that another site sends in the victim's browser does nothing.
    let page = victim.begin(&client.request(&[])).await;
    victim.identify(&page, "customer@email.se").await;
    let cookies = victim.cookies();
    for (origin, site) in
        [("https://evil.example", "cross-site"), ("null", "cross-site"), (SHOP, "same-site")]
    {
        let headers = [
            ("cookie", cookies.as_str()),
            ("origin", origin),
            ("sec-fetch-site", site),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let reply = world.send("POST", &page, &headers, "action=agree").await;
        assert_eq!(reply.status, 403, "{origin}");
    }
    world.stop().await;
}

#[tokio::test]
async fn signing_in_leaves_no_session_that_somebody_else_knew() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    shopper.sign_in(&client.request(&[]), "customer@email.se").await;
    let before = shopper.cookies();
    shopper.sign_in(&client.request(&[("prompt", "login consent")]), "customer@email.de").await;
    assert_ne!(shopper.cookies(), before);
    let silent = client.request(&[("prompt", "none")]);
    let reply = world.send("GET", &silent, &[("cookie", &before)], "").await;
    assert_eq!(told(reply.header("location"))["error"], "login_required");
    world.stop().await;
}

#[tokio::test]
async fn nobody_frames_the_pages_and_no_address_gives_anything_away() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    let page = shopper.begin(&client.request(&[])).await;
    let shown = shopper.get(&page).await;
    let policy = shown.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' https://shop.example;"), "{policy}");
    assert_eq!(shown.header("x-frame-options"), "DENY");
    assert_eq!(shown.header("referrer-policy"), "same-origin");
    assert_eq!(shown.header("cache-control"), "no-store");
    shopper.identify(&page, "customer@email.se").await;
    let done = shopper.post(&page, &[("action", "agree")]).await;
    // 303, so that the browser does not send the form along.
    assert_eq!(done.status, 303);
    assert_eq!(done.header("referrer-policy"), "no-referrer");
    for name in ["email", "customer", "123456"] {
        assert!(!done.header("location").contains(name) && !page.contains(name), "{name}");
    }
    world.stop().await;
}

#[tokio::test]
async fn a_popup_speaks_to_the_clients_own_page_only() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    let shopper = Shopper::new(&world);
    for origin in ["https://evil.example", "*", "null", ""] {
        let request = client.request(&[("response_mode", "web_message"), ("page_origin", origin)]);
        assert_eq!(shopper.get(&request).await.status, 400, "{origin}");
    }
    let request = client.request(&[("response_mode", "web_message"), ("page_origin", SHOP)]);
    let page = shopper.begin(&request).await;
    shopper.identify(&page, "customer@email.se").await;
    let done = shopper.post(&page, &[("action", "agree")]).await;
    assert_eq!(done.status, 200);
    assert!(done.text.contains(&format!("data-origin=\"{SHOP}\"")), "{}", done.text);
    assert!(done.text.contains("ory_ac_"));
    world.stop().await;
}

#[tokio::test]
async fn request_objects_and_other_ways_to_answer_are_refused() {
    let world = World::start().await;
    let client = Client::public(&world).await;
    for (name, value, error) in [
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://evil.example/request", "request_uri_not_supported"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "id_token token", "unsupported_response_type"),
        ("response_mode", "form_post", "invalid_request"),
        ("scope", "profile:email", "invalid_scope"),
        ("scope", "openid root", "invalid_scope"),
    ] {
        let reply = world.send("GET", &client.request(&[(name, value)]), &[], "").await;
        assert_eq!(reply.status, 303, "{name} {value}");
        let back = told(reply.header("location"));
        assert_eq!((back["error"].as_str(), back["state"].as_str()), (error, "the-state"));
        assert_eq!(back["iss"], world.public_url());
    }
    assert_eq!(world.send("GET", AUTH, &[], "").await.status, 400);
    world.stop().await;
}
