//! People of the merchant's in the dashboard, over HTTP: signing in, second factors, invitations,
//! roles, sessions, keys, and what the audit log keeps of it.

use crate::strangers::Keys as _;
use crate::town::{PASSWORD, Reply, Town};
use gateway::Fault;
use gateway::domain::role::Role;
use gateway::domain::totp;
use serde_json::Value;
use service::{Clock as _, SystemClock};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const EVAS: &str = "seven+green+bottles";

/// Somebody with a browser.
struct Visitor<'a> {
    town: &'a Town,
    cookie: String,
    csrf: String,
}

impl<'a> Visitor<'a> {
    fn new(town: &'a Town) -> Self {
        Self { town, cookie: String::new(), csrf: String::new() }
    }

    /// The one of the configuration.
    async fn admin(town: &'a Town) -> Self {
        let mut visitor = Self::new(town);
        let password = PASSWORD.replace(' ', "+");
        let reply = visitor.sign_in("admin", &password).await;
        assert_eq!((reply.status, place(&reply)), (303, "/dashboard/overview"), "{}", reply.text);
        visitor
    }

    async fn of_role(town: &'a Town, role: Role) -> Self {
        let (cookie, csrf) = town.session_of(role).await;
        Self { town, cookie, csrf }
    }

    async fn sign_in(&mut self, user: &str, password: &str) -> Reply {
        self.post("/dashboard/sign-in", &format!("user={user}&password={password}")).await
    }

    fn keep(&mut self, reply: &Reply) {
        if let Some(cookie) = reply.headers.get("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
            cookie.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
        if let Some(rest) = reply.text.split("name=\"csrf\" value=\"").nth(1) {
            rest.split('"').next().unwrap().clone_into(&mut self.csrf);
        }
    }

    async fn send(&mut self, method: &str, path: &str, body: String) -> Reply {
        let headers = [FORM, ("cookie", self.cookie.as_str())];
        let url = format!("{}{path}", self.town.gateway.url);
        let reply = self.town.send(method, url, &headers, body).await;
        self.keep(&reply);
        reply
    }

    async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, String::new()).await
    }

    async fn post(&mut self, path: &str, fields: &str) -> Reply {
        let body = format!("csrf={}&{fields}", self.csrf);
        self.send("POST", path, body).await
    }

    /// Makes an invitation; answers its secret.
    async fn invite(&mut self, name: &str, role: &str) -> String {
        self.get("/dashboard/access").await;
        let fields = format!("name={}&role={role}", name.replace('@', "%40"));
        let reply = self.post("/dashboard/access/invitations", &fields).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let link = reply.text.split("/dashboard/invitation#").nth(1).unwrap();
        link.split('<').next().unwrap().to_owned()
    }

    /// Turns a second factor on; answers its seed and the recovery codes.
    async fn turn_factor_on(&mut self, password: &str) -> (Vec<u8>, Vec<String>) {
        self.get("/dashboard/account").await;
        let begun =
            self.post("/dashboard/account/second-factor", &format!("current={password}")).await;
        assert_eq!(begun.status, 200, "{}", begun.text);
        assert!(begun.text.contains("<svg class=\"qr\""), "{}", begun.text);
        let shown = begun.text.split("class=\"shown\">").nth(1).unwrap();
        let seed = totp::from_base32(shown.split('<').next().unwrap()).unwrap();
        assert_eq!(seed.len(), totp::SEED_BYTES);
        let wrong = self.post("/dashboard/account/second-factor/confirm", "code=000000").await;
        assert!([200, 400].contains(&wrong.status));
        let code = totp::code(&seed, totp::step(SystemClock.now_ms()));
        let on =
            self.post("/dashboard/account/second-factor/confirm", &format!("code={code}")).await;
        assert_eq!(on.status, 200, "{}", on.text);
        let codes = on.text.split("class=\"codes\">").nth(1).unwrap();
        let codes = codes.split("</ol>").next().unwrap().split("<code>").skip(1);
        let codes: Vec<_> = codes.map(|each| each.split('<').next().unwrap().to_owned()).collect();
        assert_eq!(codes.len(), totp::RECOVERY_CODES);
        (seed, codes)
    }
}

fn place(reply: &Reply) -> &str {
    reply.headers.get("location").map_or("", |place| place.to_str().unwrap())
}

/// Forgets which code was taken last, as if some time had passed.
async fn time_passes(town: &Town, name: &'static str) {
    town.gateway
        .database()
        .write(move |tx| {
            tx.execute("UPDATE dashboard_users SET totp_step = 0 WHERE name = $1", &[&name])?;
            Ok::<_, Fault>(())
        })
        .await
        .unwrap();
}

/// What the audit log says, newest first.
async fn actions(town: &Town) -> Vec<String> {
    let log = town.call("GET", "/v1/audit_log?limit=100", &Value::Null).await;
    let entries = log.body["data"].as_array().unwrap().clone();
    entries.iter().map(|each| each["action"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn somebody_is_invited_and_signs_in_with_what_they_chose() {
    for town in Town::on_each_engine().await {
        let mut admin = Visitor::admin(&town).await;
        let secret = admin.invite("eva@shop.example", "support").await;
        assert_eq!(secret.len(), 64);
        let mut eva = Visitor::new(&town);
        let page = eva.get("/dashboard/invitation").await;
        assert_eq!(page.status, 200);
        for (fields, status, said) in [
            (format!("invitation=wrong&password={EVAS}&repeated={EVAS}"), 410, "Ask for another"),
            (format!("invitation={secret}&password=short&repeated=short"), 400, "at least 12"),
            (format!("invitation={secret}&password={EVAS}&repeated=other"), 400, "not the same"),
            (
                format!(
                    "invitation={secret}&password=eva%40shop.example&repeated=eva%40shop.example"
                ),
                400,
                "easy to guess",
            ),
        ] {
            let refused = eva.post("/dashboard/invitation", &fields).await;
            assert_eq!(refused.status, status, "{}", refused.text);
            assert!(refused.text.contains(said), "{}", refused.text);
            assert!(!refused.text.contains("green"), "a password is not shown again");
        }
        let fields = format!("invitation={secret}&password={EVAS}&repeated={EVAS}");
        let joined = eva.post("/dashboard/invitation", &fields).await;
        assert_eq!((joined.status, place(&joined)), (303, "/dashboard/sign-in?done=joined"));
        let again = eva.post("/dashboard/invitation", &fields).await;
        assert_eq!(again.status, 410, "an invitation is good once");
        let signed_in = eva.sign_in("Eva%40Shop.example", EVAS).await;
        assert_eq!((signed_in.status, place(&signed_in)), (303, "/dashboard/overview"));
        let page = eva.get("/dashboard").await;
        assert!(page.text.contains("eva@shop.example") && !page.text.contains("/dashboard/access"));
        assert_eq!(eva.get("/dashboard/access").await.status, 403);
        // The configuration's password is nobody else's, and nobody's name is taken twice.
        let mut stranger = Visitor::new(&town);
        let password = PASSWORD.replace(' ', "+");
        for (user, password) in [
            ("eva%40shop.example", password.as_str()),
            ("admin", EVAS),
            ("nobody", EVAS),
            ("", EVAS),
            ("admin%00", password.as_str()),
        ] {
            assert_eq!(stranger.sign_in(user, password).await.status, 401, "{user}");
        }
        let taken =
            admin.post("/dashboard/access/invitations", "name=eva%40shop.example&role=admin").await;
        assert_eq!(taken.status, 400);
        let log = actions(&town).await;
        for action in ["user.signed_in", "user.joined", "user.invited"] {
            assert!(log.contains(&action.to_owned()), "{action} in {log:?}");
        }
        town.end().await;
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_each_code_is_good_once() {
    for town in Town::on_each_engine().await {
        let password = PASSWORD.replace(' ', "+");
        let mut admin = Visitor::admin(&town).await;
        admin.get("/dashboard/account").await;
        let guess = admin.post("/dashboard/account/second-factor", "current=guess").await;
        assert_eq!(guess.status, 403, "the password is asked for again");
        let (seed, recovery) = admin.turn_factor_on(&password).await;
        let mut other = Visitor::new(&town);
        let half = other.sign_in("admin", &password).await;
        assert_eq!((half.status, place(&half)), (303, "/dashboard/sign-in/code"));
        // A password alone opens nothing.
        for path in ["/dashboard", "/dashboard/access", "/dashboard/account"] {
            assert_eq!(place(&other.get(path).await), "/dashboard/sign-in", "{path}");
        }
        assert_eq!(other.get("/dashboard/sign-in/code").await.status, 200);
        let waiting = other.cookie.clone();
        // The code that turned it on was used.
        let now = totp::step(SystemClock.now_ms());
        let used = other
            .post("/dashboard/sign-in/code", &format!("code={}", totp::code(&seed, now - 1)))
            .await;
        assert_eq!(used.status, 401, "{}", used.text);
        time_passes(&town, "admin").await;
        let code = totp::code(&seed, totp::step(SystemClock.now_ms()));
        let forged =
            other.send("POST", "/dashboard/sign-in/code", format!("csrf=x&code={code}")).await;
        assert_eq!(forged.status, 403);
        let right = other.post("/dashboard/sign-in/code", &format!("code={code}")).await;
        assert_eq!((right.status, place(&right)), (303, "/dashboard/overview"));
        assert_ne!(other.cookie, waiting, "a fresh session for whoever is let in");
        assert_eq!(other.get("/dashboard").await.status, 200);
        let mut late = Visitor::new(&town);
        late.sign_in("admin", &password).await;
        late.get("/dashboard/sign-in/code").await;
        let replayed = late.post("/dashboard/sign-in/code", &format!("code={code}")).await;
        assert_eq!(replayed.status, 401, "each code is good once");
        // A phone that is lost: a recovery code, once.
        let typed = recovery[3].to_uppercase().replace('-', "+");
        let saved = late.post("/dashboard/sign-in/code", &format!("code={typed}")).await;
        assert_eq!((saved.status, place(&saved)), (303, "/dashboard/overview"));
        let mut again = Visitor::new(&town);
        again.sign_in("admin", &password).await;
        again.get("/dashboard/sign-in/code").await;
        for number in 1..=5 {
            let wrong = again.post("/dashboard/sign-in/code", &format!("code={typed}")).await;
            // After five the password is asked for again.
            assert_eq!(wrong.status, if number < 5 { 401 } else { 303 }, "{number}");
        }
        assert_eq!(place(&again.get("/dashboard/sign-in/code").await), "/dashboard/sign-in");

        late.get("/dashboard/account").await;
        let off = late
            .post("/dashboard/account/second-factor/remove", &format!("current={password}"))
            .await;
        assert_eq!(off.status, 200, "{}", off.text);
        let plain = Visitor::new(&town).sign_in("admin", &password).await;
        assert_eq!(place(&plain), "/dashboard/overview");
        town.end().await;
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_for_an_account_and_not_for_its_neighbours() {
    for town in Town::on_each_engine().await {
        let mut stranger = Visitor::new(&town);
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(stranger.sign_in("admin", "guess").await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 10, "{statuses:?}");
        assert_eq!(statuses.last(), Some(&429));
        // Not even the right one is looked at meanwhile.
        let password = PASSWORD.replace(' ', "+");
        assert_eq!(stranger.sign_in("admin", &password).await.status, 429);
        town.end().await;
    }
}

#[tokio::test]
async fn admins_change_what_others_may_and_never_lock_themselves_out() {
    for town in Town::on_each_engine().await {
        let mut admin = Visitor::admin(&town).await;
        let mut eva = Visitor::of_role(&town, Role::Viewer).await;
        assert_eq!(eva.get("/dashboard/attention").await.status, 200);
        let page = admin.get("/dashboard/access").await;
        let id = page.text.split("/dashboard/access/users/usr_").find_map(|piece| {
            let id = piece.split('/').next().unwrap();
            (id.len() == 32).then(|| format!("usr_{id}"))
        });
        let of =
            |action: &str| format!("/dashboard/access/users/{}/{action}", id.as_ref().unwrap());
        let promoted = admin.post(&of("role"), "role=admin").await;
        assert_eq!(promoted.status, 200, "{}", promoted.text);
        assert_eq!(eva.get("/dashboard/access").await.status, 200, "at once");
        assert_eq!(eva.post(&of("role"), "role=viewer").await.status, 409, "not one's own");
        assert_eq!(eva.post(&of("disable"), "").await.status, 409);
        let admins = "/dashboard/access/users/usr_admin/";
        for action in ["role", "disable", "new-password"] {
            let reply = eva.post(&format!("{admins}{action}"), "role=viewer").await;
            assert_eq!(reply.status, 409, "{action}: {}", reply.text);
        }
        assert_eq!(admin.post(&of("role"), "role=emperor").await.status, 400);
        assert_eq!(admin.post(&of("promote"), "").await.status, 404);
        assert_eq!(admin.post("/dashboard/access/users/usr_x/disable", "").await.status, 404);
        let link = admin.post(&of("new-password"), "").await;
        let secret =
            link.text.split("/dashboard/invitation#").nth(1).unwrap().split('<').next().unwrap();
        let fields = format!("invitation={secret}&password={EVAS}&repeated={EVAS}");
        assert_eq!(Visitor::new(&town).post("/dashboard/invitation", &fields).await.status, 303);
        assert_eq!(place(&eva.get("/dashboard").await), "/dashboard/sign-in", "signed out by it");
        let mut eva = Visitor::new(&town);
        let name = page.text.split("<strong>viewer-").nth(1).unwrap().split('<').next().unwrap();
        assert_eq!(eva.sign_in(&format!("viewer-{name}"), EVAS).await.status, 303);
        assert_eq!(admin.post(&of("disable"), "").await.status, 200);
        assert_eq!(place(&eva.get("/dashboard").await), "/dashboard/sign-in", "signed out at once");
        assert_eq!(eva.sign_in(&format!("viewer-{name}"), EVAS).await.status, 401);
        assert_eq!(admin.post(&of("enable"), "").await.status, 200);
        assert_eq!(eva.sign_in(&format!("viewer-{name}"), EVAS).await.status, 303);
        town.end().await;
    }
}

#[tokio::test]
async fn a_password_is_changed_and_sessions_are_ended() {
    for town in Town::on_each_engine().await {
        let mut admin = Visitor::admin(&town).await;
        let secret = admin.invite("eva", "viewer").await;
        let fields = format!("invitation={secret}&password={EVAS}&repeated={EVAS}");
        Visitor::new(&town).post("/dashboard/invitation", &fields).await;
        let (mut here, mut there) = (Visitor::new(&town), Visitor::new(&town));
        here.sign_in("eva", EVAS).await;
        there.sign_in("eva", EVAS).await;
        let page = here.get("/dashboard/account").await;
        assert_eq!(page.text.matches("this one").count(), 1);
        let new = "eight+red+buses";
        let wrong = format!("current=guess&password={new}&repeated={new}");
        assert_eq!(here.post("/dashboard/account/password", &wrong).await.status, 403);
        let right = format!("current={EVAS}&password={new}&repeated={new}");
        assert_eq!(here.post("/dashboard/account/password", &right).await.status, 200);
        assert_eq!(place(&there.get("/dashboard").await), "/dashboard/sign-in");
        assert_eq!(there.sign_in("eva", EVAS).await.status, 401);
        assert_eq!(there.sign_in("eva", new).await.status, 303);
        // Of the two, the other one is ended from here; a stranger's is not.
        let page = here.get("/dashboard/account").await;
        let other = page.text.split("/dashboard/account/sessions/ses_").nth(1).unwrap();
        let end =
            format!("/dashboard/account/sessions/ses_{}/end", other.split('/').next().unwrap());
        admin.get("/dashboard/account").await;
        assert_eq!(admin.post(&end, "").await.status, 404);
        assert_eq!(here.post(&end, "").await.status, 200);
        assert_eq!(place(&there.get("/dashboard").await), "/dashboard/sign-in");
        assert_eq!(here.get("/dashboard").await.status, 200);
        // Signed out is signed out, whoever kept the cookie.
        let kept = here.cookie.clone();
        assert_eq!(place(&here.post("/dashboard/sign-out", "").await), "/dashboard/sign-in");
        here.cookie = kept;
        assert_eq!(place(&here.get("/dashboard").await), "/dashboard/sign-in");
        town.end().await;
    }
}

#[tokio::test]
async fn keys_are_made_rotated_and_revoked_by_an_admin_and_every_press_is_kept() {
    for town in Town::on_each_engine().await {
        let mut admin = Visitor::admin(&town).await;
        admin.get("/dashboard/access").await;
        let fields = "key=press-1&kind=secret&name=Books&scope=payments%3Aread&days=90";
        let made = admin.post("/dashboard/access/keys", fields).await;
        assert_eq!(made.status, 200, "{}", made.text);
        let key = |reply: &Reply| {
            let key = reply.text.split("class=\"shown\" tabindex=\"0\">").nth(1).unwrap();
            key.split('<').next().unwrap().to_owned()
        };
        let books = key(&made);
        assert_eq!(town.with(&books, "GET", "/v1/payments", &Value::Null).await.status, 200);
        assert_eq!(town.with(&books, "GET", "/v1/api_keys", &Value::Null).await.status, 403);
        let again = admin.post("/dashboard/access/keys", fields).await;
        assert!(!again.text.contains(&books) && again.text.contains("shown before"));
        let page = admin.get("/dashboard/access").await;
        assert!(!page.text.contains(&books), "shown once");
        let id = page
            .text
            .split("/dashboard/access/keys/")
            .find(|piece| piece.contains("/rotate"))
            .unwrap();
        let at = format!("/dashboard/access/keys/{}", id.split('/').next().unwrap());
        let rotated = admin.post(&format!("{at}/rotate"), "key=press-2&overlap=0").await;
        assert_eq!(rotated.status, 200, "{}", rotated.text);
        assert_eq!(town.with(&books, "GET", "/v1/payments", &Value::Null).await.status, 401);
        assert_eq!(
            town.with(&key(&rotated), "GET", "/v1/payments", &Value::Null).await.status,
            200
        );
        let pages = "key=press-3&kind=publishable&name=Pages&origins=https%3A%2F%2Fshop.example";
        let pages = admin.post("/dashboard/access/keys", pages).await;
        assert!(key(&pages).starts_with("kassa_pk_"));
        for wrong in [
            "key=press-4&kind=secret&name=&scope=payments%3Aread",
            "key=press-5&kind=secret&name=x",
            "key=press-6&kind=publishable&name=x&origins=nonsense",
        ] {
            assert_eq!(admin.post("/dashboard/access/keys", wrong).await.status, 400);
        }
        // What payments' buttons do is kept before it happens, and again if it was refused.
        let missing = admin.post("/dashboard/payments/pay_nobody/capture", "key=1&amount=1").await;
        assert_eq!(missing.status, 404);
        let mut log = actions(&town).await;
        log.truncate(2);
        log.sort();
        assert_eq!(log, ["dashboard.capture", "dashboard.capture.refused"]);
        let page = admin.get("/dashboard/audit").await;
        assert!(
            page.text.contains("api_key.rotated")
                && page.text.contains("/dashboard/payments/pay_nobody/capture")
        );
        assert!(!page.text.contains(&books));
        town.end().await;
    }
}
