//! How a dispute will go, when that is settled from the start: the lifecycles that an e-mail address asks
//! for, and some that only the control API knows.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reason::Reason;
use super::table::Framework;

/// A lifecycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Script {
    /// Waits for evidence, then won.
    WinOnEvidence,
    /// Lost for a missed deadline, without waiting for it.
    LoseOnExpiry,
    /// Closed as an accepted loss, without waiting.
    PreArbAcceptLoss,
    /// Waits for evidence; preliminarily lost; the time for an appeal is over soon after.
    PreArbWindowExpired,
    /// Waits for evidence and an appeal, then lost.
    PreArbLoseAfterArbitration,
    /// Waits for evidence and an appeal, then won. Not published.
    PreArbWinAfterArbitration,
    /// Waits for evidence, then preliminarily lost; goes on as the merchant and the clock want. Not
    /// published.
    LoseOnEvidence,
    /// Klarna decides nothing by itself: the control API does. Not published.
    Manual,
}

impl Script {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::WinOnEvidence,
        Self::LoseOnExpiry,
        Self::PreArbAcceptLoss,
        Self::PreArbWindowExpired,
        Self::PreArbLoseAfterArbitration,
        Self::PreArbWinAfterArbitration,
        Self::LoseOnEvidence,
        Self::Manual,
    ];

    /// Its name.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::WinOnEvidence => "win_on_evidence",
            Self::LoseOnExpiry => "lose_on_expiry",
            Self::PreArbAcceptLoss => "pre_arb_accept_loss",
            Self::PreArbWindowExpired => "pre_arb_window_expired",
            Self::PreArbLoseAfterArbitration => "pre_arb_lose_after_arbitration",
            Self::PreArbWinAfterArbitration => "pre_arb_win_after_arbitration",
            Self::LoseOnEvidence => "lose_on_evidence",
            Self::Manual => "manual",
        }
    }

    /// The lifecycle with this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|script| script.as_str().eq_ignore_ascii_case(name))
    }
}

/// What the tag in an e-mail address asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// Why.
    pub(crate) reason: Reason,
    /// How it will go.
    pub(crate) script: Option<Script>,
    /// In which process.
    pub(crate) framework: Framework,
}

impl Trigger {
    /// Reads the part of a tag after `disputed-` or `dispute_`. Nothing for a tag that nobody has
    /// published.
    pub(crate) fn parse(tag: &str) -> Option<Self> {
        if let Some(script) = Script::parse(tag) {
            return Some(Self {
                reason: Reason::GoodsNotReceived,
                script: Some(script),
                framework: Framework::F2026,
            });
        }
        let reason = Reason::parse(tag)?;
        Some(Self { reason, script: None, framework: Framework::F2020 })
    }
}
