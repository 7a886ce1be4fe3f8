//! Every operation of Klarna's merchant APIs, once: what `kassa api` offers is made of this table, and so
//! nothing is offered that is not in it.
//!
//! Facts only. How a row becomes a command is `command`'s business, how it is called `call`'s.

/// One operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its name where faults are armed: `orders.capture`.
    pub(crate) name: &'static str,
    /// The group of commands that it belongs to.
    pub(crate) area: &'static str,
    /// Its own command.
    pub(crate) command: &'static str,
    /// HTTP method.
    pub(crate) method: &'static str,
    /// Its path, parameters in braces.
    pub(crate) path: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// What is sent.
    pub(crate) body: Body,
    /// What stands behind the path.
    pub(crate) query: &'static [Parameter],
    /// What comes back.
    pub(crate) answer: Answer,
    /// Whether it takes an idempotency key.
    pub(crate) key: Key,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    /// Nothing.
    None,
    /// JSON, of which this is an example.
    Required(&'static str),
    /// A fixed JSON document.
    Fixed(&'static str),
    /// A file, as a form.
    File,
}

/// What comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// JSON, or nothing.
    Json,
    /// A file.
    File,
}

/// Whether an operation takes an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// It does.
    Taken,
    /// Not that we know.
    Ignored,
}

/// Something behind the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// Klarna's name for it.
    pub(crate) name: &'static str,
    /// What it is called on the command line.
    pub(crate) flag: &'static str,
    /// How it is given.
    pub(crate) given: Given,
    /// What it is.
    pub(crate) help: &'static str,
}

/// How a parameter is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Given {
    /// As an argument without a flag.
    Argument,
    /// It has to be.
    Always,
    /// It may be.
    Once,
    /// It may be, several times.
    Often,
}

/// A group of commands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Area {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What it is about.
    pub(crate) about: &'static str,
}

/// The groups, in the order in which they are shown.
pub(crate) const AREAS: &[Area] = &[
    Area { name: "payments", about: "Sessions, authorizations, and orders made from them" },
    Area { name: "orders", about: "Placed orders: captures, refunds and the rest" },
    Area { name: "customer-tokens", about: "Subscriptions and purchases on demand" },
    Area { name: "hosted-payment-page", about: "Pages on which the shopper pays at Klarna's" },
    Area { name: "in-store", about: "Purchases in a store, paid on the shopper's phone" },
    Area {
        name: "payment-requests",
        about: "What a shopper is asked to pay in Klarna's own window",
    },
    Area { name: "settlements", about: "Payouts, the transactions in them, and their reports" },
    Area { name: "disputes", about: "Disputes, version 4" },
    Area { name: "disputes-v2", about: "Disputes, version 2: closed for new integrations" },
    Area { name: "disputes-v3", about: "Disputes, version 3: to read only" },
];

const fn get(
    name: &'static str,
    area: &'static str,
    command: &'static str,
    path: &'static str,
    about: &'static str,
) -> Operation {
    call(name, area, command, "GET", path, about)
}

const fn call(
    name: &'static str,
    area: &'static str,
    command: &'static str,
    method: &'static str,
    path: &'static str,
    about: &'static str,
) -> Operation {
    Operation {
        name,
        area,
        command,
        method,
        path,
        about,
        body: Body::None,
        query: &[],
        answer: Answer::Json,
        key: Key::Ignored,
    }
}

impl Operation {
    const fn sends(self, body: Body) -> Self {
        Self { body, ..self }
    }

    const fn asks(self, query: &'static [Parameter]) -> Self {
        Self { query, ..self }
    }

    const fn gives_a_file(self) -> Self {
        Self { answer: Answer::File, ..self }
    }

    const fn keyed(self) -> Self {
        Self { key: Key::Taken, ..self }
    }

    /// The names in braces, in their order.
    pub(crate) fn path_parameters(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }

    /// The one with this area and command.
    pub(crate) fn find(area: &str, command: &str) -> Option<&'static Self> {
        OPERATIONS.iter().find(|operation| operation.area == area && operation.command == command)
    }
}

const fn once(name: &'static str, flag: &'static str, help: &'static str) -> Parameter {
    Parameter { name, flag, given: Given::Once, help }
}

const fn often(name: &'static str, flag: &'static str, help: &'static str) -> Parameter {
    Parameter { name, flag, given: Given::Often, help }
}

const fn always(name: &'static str, flag: &'static str, help: &'static str) -> Parameter {
    Parameter { name, flag, given: Given::Always, help }
}

const START: &str = "The first instant: 2026-04-01, or 2026-04-01T00:00:00Z";
const END: &str = "The last instant: 2026-04-30T23:59:59Z; a bare date is its midnight";
const SIZE: Parameter = once("size", "size", "How many to a page");
const OFFSET: Parameter = once("offset", "offset", "How many to pass over");
const REFERENCE: &[Parameter] = &[Parameter {
    name: "payment_reference",
    flag: "payment_reference",
    given: Given::Argument,
    help: "The payout",
}];
const PERIOD: &[Parameter] =
    &[always("start_date", "start", START), always("end_date", "end", END)];

const SESSION: &str = r#"{"purchase_country":"SE","purchase_currency":"SEK","locale":"sv-SE","order_amount":10000,"order_tax_amount":2000,"order_lines":[{"name":"Mugg","quantity":1,"unit_price":10000,"tax_rate":2500,"total_amount":10000,"total_tax_amount":2000}]}"#;
const TOKEN_ORDER: &str = r#"{"purchase_currency":"SEK","order_amount":10000,"order_tax_amount":2000,"order_lines":[{"name":"Mugg","quantity":1,"unit_price":10000,"tax_rate":2500,"total_amount":10000,"total_tax_amount":2000}]}"#;
const TOKEN: &str = r#"{"purchase_country":"SE","purchase_currency":"SEK","locale":"sv-SE","description":"Kaffe varje månad","intended_use":"SUBSCRIPTION"}"#;
const PAYMENT_REQUEST: &str = r#"{"currency":"SEK","amount":10000,"locale":"sv-SE","payment_request_reference":"WEB-1001","customer_interaction_config":{"method":"HANDOVER","return_url":"https://shop.example/thanks"},"supplementary_purchase_data":{"line_items":[{"name":"Mugg","quantity":1,"unit_price":10000,"total_amount":10000,"total_tax_amount":2000}]}}"#;
const SHIPPING: &str =
    r#"{"shipping_info":[{"shipping_company":"PostNord","tracking_number":"123"}]}"#;

/// The operations, by area.
pub(crate) const OPERATIONS: &[Operation] = &[
    // --- Payments
    call(
        "payments.create_session",
        "payments",
        "create-session",
        "POST",
        "/payments/v1/sessions",
        "Open a session: the beginning of every purchase",
    )
    .sends(Body::Required(SESSION)),
    get(
        "payments.read_session",
        "payments",
        "get-session",
        "/payments/v1/sessions/{session_id}",
        "Read a session",
    ),
    call(
        "payments.update_session",
        "payments",
        "update-session",
        "POST",
        "/payments/v1/sessions/{session_id}",
        "Change a session, for instance its cart",
    )
    .sends(Body::Required(r#"{"merchant_reference1":"A-1001"}"#)),
    call(
        "payments.cancel_session",
        "payments",
        "cancel-session",
        "DELETE",
        "/payments/v1/sessions/{session_id}",
        "Call a purchase in a store off",
    ),
    call(
        "payments.create_order",
        "payments",
        "create-order",
        "POST",
        "/payments/v1/authorizations/{authorization_token}/order",
        "Place an order with an authorization",
    )
    .sends(Body::Required(SESSION)),
    call(
        "payments.create_customer_token",
        "payments",
        "create-customer-token",
        "POST",
        "/payments/v1/authorizations/{authorization_token}/customer-token",
        "Make a customer token from an authorization",
    )
    .sends(Body::Required(TOKEN)),
    call(
        "payments.cancel_authorization",
        "payments",
        "cancel-authorization",
        "DELETE",
        "/payments/v1/authorizations/{authorization_token}",
        "Give an authorization back",
    ),
    // --- Order Management
    get(
        "orders.read",
        "orders",
        "get",
        "/ordermanagement/v1/orders/{order_id}",
        "Read an order",
    ),
    call(
        "orders.acknowledge",
        "orders",
        "acknowledge",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/acknowledge",
        "Say that the order has arrived",
    )
    .keyed(),
    call(
        "orders.update_authorization",
        "orders",
        "update-authorization",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/authorization",
        "Set a new amount and new lines",
    )
    .sends(Body::Required(r#"{"order_amount":9000}"#))
    .keyed(),
    call(
        "orders.cancel",
        "orders",
        "cancel",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/cancel",
        "Cancel an order of which nothing is captured",
    )
    .keyed(),
    call(
        "orders.update_customer_details",
        "orders",
        "update-customer-details",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/customer-details",
        "Correct the shipping address",
    )
    .sends(Body::Required(r#"{"shipping_address":{"street_address":"Sveavägen 46"}}"#))
    .keyed(),
    call(
        "orders.extend_authorization_time",
        "orders",
        "extend-authorization-time",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/extend-authorization-time",
        "Start the authorization's period anew",
    )
    .keyed(),
    call(
        "orders.update_merchant_references",
        "orders",
        "update-merchant-references",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/merchant-references",
        "Set the shop's own numbers",
    )
    .sends(Body::Required(r#"{"merchant_reference1":"A-1001"}"#))
    .keyed(),
    call(
        "orders.release_remaining_authorization",
        "orders",
        "release-remaining-authorization",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/release-remaining-authorization",
        "Give back what will not be captured",
    )
    .keyed(),
    call(
        "orders.append_shipping_info",
        "orders",
        "add-shipping-info",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/shipping-info",
        "Add parcels to an order",
    )
    .sends(Body::Required(SHIPPING))
    .keyed(),
    call(
        "orders.capture",
        "orders",
        "capture",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/captures",
        "Capture, all or a part: the goods are on their way",
    )
    .sends(Body::Required(r#"{"captured_amount":10000,"reference":"SHIPMENT-1"}"#))
    .keyed(),
    get(
        "orders.list_captures",
        "orders",
        "captures",
        "/ordermanagement/v1/orders/{order_id}/captures",
        "List the captures of an order",
    ),
    get(
        "orders.read_capture",
        "orders",
        "get-capture",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}",
        "Read a capture",
    ),
    call(
        "orders.append_capture_shipping_info",
        "orders",
        "add-capture-shipping-info",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/shipping-info",
        "Add parcels to a capture",
    )
    .sends(Body::Required(SHIPPING))
    .keyed(),
    call(
        "orders.trigger_send_out",
        "orders",
        "trigger-send-out",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/trigger-send-out",
        "Have the shopper's message of a capture sent again",
    )
    .keyed(),
    get(
        "orders.read_due_date_options",
        "orders",
        "extend-due-date-options",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/extend-due-date-options",
        "See by how much a due date can be extended, and for what fee",
    ),
    call(
        "orders.extend_due_date",
        "orders",
        "extend-due-date",
        "PATCH",
        "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/extend-due-date",
        "Give the shopper more time to pay",
    )
    .sends(Body::Required(r#"{"number_of_days":14}"#))
    .keyed(),
    call(
        "orders.refund",
        "orders",
        "refund",
        "POST",
        "/ordermanagement/v1/orders/{order_id}/refunds",
        "Give captured money back",
    )
    .sends(Body::Required(r#"{"refunded_amount":5000,"reference":"RETURN-1"}"#))
    .keyed(),
    get(
        "orders.read_refund",
        "orders",
        "get-refund",
        "/ordermanagement/v1/orders/{order_id}/refunds/{refund_id}",
        "Read a refund",
    ),
    // --- Customer tokens
    get(
        "customer_tokens.read",
        "customer-tokens",
        "get",
        "/customer-token/v1/tokens/{customer_token}",
        "Read a token: its status, and how it is charged",
    ),
    call(
        "customer_tokens.create_order",
        "customer-tokens",
        "charge",
        "POST",
        "/customer-token/v1/tokens/{customer_token}/order",
        "Place an order with a token",
    )
    .sends(Body::Required(TOKEN_ORDER))
    .keyed(),
    call(
        "customer_tokens.set_status",
        "customer-tokens",
        "cancel",
        "PATCH",
        "/customer-token/v1/tokens/{customer_token}/status",
        "Cancel a token, for good",
    )
    .sends(Body::Fixed(r#"{"status":"CANCELLED"}"#)),
    // --- Hosted payment page
    call(
        "hosted_payment_page.create_session",
        "hosted-payment-page",
        "create",
        "POST",
        "/hpp/v1/sessions",
        "Make a page for a session of `payments create-session`",
    )
    .sends(Body::Required(
        r#"{"payment_session_url":"http://localhost:7072/payments/v1/sessions/SESSION_ID"}"#,
    )),
    get(
        "hosted_payment_page.read_session",
        "hosted-payment-page",
        "get",
        "/hpp/v1/sessions/{session_id}",
        "Read where a page stands",
    ),
    call(
        "hosted_payment_page.disable_session",
        "hosted-payment-page",
        "disable",
        "DELETE",
        "/hpp/v1/sessions/{session_id}",
        "Close a page",
    ),
    call(
        "hosted_payment_page.distribute",
        "hosted-payment-page",
        "distribute",
        "POST",
        "/hpp/v1/sessions/{session_id}/distribution",
        "Send the page's link by e-mail or SMS",
    )
    .sends(Body::Required(
        r#"{"method":"email","template":"INSTORE_PURCHASE","contact_information":{"email":"customer@email.se"}}"#,
    )),
    // --- In-store
    get(
        "in_store.read_distribution",
        "in-store",
        "status",
        "/iss/v1/distributions/{session_id}",
        "Read what has become of a purchase at the till",
    ),
    // --- Payment requests
    call(
        "payment_requests.create",
        "payment-requests",
        "create",
        "POST",
        "/v2/payment/requests",
        "Make a payment request, for a page or a link",
    )
    .sends(Body::Required(PAYMENT_REQUEST)),
    get(
        "payment_requests.read",
        "payment-requests",
        "get",
        "/v2/payment/requests/{payment_request_id}",
        "Read a payment request: its state, and the token once it is authorized",
    ),
    call(
        "payment_requests.cancel",
        "payment-requests",
        "cancel",
        "DELETE",
        "/v2/payment/requests/{payment_request_id}",
        "Call a payment request off",
    ),
    // --- Settlements
    get(
        "settlements.list_payouts",
        "settlements",
        "payouts",
        "/settlements/v1/payouts",
        "List payouts",
    )
    .asks(&[
        once("start_date", "start", START),
        once("end_date", "end", END),
        once("currency_code", "currency", "Only in this currency"),
        SIZE,
        OFFSET,
    ]),
    get(
        "settlements.read_payout",
        "settlements",
        "payout",
        "/settlements/v1/payouts/{payment_reference}",
        "Read a payout",
    ),
    get(
        "settlements.summarise_payouts",
        "settlements",
        "summary",
        "/settlements/v1/payouts/summary",
        "Add payouts up, each currency for itself",
    )
    .asks(&[
        always("start_date", "start", START),
        always("end_date", "end", END),
        once("currency_code", "currency", "Only in this currency"),
    ]),
    get(
        "settlements.list_transactions",
        "settlements",
        "transactions",
        "/settlements/v1/transactions",
        "List transactions, of a payout or of an order",
    )
    .asks(&[
        once("payment_reference", "payment-reference", "Only those of this payout"),
        once("order_id", "order-id", "Only those of this order"),
        SIZE,
        OFFSET,
    ]),
    get(
        "settlements.payout_report_with_transactions",
        "settlements",
        "csv",
        "/settlements/v1/reports/payout-with-transactions",
        "Download the report of a payout, with every transaction, as CSV",
    )
    .asks(REFERENCE)
    .gives_a_file(),
    get(
        "settlements.payout_report",
        "settlements",
        "pdf",
        "/settlements/v1/reports/payout",
        "Download the report of a payout as PDF",
    )
    .asks(REFERENCE)
    .gives_a_file(),
    get(
        "settlements.summary_report_with_transactions",
        "settlements",
        "summary-csv",
        "/settlements/v1/reports/payouts-summary-with-transactions",
        "Download the report of all payouts in a span as CSV",
    )
    .asks(PERIOD)
    .gives_a_file(),
    get(
        "settlements.summary_report",
        "settlements",
        "summary-pdf",
        "/settlements/v1/reports/payouts-summary",
        "Download the report of all payouts in a span as PDF",
    )
    .asks(PERIOD)
    .gives_a_file(),
    // --- Disputes, version 4
    call(
        "disputes.enroll_merchant",
        "disputes",
        "enroll",
        "POST",
        "/v4/payment/disputes/merchants/{merchant_id}/enroll",
        "Enrol a merchant; twice is once",
    ),
    call(
        "disputes.enroll_partner",
        "disputes",
        "enroll-partner",
        "POST",
        "/v4/payment/disputes/partners/{partner_id}/enroll",
        "Enrol a partner for all its merchants",
    )
    .sends(Body::Required(r#"{"client_id":"client1"}"#)),
    get("disputes.list", "disputes", "list", "/v4/payment/disputes", "List disputes").asks(&[
        often("order_ids", "order", "Only of this order"),
        often("payment_transaction_ids", "transaction", "Only of this payment transaction"),
        often("state", "state", "Only in this state: INITIATED, REPRESENTMENT …"),
        often("reason", "reason", "Only for this reason"),
        often("purchase_references", "purchase-reference", "Only with this reference"),
        often("sort_by", "sort-by", "created_at, closed_at; -created_at for the newest first"),
        once("created_at_start", "created-from", "Raised then or later"),
        once("created_at_end", "created-until", "Raised before that"),
        once("closed_at_start", "closed-from", "Closed then or later"),
        once("closed_at_end", "closed-until", "Closed before that"),
        once("updated_at_start", "updated-from", "Changed then or later"),
        once("updated_at_end", "updated-until", "Changed before that"),
        SIZE,
        once("starting_after", "after", "The `last_item` of the page before"),
    ]),
    get(
        "disputes.read",
        "disputes",
        "get",
        "/v4/payment/disputes/{payment_dispute_id}",
        "Read a dispute",
    ),
    call(
        "disputes.accept_loss",
        "disputes",
        "accept-loss",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/accept-loss",
        "Accept the loss, for good",
    ),
    call(
        "disputes.upload_attachment",
        "disputes",
        "attach",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/attachments",
        "Upload evidence: PDF, JPEG, PNG or DOCX, at most 7 MB",
    )
    .sends(Body::File),
    call(
        "disputes.represent",
        "disputes",
        "represent",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/represent",
        "Answer a new dispute with evidence",
    )
    .sends(Body::Required(
        r#"{"attachments":[{"payment_dispute_attachment_id":"ID","description":"Proof of delivery"}]}"#,
    )),
    call(
        "disputes.appeal",
        "disputes",
        "appeal",
        "POST",
        "/v4/payment/disputes/{payment_dispute_id}/appeal",
        "Appeal against a preliminary loss",
    )
    .sends(Body::Required(r#"{"additional_information":"Signed for by the shopper"}"#)),
    get(
        "disputes.download_attachment",
        "disputes",
        "download",
        "/v4/payment/disputes/{payment_dispute_id}/attachments/{attachment_id}/download",
        "Download a file of the merchant's or of the shopper's",
    )
    .gives_a_file(),
    // --- Disputes, version 2
    call(
        "disputes_v2.enroll",
        "disputes-v2",
        "enroll",
        "POST",
        "/disputes/v2/enroll",
        "Enrol the merchant; twice is once",
    ),
    get("disputes_v2.list", "disputes-v2", "list", "/disputes/v2/disputes", "List disputes").asks(
        &[
            often("merchant_id", "merchant", "Only of this merchant"),
            often("order_id", "order", "Only of this order"),
            often("merchant_references1", "reference1", "Only with this reference"),
            often("merchant_references2", "reference2", "Only with this second reference"),
            often("investigation_status", "status", "Only in this status: opened, unresolved …"),
            often("reason", "reason", "Only for this reason"),
            often("sort_by", "sort-by", "opened_at, deadline_expires_at; with a minus: falling"),
            once("limit", "limit", "So many at most: 1 to 250"),
            often("next_page", "after", "The `next_page` of the page before"),
        ],
    ),
    get(
        "disputes_v2.read",
        "disputes-v2",
        "get",
        "/disputes/v2/disputes/{dispute_krn}",
        "Read a dispute",
    ),
    call(
        "disputes_v2.accept_loss",
        "disputes-v2",
        "accept-loss",
        "POST",
        "/disputes/v2/disputes/{dispute_krn}/accept-loss",
        "Accept the loss, for good",
    ),
    call(
        "disputes_v2.upload_attachment",
        "disputes-v2",
        "attach",
        "POST",
        "/disputes/v2/disputes/{dispute_krn}/attachments",
        "Upload a file for a response",
    )
    .sends(Body::File),
    call(
        "disputes_v2.respond",
        "disputes-v2",
        "respond",
        "POST",
        "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses",
        "Answer a request",
    )
    .sends(Body::Required(r#"{"comment":"Delivered on 3 March","attachments":[]}"#)),
    get(
        "disputes_v2.download_request_attachment",
        "disputes-v2",
        "download-of-request",
        "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/attachments/{attachment_id}",
        "Download a file that came with a request",
    )
    .gives_a_file(),
    get(
        "disputes_v2.download_response_attachment",
        "disputes-v2",
        "download-of-response",
        "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses/{response_id}\
         /attachments/{attachment_id}",
        "Download a file that was sent with a response",
    )
    .gives_a_file(),
    // --- Disputes, version 3
    get("disputes_v3.list", "disputes-v3", "list", "/disputes/v3/disputes", "List disputes"),
    get(
        "disputes_v3.read",
        "disputes-v3",
        "get",
        "/disputes/v3/disputes/{payment_dispute_id}",
        "Read a dispute",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// A path without what its parameters are called.
    fn shape(path: &str) -> String {
        let segments = path.split('/').map(|s| if s.starts_with('{') { "{}" } else { s });
        segments.collect::<Vec<_>>().join("/")
    }

    #[test]
    fn no_two_operations_share_a_name_a_command_or_a_route() {
        let unique = |of: fn(&Operation) -> String| {
            OPERATIONS.iter().map(of).collect::<HashSet<_>>().len() == OPERATIONS.len()
        };
        assert!(unique(|o| o.name.to_owned()));
        assert!(unique(|o| format!("{} {}", o.area, o.command)));
        assert!(unique(|o| format!("{} {}", o.method, shape(o.path))));
        for operation in OPERATIONS {
            assert!(AREAS.iter().any(|area| area.name == operation.area), "{operation:?}");
            assert_eq!(Operation::find(operation.area, operation.command), Some(operation));
        }
    }

    #[test]
    fn examples_are_json() {
        for operation in OPERATIONS {
            let (Body::Required(text) | Body::Fixed(text)) = operation.body else {
                continue;
            };
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            assert!(value.is_object(), "{}", operation.name);
        }
    }

    /// The operations of the SDK's own source: whatever it can call, the command line can.
    #[test]
    fn every_route_of_the_sdk_is_offered() {
        let sources = [
            include_str!("../../../../klarna/src/api/payments.rs"),
            include_str!("../../../../klarna/src/api/customer_tokens.rs"),
            include_str!("../../../../klarna/src/api/hosted_payment_page.rs"),
            include_str!("../../../../klarna/src/api/in_store.rs"),
            include_str!("../../../../klarna/src/api/settlements.rs"),
        ];
        let known: HashSet<String> = OPERATIONS.iter().map(|o| shape(o.path)).collect();
        let mut seen = 0;
        for literal in sources.iter().flat_map(|source| source.split('"').skip(1).step_by(2)) {
            let is_route = ["/payments/", "/customer-token/", "/hpp/", "/iss/", "/settlements/"]
                .iter()
                .any(|prefix| literal.starts_with(prefix))
                && !literal.contains(' ');
            if is_route {
                seen += 1;
                assert!(known.contains(&shape(literal)), "{literal} is not in the table");
            }
        }
        assert!(seen >= 18, "only {seen} routes were found in the SDK's source");
    }

    /// What the page on fidelity says there is.
    #[test]
    fn every_operation_that_is_documented_is_offered() {
        const ORDERS: &str = "/ordermanagement/v1/orders";
        const SETTLEMENTS: [&str; 3] = ["/payouts", "/transactions", "/reports/"];
        const APIS: [&str; 7] = [
            "/payments/v1/",
            "/customer-token/",
            "/hpp/v1/",
            "/iss/",
            "/v2/payment/requests",
            "/v4/payment/",
            "/disputes/v2/",
        ];
        let page = include_str!("../../../../../docs/fidelity.md");
        let known: HashSet<String> =
            OPERATIONS.iter().map(|o| format!("{} {}", o.method, shape(o.path))).collect();
        let mut seen = HashSet::new();
        for row in page.lines().filter(|line| line.starts_with('|')) {
            let row = row.trim_start_matches('|');
            let cell = row.split('|').next().unwrap_or_default();
            let mut method = "";
            for word in cell.split([' ', '`', ',']) {
                let path = match word {
                    "GET" | "POST" | "PATCH" | "DELETE" | "PUT" => {
                        method = word;
                        continue;
                    }
                    "…/extend-due-date" => {
                        format!("{ORDERS}/{{o}}/captures/{{c}}/extend-due-date")
                    }
                    word if word.starts_with("/{o}") => format!("{ORDERS}{word}"),
                    word if SETTLEMENTS.iter().any(|start| word.starts_with(start)) => {
                        format!("/settlements/v1{word}")
                    }
                    word if APIS.iter().any(|start| word.starts_with(start)) => word.to_owned(),
                    _ => continue,
                };
                if !method.is_empty() {
                    let operation = format!("{method} {}", shape(&path));
                    assert!(known.contains(&operation), "{operation} is not in the table");
                    seen.insert(operation);
                }
            }
        }
        assert!(
            seen.len() >= 30,
            "only {} operations were found on the page: {seen:?}",
            seen.len()
        );
    }
}
