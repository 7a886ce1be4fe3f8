//! What somebody looks for among payments: filters, an order, a place in it; read from what people
//! and programs write, once and strictly.
//!
//! Nothing that is wrong is passed over: whoever mistypes a filter would otherwise look at payments
//! that they did not ask for. A message says what would have worked, and never repeats what was
//! written: it may be a shopper's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use klarna_types::Currency;
use klarna_types::market::MARKETS;
use serde::{Deserialize, Serialize};

use super::hosted::Channel;
use super::payment::{CHARGE, Status};

/// The longest text that is looked for. References are shorter.
const LONGEST_TEXT: usize = 200;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What was written, as it was written. What is empty was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Written {
    /// A reference, an id, an amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// A status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What Klarna thinks of the risk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fraud_status: Option<String>,
    /// A currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// A country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// A channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// A day or a point in time: from its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// A day, with all of it, or a point in time, without it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The least amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_min: Option<String>,
    /// The greatest amount.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_max: Option<String>,
    /// Whether only authorisations that lapse soon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiring: Option<String>,
    /// Whether only what waits for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs_attention: Option<String>,
    /// An order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
}

/// The filters by name, in the order in which they stand in a URL.
pub const NAMES: [&str; 13] = [
    "q",
    "status",
    "fraud_status",
    "currency",
    "country",
    "channel",
    "from",
    "until",
    "amount_min",
    "amount_max",
    "expiring",
    "needs_attention",
    "sort",
];

impl Written {
    fn field(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "q" => &mut self.q,
            "status" => &mut self.status,
            "fraud_status" => &mut self.fraud_status,
            "currency" => &mut self.currency,
            "country" => &mut self.country,
            "channel" => &mut self.channel,
            "from" => &mut self.from,
            "until" => &mut self.until,
            "amount_min" => &mut self.amount_min,
            "amount_max" => &mut self.amount_max,
            "expiring" => &mut self.expiring,
            "needs_attention" => &mut self.needs_attention,
            "sort" => &mut self.sort,
            _ => return None,
        })
    }

    /// Takes a filter as it was written; says whether there is one of that name.
    pub fn put(&mut self, name: &str, value: &str) -> bool {
        let value = value.trim();
        let value = (!value.is_empty()).then(|| value.to_owned());
        self.field(name).map(|field| *field = value).is_some()
    }

    /// The same without the filter of that name.
    #[must_use]
    pub fn without(&self, name: &str) -> Self {
        self.with(name, "")
    }

    /// The same with another value of the filter of that name.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.put(name, value);
        changed
    }

    /// What is written, by name, in the order of [`NAMES`].
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut own = self.clone();
        let values = NAMES.iter().map(|name| (*name, own.field(name).and_then(Option::take)));
        values.filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Whether nothing is written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How amounts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amounts {
    /// `34500`: by programs.
    MinorUnits,
    /// `345`, `345.00`, `1 345,00`: by people.
    Decimals,
}

/// What is wrong with what was written: the filter, and what would work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{member}: {detail}")]
pub struct Wrong {
    /// The filter.
    pub member: &'static str,
    /// What is wrong with it, and what would work.
    pub detail: String,
}

fn wrong(member: &'static str, detail: impl Into<String>) -> Wrong {
    Wrong { member, detail: detail.into() }
}

/// In which order payments come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// The greatest amount first.
    AmountHigh,
    /// The least amount first.
    AmountLow,
    /// What lapses soonest first; only what can lapse.
    Expiring,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 5] =
        [Self::Newest, Self::Oldest, Self::AmountHigh, Self::AmountLow, Self::Expiring];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::AmountHigh => "amount_high",
            Self::AmountLow => "amount_low",
            Self::Expiring => "expiring",
        }
    }

    /// The order of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }

    /// How many numbers stand in a place before the id.
    fn numbers(self) -> usize {
        match self {
            Self::Newest | Self::Oldest | Self::Expiring => 1,
            Self::AmountHigh | Self::AmountLow => 2,
        }
    }
}

/// What Klarna thinks of the risk, to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FraudStatus {
    /// Ship.
    Accepted,
    /// Being reviewed.
    Pending,
    /// Do not ship.
    Rejected,
    /// Any other word of Klarna's: do not ship.
    Other,
}

impl FraudStatus {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Accepted, Self::Pending, Self::Rejected, Self::Other];
    /// Those that have a word of Klarna's.
    pub const NAMED: [Self; 3] = [Self::Accepted, Self::Pending, Self::Rejected];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Pending => "pending",
            Self::Rejected => "rejected",
            Self::Other => "other",
        }
    }

    /// Klarna's word for it, if there is one.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Accepted => Some("ACCEPTED"),
            Self::Pending => Some("PENDING"),
            Self::Rejected => Some("REJECTED"),
            Self::Other => None,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|each| each.name().eq_ignore_ascii_case(name))
    }
}

/// The names of the channels; the last one stands for charges of customer tokens, at which no shopper
/// is there.
pub const CHANNELS: [&str; 5] = [
    Channel::Inline.name(),
    Channel::Hosted.name(),
    Channel::InStore.name(),
    Channel::Native.name(),
    CHARGE,
];

/// A text that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// A whole reference or id.
    pub exact: String,
    /// The amounts that it may be: a currency and minor units.
    pub amounts: Vec<(Currency, i64)>,
}

/// What is looked for. All of it must fit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// A whole reference, id or amount.
    pub text: Option<Text>,
    /// The status.
    pub status: Option<Status>,
    /// What Klarna thinks of the risk.
    pub fraud: Option<FraudStatus>,
    /// The currency.
    pub currency: Option<Currency>,
    /// The country, two capital letters.
    pub country: Option<String>,
    /// The channel, one of [`CHANNELS`].
    pub channel: Option<&'static str>,
    /// Made then or later.
    pub from_ms: Option<i64>,
    /// Made before then.
    pub until_ms: Option<i64>,
    /// Authorised for so much or more, in minor units.
    pub amount_min: Option<i64>,
    /// Authorised for so much or less, in minor units.
    pub amount_max: Option<i64>,
    /// Only authorisations that lapse soon; how soon is the store's policy.
    pub expiring: bool,
    /// Only payments of which an operation waits for a person.
    pub needs_attention: bool,
    /// The order.
    pub sort: Sort,
}

/// Reads what was written.
pub fn read(written: &Written, amounts: Amounts) -> Result<Search, Wrong> {
    let named = |member: &'static str, known: Vec<&str>| {
        wrong(member, format!("not one of {}", known.join(", ")))
    };
    let status = some(written.status.as_ref(), |name| {
        Status::from_name(name)
            .ok_or_else(|| named("status", Status::ALL.map(Status::name).to_vec()))
    })?;
    let fraud = some(written.fraud_status.as_ref(), |name| {
        FraudStatus::from_name(name)
            .ok_or_else(|| named("fraud_status", FraudStatus::ALL.map(FraudStatus::name).to_vec()))
    })?;
    let channel = some(written.channel.as_ref(), |name| {
        let known = CHANNELS.into_iter().find(|channel| *channel == name);
        known.ok_or_else(|| named("channel", CHANNELS.to_vec()))
    })?;
    let currency = some(written.currency.as_ref(), |code| {
        let currency = Currency::from(code.to_ascii_uppercase().as_str());
        let says = || wrong("currency", "not a currency; write its three letters, such as SEK");
        currency.is_well_formed().then_some(currency).ok_or_else(says)
    })?;
    let country = some(written.country.as_ref(), |code| {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
        let says = || wrong("country", "not a country; write its two letters, such as SE");
        is_code.then(|| code.to_ascii_uppercase()).ok_or_else(says)
    })?;
    let from_ms = some(written.from.as_ref(), |text| Ok(moment("from", text)?.0))?;
    let until_ms = some(written.until.as_ref(), |text| Ok(moment("until", text)?.1))?;
    if let (Some(from_ms), Some(until_ms)) = (from_ms, until_ms)
        && until_ms <= from_ms
    {
        return Err(wrong("until", "must be later than from"));
    }
    let amount = |member, text: &str| amount(member, text, amounts, currency.as_ref());
    let amount_min = some(written.amount_min.as_ref(), |text| amount("amount_min", text))?;
    let amount_max = some(written.amount_max.as_ref(), |text| amount("amount_max", text))?;
    if let (Some(min), Some(max)) = (amount_min, amount_max)
        && max < min
    {
        return Err(wrong("amount_max", "must not be less than amount_min"));
    }
    let sort = some(written.sort.as_ref(), |name| {
        Sort::from_name(name).ok_or_else(|| named("sort", Sort::ALL.map(Sort::name).to_vec()))
    })?;
    let sort = sort.unwrap_or_default();
    if matches!(sort, Sort::AmountHigh | Sort::AmountLow) && currency.is_none() {
        let says = "amounts of different currencies have no order; choose a currency, too";
        return Err(wrong("sort", says));
    }
    let text = some(written.q.as_ref(), |text| read_text(text, currency.as_ref()))?;
    let flag =
        |member, text: Option<&String>| Ok(some(text, |text| flag(member, text))? == Some(true));
    Ok(Search {
        text,
        status,
        fraud,
        channel,
        country,
        from_ms,
        until_ms,
        amount_min,
        amount_max,
        expiring: flag("expiring", written.expiring.as_ref())?,
        needs_attention: flag("needs_attention", written.needs_attention.as_ref())?,
        sort,
        currency,
    })
}

fn some<T>(
    text: Option<&String>,
    read: impl FnOnce(&str) -> Result<T, Wrong>,
) -> Result<Option<T>, Wrong> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty()).map(read).transpose()
}

fn flag(member: &'static str, text: &str) -> Result<bool, Wrong> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(wrong(member, "neither true nor false")),
    }
}

/// The beginning and the end of a day, or a point in time twice.
fn moment(member: &'static str, text: &str) -> Result<(i64, i64), Wrong> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok((at.as_millisecond(), at.as_millisecond()));
    }
    // A time without its zone would be read as a day.
    let day = Some(text).filter(|text| text.len() == 10).and_then(|text| text.parse::<Date>().ok());
    let begins = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    let begins_ms = begins.map(|day| day.timestamp().as_millisecond()).ok_or_else(|| {
        wrong(
            member,
            "not a day or a point in time; write it as 2031-05-04 or 2031-05-04T12:30:00Z",
        )
    })?;
    Ok((begins_ms, begins_ms + DAY_MS))
}

fn amount(
    member: &'static str,
    text: &str,
    amounts: Amounts,
    currency: Option<&Currency>,
) -> Result<i64, Wrong> {
    match amounts {
        Amounts::MinorUnits => text
            .parse::<i64>()
            .ok()
            .filter(|minor| *minor >= 0)
            .ok_or_else(|| wrong(member, "not a whole number of minor units, such as 34500")),
        Amounts::Decimals => decimal(text, currency.map_or(2, Currency::exponent))
            .ok_or_else(|| wrong(member, "not an amount; write it as 345 or 345.00")),
    }
}

/// What a person writes as an amount, in minor units.
fn decimal(text: &str, exponent: u8) -> Option<i64> {
    let exponent = usize::from(exponent);
    let cleaned: String = text
        .chars()
        .filter(|each| !each.is_whitespace())
        .map(|each| if each == ',' { '.' } else { each })
        .collect();
    let (whole, fraction) = cleaned.split_once('.').unwrap_or((&cleaned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let reads =
        !whole.is_empty() && digits(whole) && digits(fraction) && fraction.len() <= exponent;
    if !reads {
        return None;
    }
    format!("{whole}{fraction:0<exponent$}").parse().ok()
}

/// A text is a whole reference or id; what reads as an amount is looked for as one, too.
fn read_text(text: &str, currency: Option<&Currency>) -> Result<Text, Wrong> {
    if text.chars().count() > LONGEST_TEXT {
        return Err(wrong("q", "longer than any reference; write a whole reference, id or amount"));
    }
    if text.contains('@') {
        return Err(wrong(
            "q",
            "looks like an e-mail address, and those of shoppers are not kept with payments; write \
             a whole reference, id or amount",
        ));
    }
    let (number, said) = with_currency(text);
    let currencies: Vec<Currency> = match (said, currency) {
        (Some(said), _) => vec![said],
        (None, Some(chosen)) => vec![chosen.clone()],
        (None, None) => {
            let mut all: Vec<_> = MARKETS.iter().map(|market| market.currency.clone()).collect();
            all.sort_by(|one, other| one.as_str().cmp(other.as_str()));
            all.dedup();
            all
        }
    };
    let amounts = currencies
        .into_iter()
        .filter_map(|currency| Some((decimal(number, currency.exponent())?, currency)))
        .map(|(minor, currency)| (currency, minor))
        .collect();
    Ok(Text { exact: text.to_owned(), amounts })
}

/// `345.00 SEK` or `SEK 345.00`, taken apart.
fn with_currency(text: &str) -> (&str, Option<Currency>) {
    let code = |code: &str| {
        let currency = Currency::from(code.to_ascii_uppercase().as_str());
        currency.is_well_formed().then_some(currency)
    };
    if let Some((number, last)) = text.rsplit_once(' ')
        && let Some(currency) = code(last)
    {
        return (number, Some(currency));
    }
    match text.split_once(' ').and_then(|(first, number)| Some((number, code(first)?))) {
        Some((number, currency)) => (number, Some(currency)),
        None => (text, None),
    }
}

/// The longest name of a view.
const LONGEST_NAME: usize = 60;

/// What somebody calls a view that they keep.
pub fn view_name(text: &str) -> Result<String, Wrong> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        return Err(wrong("name", "call it something, in at most 60 characters"));
    }
    Ok(name.to_owned())
}

/// A place in an order: what stands there sorts by its numbers and then by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The time, or the amount and the time, or when it lapses.
    pub numbers: Vec<i64>,
    /// The payment's id.
    pub id: String,
}

impl Place {
    /// The cursor that begins after this place.
    pub fn cursor(&self, sort: Sort) -> String {
        let mut parts: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        // The cursors of the order that there was first are as they always were.
        if sort != Sort::Newest {
            parts.insert(0, sort.name().to_owned());
        }
        parts.push(self.id.clone());
        URL_SAFE_NO_PAD.encode(parts.join("/"))
    }

    /// The place that a cursor of this order stands for.
    pub fn read(sort: Sort, cursor: &str) -> Result<Self, Wrong> {
        let place = || {
            let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
            let rest = match sort {
                Sort::Newest => text.as_str(),
                Sort::Oldest | Sort::AmountHigh | Sort::AmountLow | Sort::Expiring => {
                    text.strip_prefix(sort.name())?.strip_prefix('/')?
                }
            };
            let mut parts = rest.splitn(sort.numbers() + 1, '/');
            let numbers = parts
                .by_ref()
                .take(sort.numbers())
                .map(|part| part.parse().ok())
                .collect::<Option<Vec<i64>>>()?;
            let id = parts.next().filter(|id| !id.chars().any(char::is_control))?;
            Some(Self { numbers, id: id.to_owned() })
        };
        place().ok_or_else(|| {
            wrong("cursor", "use the next_cursor of a page as it is, with the same filters")
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(pairs: &[(&str, &str)]) -> Written {
        let mut written = Written::default();
        for (name, value) in pairs {
            assert!(written.put(name, value), "{name}");
        }
        written
    }

    fn by_program(pairs: &[(&str, &str)]) -> Result<Search, Wrong> {
        read(&written(pairs), Amounts::MinorUnits)
    }

    fn by_person(pairs: &[(&str, &str)]) -> Result<Search, Wrong> {
        read(&written(pairs), Amounts::Decimals)
    }

    #[test]
    fn each_filter_is_read() {
        let search = by_program(&[
            ("status", "part_captured"),
            ("fraud_status", "PENDING"),
            ("currency", "sek"),
            ("country", "se"),
            ("channel", "in_store"),
            ("from", "2031-05-04"),
            ("until", "2031-05-04"),
            ("amount_min", "100"),
            ("amount_max", "200"),
            ("expiring", "true"),
            ("needs_attention", "false"),
            ("sort", "amount_low"),
            ("q", " WEB-1 "),
        ])
        .unwrap();
        let day_ms = "2031-05-04T00:00:00Z".parse::<Timestamp>().unwrap().as_millisecond();
        assert_eq!(
            search,
            Search {
                text: Some(Text { exact: "WEB-1".to_owned(), amounts: Vec::new() }),
                status: Some(Status::PartCaptured),
                fraud: Some(FraudStatus::Pending),
                currency: Some(Currency::SEK),
                country: Some("SE".to_owned()),
                channel: Some("in_store"),
                from_ms: Some(day_ms),
                until_ms: Some(day_ms + DAY_MS),
                amount_min: Some(100),
                amount_max: Some(200),
                expiring: true,
                needs_attention: false,
                sort: Sort::AmountLow,
            }
        );
        assert_eq!(by_program(&[]).unwrap(), Search::default());
    }

    #[test]
    fn what_is_wrong_is_named_and_never_repeated() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        let cases: &[(Pairs<'_>, &str, &str)] = &[
            (&[("status", "paid")], "status", "authorized, part_captured"),
            (&[("fraud_status", "maybe")], "fraud_status", "accepted, pending"),
            (&[("currency", "kronor")], "currency", "SEK"),
            (&[("country", "Sweden")], "country", "SE"),
            (&[("channel", "phone")], "channel", "inline, hosted"),
            (&[("from", "yesterday")], "from", "2031-05-04"),
            (&[("until", "2031-02-30")], "until", "2031-05-04"),
            (&[("from", "2032-06-07T08:00:00")], "from", "T12:30:00Z"),
            (&[("from", "2031-05-05"), ("until", "2031-05-04")], "until", "later than from"),
            (&[("amount_min", "1.50")], "amount_min", "minor units"),
            (&[("amount_min", "-1")], "amount_min", "minor units"),
            (&[("amount_max", "99999999999999999999")], "amount_max", "minor units"),
            (&[("amount_min", "2"), ("amount_max", "1")], "amount_max", "less than"),
            (&[("expiring", "soon")], "expiring", "true nor false"),
            (&[("needs_attention", "1")], "needs_attention", "true nor false"),
            (&[("sort", "price")], "sort", "newest, oldest"),
            (&[("sort", "amount_high")], "sort", "choose a currency"),
            (&[("q", "eva@mail.example")], "q", "not kept"),
        ];
        for (pairs, member, says) in cases {
            let wrong = by_program(pairs).unwrap_err();
            assert_eq!(wrong.member, *member, "{pairs:?}");
            assert!(wrong.detail.contains(says), "{pairs:?}: {}", wrong.detail);
            for (_, value) in *pairs {
                assert!(value.len() < 3 || !wrong.detail.contains(value), "{}", wrong.detail);
            }
        }
    }

    #[test]
    fn people_write_amounts_as_they_read_them() {
        let search = by_person(&[("amount_min", "1 345,50"), ("amount_max", "2000")]).unwrap();
        assert_eq!((search.amount_min, search.amount_max), (Some(134_550), Some(200_000)));
        let yen = by_person(&[("amount_min", "500"), ("currency", "JPY")]).unwrap();
        assert_eq!(yen.amount_min, Some(500));
        assert!(by_person(&[("amount_min", "5.5"), ("currency", "JPY")]).is_err());
    }

    #[test]
    fn a_text_that_reads_as_an_amount_is_looked_for_as_one_too() {
        let amounts = |text| by_person(&[("q", text)]).unwrap().text.unwrap().amounts;
        assert_eq!(amounts("345.00 SEK"), [(Currency::SEK, 34_500)]);
        assert_eq!(amounts("eur 12,5"), [(Currency::EUR, 1_250)]);
        assert!(amounts("345").contains(&(Currency::NOK, 34_500)));
        assert_eq!(amounts("WEB-1001"), []);
        assert_eq!(amounts("1001 A"), []);
        let chosen = by_person(&[("q", "345"), ("currency", "GBP")]).unwrap();
        assert_eq!(chosen.text.unwrap().amounts, [(Currency::GBP, 34_500)]);
    }

    #[test]
    fn a_view_has_a_name() {
        assert_eq!(view_name("  To ship ").unwrap(), "To ship");
        for bad in ["", "  ", "a\nb", &"x".repeat(61)] {
            assert_eq!(view_name(bad).unwrap_err().member, "name");
        }
    }

    #[test]
    fn a_cursor_is_good_for_its_order_only() {
        for sort in Sort::ALL {
            let numbers = vec![7; sort.numbers()];
            let cursor = Place { numbers, id: "pay_1".to_owned() }.cursor(sort);
            assert_eq!(Place::read(sort, &cursor).unwrap().id, "pay_1");
            for other in Sort::ALL.into_iter().filter(|other| *other != sort) {
                assert!(Place::read(other, &cursor).is_err(), "{sort:?} read as {other:?}");
            }
        }
        // As it was before there were other orders.
        let old = URL_SAFE_NO_PAD.encode("1700000000000/pay_1");
        let place = Place::read(Sort::Newest, &old).unwrap();
        assert_eq!((place.numbers, place.id.as_str()), (vec![1_700_000_000_000], "pay_1"));
        assert!(Place::read(Sort::Newest, "nonsense").is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(
            pairs in proptest::collection::vec((0_usize..NAMES.len(), ".{0,24}"), 0..8),
            decimals: bool,
        ) {
            let mut written = Written::default();
            for (index, value) in &pairs {
                prop_assert!(written.put(NAMES[*index], value));
            }
            let amounts = if decimals { Amounts::Decimals } else { Amounts::MinorUnits };
            if let Err(wrong) = read(&written, amounts) {
                prop_assert!(NAMES.contains(&wrong.member));
            }
        }

        #[test]
        fn what_was_written_survives_a_url(
            pairs in proptest::collection::vec((0_usize..NAMES.len(), "[ -~åäö]{0,12}"), 0..10),
        ) {
            let mut one = Written::default();
            for (index, value) in &pairs {
                one.put(NAMES[*index], value);
            }
            let mut other = Written::default();
            for (name, value) in one.pairs() {
                other.put(name, &value);
            }
            prop_assert_eq!(&one, &other);
            prop_assert_eq!(one.is_empty(), one.pairs().is_empty());
        }

        #[test]
        fn places_survive_their_cursors(
            index in 0_usize..Sort::ALL.len(),
            numbers in proptest::collection::vec(any::<i64>(), 2),
            id in "[a-z0-9_/]{1,40}",
        ) {
            let sort = Sort::ALL[index];
            let place = Place { numbers: numbers[..sort.numbers()].to_vec(), id };
            prop_assert_eq!(Place::read(sort, &place.cursor(sort)), Ok(place));
        }

        #[test]
        fn no_cursor_whatsoever_breaks_anything(cursor in ".{0,60}", index in 0_usize..5) {
            let _ = Place::read(Sort::ALL[index], &cursor);
        }
    }
}
