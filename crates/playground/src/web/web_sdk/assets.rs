//! The Web SDK's scripts, put together from their parts: one file for each version, as a classic script and
//! as a module.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use axum::response::Response;

use crate::domain::messaging;
use crate::web::assets::{Asset, JAVASCRIPT, script_for_any_page};

/// What every product shares, and how pages begin.
const CORE: &str = include_str!("../../../assets/web_sdk/core.js");

/// The products. Each declares one function, and the core takes those that are there.
const PRODUCTS: [&str; 5] = [
    include_str!("../../../assets/web_sdk/identity.js"),
    include_str!("../../../assets/web_sdk/payment.js"),
    include_str!("../../../assets/web_sdk/customer.js"),
    include_str!("../../../assets/web_sdk/messaging.js"),
    include_str!("../../../assets/web_sdk/interoperability.js"),
];

const CLASSIC: &str = include_str!("../../../assets/web_sdk/classic.js");
const MODULE: &str = include_str!("../../../assets/web_sdk/module.js");

static CLASSIC_V1: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("klarna.js", JAVASCRIPT, classic(1)));
static CLASSIC_V2: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("klarna.js", JAVASCRIPT, classic(2)));
static MODULE_V1: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("klarna.mjs", JAVASCRIPT, module(1)));
static MODULE_V2: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("klarna.mjs", JAVASCRIPT, module(2)));

/// Names stay inside one function: pages have names of their own.
fn classic(version: u8) -> String {
    let parts = parts(version);
    format!(
        "(function (window, document) {{\n'use strict';\n{parts}\n{CLASSIC}\n}})(window, document);\n"
    )
}

fn module(version: u8) -> String {
    format!("{}\n{MODULE}\n", parts(version))
}

/// What both forms have: the version, what a page must know before it asks, the core, the products.
fn parts(version: u8) -> String {
    // Texts and numbers always serialize.
    let hints = serde_json::to_string(&messaging::hints()).unwrap_or_default();
    let products = PRODUCTS.join("\n");
    format!("const VERSION = {version};\nconst MESSAGING_HINTS = {hints};\n{CORE}\n{products}")
}

/// `GET /web-sdk/v1/klarna.js`.
pub(super) async fn classic_v1(headers: HeaderMap) -> Response {
    script_for_any_page(&CLASSIC_V1, &headers)
}

/// `GET /web-sdk/v2/klarna.js`.
pub(super) async fn classic_v2(headers: HeaderMap) -> Response {
    script_for_any_page(&CLASSIC_V2, &headers)
}

/// `GET /web-sdk/v1/klarna.mjs`.
pub(super) async fn module_v1(headers: HeaderMap) -> Response {
    script_for_any_page(&MODULE_V1, &headers)
}

/// `GET /web-sdk/v2/klarna.mjs`.
pub(super) async fn module_v2(headers: HeaderMap) -> Response {
    script_for_any_page(&MODULE_V2, &headers)
}

/// `GET /lib.js`: the old library of on-site messaging, whose pages the first version serves.
pub(super) async fn old_messaging(headers: HeaderMap) -> Response {
    script_for_any_page(&CLASSIC_V1, &headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_differ_and_hold_every_product() {
        for (asset, version) in
            [(&CLASSIC_V1, 1), (&CLASSIC_V2, 2), (&MODULE_V1, 1), (&MODULE_V2, 2)]
        {
            let text = asset.text();
            assert!(text.contains(&format!("const VERSION = {version};")));
            for part in PRODUCTS {
                assert!(text.contains(part));
            }
        }
        assert!(!CLASSIC_V1.text().contains("export "));
        assert!(MODULE_V2.text().contains("export { KlarnaSDK };"));
    }

    #[test]
    fn no_part_writes_markup_or_speaks_to_everybody() {
        for part in [CORE, CLASSIC, MODULE].into_iter().chain(PRODUCTS) {
            for forbidden in ["innerHTML", "insertAdjacentHTML", "document.write", "'*'", "eval("] {
                assert!(!part.contains(forbidden), "{forbidden}");
            }
        }
    }
}
