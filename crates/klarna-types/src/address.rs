//! Addresses. One type for all APIs; their limits differ and are in [`crate::validate`].

use serde::Serialize;

use crate::market::Country;

wire_struct! {
    /// A billing or shipping address. No member is formally required. `Debug` shows the country and which other
    /// members are set, never their contents.
    ///
    /// ```
    /// use klarna_types::{Address, Country};
    /// let address = Address::new().given_name("Anna").country(Country::SE);
    /// assert_eq!(format!("{address:?}"), r#"Address { country: SE, given_name: *** }"#);
    /// ```
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Address {
        optional {
            /// Given name.
            given_name: String,
            /// Family name.
            family_name: String,
            /// The organisation, for purchases of businesses.
            organization_name: String,
            /// The person or department in the organisation.
            attention: String,
            /// Title, in the country's own form.
            title: String,
            /// E-mail address.
            email: String,
            /// Phone number.
            phone: String,
            /// Street and house number.
            street_address: String,
            /// What else the street needs.
            street_address2: String,
            /// Care of; named in Klarna's documentation only.
            care_of: String,
            /// Postal code.
            postal_code: String,
            /// City.
            city: String,
            /// State or province.
            region: String,
            /// ISO 3166-1 alpha-2 code.
            country: Country,
        }
    }
}

redacted_debug!(Address {
    shown: [country],
    hidden: [
        given_name,
        family_name,
        organization_name,
        attention,
        title,
        email,
        phone,
        street_address,
        street_address2,
        care_of,
        postal_code,
        city,
        region
    ]
});

impl Address {
    /// Whether no member is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
