//! The hosted pages as HTML: the one that takes a payment, and the ones that tell how it ended.
//!
//! What a merchant gave (titles, pictures, names of goods) is text and addresses here, never markup or style. A
//! page knows where its pictures may come from, and its policy says so.

use std::fmt::Write as _;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use klarna_types::hosted_payment_page::{BackgroundImage, Options, SubtotalDetail};
use klarna_types::payments::PaymentMethodCategoryIdentifier;
use klarna_types::{Currency, Locale, MinorUnits};
use maud::{DOCTYPE, Markup, html};
use url::Url;

use super::texts::{Texts, ending, purchase_label, texts};
use crate::domain::category_names;
use crate::domain::hosted_page::{LeaveButton, Status};
use crate::domain::outbox::Language;
use crate::domain::session::{Session, effective_country};
use crate::web::view::{self, Price};

/// Icons on a 24 x 24 grid, as the purchase flow has them.
const TICK: &[&str] = &["M5 12.5l4.5 4.5L19 7.5"];
const DENIED: &[&str] = &["M12 7v6", "M12 16.5v.5", "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z"];
const WAITING: &[&str] = &["M12 7v5l3 2", "M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z"];

/// The language of a session's shopper.
pub(crate) fn language(session: &Session) -> Language {
    session.body.locale.as_ref().map_or(Language::English, Language::of)
}

/// A page that takes a payment.
pub(crate) struct Checkout<'a> {
    /// The payment session.
    pub(crate) session: &'a Session,
    /// How it looks.
    pub(crate) options: &'a Options,
    /// The categories to be named; the session's own when there are none.
    pub(crate) categories: &'a [PaymentMethodCategoryIdentifier],
    /// The button beside the one that pays, if there is one.
    pub(crate) leave: Option<LeaveButton>,
    /// Whether leaving is final, so that the shopper is asked first.
    pub(crate) leave_is_final: bool,
    /// The path of the page, under which its actions stand.
    pub(crate) path: &'a str,
}

impl Checkout<'_> {
    /// The answer.
    pub(crate) fn response(&self) -> Response {
        let markup = self.markup();
        respond(StatusCode::OK, &markup, self.options)
    }

    fn markup(&self) -> Markup {
        let language = language(self.session);
        let words = texts(language);
        let title = self.options.page_title.as_deref().map(str::trim).filter(|t| !t.is_empty());
        let title = title.unwrap_or(words.title);
        let label = purchase_label(language, self.options.purchase_type.as_ref());
        let content = html! {
            h1 { (title) }
            (self.order(language, words))
            (self.ways(language, words))
            p.problem #problem role="alert" data-text=(words.problem) {}
            noscript { p.problem { (words.no_script) } }
            div.actions {
                button.primary #pay type="button" data-label=(label) {
                    (label) " · " (self.amount(language, self.session.body.order_amount))
                }
                @if let Some(button) = self.leave {
                    button.second #leave type="button"
                        data-button=(match button { LeaveButton::Back => "back", LeaveButton::Cancel => "cancel" }) {
                        (match button { LeaveButton::Back => words.back, LeaveButton::Cancel => words.cancel })
                    }
                }
            }
            @if self.leave.is_some() && self.leave_is_final {
                dialog #confirm aria-labelledby="confirm-title" {
                    h2 #confirm-title { (words.cancel_title) }
                    p { (words.cancel_text) }
                    div.choices {
                        button.primary #stay type="button" { (words.cancel_no) }
                        button.second #cancel-yes type="button" { (words.cancel_yes) }
                    }
                }
            }
        };
        let of = Some((self.path, view::price_of(&self.session.body)));
        document(language, title, self.options, of.as_ref(), &content)
    }

    /// An amount. The page's script writes it as the purchase flow does; until then it stands there as in
    /// messages.
    fn amount(&self, language: Language, amount: Option<MinorUnits>) -> Markup {
        let currency = self.session.body.purchase_currency.clone().unwrap_or(Currency::USD);
        let amount = amount.unwrap_or(MinorUnits::ZERO);
        // People read a minus sign, not a hyphen.
        let written = language.amount(amount, &currency).replacen('-', "−", 1);
        html! { span.number data-amount=(amount.get()) { (written) } }
    }

    fn order(&self, language: Language, words: &Texts) -> Markup {
        let body = &self.session.body;
        let hidden = self.options.show_subtotal_detail == Some(SubtotalDetail::Hide);
        let tax = body.order_tax_amount.filter(|tax| *tax != MinorUnits::ZERO);
        html! {
            section.block {
                h2 { (words.order) }
                @if !hidden {
                    ul.lines {
                        @for line in body.order_lines.iter().flatten() {
                            @let amount = line.total_amount.unwrap_or(MinorUnits::ZERO);
                            @let quantity = line.quantity.unwrap_or(1);
                            li.less[amount.is_negative()] {
                                span {
                                    @if quantity > 1 { (quantity) " × " }
                                    (line.name.as_deref().unwrap_or_default())
                                }
                                (self.amount(language, Some(amount)))
                            }
                        }
                    }
                }
                p.total {
                    span { (words.total) }
                    (self.amount(language, body.order_amount))
                }
                @if let Some(tax) = tax && !hidden {
                    p.tax.small.quiet {
                        span { (words.tax) }
                        (self.amount(language, Some(tax)))
                    }
                }
            }
        }
    }

    fn ways(&self, language: Language, words: &Texts) -> Markup {
        let country = effective_country(&self.session.body);
        let mut names: Vec<&str> = Vec::new();
        for category in self.categories {
            let name = category_names::name(category, country, language.tag());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        html! {
            @if !names.is_empty() {
                section.ways aria-label=(words.ways) {
                    ul { @for name in names { li { (name) } } }
                }
            }
        }
    }
}

/// How a purchase ended, or that there is none.
pub(crate) struct Ending<'a> {
    /// In which language.
    pub(crate) language: Language,
    /// How it ended; `None`: there is no such page.
    pub(crate) status: Option<Status>,
    /// How the page looks.
    pub(crate) options: &'a Options,
    /// The order's short reference.
    pub(crate) reference: Option<&'a str>,
    /// Where the shopper may go on: the page itself, or the merchant's.
    pub(crate) onward: Option<Onward<'a>>,
}

/// Where the shopper may go on.
pub(crate) enum Onward<'a> {
    /// To the page that takes the payment.
    Again(&'a str),
    /// To the merchant.
    Store(&'a str),
}

impl Ending<'_> {
    /// The answer.
    pub(crate) fn response(&self) -> Response {
        let code = match self.status {
            None => StatusCode::NOT_FOUND,
            Some(Status::Disabled) => StatusCode::GONE,
            Some(_) => StatusCode::OK,
        };
        let words = texts(self.language);
        let (heading, sentence) = ending(self.language, self.status);
        let (look, icon) = match self.status {
            Some(Status::Completed) => ("yes", TICK),
            Some(Status::Waiting | Status::InProgress | Status::Back) => ("", WAITING),
            Some(Status::Failed | Status::Error | Status::Cancelled | Status::Disabled) | None => {
                ("no", DENIED)
            }
        };
        let content = html! {
            div.end.(look) {
                span.disc {
                    svg.icon viewBox="0 0 24 24" aria-hidden="true" {
                        @for path in icon { path d=(path) {} }
                    }
                }
                h1 { (heading) }
                p { (sentence) }
                @if let Some(reference) = self.reference {
                    p.small { (words.reference) ": " strong.number { (reference) } }
                }
                @match &self.onward {
                    Some(Onward::Again(path)) => a.button.primary #again href=(path) { (words.again) },
                    Some(Onward::Store(url)) => {
                        a.button.primary #store href=(url) rel="noreferrer" { (words.to_store) }
                    }
                    None => {}
                }
            }
        };
        let markup = document(self.language, heading, self.options, None, &content);
        respond(code, &markup, self.options)
    }
}

fn document(
    language: Language,
    title: &str,
    options: &Options,
    of: Option<&(&str, Price)>,
    content: &Markup,
) -> Markup {
    let words = texts(language);
    let path = of.map(|(path, _)| *path);
    // Text and numbers: they always serialize.
    let price = of.and_then(|(_, price)| serde_json::to_string(price).ok());
    let pictures = pictures(options);
    let logo = options.logo_url.as_deref().filter(|url| !url.is_empty());
    html! {
        (DOCTYPE)
        html lang=(language.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " (" (words.test_badge) ")" }
                link rel="icon" href="/kp/assets/badge.svg";
                link rel="stylesheet" href="/kp/assets/kit.css";
                link rel="stylesheet" href="/kp/assets/flow.css";
                link rel="stylesheet" href="/kp/assets/hosted.css";
                script type="module" src="/kp/assets/hosted.js" {}
            }
            body.hosted.pictured[!pictures.is_empty()] data-path=[path] data-price=[price] data-working=(words.working) {
                @if let Some((widest, narrower)) = pictures.split_last() {
                    picture.behind aria-hidden="true" {
                        @for (width, url) in narrower {
                            source media=(format!("(max-width: {width}px)")) srcset=(url);
                        }
                        img src=(widest.1) alt="" data-optional;
                    }
                }
                div.sheet {
                    header {
                        @if let Some(logo) = logo {
                            img.logo src=(logo) alt=(words.logo) data-optional;
                        }
                        div.brand {
                            span.mark aria-hidden="true" {}
                            span.name { "Kassa playground" }
                            span.badge title=(words.test_footer) { (words.test_badge) }
                        }
                    }
                    main { (content) }
                    footer { (words.test_footer) }
                }
                p.hidden #status role="status" {}
            }
        }
    }
}

/// The pictures behind a page by the widths of the screens that they are for. One without a width is the widest.
fn pictures(options: &Options) -> Vec<(i64, String)> {
    let given = options.background_images.as_deref().unwrap_or_default();
    let mut pictures: Vec<(i64, String)> = given
        .iter()
        .filter_map(|BackgroundImage { url, width }| {
            // In a list of sources a space or a comma would begin something else.
            let url = Url::parse(url.as_deref()?).ok()?.to_string().replace(',', "%2C");
            Some((width.unwrap_or(i64::MAX), url))
        })
        .collect();
    pictures.sort_by_key(|(width, _)| *width);
    pictures
}

fn respond(code: StatusCode, markup: &Markup, options: &Options) -> Response {
    let mut sources = String::from("'self'");
    let logo = options.logo_url.as_deref().into_iter().map(str::to_owned);
    for url in logo.chain(pictures(options).into_iter().map(|(_, url)| url)) {
        if let Ok(url) = Url::parse(&url) {
            // Writing into a string cannot fail.
            let _ = write!(sources, " {}", url.origin().ascii_serialization());
        }
    }
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; \
         img-src {sources}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let policy = HeaderValue::from_str(&policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (code, headers, markup.0.clone()).into_response()
}

/// The language that a browser prefers, for a page about which nothing is known.
pub(crate) fn preferred(accepted: Option<&str>) -> Language {
    let first = accepted.unwrap_or_default().split(',').next().unwrap_or_default();
    Language::of(&Locale::new(first.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_that_fits_best_comes_first() {
        let image = |url: &str| BackgroundImage::new().url(url);
        let options = Options::new().background_images(vec![
            image("https://x/b.jpg").width(1920),
            image("not a url").width(1),
            image("https://x/c.jpg"),
            image("https://x/a, 2x.jpg").width(640),
        ]);
        let found: Vec<_> = pictures(&options).into_iter().map(|(_, url)| url).collect();
        assert_eq!(found, ["https://x/a%2C%202x.jpg", "https://x/b.jpg", "https://x/c.jpg"]);
    }

    #[test]
    fn what_a_merchant_gives_is_no_markup_and_widens_the_policy_by_its_origin_only() {
        let options = Options::new()
            .page_title("<script>alert(1)</script>")
            .logo_url("https://cdn.example/logo.png;script-src *");
        let markup = document(Language::English, "<b>", &options, None, &html! {});
        assert!(!markup.0.contains("<b>"), "{}", markup.0);
        let response = respond(StatusCode::OK, &markup, &options);
        let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.contains("img-src 'self' https://cdn.example;"), "{policy}");
        assert!(!policy.contains('*'), "{policy}");
    }

    #[test]
    fn the_browser_says_its_language() {
        assert_eq!(preferred(Some("sv-SE,sv;q=0.9")), Language::Swedish);
        assert_eq!(preferred(Some("fr")), Language::English);
        assert_eq!(preferred(None), Language::English);
    }
}
