//! How pages begin with the Web SDK, in each of its forms, and what they hear when they may not.

use serde_json::json;

use crate::pages::Pages;

pub(crate) async fn cases(pages: &Pages) {
    a_classic_script_begins_by_its_attributes(pages).await;
    the_second_version_begins_when_the_page_calls(pages).await;
    a_module_gives_what_was_asked_for(pages).await;
    refusals_are_error_objects(pages).await;
    a_second_copy_fails_and_the_first_lives_on(pages).await;
    it_stands_beside_the_library_of_payments(pages).await;
    buttons_adapt_to_their_width(pages).await;
}

const V1: &str = "<script async src=\"PLAYGROUND/web-sdk/v1/klarna.js\" data-client-id=\"CLIENT\" \
     data-environment=\"playground\"></script>";

async fn a_classic_script_begins_by_its_attributes(pages: &Pages) {
    // The page has something of its own under the name, and says late by whom it wants to be told.
    let head = format!(
        "<script>window.Klarna = {{ Own: 'kept' }}; window.told = []; localStorage.clear();</script>{V1}\
         <script>window.KlarnaSDKCallback = (klarna) => told.push(klarna);</script>"
    );
    pages.open("v1", &head, "<h1>Shop</h1>").await;
    pages.until("the callback", "return told.length > 0").await;
    let seen = pages
        .run(
            "const kept = JSON.parse(localStorage.getItem('__klarna_sdk_klarna-shopping-session'));
             const sdk = told[0];
             return {
               times: told.length, own: Klarna.Own, init: typeof Klarna.init,
               messaging: typeof sdk.Messaging.placement, osm: typeof Klarna.OnsiteMessaging.refresh,
               hours: Math.round((kept.expiresAt - Date.now()) / 3600000),
               same: Klarna.Shopping.session().getShoppingSessionId() === kept.shoppingSessionId,
               token: typeof sdk.Interoperability.token(),
               equal: Klarna.Shopping.session().getInteroperabilityToken() === sdk.Interoperability.token(),
               id: kept.shoppingSessionId,
             };",
            vec![],
        )
        .await;
    let id = seen["id"].clone();
    assert_eq!(
        seen,
        json!({
            "times": 1, "own": "kept", "init": "function", "messaging": "function", "osm": "function",
            "hours": 48, "same": true, "token": "string", "equal": true, "id": id,
        })
    );
    // The shopping session goes on from page to page.
    pages
        .open(
            "v1-next",
            &format!(
                "<script>window.KlarnaSDKCallback = (k) => {{ window.sdk = k; }}</script>{V1}"
            ),
            "",
        )
        .await;
    pages.until("the callback", "return window.sdk !== undefined").await;
    let next = pages.run("return Klarna.Shopping.session().getShoppingSessionId()", vec![]).await;
    assert_eq!(next, id);
    assert_eq!(pages.browser.console_errors().await, Vec::<String>::new());
}

async fn the_second_version_begins_when_the_page_calls(pages: &Pages) {
    let head = "<script>window.KlarnaSDKCallback = async (klarna) => {
          window.sdk = await klarna.init({ clientId: 'CLIENT', locale: 'sv-SE', products: ['MESSAGING'], integrator: {}, region: 'eu' });
        };</script>
        <script defer src=\"PLAYGROUND/web-sdk/v2/klarna.js?1700000000000\"></script>";
    pages.open("v2", head, "").await;
    pages.until("the products", "return window.sdk !== undefined").await;
    let names = pages.run("return Object.keys(sdk).sort()", vec![]).await;
    assert_eq!(names, json!(["Config", "Interoperability", "Messaging", "Network"]));
}

async fn a_module_gives_what_was_asked_for(pages: &Pages) {
    let body = "<div id=\"osm\"></div><script type=\"module\">
        const { KlarnaSDK } = await import('PLAYGROUND/web-sdk/v2/klarna.mjs');
        const sdk = await KlarnaSDK({ clientId: 'CLIENT', locale: 'en-GB', products: ['PAYMENT', 'MESSAGING'] });
        window.updates = [];
        sdk.Interoperability.on('tokenupdate', (token) => updates.push([String(token) === token.interoperabilityToken, typeof sdk.Interoperability.token()]));
        sdk.Network.Session.on('tokenupdate', (token) => updates.push([String(token) === token.klarnaNetworkSessionToken]));
        await sdk.Config.setPartnerAccountId('account');
        sdk.Messaging.placement({ key: 'credit-promotion-badge', locale: 'en-GB', amount: 12000 }).mount('#osm');
        window.globals = typeof window.Klarna;
        window.again = () => KlarnaSDK({ clientId: 'CLIENT', shoppingSessionId: 'another' });
        window.sdk = sdk;
      </script>";
    pages.open("module", "", body).await;
    pages.until("the products", "return window.sdk !== undefined").await;
    assert_eq!(pages.run("return globals", vec![]).await, "undefined");
    pages
        .until(
            "the placement",
            "const it = document.querySelector('#osm klarna-placement');
             return it && it.shadowRoot && it.shadowRoot.textContent.includes('£40.00')",
        )
        .await;
    // Another init is another session, of which whoever listens is told.
    pages.run("again()", vec![]).await;
    let updates = pages.until("the news", "return updates.length === 2 && updates").await;
    assert_eq!(updates, json!([[true, "string"], [true]]));
}

async fn refusals_are_error_objects(pages: &Pages) {
    let own = json!({ "allowed_origins": ["https://shop.example"] });
    let elsewhere =
        pages.world.control("/merchants/K123456/client-identifiers", &own).await["client_id"]
            .clone();
    pages.open("refused", "<script src=\"PLAYGROUND/web-sdk/v2/klarna.js\"></script>", "").await;
    pages
        .run(
            "window.errors = {};
             const attempt = (name, options) => Klarna.init(options).then(() => { errors[name] = 'none'; }, (error) => {
               errors[name] = [error instanceof Error, error.name, error.errorType, error.errorCode,
                 typeof error.errorId, typeof error.errorMessage, error.validationErrors];
             });
             attempt('nothing');
             attempt('empty', { clientId: '' });
             attempt('unknown', { clientId: 'klarna_test_client_unknown' });
             attempt('live', { clientId: 'klarna_live_client_unknown' });
             attempt('elsewhere', { clientId: arguments[0] });",
            vec![elsewhere],
        )
        .await;
    let errors =
        pages.until("the errors", "return Object.keys(errors).length === 5 && errors").await;
    let error = |kind: &str, code: &str| {
        json!([true, "KlarnaSDKError", kind, code, "string", "string", null])
    };
    let missing = json!([
        true, "KlarnaSDKError", "INPUT_ERROR", "VALIDATION_ERROR", "string", "string", [{ "path": "clientId" }]
    ]);
    assert_eq!(errors["nothing"], missing);
    assert_eq!(errors["empty"], missing);
    assert_eq!(errors["unknown"], error("ACCESS_ERROR", "INVALID_CLIENT_ID"));
    assert_eq!(errors["live"], error("ACCESS_ERROR", "INVALID_CLIENT_ID"));
    assert_eq!(errors["elsewhere"], error("ACCESS_ERROR", "ORIGIN_NOT_ALLOWED"));
    // What the browser says of the refused calls is expected.
    pages.browser.console_errors().await;
}

async fn a_second_copy_fails_and_the_first_lives_on(pages: &Pages) {
    let head = format!(
        "<script>window.uncaught = []; addEventListener('error', (event) => uncaught.push(event.error && event.error.name));\
         window.KlarnaSDKCallback = () => {{ window.calls = (window.calls || 0) + 1; }};</script>{V1}"
    );
    pages
        .open(
            "twice",
            &head,
            "<klarna-placement data-key=\"info-page\" data-locale=\"de-DE\"></klarna-placement>",
        )
        .await;
    pages.until("the first copy", "return window.calls === 1").await;
    pages
        .run(
            "window.first = Klarna.init;
             for (const path of ['/lib.js', '/web-sdk/v1/klarna.js?again']) {
               const again = document.createElement('script');
               again.src = arguments[0] + path; again.dataset.clientId = arguments[1]; again.crossOrigin = 'anonymous';
               document.head.append(again);
             }",
            vec![json!(pages.world.public_url()), json!(pages.world.client_id())],
        )
        .await;
    let names = pages.until("the second copies", "return uncaught.length === 2 && uncaught").await;
    assert_eq!(names, json!(["NotSupportedError", "NotSupportedError"]));
    assert_eq!(pages.run("return first === Klarna.init && calls === 1", vec![]).await, true);
    pages
        .until("the placement", "return document.querySelector('klarna-placement').shadowRoot.textContent.includes('Klarna')")
        .await;
    pages.browser.console_errors().await;
}

async fn it_stands_beside_the_library_of_payments(pages: &Pages) {
    let head = format!("{V1}<script async src=\"PLAYGROUND/kp/lib/v1/api.js\"></script>");
    pages.open("both", &head, "").await;
    pages
        .until(
            "both libraries",
            "return window.Klarna && Klarna.Payments && typeof Klarna.Payments.load === 'function'
               && typeof Klarna.init === 'function' && typeof Klarna.OnsiteMessaging.refresh === 'function'",
        )
        .await;
    assert_eq!(pages.browser.console_errors().await, Vec::<String>::new());
}

/// The button that checkout and sign-in share; here as the source of the library builds it.
async fn buttons_adapt_to_their_width(pages: &Pages) {
    pages.open("buttons", "", "<main id=\"buttons\"><h1>Buttons</h1></main>").await;
    let source = include_str!("../../assets/web_sdk/core.js");
    let shown = pages
        .run(
            "const core = new Function(arguments[0] + '; return createCore(2, location.origin);')();
             window.clicks = 0;
             const shown = [];
             for (const theme of ['default', 'light', 'dark', 'outlined', 'nonsense']) {
               for (const shape of ['default', 'pill', 'rect']) {
                 for (const [width, alignment] of [[335, 'default'], [335, 'left'], [150, 'default'], [60, 'default']]) {
                   const button = core.button({ label: 'Continue with {klarna}', theme, shape, logoAlignment: alignment, locale: 'en-GB' });
                   button.htmlElement.style.width = width + 'px'; button.htmlElement.style.margin = '4px';
                   button.on('click', () => { window.clicks += 1; });
                   button.mount('#buttons');
                   const root = button.htmlElement.shadowRoot;
                   shown.push([width, root.querySelector('button').getAttribute('aria-label'),
                     ['full', 'short', 'letter'].filter((name) => getComputedStyle(root.querySelector('.' + name)).display !== 'none').join()]);
                   root.querySelector('button').click();
                   button.toggleState('disabled', true);
                   root.querySelector('button').click();
                   button.toggleState('disabled', false); button.toggleState('loading');
                   root.querySelector('button').click();
                   button.toggleState('loading', false);
                 }
               }
             }
             return shown;",
            vec![json!(source)],
        )
        .await;
    for one in shown.as_array().unwrap() {
        let expected = match one[0].as_i64().unwrap() {
            335 => "full",
            150 => "short",
            _ => "letter",
        };
        assert_eq!(one[2], expected);
        assert_eq!(one[1], "Continue with Klarna");
    }
    assert_eq!(pages.run("return clicks", vec![]).await, shown.as_array().unwrap().len());
    pages.browser.picture("buttons").await;
}
