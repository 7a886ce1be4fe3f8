//! Looking for payments: over the API and in the dashboard, as a list, as a file, and by views that
//! people keep.

use crate::strangers::{Keys as _, OTHER_STORE};
use crate::town::{Reply, Town, cart};
use gateway::Fault;
use gateway::domain::access_key::Kind;
use gateway::domain::role::Role;
use gateway::domain::scope::Scopes;
use serde_json::{Value, json};

fn german() -> Value {
    let mut cart = cart();
    cart["merchant_reference"] = json!("=WEB;+2");
    cart["country"] = json!("DE");
    cart["locale"] = json!("de-DE");
    cart
}

fn ids(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status, 200, "{}", reply.text);
    let data = reply.body["data"].as_array().unwrap();
    data.iter().map(|payment| payment["id"].as_str().unwrap().to_owned()).collect()
}

async fn list(town: &Town, query: &str) -> Reply {
    town.call("GET", &format!("/v1/payments?{query}"), &Value::Null).await
}

#[tokio::test]
async fn payments_are_found_by_what_is_known_of_them() {
    for town in Town::on_each_engine().await {
        let one = town.paid().await;
        let other = town.paid_by(&german(), json!({})).await;
        let id = |payment: &Value| payment["id"].as_str().unwrap().to_owned();
        let (swede, german) = (id(&one), id(&other));
        let both = [german.clone(), swede.clone()];
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        for (query, expected) in [
            (String::new(), &both[..]),
            ("sort=oldest".to_owned(), &[swede.clone(), german.clone()][..]),
            (format!("q={swede}"), &both[1..]),
            (format!("q={}", text("checkout_id")), &both[1..]),
            (format!("q={}", text("klarna_order_id")), &both[1..]),
            ("q=+WEB-1001+".to_owned(), &both[1..]),
            ("reference=WEB-1001".to_owned(), &both[1..]),
            ("q=345.00+SEK".to_owned(), &both[1..]),
            ("q=345".to_owned(), &both[..]),
            ("q=345&country=DE".to_owned(), &both[..1]),
            ("reference=345".to_owned(), &both[..0]),
            ("q=346".to_owned(), &both[..0]),
            ("country=de".to_owned(), &both[..1]),
            ("currency=EUR&channel=inline&status=authorized".to_owned(), &both[..1]),
            ("channel=in_store".to_owned(), &both[..0]),
            ("fraud_status=accepted&amount_min=34500&amount_max=34500".to_owned(), &both[..]),
            ("amount_min=34501".to_owned(), &both[..0]),
            ("from=2020-01-01&until=2020-01-01".to_owned(), &both[..0]),
            ("from=2020-01-01T00:00:00Z".to_owned(), &both[..]),
            ("needs_attention=true".to_owned(), &both[..0]),
            ("needs_attention=false".to_owned(), &both[..]),
            ("currency=SEK&sort=amount_high".to_owned(), &both[1..]),
        ] {
            let reply = list(&town, &query).await;
            assert_eq!(ids(&reply), expected, "{query}");
        }
        // Page by page, and a cursor is good for its own order only.
        let first = list(&town, "limit=1&sort=oldest").await;
        let cursor = first.body["next_cursor"].as_str().unwrap().to_owned();
        let second = list(&town, &format!("limit=1&sort=oldest&cursor={cursor}")).await;
        assert_eq!(ids(&second), both[..1]);
        let strange = list(&town, &format!("cursor={cursor}")).await;
        assert_eq!((strange.status, &strange.body["member"]), (400, &json!("cursor")));
        // What is another store's is not found by any of it.
        let stranger = town.key_of(OTHER_STORE, Kind::Secret, Scopes::everything(), None).await;
        for query in [String::new(), format!("q={swede}"), "q=345".to_owned()] {
            let path = format!("/v1/payments?{query}");
            let reply = town.with(&stranger, "GET", &path, &Value::Null).await;
            assert_eq!(ids(&reply), Vec::<String>::new(), "{query}");
        }
        town.end().await;
    }
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_said_and_not_repeated() {
    let town = Town::on_each_engine().await.remove(0);
    for (query, member) in [
        ("status=paid", "status"),
        ("currency=kronor", "currency"),
        ("channel=carrier-pigeon", "channel"),
        ("from=yesterday", "from"),
        ("amount_min=3.45", "amount_min"),
        ("sort=amount_low", "sort"),
        ("q=eva%40mail.example", "q"),
        ("q=a&reference=b", "reference"),
        ("expiring=perhaps", "expiring"),
        ("limit=0", "limit"),
        ("cursor=nonsense", "cursor"),
        ("surprise=1", ""),
    ] {
        for path in ["/v1/payments", "/v1/payments.csv"] {
            let file = path.ends_with("csv");
            if file && (query.starts_with("limit") || query.starts_with("cursor")) {
                continue;
            }
            let reply = town.call("GET", &format!("{path}?{query}"), &Value::Null).await;
            assert_eq!(reply.status, 400, "{path}?{query}: {}", reply.text);
            assert_eq!(reply.body["code"], "invalid_request", "{}", reply.text);
            assert!(member.is_empty() || reply.body["member"] == member, "{}", reply.text);
            assert!(!reply.text.contains("eva"), "{}", reply.text);
        }
        let (cookie, _) = town.session_of(Role::Viewer).await;
        if !["reference", "limit", ""].contains(&member) && member != "amount_min" {
            let page = page(&town, &cookie, &format!("/dashboard?{query}")).await;
            assert_eq!(page.status, 400, "{query}");
            assert!(page.text.contains("This cannot be looked for"), "{query}");
        }
    }
    town.end().await;
}

async fn page(town: &Town, cookie: &str, path: &str) -> Reply {
    let url = format!("{}{path}", town.gateway.url);
    town.send("GET", url, &[("cookie", cookie)], String::new()).await
}

async fn press(town: &Town, who: &(String, String), path: &str, fields: &str) -> Reply {
    let headers =
        [("content-type", "application/x-www-form-urlencoded"), ("cookie", who.0.as_str())];
    let url = format!("{}{path}", town.gateway.url);
    town.send("POST", url, &headers, format!("csrf={}&{fields}", who.1)).await
}

/// So many more payments like one, as rows.
async fn many_more(town: &Town, like: &str, count: i64) {
    let like = like.to_owned();
    town.gateway
        .database()
        .write(move |tx| {
            tx.execute(
                "WITH RECURSIVE numbers(n) AS (
                     SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $2)
                 INSERT INTO payments (id, store_id, version, checkout_id, klarna_order_id,
                     merchant_reference, status, fraud_status, currency, authorized_minor,
                     captured_minor, refunded_minor, remaining_minor, document, created_at_ms,
                     updated_at_ms, country, channel, indexed_version)
                 SELECT id || n, store_id, version, checkout_id || n, klarna_order_id || n,
                     merchant_reference, status, fraud_status, currency, authorized_minor,
                     captured_minor, refunded_minor, remaining_minor, replace(document, id, id || n),
                     created_at_ms - n, updated_at_ms, country, channel, indexed_version
                 FROM payments, numbers WHERE id = $1",
                &[&like, &count],
            )?;
            Ok::<_, Fault>(())
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn everything_that_fits_is_one_file_and_no_cell_a_formula() {
    for town in Town::on_each_engine().await {
        let payment = town.paid().await;
        let strange = town.paid_by(&german(), json!({})).await;
        many_more(&town, payment["id"].as_str().unwrap(), 1_300).await;
        let file = town.call("GET", "/v1/payments.csv?country=SE", &Value::Null).await;
        assert_eq!(file.status, 200, "{}", file.text);
        assert!(file.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(file.headers["content-disposition"].to_str().unwrap().contains("attachment"));
        let lines: Vec<&str> = file.text.split("\r\n").collect();
        assert_eq!(lines.len(), 1 + 1_301 + 1);
        assert!(lines[0].starts_with("payment_id,created_at,status,"), "{}", lines[0]);
        assert!(lines[1].starts_with(payment["id"].as_str().unwrap()), "{}", lines[1]);
        assert!(lines[1].contains(",WEB-1001,"), "{}", lines[1]);
        assert!(lines[1].contains(",SEK,345.00,0.00,0.00,345.00,34500,0,0,34500,"), "{}", lines[1]);
        let mut seen: Vec<&str> =
            lines[1..1302].iter().map(|line| &line[..line.find(',').unwrap()]).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 1_301, "each payment once");
        let file = town.call("GET", "/v1/payments.csv?country=DE", &Value::Null).await;
        assert!(file.text.contains(strange["id"].as_str().unwrap()));
        assert!(file.text.contains(",\"'=WEB;'+2\","), "{}", file.text);
        // Another store's file has a heading and nothing else.
        let stranger = town.key_of(OTHER_STORE, Kind::Secret, Scopes::everything(), None).await;
        let theirs = town.with(&stranger, "GET", "/v1/payments.csv", &Value::Null).await;
        assert_eq!(theirs.text.lines().count(), 1, "{}", theirs.text);
        // People need the role for it, and both are kept.
        for (role, status) in [(Role::Viewer, 403), (Role::Support, 403), (Role::Finance, 200)] {
            let (cookie, _) = town.session_of(role).await;
            let reply = page(&town, &cookie, "/dashboard/payments.csv?currency=EUR").await;
            assert_eq!(reply.status, status, "{role:?}: {}", reply.text);
        }
        let log = town.call("GET", "/v1/audit_log", &Value::Null).await;
        let exported: Vec<_> = log.body["data"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["action"] == "payments.exported")
            .map(|entry| entry["actor"]["type"].clone())
            .collect();
        assert_eq!(exported.len(), 3, "{}", log.text);
        town.end().await;
    }
}

#[tokio::test]
async fn people_keep_views_for_themselves_and_admins_for_everybody() {
    for town in Town::on_each_engine().await {
        let admin = town.session_of(Role::Admin).await;
        let viewer = town.session_of(Role::Viewer).await;
        let kept = press(
            &town,
            &viewer,
            "/dashboard/account/views",
            "name=To+ship&status=authorized&country=SE",
        )
        .await;
        assert_eq!(kept.status, 303, "{}", kept.text);
        let place = kept.headers["location"].to_str().unwrap().to_owned();
        assert!(place.starts_with("/dashboard?status=authorized&country=SE&view="), "{place}");
        let own = place.rsplit('=').next().unwrap().to_owned();
        let shared =
            press(&town, &admin, "/dashboard/views", "name=In+doubt&needs_attention=true").await;
        assert_eq!(shared.status, 303, "{}", shared.text);
        let shared =
            shared.headers["location"].to_str().unwrap().rsplit('=').next().unwrap().to_owned();

        // One's own and everybody's are seen, and nobody else's.
        let shown = page(&town, &viewer.0, "/dashboard").await.text;
        assert!(shown.contains("To ship") && shown.contains("In doubt"), "{shown}");
        let shown = page(&town, &admin.0, "/dashboard").await.text;
        assert!(!shown.contains("To ship") && shown.contains("In doubt"), "{shown}");

        // What is wrong, taken, or not theirs.
        let again = press(&town, &viewer, "/dashboard/account/views", "name=To+ship&q=x").await;
        assert_eq!(again.status, 409, "{}", again.text);
        for fields in ["name=&q=x", "name=Bad&status=paid", "name=Mail&q=eva%40mail.example"] {
            let refused = press(&town, &viewer, "/dashboard/account/views", fields).await;
            assert_eq!(refused.status, 400, "{fields}: {}", refused.text);
        }
        for (who, path, status) in [
            (&viewer, "/dashboard/views".to_owned(), 403),
            (&viewer, format!("/dashboard/views/{shared}/delete"), 403),
            (&viewer, format!("/dashboard/account/views/{shared}/delete"), 404),
            (&admin, format!("/dashboard/account/views/{own}/delete"), 404),
            (&admin, format!("/dashboard/views/{own}/delete"), 404),
            (&viewer, format!("/dashboard/account/views/{own}/explode"), 404),
        ] {
            let reply = press(&town, who, &path, "name=Mine&q=x").await;
            assert_eq!(reply.status, status, "{path}: {}", reply.text);
        }
        // Changed, renamed, deleted.
        let path = format!("/dashboard/account/views/{own}");
        let changed = press(&town, &viewer, &format!("{path}/change"), "status=captured").await;
        assert_eq!(changed.status, 303, "{}", changed.text);
        let renamed = press(&town, &viewer, &format!("{path}/rename"), "name=Shipped").await;
        assert_eq!(renamed.status, 303, "{}", renamed.text);
        let shown = page(&town, &viewer.0, "/dashboard/account/views").await.text;
        assert!(shown.contains("Shipped") && shown.contains("status=captured"), "{shown}");
        let deleted = press(&town, &viewer, &format!("{path}/delete"), "").await;
        assert_eq!(deleted.status, 303, "{}", deleted.text);
        let shown = page(&town, &viewer.0, "/dashboard/account/views").await.text;
        assert!(!shown.contains("Shipped"), "{shown}");
        // All of it is kept.
        let log = town.call("GET", "/v1/audit_log?limit=100", &Value::Null).await;
        for action in ["view.kept", "view.changed", "view.renamed", "view.deleted"] {
            assert!(log.text.contains(action), "{action} in {}", log.text);
        }
        town.end().await;
    }
}
