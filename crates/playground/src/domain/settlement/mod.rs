//! What a merchant is paid, and when: Klarna's settlements.
//!
//! * Everything that moves money between Klarna and a merchant is a [`Posting`]: a capture, a refund, a
//!   fee, a correction. It belongs to no payout at first.
//! * A [`Calendar`] closes periods by the merchant's [`SettlementTerms`]. What is due by a close is
//!   taken together, once, and [`settle`] makes a payout of it.
//! * What a period lacks becomes the merchant's debt, and the next payouts pay it back. So nothing is
//!   lost: all payouts, less the debt, with what is withheld and what is still open, are what was
//!   captured, less what was refunded and charged.
//!
//! Nothing here knows a clock, a database or HTTP.

mod calendar;
mod fees;
mod payout;
mod posting;
mod terms;
#[cfg(test)]
mod tests;

pub(crate) use self::calendar::Calendar;
pub(crate) use self::payout::{KindSum, Period, settle};
pub(crate) use self::posting::{Lane, Posting, Wait, has_own_sign};
#[cfg(test)]
pub(crate) use self::terms::Reserve;
pub(crate) use self::terms::{
    FeeTerms, FileNames, ReportTerms, Schedule, SettledAs, SettlementTerms, Stop, SummaryLayout,
};
