//! Terms, privacy and help: short, and naming Klarna where a merchant has to.

use maud::{Markup, html};

use crate::pages::layout::{self, Frame};
use crate::pages::placement;
use crate::visit::Visit;

/// The terms of sale.
pub(crate) fn terms(visit: &Visit) -> Markup {
    let texts = visit.texts();
    let link = (texts.terms_klarna_link, "https://www.klarna.com/".to_owned());
    prose(visit, texts.terms, &[texts.terms_1, texts.terms_2, texts.terms_3], Some(&link))
}

/// What happens to personal data.
pub(crate) fn privacy(visit: &Visit) -> Markup {
    let texts = visit.texts();
    let link = (
        texts.privacy_klarna_link,
        "https://www.klarna.com/international/privacy-policy/".to_owned(),
    );
    prose(
        visit,
        texts.privacy,
        &[texts.privacy_1, texts.privacy_2, texts.privacy_3, texts.privacy_4],
        Some(&link),
    )
}

/// Questions that are often asked.
pub(crate) fn help(visit: &Visit) -> Markup {
    let texts = visit.texts();
    let questions = [
        (texts.help_q1, texts.help_a1),
        (texts.help_q2, texts.help_a2),
        (texts.help_q3, texts.help_a3),
        (texts.help_q4, texts.help_a4),
    ];
    let body = html! {
        div.wrap.narrow.prose {
            h1 { (texts.help) }
            @for (question, answer) in questions { h2 { (question) } p { (answer) } }
            (placement(visit, "info-page", None))
        }
    };
    layout::page(visit, Frame::Full, texts.help, &[], &body)
}

fn prose(
    visit: &Visit,
    title: &str,
    paragraphs: &[&str],
    link: Option<&(&'static str, String)>,
) -> Markup {
    let body = html! {
        div.wrap.narrow.prose {
            h1 { (title) }
            @for paragraph in paragraphs { p { (paragraph) } }
            @if let Some((words, url)) = link {
                p { a href=(url) rel="noopener" { (words) } }
            }
        }
    };
    layout::page(visit, Frame::Full, title, &[], &body)
}
