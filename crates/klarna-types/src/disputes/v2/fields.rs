//! What Klarna can ask in a request of version 2, and which answers there are.

use serde::Serialize;

use crate::ids::CaptureId;

open_enum! {
    /// A field that a request asks for.
    #[non_exhaustive]
    pub enum RequestedField: exact {
        /// Whether a return has arrived.
        ReturnInfo = "return_info",
        /// Whether another payment has arrived.
        ReceivedPayment = "received_payment",
        /// What was sold.
        OrderType = "order_type",
        /// Whether the order is shipped.
        IsOrderShipped = "is_order_shipped",
        /// Whether the order was already shipped.
        OrderAlreadyShipped = "order_already_shipped",
        /// Whether the goods came back.
        GoodsReturned = "goods_returned",
        /// Whether the order can be refunded.
        OrderIsRefundable = "order_is_refundable",
        /// Whether the order was already used.
        OrderAlreadyUsed = "order_already_used",
        /// Whether the order can be cancelled.
        OrderIsCancellable = "order_is_cancellable",
        /// Whether it is a journey.
        IsTravelOrder = "is_travel_order",
        /// Whether the merchant has spoken with the shopper.
        CustomerHasBeenContacted = "customer_has_been_contacted",
        /// Whether there is a proof of delivery.
        DeliveredWithProof = "delivered_with_proof",
        /// Whether the service was already used.
        ServiceAlreadyUsed = "service_already_used",
        /// How a service was rendered.
        ServiceDeliveredBy = "service_delivered_by",
        /// Whereto it was shipped.
        ShipmentCountry = "shipment_country",
        /// By whom it was shipped.
        ShippingCarrier = "shipping_carrier",
        /// Whether the carrier was asked to stop.
        IsShippingCompanyContacted = "is_shipping_company_contacted",
        /// The carrier's number.
        TrackingId = "tracking_id",
        /// When it was shipped.
        ShippingDate = "shipping_date",
        /// Where the delivery was announced.
        LastDigitsOfPhone = "last_digits_of_phone_for_delivery_notification",
        /// Where it was delivered.
        DeliveryAddress = "delivery_address",
        /// Which capture it is about.
        CaptureId = "capture_id",
        /// Files that prove the delivery.
        ProofOfDelivery = "proof_of_delivery",
        /// One shipment.
        Shipment = "shipment",
        /// Several shipments.
        ListOfShipments = "list_of_shipments",
    }
}

open_enum! {
    /// Whether a return has arrived.
    #[non_exhaustive]
    pub enum ReturnInfo: exact {
        /// Yes, and the order will be adjusted.
        YesWillMakeChanges = "yes_will_make_changes_to_order",
        /// Yes, but it is not accepted.
        YesButNotAccepted = "yes_but_not_accepted",
        /// No.
        ReturnNotReceived = "return_not_received",
    }
}

open_enum! {
    /// Whether another payment has arrived.
    #[non_exhaustive]
    pub enum PaymentReceived: exact {
        /// Yes, and the order will be adjusted.
        YesWillMakeChanges = "yes_will_make_changes_to_order",
        /// Yes, and it was paid back.
        YesRefundedConsumer = "yes_refunded_consumer",
        /// No.
        NotReceived = "not_received_payment",
    }
}

open_enum! {
    /// What was sold.
    #[non_exhaustive]
    pub enum OrderKind: exact {
        /// Services.
        Services = "services",
        /// Physical goods.
        PhysicalGoods = "physical_goods",
        /// Tickets or journeys.
        TicketsTravel = "tickets_travel",
    }
}

open_enum! {
    /// Whether the order is shipped.
    #[non_exhaustive]
    pub enum Shipped: exact {
        /// All of it.
        InFull = "yes_in_full",
        /// Some of it.
        Partially = "yes_partially",
        /// No, and it will be cancelled.
        WillCancel = "no_will_cancel_the_order",
    }
}

open_enum! {
    /// All, some, or nothing.
    #[non_exhaustive]
    pub enum Scope: exact {
        /// All.
        InFull = "yes_in_full",
        /// Some.
        Partially = "yes_partially",
        /// Nothing.
        No = "no",
    }
}

open_enum! {
    /// Whether it can be, and will be, cancelled.
    #[non_exhaustive]
    pub enum Cancellable: exact {
        /// It will be.
        YesWillCancel = "yes_will_cancel",
        /// It cannot be.
        No = "no",
    }
}

open_enum! {
    /// Yes or no.
    #[non_exhaustive]
    pub enum YesNo: exact {
        /// Yes.
        Yes = "yes",
        /// No.
        No = "no",
    }
}

open_enum! {
    /// How a service was rendered.
    #[non_exhaustive]
    pub enum DeliveredBy: exact {
        /// By e-mail.
        Email = "email",
        /// Online.
        Online = "online",
        /// By telephone.
        Phone = "phone",
        /// In person.
        Physically = "physically",
        /// Otherwise.
        Other = "other",
    }
}

open_enum! {
    /// Whether the carrier was asked to stop.
    #[non_exhaustive]
    pub enum Contacted: exact {
        /// Yes; it tries to recall the order.
        RecallAttempted = "yes_and_the_shipping_company_is_currently_attempting_to_recall_the_order",
        /// Yes; the order came back.
        DeliveredBack = "yes_and_the_order_was_delivered_back_to_us",
        /// Yes, but too late.
        AlreadyDelivered = "yes_but_order_has_already_been_delivered",
        /// Not yet.
        SoonAsPossible = "no_but_we_will_do_as_soon_as_possible",
        /// No, but Klarna may.
        KlarnaMayReachOut = "no_but_we_allow_klarna_to_reach_out_to_the_shipping_company_in_order_to_try_to_stop_the_order",
        /// It cannot be recalled.
        CannotBeRecalled = "order_was_shipped_without_a_tracking_id_and_cannot_be_recalled",
    }
}

/// An open enum of short codes that need no words of their own.
macro_rules! codes {
    ($(#[$meta:meta])* $name:ident: $($variant:ident = $text:literal),* $(,)?) => {
        open_enum! {
            $(#[$meta])*
            #[non_exhaustive]
            pub enum $name: exact {
                $( #[doc = concat!("`", $text, "`")] $variant = $text, )*
            }
        }
    };
}

codes! {
    /// Whereto the order was shipped.
    ShipmentCountry: At = "at", De = "de", Es = "es", It = "it", Fr = "fr", Be = "be", Nl = "nl", Ie = "ie",
    Fi = "fi", Gr = "gr", Pt = "pt", Se = "se", No = "no", Dk = "dk", Gb = "gb", Us = "us", Ca = "ca", Au = "au",
    Nz = "nz", Pl = "pl", Cz = "cz", Ro = "ro", Ch = "ch", Mx = "mx", Other = "other",
}

codes! {
    /// By whom the order was shipped.
    Carrier: Postnord = "postnord", Bring = "bring", Dhl = "dhl", Ups = "ups", DbSchenker = "db_schenker",
    Posten = "posten", Gls = "gls", Swipbox = "swipbox", Posti = "posti",
    PostiPakettiautomaatit = "posti_pakettiautomaatit", Smartpost = "smartpost", Matkahuolto = "matkahuolto",
    DeutschePost = "deutsche_post", Hermes = "hermes", Dpd = "dpd", OsterreichischePost = "osterreichische_post",
    PostNl = "post_nl", Kiala = "kiala", Fedex = "fedex", Usps = "usps", LaserShip = "laser_ship",
    Canpar = "canpar", ShippingChimp = "shipping_chimp", Canpost = "canpost", Purolator = "purolator",
    Other = "other", OrderNotSent = "order_not_sent",
}

wire_struct! {
    /// One shipment.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct Shipment {
        optional {
            /// Of this capture.
            capture_id: CaptureId,
            /// By whom.
            shipping_carrier: Carrier,
            /// When: a point in time, at most 100 characters.
            shipping_date: String,
            /// The carrier's number, at most 1000 characters.
            tracking_id: String,
            /// Whether the carrier was asked to stop.
            is_shipping_company_contacted: Contacted,
        }
    }
}

wire_struct! {
    /// The merchant's answers to the fields that were asked for.
    #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
    pub struct RequestedFields {
        optional {
            /// Whether a return has arrived.
            return_info: ReturnInfo,
            /// Whether another payment has arrived.
            received_payment: PaymentReceived,
            /// What was sold.
            order_type: OrderKind,
            /// Whether the order is shipped.
            is_order_shipped: Shipped,
            /// Whether the order was already shipped.
            order_already_shipped: Scope,
            /// Whether the goods came back.
            goods_returned: Scope,
            /// Whether the order can be refunded.
            order_is_refundable: Scope,
            /// Whether the order was already used.
            order_already_used: Scope,
            /// Whether the order can be cancelled.
            order_is_cancellable: Cancellable,
            /// Whether it is a journey.
            is_travel_order: Cancellable,
            /// Whether the merchant has spoken with the shopper.
            customer_has_been_contacted: YesNo,
            /// Whether there is a proof of delivery.
            delivered_with_proof: YesNo,
            /// Whether the service was already used.
            service_already_used: YesNo,
            /// How a service was rendered.
            service_delivered_by: DeliveredBy,
            /// Whereto it was shipped.
            shipment_country: ShipmentCountry,
            /// By whom it was shipped.
            shipping_carrier: Carrier,
            /// Whether the carrier was asked to stop.
            is_shipping_company_contacted: Contacted,
            /// The carrier's number, at most 1000 characters.
            tracking_id: String,
            /// When it was shipped: a point in time, at most 100 characters.
            shipping_date: String,
            /// Where the delivery was announced, at least 3 characters.
            last_digits_of_phone_for_delivery_notification: String,
            /// Where it was delivered.
            delivery_address: String,
            /// Which capture it is about.
            capture_id: CaptureId,
            /// Attachments that prove the delivery, by id.
            proof_of_delivery: Vec<i64>,
            /// One shipment.
            shipment: Shipment,
            /// Several shipments.
            list_of_shipments: Vec<Shipment>,
        }
    }
}

impl RequestedFields {
    /// Which fields are answered.
    pub fn answered(&self) -> Vec<RequestedField> {
        use RequestedField as F;
        let fields = [
            (self.return_info.is_some(), F::ReturnInfo),
            (self.received_payment.is_some(), F::ReceivedPayment),
            (self.order_type.is_some(), F::OrderType),
            (self.is_order_shipped.is_some(), F::IsOrderShipped),
            (self.order_already_shipped.is_some(), F::OrderAlreadyShipped),
            (self.goods_returned.is_some(), F::GoodsReturned),
            (self.order_is_refundable.is_some(), F::OrderIsRefundable),
            (self.order_already_used.is_some(), F::OrderAlreadyUsed),
            (self.order_is_cancellable.is_some(), F::OrderIsCancellable),
            (self.is_travel_order.is_some(), F::IsTravelOrder),
            (self.customer_has_been_contacted.is_some(), F::CustomerHasBeenContacted),
            (self.delivered_with_proof.is_some(), F::DeliveredWithProof),
            (self.service_already_used.is_some(), F::ServiceAlreadyUsed),
            (self.service_delivered_by.is_some(), F::ServiceDeliveredBy),
            (self.shipment_country.is_some(), F::ShipmentCountry),
            (self.shipping_carrier.is_some(), F::ShippingCarrier),
            (self.is_shipping_company_contacted.is_some(), F::IsShippingCompanyContacted),
            (self.tracking_id.is_some(), F::TrackingId),
            (self.shipping_date.is_some(), F::ShippingDate),
            (self.last_digits_of_phone_for_delivery_notification.is_some(), F::LastDigitsOfPhone),
            (self.delivery_address.is_some(), F::DeliveryAddress),
            (self.capture_id.is_some(), F::CaptureId),
            (self.proof_of_delivery.is_some(), F::ProofOfDelivery),
            (self.shipment.is_some(), F::Shipment),
            (self.list_of_shipments.is_some(), F::ListOfShipments),
        ];
        fields.into_iter().filter_map(|(answered, field)| answered.then_some(field)).collect()
    }

    /// Which members hold a value that Klarna does not know, or break their limits: each with what is wrong.
    pub fn problems(&self) -> Vec<(String, &'static str)> {
        let mut problems = Vec::new();
        macro_rules! known {
            ($($field:ident),* $(,)?) => { $(
                if self.$field.as_ref().is_some_and(|value| !value.is_known()) {
                    problems.push((stringify!($field).to_owned(), "is not one of the known values"));
                }
            )* };
        }
        known!(
            return_info,
            received_payment,
            order_type,
            is_order_shipped,
            order_already_shipped,
            goods_returned,
            order_is_refundable,
            order_already_used,
            order_is_cancellable,
            is_travel_order,
            customer_has_been_contacted,
            delivered_with_proof,
            service_already_used,
            service_delivered_by,
            shipment_country,
            shipping_carrier,
            is_shipping_company_contacted,
        );
        check_tracking("tracking_id", self.tracking_id.as_deref(), &mut problems);
        check_date("shipping_date", self.shipping_date.as_deref(), &mut problems);
        if self
            .last_digits_of_phone_for_delivery_notification
            .as_ref()
            .is_some_and(|digits| digits.chars().count() < 3)
        {
            problems.push((
                "last_digits_of_phone_for_delivery_notification".to_owned(),
                "has fewer than 3 characters",
            ));
        }
        if let Some(shipment) = &self.shipment {
            shipment.check("shipment", &mut problems);
        }
        for (index, shipment) in self.list_of_shipments.iter().flatten().enumerate() {
            shipment.check(&format!("list_of_shipments[{index}]"), &mut problems);
        }
        problems
    }
}

impl Shipment {
    fn check(&self, path: &str, problems: &mut Vec<(String, &'static str)>) {
        if self.shipping_carrier.as_ref().is_some_and(|carrier| !carrier.is_known()) {
            problems.push((format!("{path}.shipping_carrier"), "is not one of the known values"));
        }
        if self.is_shipping_company_contacted.as_ref().is_some_and(|value| !value.is_known()) {
            let path = format!("{path}.is_shipping_company_contacted");
            problems.push((path, "is not one of the known values"));
        }
        check_tracking(&format!("{path}.tracking_id"), self.tracking_id.as_deref(), problems);
        check_date(&format!("{path}.shipping_date"), self.shipping_date.as_deref(), problems);
    }
}

fn check_tracking(path: &str, value: Option<&str>, problems: &mut Vec<(String, &'static str)>) {
    if value.is_some_and(|value| value.chars().count() > 1_000) {
        problems.push((path.to_owned(), "has more than 1000 characters"));
    }
}

fn check_date(path: &str, value: Option<&str>, problems: &mut Vec<(String, &'static str)>) {
    let Some(value) = value else { return };
    if value.chars().count() > 100 {
        problems.push((path.to_owned(), "has more than 100 characters"));
    } else if value.parse::<jiff::Timestamp>().is_err()
        && value.parse::<jiff::civil::Date>().is_err()
    {
        problems.push((path.to_owned(), "is not a point in time"));
    }
}
