//! The cart: what is in it, how many, and which codes.

use axum::extract::Query;
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::cart::{self, Code};
use crate::catalogue;
use crate::pages;
use crate::pages::cart::Trouble;
use crate::visit::{Posted, Visit};

#[derive(Debug, Default, Deserialize)]
pub(crate) struct CartQuery {
    /// Set when the checkout sent the visitor here because something changed.
    #[serde(default)]
    changed: Option<String>,
}

/// `GET /cart`
pub(crate) async fn show(visit: Visit, Query(query): Query<CartQuery>) -> Response {
    let trouble = if query.changed.is_some() { Trouble::Changed } else { Trouble::None };
    let page = pages::cart::page(&visit, &trouble);
    visit.page(StatusCode::OK, page)
}

/// `POST /cart/items`
pub(crate) async fn add(posted: Posted) -> Response {
    let Some(product) = catalogue::find(posted.get("product")) else {
        return super::missing(posted.visit);
    };
    let quantity = cart::parse_quantity(posted.get("quantity"), 1);
    let mut visit = posted.visit;
    let Ok(quantity) = quantity else {
        let page = pages::product::page(&visit, product, pages::product::Note::BadQuantity);
        return visit.page(StatusCode::UNPROCESSABLE_ENTITY, page);
    };
    visit.cart.add(product, quantity);
    visit.keep_cart();
    visit.go(&format!("/products/{}?added=1", product.page))
}

/// `POST /cart/update`: all quantities at once, or one product taken out.
pub(crate) async fn update(posted: Posted) -> Response {
    let removed = posted.get("remove").to_owned();
    let mut changes = Vec::new();
    let mut refused = Vec::new();
    for (field, value) in posted.fields() {
        let Some(slug) = field.strip_prefix("quantity_") else { continue };
        match cart::parse_quantity(value, 0) {
            Ok(quantity) => changes.push((slug.to_owned(), quantity)),
            Err(cart::BadQuantity) if slug != removed => {
                refused.push((slug.to_owned(), value.chars().take(12).collect::<String>()));
            }
            Err(cart::BadQuantity) => {}
        }
    }
    let mut visit = posted.visit;
    if !refused.is_empty() && removed.is_empty() {
        let page = pages::cart::page(&visit, &Trouble::Quantities(refused));
        return visit.page(StatusCode::UNPROCESSABLE_ENTITY, page);
    }
    for (slug, quantity) in changes {
        visit.cart.set(&slug, quantity);
    }
    visit.cart.set(&removed, 0);
    visit.keep_cart();
    visit.go("/cart")
}

/// `POST /cart/codes`
pub(crate) async fn enter_code(posted: Posted) -> Response {
    let typed: String = posted.get("code").chars().take(40).collect();
    let mut visit = posted.visit;
    if let Some(code) = Code::parse(&typed) {
        visit.cart.enter(code);
        visit.keep_cart();
        return visit.go("/cart");
    }
    let page = pages::cart::page(&visit, &Trouble::Code(typed));
    visit.page(StatusCode::UNPROCESSABLE_ENTITY, page)
}

/// `POST /cart/codes/remove`
pub(crate) async fn remove_code(posted: Posted) -> Response {
    let code = Code::parse(posted.get("code"));
    let mut visit = posted.visit;
    if let Some(code) = code {
        visit.cart.forget(code);
        visit.keep_cart();
    }
    visit.go("/cart")
}
