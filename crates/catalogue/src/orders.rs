//! Order Management.

use crate::Takes::{Json, Nothing};
use crate::{Answer, Api, Operation, Takes, answer, not_given};

/// Of every operation.
const ANY: &[Answer] = &[
    answer(400, "INVALID_ORDER_ID"),
    answer(401, ""),
    answer(429, "TOO_MANY_REQUESTS"),
    answer(500, "INTERNAL_SERVER_ERROR"),
    answer(500, "UNEXPECTED_ERROR"),
    answer(502, "TEMPORARILY_UNAVAILABLE"),
    answer(503, "TEMPORARILY_UNAVAILABLE"),
    answer(504, "TEMPORARILY_UNAVAILABLE"),
];

/// Of every operation that changes something.
const CHANGE: &[Answer] = &[answer(409, "CONFLICT")];

/// Of every operation with a body.
const BODY: &[Answer] = &[
    answer(400, "BAD_REQUEST"),
    answer(413, "REQUEST_TOO_LARGE"),
    answer(422, "UNPROCESSABLE_ENTITY"),
];

const NO_ORDER: &[Answer] = &[answer(404, "NO_SUCH_ORDER")];
const NO_CAPTURE: &[Answer] = &[answer(404, "NO_SUCH_ORDER"), answer(404, "NO_SUCH_CAPTURE")];
const NOT_ALLOWED: &[Answer] = &[answer(403, "NOT_ALLOWED")];
const DONE: &[Answer] = &[answer(204, "")];

const fn operation(
    name: &'static str,
    (method, path): (&'static str, &'static str),
    takes: Takes,
    documented: &'static [&'static [Answer]],
) -> Operation {
    Operation { name, api: Api::OrderManagement, method, path, takes, documented }
}

pub(crate) const LIST: &[Operation] = &[
    operation(
        "orders.read",
        ("GET", "/ordermanagement/v1/orders/{order_id}"),
        Nothing,
        &[&[answer(200, "")], NO_ORDER, ANY],
    ),
    operation(
        "orders.acknowledge",
        ("POST", "/ordermanagement/v1/orders/{order_id}/acknowledge"),
        Nothing,
        &[DONE, NOT_ALLOWED, NO_ORDER, CHANGE, ANY],
    ),
    operation(
        "orders.update_authorization",
        ("PATCH", "/ordermanagement/v1/orders/{order_id}/authorization"),
        Json,
        &[DONE, NOT_ALLOWED, NO_ORDER, BODY, CHANGE, ANY],
    ),
    operation(
        "orders.cancel",
        ("POST", "/ordermanagement/v1/orders/{order_id}/cancel"),
        Nothing,
        &[DONE, &[answer(403, "CANCEL_NOT_ALLOWED")], NO_ORDER, CHANGE, ANY],
    ),
    operation(
        "orders.update_customer_details",
        ("PATCH", "/ordermanagement/v1/orders/{order_id}/customer-details"),
        Json,
        &[DONE, NOT_ALLOWED, &[answer(422, "INVALID_ADDRESS")], NO_ORDER, BODY, CHANGE, ANY],
    ),
    operation(
        "orders.extend_authorization_time",
        ("POST", "/ordermanagement/v1/orders/{order_id}/extend-authorization-time"),
        Nothing,
        &[DONE, NOT_ALLOWED, NO_ORDER, CHANGE, ANY],
    ),
    operation(
        "orders.update_merchant_references",
        ("PATCH", "/ordermanagement/v1/orders/{order_id}/merchant-references"),
        Json,
        &[DONE, NOT_ALLOWED, NO_ORDER, BODY, CHANGE, ANY],
    ),
    operation(
        "orders.release_remaining_authorization",
        ("POST", "/ordermanagement/v1/orders/{order_id}/release-remaining-authorization"),
        Nothing,
        &[DONE, NOT_ALLOWED, NO_ORDER, CHANGE, ANY],
    ),
    operation(
        "orders.append_shipping_info",
        ("POST", "/ordermanagement/v1/orders/{order_id}/shipping-info"),
        Json,
        &[DONE, NO_ORDER, BODY, CHANGE, ANY],
    ),
    operation(
        "orders.capture",
        ("POST", "/ordermanagement/v1/orders/{order_id}/captures"),
        Json,
        &[
            &[
                answer(201, ""),
                answer(403, "CAPTURE_NOT_ALLOWED"),
                not_given(
                    403,
                    "PAYMENT_METHOD_FAILED",
                    "seen by a shop plugin, for recurring orders; when it comes is not published",
                ),
            ],
            NO_ORDER,
            BODY,
            CHANGE,
            ANY,
        ],
    ),
    operation(
        "orders.list_captures",
        ("GET", "/ordermanagement/v1/orders/{order_id}/captures"),
        Nothing,
        &[&[answer(200, "")], NO_ORDER, ANY],
    ),
    operation(
        "orders.read_capture",
        ("GET", "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}"),
        Nothing,
        &[&[answer(200, "")], NO_CAPTURE, ANY],
    ),
    operation(
        "orders.append_capture_shipping_info",
        ("POST", "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/shipping-info"),
        Json,
        &[DONE, NOT_ALLOWED, NO_CAPTURE, BODY, CHANGE, ANY],
    ),
    operation(
        "orders.trigger_send_out",
        ("POST", "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/trigger-send-out"),
        Nothing,
        &[DONE, NOT_ALLOWED, NO_CAPTURE, CHANGE, ANY],
    ),
    operation(
        "orders.read_due_date_options",
        (
            "GET",
            "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/extend-due-date-options",
        ),
        Nothing,
        &[&[answer(200, "")], NO_CAPTURE, ANY],
    ),
    operation(
        "orders.extend_due_date",
        ("PATCH", "/ordermanagement/v1/orders/{order_id}/captures/{capture_id}/extend-due-date"),
        Json,
        &[DONE, NOT_ALLOWED, NO_CAPTURE, BODY, CHANGE, ANY],
    ),
    operation(
        "orders.refund",
        ("POST", "/ordermanagement/v1/orders/{order_id}/refunds"),
        Json,
        &[
            &[answer(201, ""), answer(403, "REFUND_NOT_ALLOWED"), answer(404, "NOT_FOUND")],
            BODY,
            CHANGE,
            ANY,
        ],
    ),
    operation(
        "orders.read_refund",
        ("GET", "/ordermanagement/v1/orders/{order_id}/refunds/{refund_id}"),
        Nothing,
        &[
            &[
                answer(200, ""),
                answer(404, "NOT_FOUND"),
                not_given(
                    400,
                    "NOT_FOUND",
                    "listed beside the 404 for the same case; one of them can be answered",
                ),
            ],
            ANY,
        ],
    ),
];
