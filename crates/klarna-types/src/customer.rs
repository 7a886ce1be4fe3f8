//! The shopper, as a person or an organisation.

use serde::Serialize;

use crate::ids::CustomerTokenId;
use crate::secret::AccessToken;

open_enum! {
    /// Whether a person or an organisation buys. Absent means a person.
    pub enum CustomerType: exact {
        /// A person.
        Person = "person",
        /// An organisation.
        Organization = "organization",
    }
}

open_enum! {
    /// The legal form of an organisation.
    pub enum OrganizationEntityType: exact {
        /// Limited company.
        LimitedCompany = "LIMITED_COMPANY",
        /// Public limited company.
        PublicLimitedCompany = "PUBLIC_LIMITED_COMPANY",
        /// Entrepreneurial company.
        EntrepreneurialCompany = "ENTREPRENEURIAL_COMPANY",
        /// Limited partnership with a limited company as partner.
        LimitedPartnershipLimitedCompany = "LIMITED_PARTNERSHIP_LIMITED_COMPANY",
        /// Limited partnership.
        LimitedPartnership = "LIMITED_PARTNERSHIP",
        /// General partnership.
        GeneralPartnership = "GENERAL_PARTNERSHIP",
        /// Registered sole trader.
        RegisteredSoleTrader = "REGISTERED_SOLE_TRADER",
        /// Sole trader.
        SoleTrader = "SOLE_TRADER",
        /// Civil law partnership.
        CivilLawPartnership = "CIVIL_LAW_PARTNERSHIP",
        /// Public institution.
        PublicInstitution = "PUBLIC_INSTITUTION",
        /// Any other.
        Other = "OTHER",
    }
}

wire_struct! {
    /// The shopper as merchants send it, and in its reduced forms as Klarna shows it. `Debug` shows what kind of
    /// customer it is and which other members are set, never their contents.
    #[derive(Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Customer {
        optional {
            /// Date of birth, `YYYY-MM-DD`.
            date_of_birth: String,
            /// `male` or `female`.
            gender: String,
            /// The last four digits of a social security number, or all nine. Never shown by Klarna.
            last_four_ssn: String,
            /// National identification number. Never shown by the Payments API.
            national_identification_number: String,
            /// Title, in the country's own form.
            title: String,
            /// Person (when absent) or organisation.
            #[serde(rename = "type")]
            kind: CustomerType,
            /// Legal form of the organisation.
            organization_entity_type: OrganizationEntityType,
            /// Registration number of the organisation.
            organization_registration_id: String,
            /// VAT number of the organisation.
            vat_id: String,
            /// The token whose payment method is to be recovered.
            customer_token: CustomerTokenId,
            /// The access token of a shopper who signed in with Klarna.
            klarna_access_token: AccessToken,
        }
    }
}

redacted_debug!(Customer {
    shown: [kind, organization_entity_type],
    hidden: [
        date_of_birth,
        gender,
        last_four_ssn,
        national_identification_number,
        title,
        organization_registration_id,
        vat_id,
        customer_token,
        klarna_access_token
    ]
});

impl Customer {
    /// The form that is shown on reading: without the numbers that identify a person.
    pub fn without_identification(mut self) -> Self {
        self.last_four_ssn = None;
        self.national_identification_number = None;
        self.customer_token = None;
        self.klarna_access_token = None;
        self
    }
}
