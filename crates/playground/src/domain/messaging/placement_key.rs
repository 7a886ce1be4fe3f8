//! The keys of placements, under today's names and older ones.

use crate::domain::messaging::Layout;

/// Which placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlacementKey {
    /// `credit-promotion-badge`.
    CreditPromotionBadge,
    /// `credit-promotion-auto-size`.
    CreditPromotionAutoSize,
    /// `checkout`.
    Checkout,
    /// `top-strip-promotion-badge`.
    TopStripBadge,
    /// `top-strip-promotion-auto-size`.
    TopStripAutoSize,
    /// `footer-promotion-auto-size`.
    Footer,
    /// `info-page`.
    InfoPage,
    /// `homepage-banner`.
    HomepageBanner,
    /// `sidebar`.
    Sidebar,
}

/// Every name that a page may use. The first of a key is its own.
const NAMES: [(&str, PlacementKey); 16] = {
    use PlacementKey::{
        Checkout, CreditPromotionAutoSize, CreditPromotionBadge, Footer, HomepageBanner, InfoPage,
        Sidebar, TopStripAutoSize, TopStripBadge,
    };
    [
        ("credit-promotion-badge", CreditPromotionBadge),
        ("credit-promotion-auto-size", CreditPromotionAutoSize),
        ("checkout", Checkout),
        ("top-strip-promotion-badge", TopStripBadge),
        ("top-strip-promotion-auto-size", TopStripAutoSize),
        ("footer-promotion-auto-size", Footer),
        ("info-page", InfoPage),
        ("homepage-banner", HomepageBanner),
        ("sidebar", Sidebar),
        ("footer", Footer),
        ("credit-promotion-small", CreditPromotionAutoSize),
        ("credit-promotion-standard", CreditPromotionAutoSize),
        ("info-page-standard", InfoPage),
        ("info-page-auto-size", InfoPage),
        ("top-strip-promotion-standard", TopStripAutoSize),
        ("homepage-promotion-wide", HomepageBanner),
    ]
};

impl PlacementKey {
    /// The key of this name, if there is one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
    }

    /// Every name with its key.
    pub(crate) fn names() -> impl Iterator<Item = (&'static str, Self)> {
        NAMES.into_iter()
    }

    /// Its own name.
    pub(crate) fn as_str(self) -> &'static str {
        NAMES.iter().find(|(_, key)| *key == self).map_or("", |(name, _)| *name)
    }

    /// How it is laid out.
    pub(crate) fn layout(self) -> Layout {
        match self {
            Self::CreditPromotionBadge | Self::CreditPromotionAutoSize => Layout::Promotion,
            Self::TopStripBadge | Self::TopStripAutoSize | Self::Footer => Layout::Strip,
            Self::HomepageBanner | Self::Sidebar => Layout::Banner,
            Self::Checkout => Layout::Checkout,
            Self::InfoPage => Layout::Info,
        }
    }

    /// Whether it says something of an amount, and nothing without one.
    pub(crate) fn needs_amount(self) -> bool {
        matches!(self, Self::CreditPromotionBadge | Self::CreditPromotionAutoSize | Self::Checkout)
    }

    /// Whether a word may stand in front of it.
    pub(crate) fn takes_prefix(self) -> bool {
        matches!(self, Self::CreditPromotionBadge | Self::CreditPromotionAutoSize)
    }

    /// Whether the badge is part of it.
    pub(crate) fn has_badge(self) -> bool {
        matches!(
            self,
            Self::CreditPromotionBadge
                | Self::TopStripBadge
                | Self::Checkout
                | Self::HomepageBanner
                | Self::Sidebar
                | Self::InfoPage
        )
    }

    /// Whether the name stands in the sentence, since no badge says it.
    pub(crate) fn names_klarna(self) -> bool {
        !self.has_badge()
    }

    /// Whether the messaging API knows it.
    pub(crate) fn is_in_api(self) -> bool {
        matches!(self, Self::CreditPromotionBadge | Self::TopStripBadge)
    }
}
