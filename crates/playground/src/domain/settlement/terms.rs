//! What Klarna and a merchant have agreed about payouts: the settings of an account.

use std::collections::BTreeMap;

use klarna_types::market::{Currency, Region};
use klarna_types::settlements::report::{AmountFormat, Column, DateFormat, Format};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest delay between an event and the close of its period.
const MAX_DELAY_DAYS: u8 = 30;

/// The most a share may be, in hundredths of a percent.
const WHOLE: i64 = 10_000;

/// What is agreed about payouts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SettlementTerms {
    /// Whether fees are deducted from payouts, or invoiced each month.
    pub(crate) settled_as: SettledAs,
    /// How often there is a payout.
    pub(crate) schedule: Schedule,
    /// On which day a weekly period ends.
    pub(crate) weekday: Weekday,
    /// How many days an event waits before a period may take it, 0 to 30.
    pub(crate) delay_days: u8,
    /// Whether payouts wait for the next weekday when they fall on a weekend.
    pub(crate) business_days_only: bool,
    /// Whose midnight ends a day; by the currency's region when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<Zone>,
    /// The currency of the country in which the merchant is registered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) registration_currency: Option<String>,
    /// What Klarna takes.
    pub(crate) fees: FeeTerms,
    /// What is withheld of each payout for a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reserve: Option<Reserve>,
    /// Why payouts are stopped, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop: Option<Stop>,
    /// How reports look.
    pub(crate) reports: ReportTerms,
}

impl Default for SettlementTerms {
    fn default() -> Self {
        Self {
            settled_as: SettledAs::Net,
            schedule: Schedule::Daily,
            weekday: Weekday::Wednesday,
            delay_days: 0,
            business_days_only: false,
            zone: None,
            registration_currency: None,
            fees: FeeTerms::default(),
            reserve: None,
            stop: None,
            reports: ReportTerms::default(),
        }
    }
}

/// Whether fees are deducted or invoiced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SettledAs {
    /// Deducted.
    Net,
    /// Invoiced each month.
    Gross,
}

/// How often there is a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Schedule {
    /// After each day.
    Daily,
    /// After the agreed day of each week.
    Weekly,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl Weekday {
    /// The same, as the calendar has it.
    pub(crate) fn civil(self) -> jiff::civil::Weekday {
        match self {
            Self::Monday => jiff::civil::Weekday::Monday,
            Self::Tuesday => jiff::civil::Weekday::Tuesday,
            Self::Wednesday => jiff::civil::Weekday::Wednesday,
            Self::Thursday => jiff::civil::Weekday::Thursday,
            Self::Friday => jiff::civil::Weekday::Friday,
            Self::Saturday => jiff::civil::Weekday::Saturday,
            Self::Sunday => jiff::civil::Weekday::Sunday,
        }
    }
}

/// Whose midnight ends a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Zone {
    /// British time, Klarna's for Europe.
    Europe,
    /// Eastern time, Klarna's for North America.
    NorthAmerica,
    /// UTC+10, Klarna's for Australia and New Zealand.
    Oceania,
    /// UTC.
    Utc,
}

impl Zone {
    /// The rule of the zone. It needs no database of time zones, so it is the same on every machine.
    pub(crate) fn posix(self) -> &'static str {
        match self {
            Self::Europe => "GMT0BST,M3.5.0/1,M10.5.0",
            Self::NorthAmerica => "EST5EDT,M3.2.0,M11.1.0",
            Self::Oceania => "AEST-10",
            Self::Utc => "UTC0",
        }
    }
}

/// What Klarna takes of a capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct FeeTerms {
    /// The share, in hundredths of a percent.
    pub(crate) percentage: i64,
    /// The fixed part by currency, in minor units; none where a currency is not named.
    pub(crate) fixed: BTreeMap<String, i64>,
    /// VAT on fees, in hundredths of a percent.
    pub(crate) vat_rate: i64,
}

impl Default for FeeTerms {
    fn default() -> Self {
        let fixed = [
            ("AUD", 55),
            ("CAD", 50),
            ("CHF", 35),
            ("CZK", 850),
            ("DKK", 250),
            ("EUR", 35),
            ("GBP", 30),
            ("HUF", 13_500),
            ("MXN", 650),
            ("NOK", 350),
            ("NZD", 60),
            ("PLN", 150),
            ("RON", 175),
            ("SEK", 350),
            ("USD", 30),
        ];
        Self {
            percentage: 299,
            fixed: fixed.into_iter().map(|(code, fee)| (code.to_owned(), fee)).collect(),
            vat_rate: 2_000,
        }
    }
}

/// What is withheld of each payout for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reserve {
    /// The share of the payout's sales, in hundredths of a percent.
    pub(crate) percentage: i64,
    /// After how many days it is released, 1 to 365.
    pub(crate) days: u16,
}

/// Why payouts are stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stop {
    /// Klarna reviews the merchant.
    UnderReview,
    /// Klarna does not know where to pay to.
    InsufficientBankAccountDetails,
}

/// How reports look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReportTerms {
    /// The summary's columns.
    pub(crate) summary: SummaryLayout,
    /// The transactions' columns in reports of the API; Klarna's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) columns: Option<Vec<String>>,
    /// The transactions' columns in files sent by SFTP; Klarna's when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sftp_columns: Option<Vec<String>>,
    /// What stands between two cells: one ASCII character.
    pub(crate) delimiter: char,
    /// How times look: `iso`, `spaced` or `date`.
    #[schema(value_type = String)]
    pub(crate) dates: DateFormat,
    /// How amounts look: `dot`, `comma` or `minor_units`.
    #[schema(value_type = String)]
    pub(crate) amounts: AmountFormat,
    /// Whether a PDF lists the transactions.
    pub(crate) pdf_details: bool,
    /// Whether SFTP gets PDF reports besides CSV.
    pub(crate) sftp_pdf: bool,
    /// How files are named.
    pub(crate) file_names: FileNames,
}

impl Default for ReportTerms {
    fn default() -> Self {
        Self {
            summary: SummaryLayout::Current,
            columns: None,
            sftp_columns: None,
            delimiter: klarna_types::settlements::report::DELIMITER,
            dates: DateFormat::Iso,
            amounts: AmountFormat::Dot,
            pdf_details: false,
            sftp_pdf: false,
            file_names: FileNames::Newer,
        }
    }
}

impl ReportTerms {
    /// How cells are written.
    pub(crate) fn format(&self) -> Format {
        Format { dates: self.dates, amounts: self.amounts }
    }
}

/// The summary's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SummaryLayout {
    /// As Klarna writes it today.
    Current,
    /// As the older merchant guide shows it.
    Older,
}

/// How files sent by SFTP are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileNames {
    /// `123456789_20180809T000226_0.csv`
    Newer,
    /// `123456789.20180809T000000+0000.csv`
    Older,
}

impl SettlementTerms {
    /// Whether they are those of a merchant that agreed nothing else.
    pub(crate) fn are_usual(&self) -> bool {
        *self == Self::default()
    }

    /// The member that is not acceptable, if any.
    pub(crate) fn wrong_member(&self) -> Option<&'static str> {
        let share = |share: i64| (0..=WHOLE).contains(&share);
        let columns = |columns: &Option<Vec<String>>| {
            columns.as_ref().is_none_or(|columns| {
                !columns.is_empty()
                    && columns.len() <= Column::KNOWN.len()
                    && columns.iter().all(|name| Column::from(name.as_str()).is_known())
                    // Without these a report could not be told from its summary, or be summed.
                    && ["type", "amount"].iter().all(|needed| columns.iter().any(|it| it == needed))
            })
        };
        let code = |code: &str| Currency::from(code).is_well_formed();
        // A currency's own decimal mark must not part an amount in two.
        let delimiter = |mark: char| {
            mark == '\t' || (mark.is_ascii_punctuation() && !matches!(mark, '"' | '.' | '-' | '_'))
        };
        let checks = [
            (self.delay_days <= MAX_DELAY_DAYS, "delay_days"),
            (self.registration_currency.as_deref().is_none_or(code), "registration_currency"),
            (share(self.fees.percentage), "fees.percentage"),
            (share(self.fees.vat_rate), "fees.vat_rate"),
            (
                self.fees
                    .fixed
                    .iter()
                    .all(|(currency, fee)| code(currency) && (0..=10_000_000).contains(fee)),
                "fees.fixed",
            ),
            (self.reserve.is_none_or(|reserve| share(reserve.percentage)), "reserve.percentage"),
            (self.reserve.is_none_or(|reserve| (1..=365).contains(&reserve.days)), "reserve.days"),
            (columns(&self.reports.columns), "reports.columns"),
            (columns(&self.reports.sftp_columns), "reports.sftp_columns"),
            (
                delimiter(self.reports.delimiter)
                    && (self.reports.delimiter != ','
                        || self.reports.amounts != AmountFormat::Comma),
                "reports.delimiter",
            ),
        ];
        checks.into_iter().find(|(right, _)| !right).map(|(_, member)| member)
    }

    /// Whose midnight ends a day for payouts in a currency.
    pub(crate) fn zone_for(&self, currency: &Currency) -> Zone {
        let by_region = || {
            let market =
                klarna_types::market::MARKETS.iter().find(|market| market.currency == *currency);
            match market.map(|market| market.region) {
                Some(Region::NorthAmerica) => Zone::NorthAmerica,
                Some(Region::Oceania) => Zone::Oceania,
                Some(Region::Europe) | None => Zone::Europe,
            }
        };
        self.zone.unwrap_or_else(by_region)
    }
}
