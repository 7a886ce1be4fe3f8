//! Where the goods go and how they are sent, when the flow asks for it: in Express checkout, and for a payment
//! request whose shipping is the shopper's to say.
//!
//! What it costs is the merchant's page's business: it is asked, and its answer comes in as [`PageSays`].

use klarna_types::{Address, Country};
use serde::{Deserialize, Serialize};

use super::{Problem, Rejection, invalid};

/// The members of an address that have a field of their own in the form.
const FIELDS: [&str; 9] = [
    "given_name",
    "family_name",
    "street_address",
    "street_address2",
    "postal_code",
    "city",
    "region",
    "country",
    "phone",
];

/// What is asked, and what was answered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// The countries that are delivered to; none means all.
    pub(crate) countries: Vec<Country>,
    /// Whether the shopper may only confirm the address.
    pub(crate) fixed: bool,
    /// Whether the page says what an address and a way of sending come to.
    pub(crate) asks_page: bool,
    /// Where to.
    pub(crate) address: Option<Address>,
    /// The ways of sending that the page offered for this address.
    pub(crate) options: Vec<ShippingOption>,
    /// The one that was chosen.
    pub(crate) chosen: Option<String>,
}

/// A way of sending, in the page's words and names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are Klarna's")]
pub(crate) struct ShippingOption {
    /// What the page knows it by.
    pub(crate) shipping_option_reference: String,
    /// What it costs, in minor units.
    pub(crate) amount: i64,
    /// What the shopper reads.
    pub(crate) display_name: String,
    /// More to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// `TO_DOOR` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shipping_type: Option<String>,
}

/// What the page says to an address or to a way of sending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PageSays {
    /// It was not asked, or has nothing to say.
    Nothing,
    /// It does not deliver so, for a reason such as `COUNTRY_NOT_SUPPORTED`.
    Rejects(String),
    /// It does, in these ways.
    Offers {
        /// The ways.
        options: Vec<ShippingOption>,
        /// The one that is chosen unless the shopper chooses another.
        selected: Option<String>,
    },
}

impl Delivery {
    /// Takes an address. `problem` is the path of what its content rules found wrong.
    pub(super) fn take_address(
        &mut self,
        address: Address,
        problem: Option<&str>,
        says: PageSays,
    ) -> Result<(), Rejection> {
        for (field, value) in [
            ("given_name", &address.given_name),
            ("family_name", &address.family_name),
            ("street_address", &address.street_address),
            ("postal_code", &address.postal_code),
            ("city", &address.city),
        ] {
            if value.as_deref().unwrap_or_default().trim().is_empty() {
                return Err(invalid(field, Problem::Required));
            }
        }
        if let Some(path) = problem {
            return Err(invalid(field_of(path), Problem::Address));
        }
        let served = self.countries.is_empty()
            || address.country.as_ref().is_some_and(|country| self.countries.contains(country));
        if !served {
            return Err(invalid("country", Problem::NotDelivered));
        }
        let (options, selected) = match says {
            PageSays::Nothing => (Vec::new(), None),
            PageSays::Rejects(reason) => {
                return Err(invalid(field_of_reason(&reason), Problem::NotDelivered));
            }
            PageSays::Offers { options, selected } => (options, selected),
        };
        let selected = selected.filter(|wanted| knows(&options, wanted));
        self.chosen = selected
            .or_else(|| options.first().map(|first| first.shipping_option_reference.clone()));
        self.options = options;
        self.address = Some(address);
        Ok(())
    }

    /// Takes a choice of how it is sent.
    pub(super) fn take_option(
        &mut self,
        reference: &str,
        says: &PageSays,
    ) -> Result<(), Rejection> {
        if !knows(&self.options, reference) || matches!(says, PageSays::Rejects(_)) {
            return Err(invalid("option", Problem::NotDelivered));
        }
        self.chosen = Some(reference.to_owned());
        Ok(())
    }

    /// The way of sending that was chosen.
    pub(crate) fn chosen_option(&self) -> Option<&ShippingOption> {
        let chosen = self.chosen.as_deref()?;
        self.options.iter().find(|option| option.shipping_option_reference == chosen)
    }
}

fn knows(options: &[ShippingOption], reference: &str) -> bool {
    options.iter().any(|option| option.shipping_option_reference == reference)
}

/// The field of the form that a path such as `shipping_address.city` is about.
fn field_of(path: &str) -> &'static str {
    let member = path.rsplit('.').next().unwrap_or_default();
    FIELDS.into_iter().find(|field| *field == member).unwrap_or("street_address")
}

fn field_of_reason(reason: &str) -> &'static str {
    match reason {
        "COUNTRY_NOT_SUPPORTED" => "country",
        "REGION_NOT_SUPPORTED" => "region",
        "CITY_NOT_SUPPORTED" => "city",
        "POSTAL_CODE_NOT_SUPPORTED" => "postal_code",
        _ => "street_address",
    }
}
