//! Klarna's express button: address and payment in one go. Drawn and shown by its script, once it can be used.

use maud::{Markup, html};

use crate::CheckoutWay;
use crate::catalogue::Product;
use crate::visit::Visit;

/// Where the button stands, and with that what it buys.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    /// On a product's page: the product, where nothing else is in the cart.
    Product(&'a Product),
    /// In the cart: the cart.
    Cart,
    /// Above the checkout's form: the cart, in the session that the page already has.
    Checkout,
}

/// The button, where there can be one.
pub(crate) fn express(visit: &Visit, place: Place<'_>) -> Markup {
    let texts = visit.texts();
    let klarna = visit.klarna.as_ref();
    let library = klarna.and_then(|klarna| klarna.payments_sdk.as_ref());
    let client_id = klarna.map(|klarna| klarna.client_id.as_str());
    let sold = match place {
        // What else is in the cart would be bought as well, unseen.
        Place::Product(_) => visit.cart.is_empty(),
        // What comes every month is agreed to at the checkout.
        Place::Cart | Place::Checkout => {
            visit.cart.monthly().is_none() && visit.cart.bill(visit.view).total > 0
        }
    };
    let product = match place {
        Place::Product(product) => Some(product.slug),
        Place::Cart | Place::Checkout => None,
    };
    html! {
        @if let Some(library) = library.filter(|_| sold && visit.app().way == CheckoutWay::Inline) {
            // There from the beginning, so that nothing moves when the button comes.
            section.express.with-script #express aria-label=(texts.express_title)
                data-script=(library) data-csrf=(visit.form_token())
                data-client-id=[product.and(client_id)] data-product=[product]
                data-locale=(visit.view.locale.tag)
                data-confirming=(texts.confirming) data-retrying=(texts.retrying)
                data-aborted=(texts.klarna_aborted) data-denied=(texts.klarna_denied)
                data-failed=(texts.confirmation_failed) data-lost=(texts.offline) {
                div #kec {}
                p.message #express-message role="alert" hidden {}
            }
        }
    }
}
