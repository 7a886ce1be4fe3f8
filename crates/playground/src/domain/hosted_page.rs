//! A hosted payment page: a page of Klarna's own on which a shopper pays in a payment session, and where it
//! stands.
//!
//! The transitions are one table, [`step`]. What follows from them for the payment session and its order is the
//! caller's business; a page keeps what it has to show afterwards.

use jiff::Timestamp;
use klarna_types::hosted_payment_page::{
    MerchantUrls, Options, PlaceOrderMode, Session as SessionView, SessionStatus, StatusCallback,
};
use klarna_types::payments::AcquiringChannel;
use klarna_types::{
    AuthorizationToken, HostedSessionId, KlarnaReference, MerchantId, OrderId, SessionId,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::callback::{Callback, CallbackKind};

const HOUR_MS: i64 = 60 * 60 * 1_000;
const MINUTE_MS: i64 = 60 * 1_000;

/// How long before its payment session a page ends.
const ENDS_BEFORE_SESSION_MS: i64 = HOUR_MS;

/// When the page of a payment session ends that ends at `session_ends_at_ms`.
pub(crate) fn ends_at_ms(session_ends_at_ms: i64) -> i64 {
    session_ends_at_ms.saturating_sub(ENDS_BEFORE_SESSION_MS)
}

/// Where a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    /// Nobody has opened it.
    Waiting,
    /// The shopper is on it.
    InProgress,
    /// Paid. Final.
    Completed,
    /// Declined; the shopper may try again.
    Failed,
    /// The shopper went back to the shop; the page can be opened again.
    Back,
    /// Something technical failed; the shopper may try again.
    Error,
    /// Cancelled by the shopper. Final.
    Cancelled,
    /// Disabled by the merchant. Final.
    Disabled,
}

impl Status {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::Waiting,
        Self::InProgress,
        Self::Completed,
        Self::Failed,
        Self::Back,
        Self::Error,
        Self::Cancelled,
        Self::Disabled,
    ];

    /// Whether nothing can follow.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Disabled)
    }

    /// In Klarna's word.
    pub(crate) fn shown(self) -> SessionStatus {
        match self {
            Self::Waiting => SessionStatus::Waiting,
            Self::InProgress => SessionStatus::InProgress,
            Self::Completed => SessionStatus::Completed,
            Self::Failed => SessionStatus::Failed,
            Self::Back => SessionStatus::Back,
            Self::Error => SessionStatus::Error,
            Self::Cancelled => SessionStatus::Cancelled,
            Self::Disabled => SessionStatus::Disabled,
        }
    }
}

/// What can happen to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The shopper opened it, or acts on it again.
    Opened,
    /// The shopper was approved, and the order placed if that was asked for.
    Approved,
    /// The shopper was declined.
    Declined,
    /// The shopper went back to the shop.
    WentBack,
    /// The shopper cancelled, and confirmed it.
    Cancelled,
    /// Something technical failed.
    Broke,
    /// The shopper left without a word.
    TimedOut,
    /// The merchant disabled it.
    Disabled,
}

impl Event {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 8] = [
        Self::Opened,
        Self::Approved,
        Self::Declined,
        Self::WentBack,
        Self::Cancelled,
        Self::Broke,
        Self::TimedOut,
        Self::Disabled,
    ];

    /// As kept in the history.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::WentBack => "went_back",
            Self::Cancelled => "cancelled",
            Self::Broke => "broke",
            Self::TimedOut => "timed_out",
            Self::Disabled => "disabled",
        }
    }
}

/// What an event does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: it is so already.
    Stay,
    /// The page changes, and the merchant's server is told so if there is a word for it.
    To(Status, Option<SessionStatus>),
}

/// Why an event cannot happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// The page is over.
    #[error("the page is {0:?}, which is final")]
    Over(Status),
    /// The shopper is not on the page.
    #[error("the page is {0:?}; the shopper has to open it first")]
    NotOpen(Status),
}

/// The whole machine.
pub(crate) fn step(from: Status, event: Event) -> Result<Step, Refusal> {
    use Status::{Back, Cancelled, Completed, Disabled, Error, Failed, InProgress, Waiting};
    // The merchant is told of everything that the shopper causes, in the word of the new status.
    let to = |status: Status| Ok(Step::To(status, Some(status.shown())));
    match (from, event) {
        (InProgress, Event::Opened)
        // What cannot be used any more need not be disabled.
        | (Disabled | Cancelled, Event::Disabled) => Ok(Step::Stay),
        (Waiting | Failed | Back | Error, Event::Opened) => to(InProgress),
        (InProgress, Event::Approved) => to(Completed),
        (InProgress, Event::Declined) => to(Failed),
        (InProgress, Event::WentBack) => to(Back),
        (InProgress, Event::Cancelled) => to(Cancelled),
        (InProgress, Event::Broke) => to(Error),
        // There is no such status to be read.
        (InProgress, Event::TimedOut) => Ok(Step::To(Back, Some(SessionStatus::Timeout))),
        (Waiting | InProgress | Failed | Back | Error, Event::Disabled) => {
            Ok(Step::To(Disabled, None))
        }
        (Completed | Cancelled | Disabled, _) => Err(Refusal::Over(from)),
        (
            Waiting | Failed | Back | Error,
            Event::Approved
            | Event::Declined
            | Event::WentBack
            | Event::Cancelled
            | Event::Broke
            | Event::TimedOut,
        ) => Err(Refusal::NotOpen(from)),
    }
}

/// The one button besides paying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LeaveButton {
    /// Back to the shop; the page can be opened again.
    Back,
    /// Cancel. The shopper is asked whether they mean it when that is final.
    Cancel,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HostedPage {
    /// Its id, which merchants know.
    pub(crate) session_id: HostedSessionId,
    /// The end of its address, which shoppers know.
    pub(crate) short_id: String,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// The payment session that is paid on it.
    pub(crate) payment_session_id: SessionId,
    /// The channel that the payment session had when the page was made.
    pub(crate) channel: AcquiringChannel,
    /// Where it stands.
    pub(crate) status: Status,
    /// When that was last changed.
    pub(crate) updated_at_ms: i64,
    /// When the shopper will be taken to have left, if that is looked after.
    pub(crate) idle_due_at_ms: Option<i64>,
    /// Grows by one with each change.
    pub(crate) version: i64,
    /// Where browsers go and who is told.
    pub(crate) urls: MerchantUrls,
    /// How it looks and what it does.
    pub(crate) options: Options,
    /// Whom a link was sent to; it fills in the first field.
    pub(crate) contact: Option<String>,
    /// The shopper's approval, once there is one.
    pub(crate) authorization_token: Option<AuthorizationToken>,
    /// The order that the page placed.
    pub(crate) order_id: Option<OrderId>,
    /// Its short reference.
    pub(crate) klarna_reference: Option<KlarnaReference>,
}

impl HostedPage {
    /// What to do with an approval.
    pub(crate) fn mode(&self) -> PlaceOrderMode {
        self.options.place_order_mode.clone().unwrap_or(PlaceOrderMode::None)
    }

    /// Lets something happen. What the merchant's server is to be told, if anything; `None` also when
    /// nothing changed. `idle_minutes` is how long the account waits for a shopper who does nothing.
    pub(crate) fn happen(
        &mut self,
        event: Event,
        idle_minutes: Option<u16>,
        now_ms: i64,
    ) -> Result<Option<SessionStatus>, Refusal> {
        let idle_due_at_ms =
            idle_minutes.map(|minutes| now_ms.saturating_add(i64::from(minutes) * MINUTE_MS));
        match step(self.status, event)? {
            Step::Stay => {
                if self.status == Status::InProgress {
                    self.idle_due_at_ms = idle_due_at_ms;
                }
                Ok(None)
            }
            Step::To(status, told) => {
                self.status = status;
                self.updated_at_ms = now_ms;
                self.version += 1;
                self.idle_due_at_ms = idle_due_at_ms.filter(|_| status == Status::InProgress);
                Ok(told)
            }
        }
    }

    /// The payment session led to an order that this page did not place. There is nothing left to pay.
    pub(crate) fn paid_elsewhere(&mut self, order_id: OrderId, reference: KlarnaReference) {
        if !self.status.is_final() {
            self.status = Status::Completed;
            self.order_id = Some(order_id);
            self.klarna_reference = Some(reference);
        }
    }

    /// Which button stands beside the one that pays. Only one is ever shown.
    pub(crate) fn leave_button(&self) -> LeaveButton {
        if self.urls.back.is_some() { LeaveButton::Back } else { LeaveButton::Cancel }
    }

    /// What pressing a button does; `None` when the page does not have it. On the web nothing is ever
    /// cancelled, so there both are the same.
    pub(crate) fn pressed(&self, button: LeaveButton) -> Option<Event> {
        match (button, self.is_on_the_web()) {
            (_, true) => Some(Event::WentBack),
            (LeaveButton::Back, false) if self.leave_button() == LeaveButton::Back => {
                Some(Event::WentBack)
            }
            (LeaveButton::Cancel, false) if self.leave_button() == LeaveButton::Cancel => {
                Some(Event::Cancelled)
            }
            (LeaveButton::Back | LeaveButton::Cancel, false) => None,
        }
    }

    /// Whether the shopper came from a web shop.
    pub(crate) fn is_on_the_web(&self) -> bool {
        !matches!(self.channel, AcquiringChannel::InStore | AcquiringChannel::Telesales)
    }

    /// Where the browser goes from here, placeholders filled in; `None`: a page of Klarna's own.
    pub(crate) fn destination(&self) -> Option<String> {
        let urls = &self.urls;
        let url = match self.status {
            Status::Completed => urls.success.as_ref(),
            Status::Failed => urls.failure.as_ref(),
            Status::Error => urls.error.as_ref().or(urls.failure.as_ref()),
            Status::Back => urls.back.as_ref().or(urls.cancel.as_ref()),
            Status::Cancelled => urls.cancel.as_ref(),
            Status::Waiting | Status::InProgress | Status::Disabled => None,
        };
        url.filter(|url| !url.is_empty()).map(|url| self.filled(url))
    }

    /// The page as merchants read it.
    pub(crate) fn view(&self, expires_at_ms: i64) -> SessionView {
        self.view_as(self.status.shown(), expires_at_ms)
    }

    fn view_as(&self, status: SessionStatus, expires_at_ms: i64) -> SessionView {
        let completed = self.status == Status::Completed;
        let token = self.authorization_token.clone();
        let order_id = self.order_id.clone().filter(|_| completed);
        SessionView {
            updated_at: Timestamp::from_millisecond(self.updated_at_ms).ok(),
            expires_at: Timestamp::from_millisecond(expires_at_ms).ok(),
            authorization_token: token.filter(|_| completed && self.mode() == PlaceOrderMode::None),
            klarna_reference: self.klarna_reference.clone().filter(|_| completed),
            order_id,
            ..SessionView::new(self.session_id.clone(), status)
        }
    }

    /// What the merchant's server is told of the newest change, if it wants to know.
    pub(crate) fn status_callback(
        &self,
        told: SessionStatus,
        expires_at_ms: i64,
    ) -> Result<Option<Callback>, serde_json::Error> {
        let url = self.urls.status_update.as_deref().filter(|url| !url.is_empty());
        let Some(url) = url else { return Ok(None) };
        // Each change has its own, and the same one on every attempt and every run of its unit of work.
        let id = format!("hosted:{}:{:06}", self.session_id, self.version);
        let body = StatusCallback::new(
            Uuid::new_v5(&Uuid::NAMESPACE_URL, id.as_bytes()).to_string(),
            self.view_as(told, expires_at_ms),
        );
        Ok(Some(Callback {
            id,
            merchant_id: self.merchant_id.clone(),
            kind: CallbackKind::HostedStatus,
            subject_id: self.session_id.to_string(),
            url: fill(url, |name| (name == "session_id").then(|| self.session_id.to_string())),
            body: serde_json::to_string(&body)?,
            headers: Vec::new(),
        }))
    }

    /// A URL of the merchant, for the browser.
    fn filled(&self, url: &str) -> String {
        let is_success = self.status == Status::Completed;
        let is_placed = self.mode() != PlaceOrderMode::None;
        fill(url, |name| match name {
            "session_id" => Some(self.session_id.to_string()),
            "authorization_token" if is_success && !is_placed => {
                self.authorization_token.as_ref().map(|token| token.expose().to_owned())
            }
            "order_id" if is_success && is_placed => {
                self.order_id.as_ref().map(ToString::to_string)
            }
            _ => None,
        })
    }
}

/// Replaces each `{{name}}` of a URL by its value, percent-encoded, or by nothing when it has none. The
/// braces may be percent-encoded, as programs that build URLs write them.
pub(crate) fn fill(url: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(url.len());
    let mut rest = url;
    while let Some((before, braces, after)) = split_at_braces(rest, '{') {
        filled.push_str(before);
        match split_at_braces(after, '}') {
            Some((name, _, behind)) if is_name(name) => {
                let value = value(name).unwrap_or_default();
                filled.extend(url::form_urlencoded::byte_serialize(value.as_bytes()));
                rest = behind;
            }
            _ => {
                filled.push_str(braces);
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

/// What stands before two braces of a kind, the braces as they are written, and what stands behind.
fn split_at_braces(text: &str, brace: char) -> Option<(&str, &str, &str)> {
    text.char_indices().find_map(|(start, _)| {
        let from = text.get(start..)?;
        let after = strip_brace(strip_brace(from, brace)?, brace)?;
        let end = text.len() - after.len();
        Some((text.get(..start)?, text.get(start..end)?, after))
    })
}

/// What follows a brace, percent-encoded or not.
fn strip_brace(text: &str, brace: char) -> Option<&str> {
    let encoded = if brace == '{' { "%7b" } else { "%7d" };
    text.strip_prefix(brace).or_else(|| {
        let (first, rest) = text.split_at_checked(encoded.len())?;
        first.eq_ignore_ascii_case(encoded).then_some(rest)
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(status: Status) -> HostedPage {
        HostedPage {
            session_id: HostedSessionId::new("h-1"),
            short_id: "aB3dE6g".to_owned(),
            merchant_id: MerchantId::new("K1"),
            payment_session_id: SessionId::new("s-1"),
            channel: AcquiringChannel::Ecommerce,
            status,
            updated_at_ms: 0,
            idle_due_at_ms: None,
            version: 1,
            urls: MerchantUrls::default(),
            options: Options::default(),
            contact: None,
            authorization_token: None,
            order_id: None,
            klarna_reference: None,
        }
    }

    /// Every status with every event. A dash is a refusal, a dot nothing, `!` a change that is not told.
    #[test]
    fn the_whole_table() {
        let table = [
            // opened, approved, declined, went back, cancelled, broke, timed out, disabled
            (Status::Waiting, "IN_PROGRESS - - - - - - !DISABLED"),
            (Status::InProgress, ". COMPLETED FAILED BACK CANCELLED ERROR BACK/TIMEOUT !DISABLED"),
            (Status::Completed, "- - - - - - - -"),
            (Status::Failed, "IN_PROGRESS - - - - - - !DISABLED"),
            (Status::Back, "IN_PROGRESS - - - - - - !DISABLED"),
            (Status::Error, "IN_PROGRESS - - - - - - !DISABLED"),
            (Status::Cancelled, "- - - - - - - ."),
            (Status::Disabled, "- - - - - - - ."),
        ];
        assert_eq!(table.map(|(from, _)| from), Status::ALL);
        for (from, expected) in table {
            let found: Vec<String> = Event::ALL
                .map(|event| match step(from, event) {
                    Err(_) => "-".to_owned(),
                    Ok(Step::Stay) => ".".to_owned(),
                    Ok(Step::To(status, None)) => format!("!{}", status.shown()),
                    Ok(Step::To(status, Some(told))) if told == status.shown() => told.to_string(),
                    Ok(Step::To(status, Some(told))) => format!("{}/{told}", status.shown()),
                })
                .to_vec();
            assert_eq!(found.join(" "), expected, "{from:?}");
        }
    }

    #[test]
    fn a_page_lives_47_hours() {
        assert_eq!(ends_at_ms(crate::domain::session::ends_at_ms(7)), 7 + 47 * HOUR_MS);
    }

    #[test]
    fn only_one_button_stands_on_the_page() {
        use LeaveButton::{Back, Cancel};
        let with = |back: bool, channel: AcquiringChannel| {
            let mut page = HostedPage { channel, ..page(Status::InProgress) };
            page.urls.back = back.then(|| "https://shop.example/".to_owned());
            (page.leave_button(), page.pressed(Back), page.pressed(Cancel))
        };
        let (went, cancelled) = (Some(Event::WentBack), Some(Event::Cancelled));
        assert_eq!(with(true, AcquiringChannel::Ecommerce), (Back, went, went));
        assert_eq!(with(false, AcquiringChannel::Ecommerce), (Cancel, went, went));
        assert_eq!(with(true, AcquiringChannel::InStore), (Back, went, None));
        assert_eq!(with(false, AcquiringChannel::InStore), (Cancel, None, cancelled));
        assert_eq!(with(false, AcquiringChannel::Telesales), (Cancel, None, cancelled));
        assert_eq!(with(false, "SOMETHING".into()), (Cancel, went, went));
    }

    fn goes(status: Status, urls: &MerchantUrls, expected: Option<&str>) {
        let page = HostedPage { urls: urls.clone(), ..page(status) };
        assert_eq!(page.destination().as_deref(), expected, "{status:?}");
    }

    #[test]
    fn the_browser_goes_where_the_merchant_said() {
        let all = MerchantUrls::new().success("s").cancel("c").back("b").failure("f").error("e");
        for (status, url) in [
            (Status::Waiting, None),
            (Status::InProgress, None),
            (Status::Completed, Some("s")),
            (Status::Failed, Some("f")),
            (Status::Back, Some("b")),
            (Status::Error, Some("e")),
            (Status::Cancelled, Some("c")),
            (Status::Disabled, None),
        ] {
            goes(status, &all, url);
            goes(status, &MerchantUrls::new(), None);
        }
        goes(Status::Error, &MerchantUrls::new().failure("f"), Some("f"));
        goes(Status::Back, &MerchantUrls::new().cancel("c"), Some("c"));
        goes(Status::Completed, &MerchantUrls::new().success(""), None);
    }

    #[test]
    fn placeholders_are_filled_where_they_are_valid() {
        let every = "https://x/?s={{session_id}}&t={{authorization_token}}&o={{order_id}}&u={{unknown}}&r={{A}}{{";
        let mut page = page(Status::Completed);
        page.urls = MerchantUrls::new().success(every).failure(every);
        page.authorization_token = Some("t&1".into());
        page.order_id = Some("o/1".into());
        let goes = |page: &HostedPage| page.destination().unwrap();
        assert_eq!(goes(&page), "https://x/?s=h-1&t=t%261&o=&u=&r={{A}}{{");
        page.options.place_order_mode = Some(PlaceOrderMode::PlaceOrder);
        assert_eq!(goes(&page), "https://x/?s=h-1&t=&o=o%2F1&u=&r={{A}}{{");
        page.status = Status::Failed;
        assert_eq!(goes(&page), "https://x/?s=h-1&t=&o=&u=&r={{A}}{{");
    }

    #[test]
    fn placeholders_may_be_percent_encoded() {
        let check = |url: &str, expected: &str| {
            let value = |name: &str| (name == "session_id").then(|| "h-1".to_owned());
            assert_eq!(fill(url, value), expected, "{url}");
        };
        check("/%7B%7Bsession_id%7D%7D/x", "/h-1/x");
        check("/%7b%7bsession_id%7d%7d?s={{session_id}}", "/h-1?s=h-1");
        check("/{%7Bsession_id%7D}", "/h-1");
        check("/%7B%7Bunknown%7D%7D", "/");
        check("/%7B%7BA%7D%7D%7B", "/%7B%7BA%7D%7D%7B");
        check("/%7Bsession_id%7D", "/%7Bsession_id%7D");
        check("/%7B%7Bsession_id", "/%7B%7Bsession_id");
        check("/ö%7%7B%7Bsession_id%7D%7Dö", "/ö%7h-1ö");
    }

    #[test]
    fn the_token_is_shown_to_whoever_places_the_order() {
        let mut page = page(Status::Completed);
        page.authorization_token = Some("t".into());
        page.order_id = Some("o".into());
        page.klarna_reference = Some("R".into());
        page.options.place_order_mode = Some(PlaceOrderMode::PlaceOrder);
        let view = page.view(1);
        assert_eq!((view.authorization_token, view.order_id), (None, Some("o".into())));
        let page = HostedPage { order_id: None, options: Options::default(), ..page };
        assert_eq!(page.view(1).authorization_token, Some("t".into()));
        let open = HostedPage { status: Status::InProgress, ..page };
        assert_eq!(open.view(1).authorization_token, None);
    }

    #[test]
    fn a_callback_has_an_id_of_its_own_for_each_change() {
        let mut page = page(Status::InProgress);
        assert_eq!(page.status_callback(SessionStatus::InProgress, 1).unwrap(), None);
        page.urls.status_update = Some("https://x/{{session_id}}?t={{authorization_token}}".into());
        page.authorization_token = Some("secret".into());
        let first = page.status_callback(SessionStatus::Timeout, 1).unwrap().unwrap();
        assert_eq!(first.url, "https://x/h-1?t=");
        assert!(first.body.contains(r#""status":"TIMEOUT""#) && !first.body.contains("secret"));
        assert_eq!(page.status_callback(SessionStatus::Timeout, 1).unwrap().unwrap(), first);
        page.version += 1;
        let second = page.status_callback(SessionStatus::Timeout, 1).unwrap().unwrap();
        assert_ne!((&first.id, &first.body), (&second.id, &second.body));
    }

    fn any_event() -> impl Strategy<Value = Event> {
        (0..Event::ALL.len()).prop_map(|index| Event::ALL[index])
    }

    proptest! {
        /// Whatever happens in whatever order: what is final stays, time is only watched while the shopper
        /// is on the page, and each change is counted once.
        #[test]
        fn any_history_is_sound(
            events in prop::collection::vec(any_event(), 0..40),
            idle in prop::option::of(1_u16..600),
        ) {
            let mut page = page(Status::Waiting);
            for (now_ms, event) in (1_i64..).zip(events) {
                let before = page.clone();
                let outcome = page.happen(event, idle, now_ms);
                if before.status.is_final() {
                    prop_assert_eq!(&page, &before);
                    prop_assert!(outcome.is_err() || outcome == Ok(None));
                }
                if page.status == before.status {
                    prop_assert_eq!(page.version, before.version);
                    prop_assert_eq!(page.updated_at_ms, before.updated_at_ms);
                } else {
                    prop_assert_eq!(page.version, before.version + 1);
                    prop_assert_eq!(page.updated_at_ms, now_ms);
                }
                if outcome.is_err() {
                    prop_assert_eq!(&page, &before);
                }
                prop_assert_eq!(
                    page.idle_due_at_ms.is_some(),
                    idle.is_some() && page.status == Status::InProgress
                );
                prop_assert!(!matches!(outcome, Ok(Some(_))) || page.status != before.status);
            }
        }

        #[test]
        fn a_url_without_braces_is_left_alone(url in "[^{]{0,60}") {
            prop_assert_eq!(fill(&url, |_| Some("x".to_owned())), url);
        }

        #[test]
        fn no_url_breaks_the_filling(url in "[{}a-z_%]{0,60}") {
            let filled = fill(&url, |name| (name == "a").then(|| "é&".to_owned()));
            prop_assert!(filled.len() <= url.len() * 9);
        }
    }
}
