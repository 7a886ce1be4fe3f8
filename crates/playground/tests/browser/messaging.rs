//! Placements in a page: what they show, what moves them, what opens, and that nothing on the page shifts.

use serde_json::{Value, json};

use crate::pages::Pages;

const KEYS: [&str; 9] = [
    "credit-promotion-badge",
    "credit-promotion-auto-size",
    "checkout",
    "top-strip-promotion-badge",
    "top-strip-promotion-auto-size",
    "footer-promotion-auto-size",
    "info-page",
    "homepage-banner",
    "sidebar",
];

/// As a shop should have it: before anything is painted.
const SCRIPT: &str = "<script src=\"PLAYGROUND/web-sdk/v1/klarna.js\" data-client-id=\"CLIENT\" data-environment=\"playground\"></script>";

pub(crate) async fn cases(pages: &Pages) {
    every_key_is_drawn(pages).await;
    themes(pages).await;
    prefixes_and_older_spellings(pages).await;
    refreshing(pages).await;
    the_old_interface(pages).await;
    events(pages).await;
    the_explanation(pages).await;
    nothing_where_nothing_may_be(pages).await;
    nothing_moves(pages).await;
    under_a_strict_policy(pages).await;
}

fn tag(key: &str, locale: &str, more: &str) -> String {
    format!(
        "<klarna-placement data-key=\"{key}\" data-locale=\"{locale}\" data-purchase-amount=\"159900\" {more}></klarna-placement>"
    )
}

/// Waits until so many placements of the page show something.
async fn shown(pages: &Pages, count: usize) {
    let script = format!(
        "return [...document.querySelectorAll('klarna-placement')].filter((it) => it.shadowRoot && it.shadowRoot.querySelector('.filled')).length === {count}"
    );
    pages.until(&format!("{count} placements"), &script).await;
}

async fn text(pages: &Pages, css: &str) -> String {
    let script = "return document.querySelector(arguments[0]).shadowRoot.textContent";
    let text = pages.run(script, vec![json!(css)]).await;
    text.as_str().unwrap_or_default().replace('\u{a0}', " ")
}

async fn every_key_is_drawn(pages: &Pages) {
    let tags: Vec<String> = KEYS
        .iter()
        .map(|key| format!("<h2>{key}</h2>{}", tag(key, "sv-SE", &format!("id=\"{key}\""))))
        .collect();
    let tags = tags.concat();
    let styles = "<style>body { font-family: sans-serif; max-width: 60rem; margin: 1rem auto; padding: 0 1rem; }
        #credit-promotion-badge::part(osm-container) { border-color: rgb(1, 2, 3); }</style>";
    pages.open("keys", &format!("{styles}{SCRIPT}"), &format!("<h1>Placements</h1>{tags}")).await;
    shown(pages, KEYS.len()).await;
    let promotion = text(pages, "#credit-promotion-badge").await;
    assert!(promotion.contains("Betala i 3 räntefria delar om 533,00 kr."), "{promotion}");
    assert!(promotion.contains("Läs mer") && promotion.contains("18 år."), "{promotion}");
    assert!(text(pages, "#credit-promotion-auto-size").await.contains("om 533,00 kr med Klarna."));
    assert!(text(pages, "#checkout").await.contains("Betala senare"));
    let parts = pages
        .run(
            "const parts = new Set();
             document.querySelectorAll('klarna-placement').forEach((it) => it.shadowRoot.querySelectorAll('[part]').forEach((one) => one.part.forEach((part) => parts.add(part))));
             return [...parts].sort();",
            vec![],
        )
        .await;
    assert_eq!(
        parts,
        json!([
            "osm-badge",
            "osm-container",
            "osm-cta",
            "osm-deal-badge",
            "osm-heading",
            "osm-legal",
            "osm-link",
            "osm-logo",
            "osm-message"
        ])
    );
    let border = "return getComputedStyle(document.querySelector('#credit-promotion-badge').shadowRoot.querySelector('.box')).borderTopColor";
    assert_eq!(pages.run(border, vec![]).await, "rgb(1, 2, 3)");
    // One badge for the page, which is in nobody's way.
    let badge = "const all = document.querySelectorAll('test-drive-badge');
        return [all.length, all[0].shadowRoot.textContent, getComputedStyle(all[0]).pointerEvents]";
    assert_eq!(pages.run(badge, vec![]).await, json!([1, "TEST DRIVE", "none"]));
    assert!(!pages.browser.overflows().await);
    assert_eq!(pages.browser.stumbling_blocks().await, Vec::<String>::new());
    assert_eq!(pages.browser.console_errors().await, Vec::<String>::new());
    pages.browser.picture("keys").await;
}

async fn themes(pages: &Pages) {
    let tags: Vec<String> = ["default", "dark", "light", "outlined", "custom", "nonsense"]
        .iter()
        .map(|theme| {
            let theme = format!("id=\"{theme}\" data-theme=\"{theme}\"");
            format!("<p>{theme}</p>{}", tag("credit-promotion-badge", "de-DE", &theme))
        })
        .collect();
    let tags = tags.concat();
    let styles = "<style>body { background: #10131a; color: #f2f2f2; font-family: sans-serif; padding: 1rem; margin: 0; }</style>";
    pages.open("themes", &format!("{styles}{SCRIPT}"), &tags).await;
    shown(pages, 6).await;
    let colours = pages
        .run(
            "return ['default', 'dark', 'light', 'outlined', 'custom', 'nonsense'].map((id) => {
               const style = getComputedStyle(document.getElementById(id).shadowRoot.querySelector('.box'));
               return [style.color, style.backgroundColor];
             })",
            vec![],
        )
        .await;
    let (light, dark) = (
        json!(["rgb(11, 5, 29)", "rgb(255, 255, 255)"]),
        json!(["rgb(255, 255, 255)", "rgb(11, 5, 29)"]),
    );
    let page = json!(["rgb(242, 242, 242)", "rgba(0, 0, 0, 0)"]);
    assert_eq!(colours, json!([light, dark, light, page, page, light]));
    pages.browser.picture("themes").await;
}

async fn prefixes_and_older_spellings(pages: &Pages) {
    let body = [
        tag("credit-promotion-badge", "en-GB", "id=\"a\" data-message-prefix=\"Or\""),
        tag("credit-promotion-auto-size", "en-GB", "id=\"b\" data-message-prefix=\"or\""),
        "<klarna-placement id=\"c\" data-key=\"credit-promotion-small\" data-locale=\"en_gb\" data-purchase_amount=\"9000\"></klarna-placement>".to_owned(),
        "<klarna-placement id=\"d\" data-key=\"credit-promotion-standard\" data-locale=\"en-GB\" data-total_amount=\"9000\" data-preloaded=\"true\"></klarna-placement>".to_owned(),
        tag("credit-promotion-badge", "en-US", "id=\"e\" data-message-preference=\"prequalification\""),
        tag("credit-promotion-badge", "en-GB", "id=\"f\" data-custom-payment-method-ids='[\"financing_12\"]'"),
        tag("credit-promotion-badge", "en-GB", "id=\"g\" data-custom-payment-method-ids='not json'"),
        tag("credit-promotion-badge", "no-NO", "id=\"h\""),
    ]
    .concat()
    .replace("159900", "90000");
    pages.open("spellings", SCRIPT, &body).await;
    shown(pages, 8).await;
    assert!(text(pages, "#a").await.contains("Or pay in 3 interest-free payments of £300.00."));
    assert!(
        text(pages, "#b")
            .await
            .contains("or pay in 3 interest-free payments of £300.00 with Klarna.")
    );
    assert!(text(pages, "#c").await.contains("£30.00"));
    assert!(text(pages, "#d").await.contains("£30.00"));
    assert!(text(pages, "#e").await.contains("See how much you can spend."));
    assert!(text(pages, "#f").await.contains("Pay from £"));
    assert!(text(pages, "#g").await.contains("Pay in 3 "));
    assert!(text(pages, "#h").await.contains("Betal "));
    let right = "return document.querySelector('#a').shadowRoot.querySelector('.box').classList.contains('badge-right')";
    assert_eq!(pages.run(right, vec![]).await, true);
    pages.browser.picture("spellings").await;
}

async fn refreshing(pages: &Pages) {
    let body =
        [tag("credit-promotion-badge", "de-DE", "id=\"a\""), "<div id=\"more\"></div>".to_owned()]
            .concat()
            .replace("159900", "90000");
    pages.open("refresh", SCRIPT, &body).await;
    shown(pages, 1).await;
    // Attributes of the first version count when the page says so.
    pages
        .run("document.querySelector('#a').setAttribute('data-purchase-amount', '9000')", vec![])
        .await;
    assert!(text(pages, "#a").await.contains("300,00 €"));
    pages.run("Klarna.OnsiteMessaging.refresh()", vec![]).await;
    pages
        .until(
            "the new amount",
            "return document.querySelector('#a').shadowRoot.textContent.includes('30,00')",
        )
        .await;
    pages
        .run("const it = document.querySelector('#a'); it.dataset.locale = 'fr-FR'; it.dataset.theme = 'dark'; Klarna.OnsiteMessaging.refresh()", vec![])
        .await;
    pages.until("the new language", "return document.querySelector('#a').shadowRoot.textContent.includes('Payez en 3 fois')").await;
    let dark = "return document.querySelector('#a').shadowRoot.querySelector('.box').classList.contains('theme-dark')";
    assert_eq!(pages.run(dark, vec![]).await, true);
    // Too small an amount, and back.
    pages.run("document.querySelector('#a').dataset.purchaseAmount = '5'; Klarna.OnsiteMessaging.refresh()", vec![]).await;
    let gone = "return document.querySelector('#a').offsetHeight === 0 && document.querySelector('test-drive-badge') === null";
    pages.until("nothing", gone).await;
    pages.run("document.querySelector('#a').dataset.purchaseAmount = '9000'; Klarna.OnsiteMessaging.refresh()", vec![]).await;
    pages
        .until(
            "the promotion",
            "return document.querySelector('#a').shadowRoot.textContent.includes('Payez')",
        )
        .await;
    // Placements of the second version follow their amount, and their updates.
    pages
        .run(
            "Klarna.init({ clientId: arguments[0] }).then((sdk) => {
               window.mounted = sdk.Messaging.placement({ key: 'credit-promotion-auto-size', locale: 'en-GB', amount: 9000, theme: 'outlined', messagePrefix: 'Or', instance: 'b' });
               mounted.mount('#more');
             })",
            vec![json!(pages.world.client_id())],
        )
        .await;
    pages.until("it", "const b = document.querySelector('#b'); return b && b.shadowRoot && b.shadowRoot.textContent.includes('£30.00')").await;
    pages.run("document.querySelector('#b').setAttribute('data-amount', '12000')", vec![]).await;
    pages
        .until(
            "the new amount",
            "return document.querySelector('#b').shadowRoot.textContent.includes('£40.00')",
        )
        .await;
    pages.run("mounted.update({ amount: 15000, locale: 'en-US', theme: 'dark' })", vec![]).await;
    pages
        .until(
            "the new market",
            "return document.querySelector('#b').shadowRoot.textContent.includes('$37.50')",
        )
        .await;
    pages.run("mounted.unmount()", vec![]).await;
    assert_eq!(pages.run("return document.querySelector('#b')", vec![]).await, Value::Null);
    let wrong = "try { mounted.mount('#nowhere'); return 'mounted' } catch (error) { return error.errorCode }";
    assert_eq!(pages.run(wrong, vec![]).await, "VALIDATION_ERROR");
}

async fn the_old_interface(pages: &Pages) {
    let head = "<script>window.KlarnaOnsiteService = window.KlarnaOnsiteService || [];
          window.queue = KlarnaOnsiteService; queue.push({ eventName: 'refresh-placements' });</script>
        <script async src=\"PLAYGROUND/lib.js\" data-client-id=\"CLIENT\"></script>";
    pages
        .open(
            "old",
            head,
            &tag("credit-promotion-badge", "nl-NL", "id=\"a\"").replace("159900", "90000"),
        )
        .await;
    shown(pages, 1).await;
    let same =
        "return queue === KlarnaOnsiteService && queue.loaded === true && queue.length === 0";
    assert_eq!(pages.run(same, vec![]).await, true);
    pages
        .run(
            "document.querySelector('#a').dataset.purchaseAmount = '9000';
             queue.push({ eventName: 'refresh-placements' }); queue.push({ eventName: 'unheard-of' }); queue.push(7);",
            vec![],
        )
        .await;
    pages
        .until(
            "the new amount",
            "return document.querySelector('#a').shadowRoot.textContent.includes('30,00')",
        )
        .await;
    // What was wrong is told to developers.
    assert_eq!(pages.browser.console_errors().await.len(), 2);
}

async fn events(pages: &Pages) {
    pages.open("events", SCRIPT, "").await;
    pages
        .run(
            "window.seen = [];
             const osm = Klarna.OnsiteMessaging;
             osm.on('placement-rendered', () => seen.push('rendered'));
             osm.on('placementRendered', ({ key }) => seen.push('rendered ' + key));
             osm.on('informational-modal-opened', () => seen.push('opened'));
             osm.on('informationalModalClosed', () => seen.push('closed'));
             osm.on('unheard-of', () => {}); osm.on('placement-rendered'); osm.on();
             document.body.insertAdjacentHTML('beforeend', '<klarna-placement id=\"a\" data-key=\"info-page-standard\" data-locale=\"it-IT\"></klarna-placement>');",
            vec![],
        )
        .await;
    shown(pages, 1).await;
    assert_eq!(pages.browser.console_errors().await.len(), 3);
    pages
        .run("document.querySelector('#a').shadowRoot.querySelector('.cta').click()", vec![])
        .await;
    pages.until("the event", "return seen.includes('opened')").await;
    pages.press("Escape").await;
    let seen = pages.until("the end", "return seen.includes('closed') && seen").await;
    assert_eq!(seen, json!(["rendered", "rendered info-page", "opened", "closed"]));
}

async fn the_explanation(pages: &Pages) {
    let body = format!("<h1>Product</h1>{}", tag("credit-promotion-badge", "sv-SE", "id=\"a\""));
    pages.open("explanation", SCRIPT, &body).await;
    shown(pages, 1).await;
    // By keyboard alone.
    pages
        .run("document.querySelector('#a').shadowRoot.querySelector('.cta').focus()", vec![])
        .await;
    pages.press("Enter").await;
    pages.until("the dialog", "return document.querySelector('klarna-osm-dialog') !== null").await;
    // Pages cannot reach what stands in it.
    assert_eq!(
        pages.run("return document.querySelector('klarna-osm-dialog').shadowRoot", vec![]).await,
        Value::Null
    );
    let frame = pages.until_target("/osm/learn-more").await;
    assert!(frame.contains("locale=sv-SE") && frame.contains("purchase_amount=159900"), "{frame}");
    pages.browser.picture("explanation").await;
    pages.press("Escape").await;
    pages.until("the end", "return document.querySelector('klarna-osm-dialog') === null").await;
    let focus =
        "return document.querySelector('#a').shadowRoot.activeElement.classList.contains('cta')";
    assert_eq!(pages.run(focus, vec![]).await, true);
    // The same by itself, as the messaging API links to it.
    pages.browser.goto(&frame).await;
    pages.browser.shows("[data-offer=instalments_3] .plan", "533,00").await;
    let plan = pages.browser.text("[data-offer=instalments_3] .plan").await.replace('\u{a0}', " ");
    assert_eq!(plan.matches("533,00 kr").count(), 3, "{plan}");
    assert!(
        pages.browser.text("[data-offer=financing_12]").await.contains("14,90"),
        "cost of credit"
    );
    assert_eq!(pages.browser.stumbling_blocks().await, Vec::<String>::new());
    assert!(!pages.browser.overflows().await);
    pages.browser.picture("explanation-alone").await;
}

async fn nothing_where_nothing_may_be(pages: &Pages) {
    let body = [
        "<klarna-placement></klarna-placement>",
        "<klarna-placement data-key=\"unheard-of\" data-locale=\"sv-SE\"></klarna-placement>",
        "<klarna-placement data-key=\"toString\" data-locale=\"sv-SE\"></klarna-placement>",
        "<klarna-placement data-key=\"info-page\" data-locale=\"en-LU\"></klarna-placement>",
        "<klarna-placement data-key=\"credit-promotion-badge\" data-locale=\"sv-SE\"></klarna-placement>",
        "<klarna-placement data-key=\"credit-promotion-badge\" data-locale=\"sv-SE\" data-purchase-amount=\"1599.00\"></klarna-placement>",
        "<klarna-placement data-key=\"credit-promotion-badge\" data-locale=\"sv-SE\" data-purchase-amount=\"-5\"></klarna-placement>",
        "<klarna-placement data-key=\"credit-promotion-badge\" data-locale=\"sv-SE\" data-purchase-amount=\"99999999999\"></klarna-placement>",
    ]
    .concat();
    let ready = "<script>window.KlarnaSDKCallback = () => { window.begun = true; }</script>";
    pages.open("nothing", &format!("{ready}{SCRIPT}"), &body).await;
    pages.until("the library", "return window.begun").await;
    let heights = "return [...document.querySelectorAll('klarna-placement')].every((it) => it.offsetHeight === 0)";
    assert_eq!(pages.run(heights, vec![]).await, true);
    assert_eq!(pages.browser.console_errors().await, Vec::<String>::new());
    // A page that may not use the identifier: room is given back, and shoppers see no error.
    let own = json!({ "allowed_origins": ["https://shop.example"] });
    let elsewhere = pages.world.control("/merchants/K123456/client-identifiers", &own).await;
    let script = SCRIPT.replace("CLIENT", elsewhere["client_id"].as_str().unwrap());
    pages.open("not-allowed", &script, &tag("info-page", "sv-SE", "")).await;
    pages
        .until("nothing", "return document.querySelector('klarna-placement').offsetHeight === 0")
        .await;
    assert_eq!(
        pages.run("return document.querySelector('test-drive-badge')", vec![]).await,
        Value::Null
    );
    pages.browser.console_errors().await;
}

/// The measure of it: the sum of all layout shifts, as the browser counts them.
async fn nothing_moves(pages: &Pages) {
    let watch = "<script>window.shifts = [];
        new PerformanceObserver((list) => list.getEntries().forEach((entry) => shifts.push(entry.value))).observe({ type: 'layout-shift', buffered: true });
        window.frames2 = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))));</script>";
    let body = format!(
        "{}<h1>Coffee mill</h1><p>1 599 kr</p>{}<p>Grinds coffee.</p><button>Add to cart</button>{}<p>More text.</p>{}",
        tag("top-strip-promotion-badge", "sv-SE", ""),
        tag("credit-promotion-badge", "sv-SE", "id=\"a\""),
        tag("checkout", "sv-SE", ""),
        tag("footer", "sv-SE", ""),
    );
    let reserved =
        "<style>klarna-placement:not(:defined) { display: block; min-height: 148px; }</style>";
    let sized = "<style>klarna-placement { min-height: 220px; }</style>";
    let late = SCRIPT.replace("<script ", "<script async ");
    for (name, head) in [
        ("still", format!("{watch}{SCRIPT}")),
        // A script that comes when it comes: then the page keeps the room.
        ("still-async", format!("{watch}{reserved}{sized}{late}").replace("148px", "220px")),
    ] {
        pages.open(name, &head, &body).await;
        shown(pages, 4).await;
        pages.run("Klarna.OnsiteMessaging.refresh(); return frames2()", vec![]).await;
        assert_eq!(pages.run("return shifts", vec![]).await, json!([]), "{name}");
        // Another amount moves nothing either.
        pages.run("document.querySelector('#a').dataset.purchaseAmount = '50000'; Klarna.OnsiteMessaging.refresh()", vec![]).await;
        pages
            .until(
                "the new amount",
                "return document.querySelector('#a').shadowRoot.textContent.includes('166,68')",
            )
            .await;
        pages.run("return frames2()", vec![]).await;
        assert_eq!(pages.run("return shifts", vec![]).await, json!([]), "{name}");
        // The measure would notice: whoever takes room that was not kept moves the page.
        pages.run("const block = document.createElement('div'); block.style.height = '200px'; document.body.prepend(block); return frames2()", vec![]).await;
        pages.until("a shift", "return shifts.length > 0").await;
    }
}

/// A page whose policy allows the playground's origin, and no style or script in markup.
async fn under_a_strict_policy(pages: &Pages) {
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src PLAYGROUND; \
        connect-src PLAYGROUND; frame-src PLAYGROUND\">";
    let body = tag("credit-promotion-badge", "sv-SE", "id=\"a\"");
    pages.open("strict", &format!("{policy}{SCRIPT}"), &body).await;
    shown(pages, 1).await;
    pages
        .run("document.querySelector('#a').shadowRoot.querySelector('.cta').click()", vec![])
        .await;
    pages.until_target("/osm/learn-more").await;
    let errors = pages.browser.console_errors().await;
    // The empty icon of the page is what its own policy forbids.
    let others: Vec<_> = errors.iter().filter(|error| !error.contains("data:,")).collect();
    assert!(others.is_empty(), "{others:?}");
}

/// What is kept free is enough for every text: in each locale, at each width, a placement that is filled is as high
/// as it was when it was empty.
pub(crate) async fn every_locale_fits(pages: &Pages) {
    pages.open("fits", SCRIPT, "<main></main>").await;
    let locales = "en-AT de-AT nl-BE en-BE fr-BE en-CH de-CH it-CH fr-CH en-CZ cs-CZ de-DE en-DE da-DK en-DK es-ES en-ES \
        fi-FI sv-FI en-FI fr-FR en-FR en-GB en-GR el-GR en-HU hu-HU en-IE en-IT it-IT nl-NL en-NL no-NO nb-NO en-NO en-PL \
        pl-PL en-PT pt-PT en-RO ro-RO sv-SE en-SE sk-SK en-SK en-CA fr-CA es-MX en-MX en-US es-US en-AU en-NZ";
    let locales: Vec<&str> = locales.split_whitespace().collect();
    let mut needs = Vec::new();
    let mut grown = Vec::new();
    for width in [280, 320, 360, 400, 480, 560, 700, 900] {
        let made = pages
            .run(
                "const [locales, keys, width] = arguments;
                 const main = document.querySelector('main');
                 main.replaceChildren();
                 main.style.width = width + 'px';
                 const large = { SE: 10, NO: 10, DK: 10, MX: 20, CZ: 25, HU: 400, PL: 5, RO: 5 };
                 window.kept = [];
                 for (const locale of locales) {
                   for (const key of keys) {
                     const it = document.createElement('klarna-placement');
                     it.dataset.key = key; it.dataset.locale = locale;
                     it.dataset.purchaseAmount = String(123457 * (large[locale.slice(3)] || 1));
                     if (key.startsWith('credit')) it.dataset.messagePrefix = 'Or';
                     main.append(it);
                     window.kept.push([it, it.offsetHeight, key + ' ' + locale]);
                   }
                 }
                 return kept.length",
                vec![json!(locales), json!(KEYS), json!(width)],
            )
            .await;
        assert_eq!(made, locales.len() * KEYS.len());
        pages
            .until(
                "every placement",
                "return kept.every(([it]) => it.shadowRoot.querySelector('.filled'))",
            )
            .await;
        let seen = pages
            .run(
                "const needs = {};
                 const grown = kept.filter(([it, height]) => it.offsetHeight !== height || height === 0)
                   .map(([it, height, what]) => what + ': ' + height + ' became ' + it.offsetHeight);
                 for (const [it] of kept) {
                   const box = it.shadowRoot.querySelector('.box');
                   box.style.minHeight = '0';
                   needs[box.classList[1]] = Math.max(needs[box.classList[1]] || 0, it.offsetHeight);
                 }
                 return [grown, needs]",
                vec![],
            )
            .await;
        needs.push(format!("{width}: {}", seen[1]));
        grown.extend(seen[0].as_array().unwrap().clone());
    }
    assert_eq!(grown.len(), 0, "{grown:?}\nwhat is needed: {needs:#?}");
}
