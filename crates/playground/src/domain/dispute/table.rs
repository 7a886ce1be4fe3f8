//! Where a dispute can be, what can happen to it, and which leads where: one table.

use klarna_types::disputes::DisputeState;
use serde::{Deserialize, Serialize};

/// Which process a dispute follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Framework {
    /// Versions 1 to 3: time to settle, requests and follow-ups, one decision.
    #[serde(rename = "framework_2020")]
    F2020,
    /// Version 4: one request, a preliminary decision, one appeal.
    #[serde(rename = "framework_2026")]
    F2026,
}

/// Where a dispute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    /// The merchant and the shopper may settle it among themselves; nothing is asked yet.
    Opened,
    /// Klarna has asked; the merchant has to answer.
    Initiated,
    /// The merchant has answered; Klarna reviews.
    Representment,
    /// Preliminarily lost; the merchant may appeal.
    PreArbitration,
    /// Appealed; Klarna decides.
    Arbitration,
    /// Over.
    Closed,
}

/// What can happen to a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Move {
    /// The time to settle is over, or Klarna takes it up earlier.
    Escalate,
    /// The merchant answers.
    Represent,
    /// The merchant adds to its answer.
    Supplement,
    /// The merchant gives in.
    AcceptLoss,
    /// The deadline passes.
    Expire,
    /// The amount is below the merchant's threshold.
    AutoReject,
    /// More time to answer.
    Extend,
    /// Klarna asks once more.
    FollowUp,
    /// Klarna decides for the merchant.
    Win,
    /// Klarna decides against the merchant.
    Lose,
    /// The merchant appeals.
    Appeal,
    /// The merchant has given the money back, or called the order off.
    Settle,
    /// The shopper withdraws.
    Withdraw,
    /// Klarna decides at once, without a defence.
    Resolve,
}

impl Stage {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 6] = [
        Self::Opened,
        Self::Initiated,
        Self::Representment,
        Self::PreArbitration,
        Self::Arbitration,
        Self::Closed,
    ];

    /// The state of version 4 that it is shown as.
    pub(crate) fn state(self) -> DisputeState {
        match self {
            Self::Opened | Self::Initiated => DisputeState::Initiated,
            Self::Representment => DisputeState::Representment,
            Self::PreArbitration => DisputeState::PreArbitration,
            Self::Arbitration => DisputeState::Arbitration,
            Self::Closed => DisputeState::Closed,
        }
    }

    /// Its name in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Initiated => "initiated",
            Self::Representment => "representment",
            Self::PreArbitration => "pre_arbitration",
            Self::Arbitration => "arbitration",
            Self::Closed => "closed",
        }
    }
}

impl Move {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 14] = [
        Self::Escalate,
        Self::Represent,
        Self::Supplement,
        Self::AcceptLoss,
        Self::Expire,
        Self::AutoReject,
        Self::Extend,
        Self::FollowUp,
        Self::Win,
        Self::Lose,
        Self::Appeal,
        Self::Settle,
        Self::Withdraw,
        Self::Resolve,
    ];

    /// What it is called in a refusal.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Escalate => "escalated",
            Self::Represent => "represented",
            Self::Supplement => "supplemented",
            Self::AcceptLoss => "accepted",
            Self::Expire => "expired",
            Self::AutoReject => "rejected automatically",
            Self::Extend => "extended",
            Self::FollowUp => "followed up",
            Self::Win => "won",
            Self::Lose => "lost",
            Self::Appeal => "appealed",
            Self::Settle => "settled",
            Self::Withdraw => "withdrawn",
            Self::Resolve => "resolved at once",
        }
    }
}

/// Where a move leads; nowhere when it is not possible.
#[allow(clippy::match_same_arms, reason = "a table is read by its rows")]
pub(crate) fn next(framework: Framework, stage: Stage, what: Move) -> Option<Stage> {
    use Framework::{F2020, F2026};
    use Stage::{Arbitration, Closed, Initiated, Opened, PreArbitration, Representment};
    match (framework, stage, what) {
        (F2020, Opened, Move::Escalate) => Some(Initiated),
        (F2020, Opened, Move::AcceptLoss | Move::Settle | Move::Withdraw | Move::Resolve) => {
            Some(Closed)
        }
        (_, Initiated, Move::Represent) => Some(Representment),
        (_, Initiated, Move::Extend) => Some(Initiated),
        (
            _,
            Initiated,
            Move::AcceptLoss
            | Move::Expire
            | Move::AutoReject
            | Move::Settle
            | Move::Withdraw
            | Move::Resolve,
        ) => Some(Closed),
        (_, Representment, Move::Supplement) => Some(Representment),
        (F2020, Representment, Move::FollowUp) => Some(Initiated),
        (F2020, Representment, Move::Lose) => Some(Closed),
        (F2026, Representment, Move::Lose) => Some(PreArbitration),
        (_, Representment, Move::Win | Move::Settle | Move::Withdraw | Move::Resolve) => {
            Some(Closed)
        }
        (F2026, PreArbitration, Move::Appeal) => Some(Arbitration),
        (
            F2026,
            PreArbitration,
            Move::AcceptLoss | Move::Expire | Move::Settle | Move::Withdraw | Move::Resolve,
        ) => Some(Closed),
        (
            F2026,
            Arbitration,
            Move::Win | Move::Lose | Move::Settle | Move::Withdraw | Move::Resolve,
        ) => Some(Closed),
        _ => None,
    }
}
