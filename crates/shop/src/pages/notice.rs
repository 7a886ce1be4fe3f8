//! A page that says one thing and offers one way on.

use maud::{Markup, html};

use crate::pages::layout::{self, Frame};
use crate::visit::Visit;

/// What it says.
pub(crate) struct Notice<'a> {
    /// The heading.
    pub(crate) title: &'a str,
    /// What happened, and what to do.
    pub(crate) text: &'a str,
    /// Where to go, and in what words.
    pub(crate) link: (&'a str, &'a str),
}

/// The page.
pub(crate) fn page(visit: &Visit, notice: &Notice<'_>) -> Markup {
    let body = html! {
        div.wrap.narrow.notice {
            h1 { (notice.title) }
            p.lead { (notice.text) }
            p { a.button href=(notice.link.0) { (notice.link.1) } }
        }
    };
    layout::page(visit, Frame::Full, notice.title, &[], &body)
}
