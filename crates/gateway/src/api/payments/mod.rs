//! Payments: what became of a checkout, and everything that can still be done with it.

pub mod authorization;
pub mod cancel;
pub mod capture;
pub mod captures;
pub mod command;
pub mod details;
pub mod events;
pub mod file;
pub mod list;
pub mod read;
pub mod refund;
pub mod release;
pub mod view;

use klarna_types::order_management::{ShippingInfo, ShippingMethod};
use serde::{Deserialize, Serialize};

use crate::domain::lines::Wanted;

/// So many units of a line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineShare {
    /// The line's reference.
    pub reference: String,
    /// How many units.
    pub quantity: i64,
}

impl From<LineShare> for Wanted {
    fn from(line: LineShare) -> Self {
        Self { reference: line.reference, quantity: line.quantity }
    }
}

/// One parcel, and the one that may come back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Parcel {
    /// The carrier; be specific: `DHL US`, not `DHL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_company: Option<String>,
    /// `PickUpStore`, `Home`, `BoxReg`, `BoxUnreg`, `PickUpPoint`, `Own`, `Postal`,
    /// `DHLPackstation`, `Digital`, `Undefined`, `PickUpWarehouse`, `ClickCollect` or
    /// `PalletDelivery`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_method: Option<String>,
    /// The carrier's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
    /// Where the shopper can follow it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_uri: Option<String>,
    /// The carrier of a return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_shipping_company: Option<String>,
    /// The carrier's number of a return.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_tracking_number: Option<String>,
    /// Where a return can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_tracking_uri: Option<String>,
}

impl From<Parcel> for ShippingInfo {
    fn from(parcel: Parcel) -> Self {
        Self {
            shipping_company: parcel.shipping_company,
            shipping_method: parcel.shipping_method.map(|name| ShippingMethod::from(name.as_str())),
            tracking_number: parcel.tracking_number,
            tracking_uri: parcel.tracking_uri,
            return_shipping_company: parcel.return_shipping_company,
            return_tracking_number: parcel.return_tracking_number,
            return_tracking_uri: parcel.return_tracking_uri,
        }
    }
}

impl From<&ShippingInfo> for Parcel {
    fn from(info: &ShippingInfo) -> Self {
        Self {
            shipping_company: info.shipping_company.clone(),
            shipping_method: info.shipping_method.as_ref().map(|method| method.as_str().to_owned()),
            tracking_number: info.tracking_number.clone(),
            tracking_uri: info.tracking_uri.clone(),
            return_shipping_company: info.return_shipping_company.clone(),
            return_tracking_number: info.return_tracking_number.clone(),
            return_tracking_uri: info.return_tracking_uri.clone(),
        }
    }
}
