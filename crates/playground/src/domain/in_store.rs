//! An in-store purchase: how far it has come, and what may happen to it next.
//!
//! The shopper pays on their own phone. Either the store shows a QR image or a link, or the shopper scans
//! the printed code of a counter, their phone shows a short code, and the till sends that along. When the
//! shopper approves, Klarna places the order itself.

use klarna_types::in_store::{
    DistributionError, DistributionErrorCode, DistributionResult, DistributionStatus,
};
use klarna_types::{KlarnaReference, MerchantId, OrderId, SessionId};

const HOUR_MS: i64 = 60 * 60 * 1_000;
const MINUTE_MS: i64 = 60 * 1_000;

/// How long an in-store session stands, its link and its QR image with it.
const LIFE_MS: i64 = 46 * HOUR_MS;
/// How long a phone shows its short code.
const SHORT_CODE_LIFE_MS: i64 = 10 * MINUTE_MS;
/// Digits of a short code that the playground gives out.
pub(crate) const SHORT_CODE_DIGITS: u32 = 6;
/// Characters of the id in a link.
const SHORT_ID_LENGTH: usize = 7;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// When an in-store session ends that is opened at `now_ms`.
pub(crate) fn ends_at_ms(now_ms: i64) -> i64 {
    now_ms.saturating_add(LIFE_MS)
}

/// When a short code ends that is given out at `now_ms`.
pub(crate) fn short_code_ends_at_ms(now_ms: i64) -> i64 {
    now_ms.saturating_add(SHORT_CODE_LIFE_MS)
}

/// Why a purchase failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The short code has not 2 to 20 digits, or no phone shows it. The QR image and the link remain.
    ShortCode,
    /// The account may not sell in stores.
    NotPermitted,
    /// Something failed on Klarna's side; the shopper may try again.
    System,
}

/// How far a purchase has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// The shopper's phone has not fetched it yet.
    Waiting,
    /// With the store, as a QR image and a link, or with the shopper's phone.
    Distributed,
    /// The shopper has opened it.
    Accessed,
    /// Paid; the order is placed.
    Completed,
    /// Called off by the shopper or the store.
    Canceled,
    /// It did not come about, or not yet.
    Failed(Failure),
}

impl Status {
    /// All of them.
    const ALL: [Self; 8] = [
        Self::Waiting,
        Self::Distributed,
        Self::Accessed,
        Self::Completed,
        Self::Canceled,
        Self::Failed(Failure::ShortCode),
        Self::Failed(Failure::NotPermitted),
        Self::Failed(Failure::System),
    ];

    /// As stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Distributed => "distributed",
            Self::Accessed => "accessed",
            Self::Completed => "completed",
            Self::Canceled => "canceled",
            Self::Failed(Failure::ShortCode) => "failed:short_code",
            Self::Failed(Failure::NotPermitted) => "failed:not_permitted",
            Self::Failed(Failure::System) => "failed:system",
        }
    }

    /// The status of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing changes it any more.
    pub(crate) fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Canceled)
    }
}

/// What happens to a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// It has come to the store's screen or to the shopper's phone.
    Distribute,
    /// The shopper opens the link.
    Open,
    /// The shopper has paid.
    Complete,
    /// The shopper or the store calls it off.
    Cancel,
    /// It fails.
    Fail(Failure),
}

/// What an event leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Another status, of which the store's server is told.
    To(Status),
    /// The same one.
    Stay,
}

/// Why an event cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// Unknown, another merchant's, or past its end.
    #[error("the purchase does not exist or has expired")]
    Gone,
    /// It is paid.
    #[error("the purchase is completed")]
    Completed,
    /// It was called off.
    #[error("the purchase was canceled")]
    Canceled,
    /// The account may not sell in stores.
    #[error("the account may not sell in stores")]
    NotPermitted,
}

/// The whole table.
pub(crate) fn step(status: Status, event: Event) -> Result<Step, Refusal> {
    use Failure::{NotPermitted, ShortCode, System};
    match (status, event) {
        (Status::Completed, Event::Complete | Event::Cancel | Event::Fail(_)) => {
            Err(Refusal::Completed)
        }
        (Status::Canceled, Event::Complete | Event::Fail(_)) => Err(Refusal::Canceled),
        (Status::Failed(NotPermitted), Event::Open | Event::Complete | Event::Distribute) => {
            Err(Refusal::NotPermitted)
        }
        (Status::Completed, Event::Open | Event::Distribute)
        | (Status::Canceled, Event::Cancel | Event::Open | Event::Distribute)
        | (Status::Failed(NotPermitted), Event::Fail(_))
        | (
            Status::Distributed | Status::Accessed | Status::Failed(ShortCode | System),
            Event::Distribute,
        )
        | (Status::Accessed, Event::Open) => Ok(Step::Stay),
        (Status::Waiting, Event::Distribute) => Ok(Step::To(Status::Distributed)),
        (
            Status::Waiting | Status::Distributed | Status::Failed(ShortCode | System),
            Event::Open,
        ) => Ok(Step::To(Status::Accessed)),
        (
            Status::Waiting
            | Status::Distributed
            | Status::Accessed
            | Status::Failed(ShortCode | System),
            Event::Complete,
        ) => Ok(Step::To(Status::Completed)),
        (
            Status::Waiting | Status::Distributed | Status::Accessed | Status::Failed(_),
            Event::Cancel,
        ) => Ok(Step::To(Status::Canceled)),
        (
            Status::Waiting
            | Status::Distributed
            | Status::Accessed
            | Status::Failed(ShortCode | System),
            Event::Fail(failure),
        ) => {
            let failed = Status::Failed(failure);
            Ok(if status == failed { Step::Stay } else { Step::To(failed) })
        }
    }
}

/// A purchase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distribution {
    /// The session it is of.
    pub(crate) session_id: SessionId,
    /// Whose it is.
    pub(crate) merchant_id: MerchantId,
    /// In the link.
    pub(crate) short_id: String,
    /// How far it has come.
    pub(crate) status: Status,
    /// Grows by one with each change.
    pub(crate) version: i64,
    /// When it ends.
    pub(crate) expires_at_ms: i64,
    /// Where the store's server is told of changes.
    pub(crate) status_url: Option<String>,
    /// The order, once there is one.
    pub(crate) order: Option<(OrderId, KlarnaReference)>,
}

impl Distribution {
    /// Whether its time is not over.
    pub(crate) fn is_alive(&self, now_ms: i64) -> bool {
        now_ms < self.expires_at_ms
    }

    /// Whether anyone may read it: to its end, and once it is final for as long as it is kept.
    pub(crate) fn is_readable(&self, now_ms: i64) -> bool {
        self.status.is_final() || self.is_alive(now_ms)
    }

    /// Takes in an event. [`Step::To`] has changed the status and must be stored and told.
    pub(crate) fn apply(&mut self, event: Event, now_ms: i64) -> Result<Step, Refusal> {
        if !self.is_readable(now_ms) {
            return Err(Refusal::Gone);
        }
        let step = step(self.status, event)?;
        if let Step::To(status) = step {
            self.status = status;
            self.version += 1;
        }
        Ok(step)
    }

    /// The shopper has paid, and this order was placed.
    pub(crate) fn complete(
        &mut self,
        order: (OrderId, KlarnaReference),
        now_ms: i64,
    ) -> Result<(), Refusal> {
        if !self.is_alive(now_ms) {
            return Err(Refusal::Gone);
        }
        self.apply(Event::Complete, now_ms)?;
        self.order = Some(order);
        Ok(())
    }

    /// The link for the shopper's phone.
    pub(crate) fn payment_link(&self, base_url: &str) -> String {
        format!("{base_url}/in-store/{}", self.short_id)
    }

    /// What the store reads, and is told.
    pub(crate) fn result(&self, base_url: &str) -> DistributionResult {
        use Failure::{NotPermitted, ShortCode, System};
        let (status, error) = match self.status {
            Status::Waiting => (DistributionStatus::Waiting, None),
            Status::Distributed => (DistributionStatus::Distributed, None),
            Status::Accessed => (DistributionStatus::Accessed, None),
            Status::Completed => (DistributionStatus::Completed, None),
            Status::Canceled => (DistributionStatus::Canceled, None),
            Status::Failed(failure) => {
                let (code, message) = match failure {
                    ShortCode => (
                        DistributionErrorCode::BadRequest,
                        "The short code is not a number of 2 to 20 digits that a phone shows",
                    ),
                    NotPermitted => (
                        DistributionErrorCode::PermissionDenied,
                        "The account is not set up for in-store purchases",
                    ),
                    System => (DistributionErrorCode::SystemError, "The purchase failed"),
                };
                (
                    DistributionStatus::Failed,
                    Some(DistributionError::new().code(code).message(message)),
                )
            }
        };
        let mut result =
            DistributionResult::new().session_id(self.session_id.clone()).status(status);
        result.error = error;
        if self.status != Status::Failed(NotPermitted) {
            let link = self.payment_link(base_url);
            result.qr = Some(format!("{link}/qr"));
            result.payment_link = Some(link);
        }
        if let Some((order_id, reference)) = &self.order {
            result.order_id = Some(order_id.clone());
            result.klarna_reference = Some(reference.clone());
        }
        result
    }
}

/// Whether a till may send this as a short code.
pub(crate) fn is_short_code(text: &str) -> bool {
    (2..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A short code made of random bits; leading zeros are kept.
pub(crate) fn short_code(random: u64) -> String {
    let code = random % 10_u64.pow(SHORT_CODE_DIGITS);
    format!("{code:0width$}", width = SHORT_CODE_DIGITS as usize)
}

/// The id of a link, made of random bits.
pub(crate) fn short_id(mut random: u64) -> String {
    let mut text = String::with_capacity(SHORT_ID_LENGTH);
    for _ in 0..SHORT_ID_LENGTH {
        // Below 62, so there is a character.
        let index = usize::try_from(random % 62).unwrap_or_default();
        text.push(BASE62.get(index).copied().map_or('0', char::from));
        random /= 62;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const EVENTS: [Event; 7] = [
        Event::Distribute,
        Event::Open,
        Event::Complete,
        Event::Cancel,
        Event::Fail(Failure::ShortCode),
        Event::Fail(Failure::NotPermitted),
        Event::Fail(Failure::System),
    ];

    fn distribution(status: Status) -> Distribution {
        Distribution {
            session_id: "s".into(),
            merchant_id: "K1".into(),
            short_id: "aB3dE9x".to_owned(),
            status,
            version: 1,
            expires_at_ms: ends_at_ms(0),
            status_url: None,
            order: None,
        }
    }

    /// Every status against every event, written out: `.` stays, `!` is refused.
    #[test]
    fn the_whole_table() {
        let rows = [
            "waiting              | distributed accessed completed canceled failed:short_code failed:not_permitted failed:system",
            "distributed          | . accessed completed canceled failed:short_code failed:not_permitted failed:system",
            "accessed             | . . completed canceled failed:short_code failed:not_permitted failed:system",
            "completed            | . . ! ! ! ! !",
            "canceled             | . . ! . ! ! !",
            "failed:short_code    | . accessed completed canceled . failed:not_permitted failed:system",
            "failed:not_permitted | ! ! ! canceled . . .",
            "failed:system        | . accessed completed canceled failed:short_code failed:not_permitted .",
        ];
        for (status, row) in Status::ALL.into_iter().zip(rows) {
            let (name, cells) = row.split_once('|').unwrap();
            assert_eq!(name.trim(), status.as_str());
            assert_eq!(Status::parse(name.trim()), Some(status));
            let found: Vec<&str> = EVENTS
                .into_iter()
                .map(|event| match step(status, event) {
                    Ok(Step::Stay) => ".",
                    Ok(Step::To(status)) => status.as_str(),
                    Err(_) => "!",
                })
                .collect();
            assert_eq!(found, cells.split_whitespace().collect::<Vec<_>>(), "{name}");
        }
    }

    #[test]
    fn a_result_says_what_the_store_needs() {
        let mut paid = distribution(Status::Accessed);
        paid.complete(("o".into(), "X438HG0Q".into()), 1).unwrap();
        let denied = distribution(Status::Failed(Failure::NotPermitted));
        let wrong_code = distribution(Status::Failed(Failure::ShortCode));
        let json = |distribution: &Distribution| {
            serde_json::to_value(distribution.result("http://k")).unwrap()
        };
        assert_eq!(
            json(&paid),
            serde_json::json!({
                "session_id": "s", "status": "COMPLETED", "qr": "http://k/in-store/aB3dE9x/qr",
                "payment_link": "http://k/in-store/aB3dE9x", "order_id": "o",
                "klarna_reference": "X438HG0Q"
            })
        );
        assert_eq!(json(&denied)["error"]["code"], "PERMISSION_DENIED");
        assert_eq!(json(&denied).get("payment_link"), None);
        assert_eq!(json(&wrong_code)["error"]["code"], "BAD_REQUEST");
        assert_eq!(json(&wrong_code)["payment_link"], "http://k/in-store/aB3dE9x");
    }

    #[test]
    fn short_codes_have_two_to_twenty_digits() {
        for (text, expected) in [
            ("1", false),
            ("12", true),
            ("12345678901234567890", true),
            ("123456789012345678901", false),
            ("12a", false),
            ("", false),
            ("-1", false),
            ("1２", false),
        ] {
            assert_eq!(is_short_code(text), expected, "{text}");
        }
    }

    proptest! {
        /// Whatever happens, in whatever order: what is final stays, an order is there exactly when it is
        /// completed, the version counts the changes, and after 46 hours nothing changes.
        #[test]
        fn any_history_keeps_the_rules(
            events in prop::collection::vec((select(&EVENTS[..]), 0..LIFE_MS / 4), 0..12),
        ) {
            let mut purchase = distribution(Status::Waiting);
            let mut now_ms = 0;
            for (event, later_ms) in events {
                now_ms += later_ms;
                let before = purchase.clone();
                let outcome = match event {
                    Event::Complete => purchase
                        .complete(("o".into(), "R".into()), now_ms)
                        .map(|()| Step::To(Status::Completed)),
                    event => purchase.apply(event, now_ms),
                };
                match outcome {
                    Ok(Step::To(status)) => {
                        prop_assert!(!before.status.is_final());
                        prop_assert!(now_ms < purchase.expires_at_ms);
                        prop_assert_eq!(status, purchase.status);
                        prop_assert_ne!(status, before.status);
                        prop_assert_eq!(purchase.version, before.version + 1);
                    }
                    Ok(Step::Stay) | Err(_) => prop_assert_eq!(&purchase, &before),
                }
                prop_assert_eq!(purchase.order.is_some(), purchase.status == Status::Completed);
            }
        }

        #[test]
        fn ids_and_codes_have_their_form(random in any::<u64>()) {
            let id = short_id(random);
            prop_assert!(id.len() == 7 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            let code = short_code(random);
            prop_assert!(is_short_code(&code));
            prop_assert_eq!(code.len(), 6);
        }
    }
}
