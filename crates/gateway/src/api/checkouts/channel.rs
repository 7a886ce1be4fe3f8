//! What a shop says of the way to the shopper, and of the buyer, read into the domain's terms and
//! checked by Klarna's own limits before Klarna is asked.

use klarna_types::hosted_payment_page::{
    BackgroundImage, CreateSessionBody as PageBody, MerchantUrls, Options, PaymentMethodCategory,
    PlaceOrderMode, PurchaseType, SubtotalDetail,
};
use klarna_types::in_store::{StoreAddress, StoreInfo};
use klarna_types::payments::{Options as WidgetOptions, SessionBody};
use klarna_types::validate::{self, UrlRule};
use klarna_types::{Address, Customer};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::problem::Problem;
use crate::domain::checkout::Cart;
use crate::domain::extras::{self, Extras};
use crate::domain::hosted::{Channel, Hosted, PageWish};
use crate::engine::commands;
use crate::store::stores::Store;

/// How Klarna's page looks, and where the shopper's browser goes from it.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageInput {
    /// After an approval; `confirmation_url` if it is left out. `{checkout_id}` is filled in.
    pub success_url: Option<String>,
    /// When the shopper cancels. On the web that is the same as going back.
    pub cancel_url: Option<String>,
    /// When the shopper goes back to the shop, and may return.
    pub back_url: Option<String>,
    /// When Klarna declines.
    pub failure_url: Option<String>,
    /// After a technical error; `failure_url` if it is left out.
    pub error_url: Option<String>,
    /// The page's heading, in the shopper's language.
    pub page_title: Option<String>,
    /// What the last button says: `BUY`, `RENT`, `BOOK`, `SUBSCRIBE`, `DOWNLOAD`, `ORDER` or
    /// `CONTINUE`.
    #[schema(value_type = Option<String>)]
    pub purchase_type: Option<PurchaseType>,
    /// The shop's logo.
    pub logo_url: Option<String>,
    /// Pictures behind the page: `{url, width}`.
    #[schema(value_type = Vec<Object>)]
    pub background_images: Vec<BackgroundImage>,
    /// The payment method categories that are offered; all of them if there are none.
    #[schema(value_type = Vec<String>)]
    pub payment_method_categories: Vec<PaymentMethodCategory>,
    /// `HIDE`: only the total is shown.
    #[schema(value_type = Option<String>)]
    pub show_subtotal_detail: Option<SubtotalDetail>,
}

/// The till that sells.
#[derive(Debug, Clone, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TillInput {
    /// The till.
    pub terminal_id: Option<String>,
    /// The store's own number; that of the store's settings if it is left out.
    pub merchant_store_id: Option<String>,
}

/// What is said besides the cart.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said {
    pub(crate) channel: Channel,
    pub(crate) page: Option<PageInput>,
    pub(crate) till: Option<TillInput>,
    pub(crate) app_return_url: Option<String>,
    pub(crate) merchant_reference2: Option<String>,
    pub(crate) merchant_data: Option<String>,
    pub(crate) customer: Option<Customer>,
    pub(crate) billing_address: Option<Address>,
    pub(crate) shipping_address: Option<Address>,
    pub(crate) extra_merchant_data: Option<Value>,
    pub(crate) custom_payment_method_ids: Option<Vec<String>>,
    pub(crate) design: Option<String>,
    pub(crate) options: Option<WidgetOptions>,
}

/// Where on its way a shopper comes back to an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    Success,
    Cancel,
    Midway,
    Failure,
    Error,
}

impl Back {
    const ALL: [Self; 5] = [Self::Success, Self::Cancel, Self::Midway, Self::Failure, Self::Error];

    fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Cancel => "cancel",
            Self::Midway => "back",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|back| back.name() == name)
    }
}

/// What is said besides the cart, in the domain's terms.
pub(crate) fn read(
    said: Said,
    store: &Store,
    public_url: &str,
) -> Result<(Extras, Option<Hosted>), Problem> {
    let Said { channel, .. } = said;
    if said.page.is_some() && !channel.has_page() {
        return Err(Problem::invalid(
            "page",
            format!("page: a checkout of the channel {} has no page of Klarna's.", channel.name()),
        ));
    }
    if said.till.is_some() && channel != Channel::InStore {
        return Err(Problem::invalid("in_store", "in_store: only for the channel in_store."));
    }
    if let Some(url) = &said.app_return_url {
        check_app_return_url(url, channel)?;
    }
    let in_store = (channel == Channel::InStore)
        .then(|| ("in_store_payment", json!({ "store_info": till(said.till, store) })));
    let attachment = extras::attachment(said.extra_merchant_data, in_store)
        .map_err(|problem| Problem::invalid("extra_merchant_data", format!("{problem}.")))?;
    let hosted = channel.has_page().then(|| Hosted {
        wish: wish(said.page.unwrap_or_default(), said.app_return_url.is_some(), public_url),
        page: None,
    });
    let extras = Extras {
        merchant_reference2: said.merchant_reference2,
        merchant_data: said.merchant_data,
        customer: said.customer,
        app_return_url: said.app_return_url,
        billing_address: said.billing_address,
        shipping_address: said.shipping_address,
        attachment,
        custom_payment_method_ids: said.custom_payment_method_ids,
        design: said.design,
        options: said.options,
    };
    if let Some(hosted) = &hosted {
        check_page(&hosted.wish)?;
    }
    Ok((extras, hosted))
}

/// An app is reached by an address of its own scheme, as iOS and Android know it.
fn check_app_return_url(url: &str, channel: Channel) -> Result<(), Problem> {
    let wrong = |detail: &str| Err(Problem::invalid("app_return_url", detail));
    match channel {
        Channel::Native | Channel::Hosted => {}
        Channel::Inline | Channel::InStore => {
            return wrong("app_return_url: only for the channels native and hosted.");
        }
    }
    let scheme = url.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_of_an_app = scheme.is_some_and(|scheme| {
        // Anything that a browser would act upon by itself is no app.
        let known =
            ["http", "https", "javascript", "data", "file", "blob", "about", "ftp", "ws", "wss"];
        !known.contains(&scheme.as_str())
            && scheme.starts_with(|first: char| first.is_ascii_lowercase())
            && scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || "+.-".contains(letter))
    });
    let is_plain = url.len() <= 2000 && url.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    if is_of_an_app && is_plain {
        Ok(())
    } else {
        wrong("app_return_url: give an address of your app's own scheme, such as myapp://klarna")
    }
}

/// The till, from what the call says, what the store's settings say, and what has to be said.
fn till(said: Option<TillInput>, store: &Store) -> StoreInfo {
    let TillInput { terminal_id, merchant_store_id } = said.unwrap_or_default();
    let premises = store.details.premises.clone();
    let address = StoreAddress {
        street_address: premises.street_address,
        street_number: premises.street_number,
        postal_code: premises.postal_code,
        city: premises.city,
        country: premises.country,
    };
    StoreInfo::new(
        merchant_store_id.or(premises.merchant_store_id).unwrap_or_else(|| store.id.clone()),
        terminal_id.unwrap_or_else(|| "1".to_owned()),
        address,
    )
}

fn wish(input: PageInput, app: bool, public_url: &str) -> PageWish {
    // Klarna sends browsers to addresses of the web only. Ours passes them on to the app.
    let base = public_url.trim_end_matches('/');
    let onward = |said: Option<String>, back: Back| {
        said.or_else(|| app.then(|| format!("{base}/back/{{checkout_id}}/{}", back.name())))
    };
    PageWish {
        urls: MerchantUrls {
            success: onward(input.success_url, Back::Success),
            cancel: onward(input.cancel_url, Back::Cancel),
            back: onward(input.back_url, Back::Midway),
            failure: onward(input.failure_url, Back::Failure),
            error: onward(input.error_url, Back::Error),
            status_update: None,
        },
        options: Options {
            page_title: input.page_title,
            purchase_type: input.purchase_type,
            logo_url: input.logo_url,
            background_images: some(input.background_images),
            payment_method_categories: some(input.payment_method_categories),
            show_subtotal_detail: input.show_subtotal_detail,
            place_order_mode: Some(PlaceOrderMode::None),
            ..Options::default()
        },
    }
}

fn some<T>(list: Vec<T>) -> Option<Vec<T>> {
    (!list.is_empty()).then_some(list)
}

/// The first member of a page that breaks a limit of Klarna's, by the shop's name for it.
fn check_page(wish: &PageWish) -> Result<(), Problem> {
    for (member, url) in [
        ("success_url", &wish.urls.success),
        ("cancel_url", &wish.urls.cancel),
        ("back_url", &wish.urls.back),
        ("failure_url", &wish.urls.failure),
        ("error_url", &wish.urls.error),
    ] {
        if url.as_ref().is_some_and(|url| url.contains("authorization_token")) {
            return Err(Problem::invalid(
                format!("page.{member}"),
                format!(
                    "page.{member}: asks for the authorization token, which does not belong into an \
                     address; the gateway places the order by itself."
                ),
            ));
        }
    }
    let body = PageBody::new()
        .payment_session_url("https://checked.elsewhere/")
        .merchant_urls(wish.urls.clone())
        .options(wish.options.clone());
    let Some(problem) =
        validate::hosted_session(&body, UrlRule::HttpsOrLoopback).into_iter().next()
    else {
        return Ok(());
    };
    let member = match problem.path.split_once('.') {
        Some(("merchant_urls", member)) => format!("page.{member}_url"),
        Some(("options", member)) => format!("page.{member}"),
        _ => problem.path.clone(),
    };
    let said = problem.to_string();
    let detail = said.strip_prefix(&problem.path).unwrap_or(&said);
    Err(Problem::invalid(member.clone(), format!("{member}{detail}.")))
}

/// The first member of a cart that breaks a limit of Klarna's, before Klarna is asked.
pub(crate) fn check_cart(cart: &Cart, channel: Channel) -> Result<(), Problem> {
    // Sessions and what is checked share one form on the wire.
    let session =
        commands::session_body(cart, channel, klarna_types::payments::MerchantUrls::default());
    let body = SessionBody::from(session);
    let Some(problem) =
        validate::create_session(&body, UrlRule::HttpsOrLoopback).into_iter().next()
    else {
        return Ok(());
    };
    let said = problem.to_string();
    let (path, member) = match problem.path.split_once(['.', '[']) {
        Some(("attachment", _)) => (problem.path.as_str(), "extra_merchant_data".to_owned()),
        _ => (problem.path.as_str(), problem.path.clone()),
    };
    let detail = said.strip_prefix(path).unwrap_or(&said);
    Err(Problem::invalid(member.clone(), format!("{member}{detail}.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::stores::{Details, Premises};

    fn store() -> Store {
        Store {
            id: "default".to_owned(),
            name: "Store".to_owned(),
            details: Details {
                premises: Premises { city: Some("Stockholm".to_owned()), ..Premises::default() },
            },
            created_at_ms: 0,
        }
    }

    fn read_it(said: Said) -> Result<(Extras, Option<Hosted>), Problem> {
        read(said, &store(), "https://pay.example/")
    }

    #[test]
    fn a_purchase_in_a_store_names_its_till() {
        let (extras, hosted) =
            read_it(Said { channel: Channel::InStore, ..Said::default() }).unwrap();
        let body: Value = serde_json::from_str(&extras.attachment.unwrap().body).unwrap();
        assert_eq!(
            body["in_store_payment"][0]["store_info"],
            json!({
                "merchant_store_id": "default", "store_terminal_id": "1",
                "store_address": { "city": "Stockholm" },
            })
        );
        assert!(hosted.unwrap().page.is_none());
        assert_eq!(read_it(Said::default()).unwrap(), (Extras::default(), None));
    }

    #[test]
    fn an_app_gets_its_shopper_back_over_an_address_of_the_web() {
        let said = Said {
            channel: Channel::Hosted,
            app_return_url: Some("myapp://klarna".to_owned()),
            page: Some(PageInput {
                failure_url: Some("https://shop.example/no".to_owned()),
                ..PageInput::default()
            }),
            ..Said::default()
        };
        let urls = read_it(said).unwrap().1.unwrap().wish.urls;
        assert_eq!(urls.success.as_deref(), Some("https://pay.example/back/{checkout_id}/success"));
        assert_eq!(urls.failure.as_deref(), Some("https://shop.example/no"));
        for back in Back::ALL {
            assert_eq!(Back::from_name(back.name()), Some(back));
        }
        assert_eq!(Back::from_name("elsewhere"), None);
    }

    #[test]
    #[allow(clippy::large_stack_arrays, reason = "a table of cases")]
    fn what_is_wrong_is_named_by_the_shops_own_words() {
        let page = |page| Said { channel: Channel::Hosted, page: Some(page), ..Said::default() };
        let url = |url: &str| Some(url.to_owned());
        let app = |url: &str| Said {
            channel: Channel::Native,
            app_return_url: Some(url.to_owned()),
            ..Said::default()
        };
        let cases = [
            (Said { page: Some(PageInput::default()), ..Said::default() }, "page"),
            (Said { till: Some(TillInput::default()), ..Said::default() }, "in_store"),
            (page(PageInput { back_url: url("ftp://x"), ..PageInput::default() }), "page.back_url"),
            (
                page(PageInput {
                    success_url: url("https://shop.example/?t={{authorization_token}}"),
                    ..PageInput::default()
                }),
                "page.success_url",
            ),
            (
                page(PageInput {
                    purchase_type: Some(PurchaseType::from("TAKE")),
                    ..PageInput::default()
                }),
                "page.purchase_type",
            ),
            (app("https://shop.example/"), "app_return_url"),
            (app("javascript://alert(1)"), "app_return_url"),
            (app("klarna"), "app_return_url"),
            (app("my app://x"), "app_return_url"),
            (Said { app_return_url: url("myapp://x"), ..Said::default() }, "app_return_url"),
            (
                Said { extra_merchant_data: Some(json!([1])), ..Said::default() },
                "extra_merchant_data",
            ),
        ];
        for (said, member) in cases {
            let problem = read_it(said).unwrap_err();
            assert_eq!(problem.member.as_deref(), Some(member), "{}", problem.detail);
            assert!(problem.detail.starts_with(member), "{}", problem.detail);
        }
    }
}
