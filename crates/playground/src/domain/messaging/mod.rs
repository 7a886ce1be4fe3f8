//! On-site messaging: which placements there are, where something may be shown, and what it says.
//!
//! Texts, the amounts from and up to which something is promoted, and which way to pay is promoted are this
//! playground's own; the arithmetic is that of [`crate::domain::flow::offer`], so that a promise beside a
//! price is what the purchase flow then asks for.

pub(crate) mod money;
mod placement_key;
mod texts;

use std::collections::BTreeMap;

use jiff::civil::Date;
use klarna_types::market::MARKETS;
use klarna_types::payments::PaymentMethodCategoryIdentifier as Category;
use klarna_types::{Country, Currency, Locale};
use serde::Serialize;

use crate::domain::category_names;
use crate::domain::flow::offer::{Offer, OfferKind, offers};
use crate::domain::merchant::{Categories, Merchant, Messaging};

pub(crate) use placement_key::PlacementKey;

/// What a page asks for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Which placement.
    pub(crate) key: PlacementKey,
    /// In which language, and for which market.
    pub(crate) locale: Locale,
    /// What the goods cost, in minor units.
    pub(crate) amount: Option<i64>,
    /// What stands in front.
    pub(crate) prefix: Option<Prefix>,
    /// What the shop would rather have said.
    pub(crate) preference: Preference,
    /// Ways to pay that were agreed to be promoted; all when there is none.
    pub(crate) methods: Vec<String>,
}

/// The word in front of a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// It begins the sentence.
    Capital,
    /// The sentence goes on from what stands before it.
    Small,
}

impl Prefix {
    /// The prefix of this name, if there is one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "Or" => Some(Self::Capital),
            "or" => Some(Self::Small),
            _ => None,
        }
    }
}

/// What the shop would rather have said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    /// What there is to say.
    Klarna,
    /// That one can know beforehand how much one may spend.
    Prequalification,
    /// That one can pay so in the store.
    InStore,
}

impl Preference {
    /// The preference of this name; what is not known is no preference.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "prequalification" => Self::Prequalification,
            "in-store" => Self::InStore,
            _ => Self::Klarna,
        }
    }
}

/// How a placement is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Layout {
    /// Beside a price.
    Promotion,
    /// Across the page, one line high where there is room.
    Strip,
    /// A heading and a sentence.
    Banner,
    /// Among the ways to pay.
    Checkout,
    /// A page of questions and answers.
    Info,
}

/// On which side the badge stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Badge {
    /// Before the text.
    Left,
    /// After the text, which begins with a prefix.
    Right,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Piece {
    /// Words.
    Text(String),
    /// An amount in minor units, to be written as the reader's locale has it.
    Amount(i64),
    /// Klarna's name, inflected as the language wants it.
    Name(String),
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Placement {
    /// Which placement it is.
    pub(crate) key: &'static str,
    /// How it is laid out.
    pub(crate) layout: Layout,
    /// The locale, as it is written.
    pub(crate) locale: String,
    /// The market's currency, in which amounts are.
    pub(crate) currency: Currency,
    /// How many decimals that has.
    pub(crate) exponent: u8,
    /// The badge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) badge: Option<Badge>,
    /// A heading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) heading: Option<&'static str>,
    /// The message, piece by piece.
    pub(crate) message: Vec<Piece>,
    /// The ways to pay, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) methods: Vec<&'static str>,
    /// What makes this offer a good one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deal: Option<&'static str>,
    /// What has to be said beside it.
    pub(crate) legal: &'static str,
    /// What opens the explanation.
    pub(crate) action: &'static str,
    /// What closes the explanation.
    pub(crate) close: &'static str,
}

impl Placement {
    /// The message as one text.
    pub(crate) fn text(&self) -> String {
        let locale = Locale::new(self.locale.as_str());
        let write = |piece: &Piece| match piece {
            Piece::Text(text) | Piece::Name(text) => text.clone(),
            Piece::Amount(amount) => money::text(*amount, &self.currency, &locale),
        };
        self.message.iter().map(write).collect()
    }
}

/// The market that a locale is of, if placements speak it.
pub(crate) fn country_of(locale: &Locale) -> Option<Country> {
    let country = locale.country()?;
    // Both names of the language are in use for placements.
    let norwegian = locale.as_str() == "no-NO";
    (norwegian || country.market()?.accepts_locale(locale)).then_some(country)
}

/// Reads a locale as pages write it, with a hyphen or an underscore.
pub(crate) fn read_locale(text: &str) -> Option<Locale> {
    let locale = Locale::new(text.trim().replace('_', "-"));
    country_of(&locale).map(|_| locale)
}

/// How many units of a currency are about as much as one euro.
fn scale(currency: &Currency) -> i64 {
    match currency {
        Currency::SEK | Currency::NOK | Currency::DKK => 10,
        Currency::MXN => 20,
        Currency::CZK => 25,
        Currency::HUF => 400,
        Currency::PLN | Currency::RON => 5,
        _ => 1,
    }
}

/// From and up to which amount a kind of payment is promoted, in minor units of about a euro.
fn promoted(kind: OfferKind) -> Option<(i64, i64)> {
    match kind {
        OfferKind::Instalments => Some((3_500, 150_000)),
        OfferKind::Financing => Some((15_000, 1_000_000)),
        OfferKind::PayLater => Some((100, 100_000)),
        // Nobody has to be told that one can pay at once.
        OfferKind::PayNow | OfferKind::Bank => None,
    }
}

/// The way to pay that is promoted for an amount: parts before interest, and interest before waiting.
fn promotion(country: &Country, amount: i64, methods: &[String], today: Date) -> Option<Offer> {
    let scale = scale(&country.market()?.currency);
    let fits = |offer: &Offer| {
        promoted(offer.kind)
            .is_some_and(|(least, most)| amount >= least * scale && amount <= most * scale)
    };
    let wanted = |offer: &Offer| {
        methods.is_empty()
            || methods.iter().any(|name| *name == offer.id || *name == offer.kind.category())
    };
    let rank = |offer: &Offer| match offer.kind {
        OfferKind::Instalments => 0,
        OfferKind::Financing => 1,
        OfferKind::PayLater => 2,
        OfferKind::PayNow | OfferKind::Bank => 3,
    };
    offers(country, amount, &[], today)
        .into_iter()
        .filter(|offer| fits(offer) && wanted(offer))
        .min_by_key(rank)
}

/// The amounts between which something is promoted in a market.
fn limits(country: &Country) -> Option<(i64, i64)> {
    let scale = scale(&country.market()?.currency);
    let probe = Date::constant(2026, 1, 1);
    let ranges = offers(country, 100_000 * scale, &[], probe)
        .into_iter()
        .filter_map(|offer| promoted(offer.kind));
    let all: Vec<(i64, i64)> = ranges.collect();
    let least = all.iter().map(|(least, _)| *least).min()?;
    let most = all.iter().map(|(_, most)| *most).max()?;
    Some((least * scale, most * scale))
}

/// What the library in the page has to know before it asks, so that it keeps room for what will be shown
/// and none for what will not.
#[derive(Debug, Serialize)]
pub(crate) struct Hints {
    /// By locale: the least and the greatest amount.
    locales: BTreeMap<String, (i64, i64)>,
    /// By key, older spellings too: how it is laid out, and whether it needs an amount.
    keys: BTreeMap<&'static str, (Layout, bool)>,
}

/// The hints.
pub(crate) fn hints() -> Hints {
    let locales = MARKETS
        .iter()
        .flat_map(|market| {
            let more = if market.country == Country::NO { &["no-NO"][..] } else { &[] };
            market.locales.iter().chain(more).map(move |locale| (*locale, &market.country))
        })
        .filter_map(|(locale, country)| Some((locale.to_owned(), limits(country)?)))
        .collect();
    let keys = PlacementKey::names()
        .map(|(name, key)| (name, (key.layout(), key.needs_amount())))
        .collect();
    Hints { locales, keys }
}

/// Whether anything may be shown for a merchant in a market.
fn is_shown(merchant: &Merchant, country: &Country) -> bool {
    merchant.settings.messaging != Messaging::Disabled
        && merchant.settings.categories != Categories::Nothing
        && merchant.sells_in(country)
}

/// What is shown, or nothing.
pub(crate) fn placement(merchant: &Merchant, ask: &Ask, today: Date) -> Option<Placement> {
    let country = country_of(&ask.locale)?;
    let market = country.market()?;
    if !is_shown(merchant, &country) {
        return None;
    }
    let texts = texts::of(ask.locale.language());
    let offer = match ask.amount {
        Some(amount) if ask.key.needs_amount() => {
            Some(promotion(&country, amount, &ask.methods, today)?)
        }
        None if ask.key.needs_amount() => return None,
        Some(_) | None => None,
    };
    let prefix = ask.prefix.filter(|_| ask.key.takes_prefix());
    let sentence = match (ask.preference, &offer) {
        (Preference::InStore, _) => vec![Piece::Text(texts.in_store.to_owned())],
        (Preference::Prequalification, _) if country == Country::US => {
            vec![Piece::Text(texts::prequalification(ask.locale.language()).to_owned())]
        }
        (Preference::Klarna | Preference::Prequalification, Some(offer)) => told(texts, offer),
        (Preference::Klarna | Preference::Prequalification, None) => {
            let text = if ask.key.layout() == Layout::Info { texts.how } else { texts.strip };
            vec![Piece::Text(text.to_owned())]
        }
    };
    let mut message = match prefix {
        Some(prefix) => after(prefix, texts.or, sentence),
        None => sentence,
    };
    if ask.key.names_klarna() {
        let (before, name) = texts.with_klarna.rsplit_once(' ').unwrap_or(("", texts.with_klarna));
        let gap = if before.is_empty() { " ".to_owned() } else { format!(" {before} ") };
        message.push(Piece::Text(gap));
        message.push(Piece::Name(name.to_owned()));
    }
    // An explanation is a sentence already.
    if !matches!(message.last(), Some(Piece::Text(text)) if text.ends_with('.')) {
        message.push(Piece::Text(".".to_owned()));
    }
    let category = |identifier: Category| {
        category_names::name(&identifier, Some(&country), ask.locale.language())
    };
    let is_parted = offer.as_ref().is_some_and(|offer| offer.kind == OfferKind::Instalments);
    let badge = match (ask.key.has_badge(), prefix) {
        (false, _) => None,
        (true, Some(_)) => Some(Badge::Right),
        (true, None) => Some(Badge::Left),
    };
    let layout = ask.key.layout();
    Some(Placement {
        key: ask.key.as_str(),
        layout,
        locale: ask.locale.as_str().to_owned(),
        currency: market.currency.clone(),
        exponent: market.currency.exponent(),
        badge,
        heading: matches!(layout, Layout::Banner | Layout::Info)
            .then(|| category(Category::Klarna)),
        message: joined(message),
        methods: if matches!(layout, Layout::Checkout | Layout::Info) {
            [Category::PayNow, Category::PayLater, Category::PayOverTime].map(category).to_vec()
        } else {
            Vec::new()
        },
        deal: (layout == Layout::Checkout && is_parted).then_some("0 %"),
        legal: texts.legal,
        action: texts.learn_more,
        close: texts.close,
    })
}

/// What is said of a way to pay. Of parts that differ the greatest is named: nobody pays more than was said.
fn told(texts: &texts::Texts, offer: &Offer) -> Vec<Piece> {
    let template = match offer.kind {
        OfferKind::Instalments => texts.instalments,
        OfferKind::Financing => texts.financing,
        OfferKind::PayLater | OfferKind::PayNow | OfferKind::Bank => texts.pay_later,
    };
    let amount = offer.parts.iter().map(|part| part.amount).max().unwrap_or(offer.total);
    let template = template
        .replace("{count}", &offer.parts.len().to_string())
        .replace("{days}", &offer.days.unwrap_or_default().to_string());
    match template.split_once("{amount}") {
        Some((before, rest)) => vec![
            Piece::Text(before.to_owned()),
            Piece::Amount(amount),
            Piece::Text(rest.to_owned()),
        ],
        None => vec![Piece::Text(template)],
    }
}

/// A sentence after a word that begins it.
fn after(prefix: Prefix, or: &str, mut sentence: Vec<Piece>) -> Vec<Piece> {
    let small = |text: &str| {
        let mut letters = text.chars();
        let first = letters.next().map(|letter| letter.to_lowercase().to_string());
        format!("{}{}", first.unwrap_or_default(), letters.as_str())
    };
    if let Some(Piece::Text(text)) = sentence.first_mut() {
        *text = small(text);
    }
    let word = match prefix {
        Prefix::Capital => or.to_owned(),
        Prefix::Small => small(or),
    };
    sentence.insert(0, Piece::Text(format!("{word} ")));
    sentence
}

/// Words that stand beside each other are one piece, and empty ones none.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match (joined.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, Piece::Text(text)) if text.is_empty() => {}
            (_, piece) => joined.push(piece),
        }
    }
    joined
}

#[cfg(test)]
mod tests;
