//! How a purchase reaches the shopper, and the page of Klarna's on which it is paid when no page of
//! the shop's is.
//!
//! Rules kept here: which channels have such a page; what its states mean; when it must be replaced
//! by a fresh one; how often Klarna is asked about it. A page never places an order by itself
//! (`place_order_mode` is `NONE`): what the shopper approves on it becomes an authorisation like any
//! other, and the journal places the order.

use klarna_types::hosted_payment_page::{MerchantUrls, Options, SessionStatus};
use serde::{Deserialize, Serialize};

/// How a purchase reaches the shopper.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Klarna's widget in a page of the shop's.
    #[default]
    Inline,
    /// A page of Klarna's, to which the shopper's browser is sent.
    Hosted,
    /// A page of Klarna's on the shopper's own phone, by a code on the counter's screen or by a
    /// message.
    InStore,
    /// Klarna's SDK in an app of the shop's.
    Native,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 4] = [Self::Inline, Self::Hosted, Self::InStore, Self::Native];

    /// The name used in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::Hosted => "hosted",
            Self::InStore => "in_store",
            Self::Native => "native",
        }
    }

    /// Whether the shopper pays on a page of Klarna's.
    pub fn has_page(self) -> bool {
        match self {
            Self::Hosted | Self::InStore => true,
            Self::Inline | Self::Native => false,
        }
    }
}

/// Where a page stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageStatus {
    /// Nobody has opened it.
    Waiting,
    /// The shopper is on it.
    InProgress,
    /// Approved: the order is being placed, or is there.
    Completed,
    /// Declined; the shopper may try again on the same page.
    Declined,
    /// The shopper went back to the shop, and may return.
    Back,
    /// Something failed at Klarna's; the shopper may try again.
    Failed,
    /// The shopper called it off. A fresh page is needed.
    Cancelled,
    /// The shop called it off.
    Disabled,
    /// Its time is over.
    Expired,
}

impl PageStatus {
    /// Every status.
    pub const ALL: [Self; 9] = [
        Self::Waiting,
        Self::InProgress,
        Self::Completed,
        Self::Declined,
        Self::Back,
        Self::Failed,
        Self::Cancelled,
        Self::Disabled,
        Self::Expired,
    ];

    /// The name used in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Declined => "declined",
            Self::Back => "back",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
        }
    }

    /// Klarna's word in ours. What this version does not know means that somebody is on the page.
    pub fn of(status: &SessionStatus) -> Self {
        match status {
            SessionStatus::Waiting => Self::Waiting,
            SessionStatus::Completed => Self::Completed,
            SessionStatus::Failed => Self::Declined,
            // Left without a word is as good as back.
            SessionStatus::Back | SessionStatus::Timeout => Self::Back,
            SessionStatus::Error => Self::Failed,
            SessionStatus::Cancelled => Self::Cancelled,
            SessionStatus::Disabled => Self::Disabled,
            // In progress, an identity check at the counter, or newer than this line.
            _ => Self::InProgress,
        }
    }

    /// Whether nobody can pay on the page any more.
    pub fn is_over(self) -> bool {
        match self {
            Self::Completed | Self::Cancelled | Self::Disabled | Self::Expired => true,
            Self::Waiting | Self::InProgress | Self::Declined | Self::Back | Self::Failed => false,
        }
    }
}

/// In which way a link was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SentBy {
    /// By text message.
    Sms,
    /// By e-mail.
    Email,
}

/// What the shop wants the page to be. Kept, since a page cannot be changed: a fresh one is opened.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PageWish {
    /// Where the shopper's browser goes from the page.
    pub urls: MerchantUrls,
    /// How it looks.
    pub options: Options,
}

/// A page of Klarna's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Klarna's id.
    pub id: String,
    /// The Klarna session that is paid on it.
    pub session_id: String,
    /// Its address; Klarna gives none for a purchase in a store.
    #[serde(default)]
    pub redirect_url: Option<String>,
    /// A picture of a code that leads to it.
    #[serde(default)]
    pub qr_code_url: Option<String>,
    /// Where it stands.
    pub status: PageStatus,
    /// When it came to stand there.
    pub changed_at_ms: i64,
    /// When it ends.
    pub expires_at_ms: i64,
    /// How its link was sent, and when, the last time.
    #[serde(default)]
    pub sent: Option<(SentBy, i64)>,
}

/// The page of a checkout: what it is to be, and the one there is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hosted {
    /// What the shop wants it to be.
    pub wish: PageWish,
    /// The one there is.
    pub page: Option<Page>,
}

const SECOND_MS: i64 = 1000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Klarna ends a page so long before the session that is paid on it.
pub const ENDS_BEFORE_SESSION_MS: i64 = HOUR_MS;
/// A page this close to its end is replaced before a shopper starts with it.
pub const RENEW_BEFORE_MS: i64 = HOUR_MS;

impl Page {
    /// Takes a status over; `false` if that is how it stood already.
    pub fn take(&mut self, status: PageStatus, now_ms: i64) -> bool {
        // What was paid stays paid, whatever an older answer says that comes late.
        if self.status == status || self.status == PageStatus::Completed {
            return false;
        }
        self.status = status;
        self.changed_at_ms = now_ms;
        true
    }

    /// Whether a shopper should no longer be sent to it: it is over by itself, or nearly. What
    /// somebody has called off stays so until a fresh one is asked for.
    pub fn has_lapsed(&self, now_ms: i64) -> bool {
        match self.status {
            PageStatus::Expired => true,
            PageStatus::Completed | PageStatus::Cancelled | PageStatus::Disabled => false,
            PageStatus::Waiting
            | PageStatus::InProgress
            | PageStatus::Declined
            | PageStatus::Back
            | PageStatus::Failed => now_ms >= self.expires_at_ms - RENEW_BEFORE_MS,
        }
    }

    /// How long until Klarna is asked about it again. Klarna's callbacks are best effort, so that
    /// somebody who stands at a counter is looked after more often than a link in a mail; both ever
    /// more rarely as nothing happens, within the rate limits.
    pub fn next_look_in_ms(&self, channel: Channel, now_ms: i64) -> Option<i64> {
        if self.status.is_over() {
            return None;
        }
        let first_ms = match channel {
            Channel::InStore => 2 * SECOND_MS,
            Channel::Hosted | Channel::Inline | Channel::Native => 10 * SECOND_MS,
        };
        let quiet_ms = (now_ms - self.changed_at_ms).max(0);
        let wait_ms = (quiet_ms / 4).clamp(first_ms, HOUR_MS);
        let left_ms = self.expires_at_ms - now_ms;
        Some(if left_ms > 0 { wait_ms.min(left_ms) } else { first_ms })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(status: PageStatus) -> Page {
        Page {
            id: "h-1".to_owned(),
            session_id: "s-1".to_owned(),
            redirect_url: None,
            qr_code_url: None,
            status,
            changed_at_ms: 0,
            expires_at_ms: 47 * HOUR_MS,
            sent: None,
        }
    }

    #[test]
    fn names_are_those_that_are_written() {
        for channel in Channel::ALL {
            assert_eq!(serde_json::to_value(channel).unwrap(), channel.name());
        }
        for status in PageStatus::ALL {
            assert_eq!(serde_json::to_value(status).unwrap(), status.name());
        }
    }

    #[test]
    fn a_word_that_is_not_known_yet_ends_nothing() {
        assert_eq!(PageStatus::of(&SessionStatus::from("NEW_WORD")), PageStatus::InProgress);
        assert_eq!(PageStatus::of(&SessionStatus::ManualIdCheck), PageStatus::InProgress);
        assert_eq!(PageStatus::of(&SessionStatus::Timeout), PageStatus::Back);
        for status in [
            SessionStatus::Waiting,
            SessionStatus::InProgress,
            SessionStatus::Completed,
            SessionStatus::Failed,
            SessionStatus::Back,
            SessionStatus::Error,
            SessionStatus::Cancelled,
            SessionStatus::Disabled,
        ] {
            assert_eq!(PageStatus::of(&status).is_over(), status.is_final(), "{status:?}");
        }
    }

    #[test]
    fn what_was_paid_stays_paid() {
        for status in PageStatus::ALL {
            let mut paid = page(PageStatus::Completed);
            assert!(!paid.take(status, 5));
            assert_eq!((paid.status, paid.changed_at_ms), (PageStatus::Completed, 0));
            let mut waiting = page(PageStatus::Waiting);
            assert_eq!(waiting.take(status, 5), status != PageStatus::Waiting);
            assert_eq!(waiting.status, status);
        }
    }

    #[test]
    fn what_lapsed_is_replaced_and_what_was_called_off_is_not() {
        for status in PageStatus::ALL {
            let (page, late_ms) = (page(status), 46 * HOUR_MS);
            assert_eq!(page.has_lapsed(0), status == PageStatus::Expired, "{status:?}");
            let replaced = !status.is_over() || status == PageStatus::Expired;
            assert_eq!(page.has_lapsed(late_ms), replaced, "{status:?}");
        }
    }

    proptest! {
        #[test]
        fn klarna_is_asked_soon_and_ever_more_rarely(
            channel in prop::sample::select(Channel::ALL.to_vec()),
            status in prop::sample::select(PageStatus::ALL.to_vec()),
        ) {
            let page = page(status);
            let (mut now_ms, mut looks, mut last_ms) = (0, 0, 0);
            while let Some(wait_ms) = page.next_look_in_ms(channel, now_ms) {
                prop_assert!(wait_ms > 0);
                if now_ms + wait_ms < page.expires_at_ms {
                    prop_assert!(wait_ms >= last_ms, "{wait_ms} after {last_ms}");
                }
                last_ms = wait_ms;
                now_ms += wait_ms;
                looks += 1;
                if now_ms >= page.expires_at_ms {
                    break;
                }
            }
            prop_assert_eq!(looks == 0, status.is_over());
            prop_assert!(looks < 150, "{looks}");
        }
    }
}
