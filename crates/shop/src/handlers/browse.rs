//! Looking around: the shelf, a product, and the switch of country and language.

use axum::extract::{Path, Query};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;

use crate::catalogue;
use crate::market::View;
use crate::pages;
use crate::visit::{Posted, Visit};

/// `GET /`
pub(crate) async fn home(visit: Visit) -> Response {
    let page = pages::home::page(&visit);
    visit.page(StatusCode::OK, page)
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ProductQuery {
    /// Set after the product was put in the cart.
    #[serde(default)]
    added: Option<String>,
}

/// `GET /products/{slug}`
pub(crate) async fn product(
    visit: Visit,
    Path(slug): Path<String>,
    Query(query): Query<ProductQuery>,
) -> Response {
    let Some(product) = catalogue::find(&slug).filter(|product| product.slug == product.page)
    else {
        return super::missing(visit);
    };
    let note = if query.added.is_some() {
        pages::product::Note::Added
    } else {
        pages::product::Note::None
    };
    let page = pages::product::page(&visit, product, note);
    visit.page(StatusCode::OK, page)
}

/// `POST /market`
pub(crate) async fn switch_market(posted: Posted) -> Response {
    let chosen = View::from_tag(posted.get("view"));
    let back = local_path(posted.get("return_to")).to_owned();
    let mut visit = posted.visit;
    let Some(view) = chosen else {
        let texts = visit.texts();
        let page = pages::notice::page(
            &visit,
            &pages::notice::Notice {
                title: texts.no_market_title,
                text: texts.no_market_text,
                link: ("/", texts.back_to_shop),
            },
        );
        return visit.page(StatusCode::UNPROCESSABLE_ENTITY, page);
    };
    visit.choose_view(view);
    visit.go(&back)
}

/// A path of the shop itself; anything that could lead elsewhere becomes the front page.
fn local_path(path: &str) -> &str {
    let safe = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() < 300
        && path.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.".contains(&b));
    if safe { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_stays_in_the_shop() {
        for (path, expected) in [
            ("/cart", "/cart"),
            ("/products/mist-mug", "/products/mist-mug"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/a\r\nb", "/"),
            ("", "/"),
        ] {
            assert_eq!(local_path(path), expected);
        }
    }
}
