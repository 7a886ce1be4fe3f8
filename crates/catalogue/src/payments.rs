//! Payments, Customer Token, Hosted Payment Page, In-store and payment requests.

use crate::Api::{CustomerToken, HostedPaymentPage, InStore, PaymentRequests, Payments};
use crate::Takes::{Json, Nothing};
use crate::{Answer, Api, Operation, Takes, answer, not_given};

/// Of every operation.
const ANY: &[Answer] = &[
    answer(401, "UNAUTHORIZED"),
    answer(403, "MERCHANT_INACTIVE"),
    answer(429, "TOO_MANY_REQUESTS"),
    answer(500, "INTERNAL_SERVER_ERROR"),
];

/// Of every operation with a body.
const BODY: &[Answer] = &[answer(400, "BAD_REQUEST"), answer(413, "REQUEST_TOO_LARGE")];

/// Of every operation of the Hosted Payment Page API, whose codes are not published.
const HOSTED: &[Answer] = &[
    answer(401, ""),
    answer(403, ""),
    answer(404, ""),
    answer(429, "TOO_MANY_REQUESTS"),
    answer(500, ""),
];

/// Of the two operations of In-store, which are documented in guides only.
const IN_STORE: &[Answer] =
    &[answer(401, ""), answer(404, ""), answer(429, "TOO_MANY_REQUESTS"), answer(500, "")];

/// Of the operations of payment requests, of which guides and callers were found; errors are those of the newer APIs.
const REQUESTS: &[Answer] =
    &[answer(401, ""), answer(403, ""), answer(429, "RATE_LIMITED"), answer(500, "")];

const fn operation(
    api: Api,
    name: &'static str,
    (method, path): (&'static str, &'static str),
    takes: Takes,
    documented: &'static [&'static [Answer]],
) -> Operation {
    Operation { name, api, method, path, takes, documented }
}

pub(crate) const LIST: &[Operation] = &[
    operation(
        Payments,
        "payments.create_session",
        ("POST", "/payments/v1/sessions"),
        Json,
        &[&[answer(200, ""), answer(400, "BAD_VALUE")], BODY, ANY],
    ),
    operation(
        Payments,
        "payments.read_session",
        ("GET", "/payments/v1/sessions/{session_id}"),
        Nothing,
        &[&[answer(200, ""), answer(404, "NOT_FOUND")], ANY],
    ),
    operation(
        Payments,
        "payments.update_session",
        ("POST", "/payments/v1/sessions/{session_id}"),
        Json,
        &[
            &[
                answer(204, ""),
                answer(400, "BAD_VALUE"),
                answer(404, "NOT_FOUND"),
                answer(404, "SESSION_COMPLETED"),
            ],
            BODY,
            ANY,
        ],
    ),
    operation(
        Payments,
        "payments.cancel_authorization",
        ("DELETE", "/payments/v1/authorizations/{token}"),
        Nothing,
        &[&[answer(204, ""), answer(404, "NOT_FOUND")], ANY],
    ),
    operation(
        Payments,
        "payments.create_order",
        ("POST", "/payments/v1/authorizations/{token}/order"),
        Json,
        &[
            &[
                answer(200, ""),
                answer(400, "BAD_VALUE"),
                answer(403, "INVALID_OPERATION"),
                answer(403, "REJECTED"),
                answer(404, "NOT_FOUND"),
                answer(404, "SESSION_COMPLETED"),
                answer(409, "BAD_VALUE"),
            ],
            BODY,
            ANY,
        ],
    ),
    operation(
        Payments,
        "payments.create_customer_token",
        ("POST", "/payments/v1/authorizations/{token}/customer-token"),
        Json,
        &[
            &[
                answer(200, ""),
                answer(400, "BAD_VALUE"),
                answer(403, "INVALID_OPERATION"),
                answer(404, "NOT_FOUND"),
                answer(409, "BAD_VALUE"),
            ],
            BODY,
            ANY,
        ],
    ),
    operation(
        CustomerToken,
        "customer_tokens.read",
        ("GET", "/customer-token/v1/tokens/{token}"),
        Nothing,
        &[&[answer(200, ""), answer(404, "NOT_FOUND")], ANY],
    ),
    operation(
        CustomerToken,
        "customer_tokens.create_order",
        ("POST", "/customer-token/v1/tokens/{token}/order"),
        Json,
        &[
            &[
                answer(200, ""),
                answer(400, "BAD_VALUE"),
                answer(403, "TOKEN_SUSPENDED"),
                answer(403, "TOKEN_CANCELED"),
                answer(403, "UNAVAILABLE_PAYMENT_METHOD"),
                answer(403, "PAYMENT_METHOD_FAILED"),
                answer(404, "TOKEN_NOT_FOUND"),
                answer(409, "BAD_VALUE"),
                answer(503, "SERVICE_UNAVAILABLE"),
            ],
            BODY,
            ANY,
        ],
    ),
    operation(
        CustomerToken,
        "customer_tokens.set_status",
        ("PATCH", "/customer-token/v1/tokens/{token}/status"),
        Json,
        &[&[answer(202, ""), answer(400, "BAD_VALUE"), answer(404, "NOT_FOUND")], BODY, ANY],
    ),
    operation(
        HostedPaymentPage,
        "hosted_payment_page.create_session",
        ("POST", "/hpp/v1/sessions"),
        Json,
        &[&[answer(201, ""), answer(400, ""), answer(413, "REQUEST_TOO_LARGE")], HOSTED],
    ),
    operation(
        HostedPaymentPage,
        "hosted_payment_page.read_session",
        ("GET", "/hpp/v1/sessions/{session_id}"),
        Nothing,
        &[&[answer(200, "")], HOSTED],
    ),
    operation(
        HostedPaymentPage,
        "hosted_payment_page.disable_session",
        ("DELETE", "/hpp/v1/sessions/{session_id}"),
        Nothing,
        &[&[answer(204, ""), answer(400, "")], HOSTED],
    ),
    operation(
        HostedPaymentPage,
        "hosted_payment_page.distribute",
        ("POST", "/hpp/v1/sessions/{session_id}/distribution"),
        Json,
        &[
            &[
                answer(204, ""),
                not_given(
                    201,
                    "",
                    "the description lists 201 and 204; one of them can be answered",
                ),
                answer(400, "UNKNOWN"),
                answer(400, "MISSING_CONTACT_DATA"),
                answer(400, "CONSTRAINT_VIOLATION"),
                answer(400, "UNSUPPORTED_COUNTRY"),
                not_given(
                    400,
                    "BLAC…",
                    "for contacts that Klarna has blocked; every copy found breaks off in its name",
                ),
                answer(413, "REQUEST_TOO_LARGE"),
                answer(503, ""),
            ],
            HOSTED,
        ],
    ),
    operation(
        InStore,
        "payments.cancel_session",
        ("DELETE", "/payments/v1/sessions/{session_id}"),
        Nothing,
        &[&[answer(204, ""), answer(409, "")], IN_STORE],
    ),
    operation(
        InStore,
        "in_store.read_distribution",
        ("GET", "/iss/v1/distributions/{session_id}"),
        Nothing,
        &[&[answer(200, "")], IN_STORE],
    ),
    operation(
        PaymentRequests,
        "payment_requests.create",
        ("POST", "/v2/payment/requests"),
        Json,
        &[
            &[answer(201, ""), answer(400, "VALIDATION_ERROR"), answer(413, "VALIDATION_ERROR")],
            REQUESTS,
        ],
    ),
    operation(
        PaymentRequests,
        "payment_requests.read",
        ("GET", "/v2/payment/requests/{payment_request_id}"),
        Nothing,
        &[&[answer(200, ""), answer(404, "")], REQUESTS],
    ),
    operation(
        PaymentRequests,
        "payment_requests.cancel",
        ("DELETE", "/v2/payment/requests/{payment_request_id}"),
        Nothing,
        &[&[answer(200, ""), answer(404, ""), answer(409, "")], REQUESTS],
    ),
];
