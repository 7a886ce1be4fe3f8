//! Disputes: versions 4, 2 and 3.

use crate::Api::{DisputesV2, DisputesV3, DisputesV4};
use crate::Takes::{File, Json, Nothing};
use crate::{Answer, Api, Operation, Takes, answer, not_given};

/// Of every operation of version 4.
const V4: &[Answer] = &[
    answer(401, "UNAUTHORIZED"),
    answer(403, "OPERATION_FORBIDDEN"),
    answer(429, "RATE_LIMITED"),
    answer(500, "INTERNAL_ERROR"),
    answer(500, "SERVER_CONFIGURATION_ERROR"),
];

const INVALID: &[Answer] = &[answer(400, "VALIDATION_ERROR")];
const TYPE: &[Answer] = &[answer(400, "INVALID_CONTENT_TYPE")];
const UNKNOWN: &[Answer] = &[answer(404, "RESOURCE_NOT_FOUND")];
const STATE: &[Answer] = &[answer(409, "RESOURCE_CONFLICT")];

/// Of every operation of version 2, by the rules of the platform.
const V2: &[Answer] =
    &[answer(401, ""), answer(429, "TOO_MANY_REQUESTS"), answer(500, "INTERNAL_SERVER_ERROR")];

/// Of every operation of version 3.
const V3: &[Answer] = &[
    answer(200, ""),
    answer(400, ""),
    answer(401, ""),
    answer(403, ""),
    answer(429, ""),
    answer(500, ""),
];

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
        DisputesV4,
        "disputes.enroll_merchant",
        ("POST", "/v4/payment/disputes/merchants/{merchant_id}/enroll"),
        Nothing,
        &[&[answer(204, "")], V4],
    ),
    operation(
        DisputesV4,
        "disputes.enroll_partner",
        ("POST", "/v4/payment/disputes/partners/{partner_id}/enroll"),
        Json,
        &[&[answer(204, "")], INVALID, TYPE, V4],
    ),
    operation(
        DisputesV4,
        "disputes.list",
        ("GET", "/v4/payment/disputes"),
        Nothing,
        &[&[answer(200, "")], INVALID, V4],
    ),
    operation(
        DisputesV4,
        "disputes.read",
        ("GET", "/v4/payment/disputes/{payment_dispute_id}"),
        Nothing,
        &[&[answer(200, "")], INVALID, UNKNOWN, V4],
    ),
    operation(
        DisputesV4,
        "disputes.accept_loss",
        ("POST", "/v4/payment/disputes/{payment_dispute_id}/accept-loss"),
        Nothing,
        &[&[answer(202, "")], UNKNOWN, STATE, V4],
    ),
    operation(
        DisputesV4,
        "disputes.upload_attachment",
        ("POST", "/v4/payment/disputes/{payment_dispute_id}/attachments"),
        File,
        &[&[answer(201, ""), answer(413, "")], INVALID, TYPE, UNKNOWN, STATE, V4],
    ),
    operation(
        DisputesV4,
        "disputes.represent",
        ("POST", "/v4/payment/disputes/{payment_dispute_id}/represent"),
        Json,
        &[&[answer(201, "")], INVALID, TYPE, UNKNOWN, STATE, V4],
    ),
    operation(
        DisputesV4,
        "disputes.appeal",
        ("POST", "/v4/payment/disputes/{payment_dispute_id}/appeal"),
        Json,
        &[&[answer(201, "")], INVALID, TYPE, UNKNOWN, STATE, V4],
    ),
    operation(
        DisputesV4,
        "disputes.download_attachment",
        ("GET", "/v4/payment/disputes/{payment_dispute_id}/attachments/{attachment_id}/download"),
        Nothing,
        &[&[answer(200, "")], UNKNOWN, V4],
    ),
    operation(
        DisputesV2,
        "disputes_v2.enroll",
        ("POST", "/disputes/v2/enroll"),
        Nothing,
        &[&[answer(204, ""), answer(403, "")], V2],
    ),
    operation(
        DisputesV2,
        "disputes_v2.list",
        ("GET", "/disputes/v2/disputes"),
        Nothing,
        &[
            &[
                answer(200, ""),
                answer(400, ""),
                answer(403, ""),
                not_given(
                    404,
                    "",
                    "what would be missing is not published; the list is empty then",
                ),
            ],
            V2,
        ],
    ),
    operation(
        DisputesV2,
        "disputes_v2.read",
        ("GET", "/disputes/v2/disputes/{dispute_krn}"),
        Nothing,
        &[&[answer(200, ""), answer(404, "")], V2],
    ),
    operation(
        DisputesV2,
        "disputes_v2.accept_loss",
        ("POST", "/disputes/v2/disputes/{dispute_krn}/accept-loss"),
        Nothing,
        &[&[answer(204, ""), answer(404, "")], V2],
    ),
    operation(
        DisputesV2,
        "disputes_v2.upload_attachment",
        ("POST", "/disputes/v2/disputes/{dispute_krn}/attachments"),
        File,
        &[&[answer(201, ""), answer(400, ""), answer(404, ""), answer(413, "")], V2],
    ),
    operation(
        DisputesV2,
        "disputes_v2.respond",
        ("POST", "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses"),
        Json,
        &[&[answer(201, ""), answer(400, ""), answer(404, "")], V2],
    ),
    operation(
        DisputesV2,
        "disputes_v2.download_request_attachment",
        (
            "GET",
            "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/attachments/{attachment_id}",
        ),
        Nothing,
        &[&[answer(200, ""), answer(404, "")], V2],
    ),
    operation(
        DisputesV2,
        "disputes_v2.download_response_attachment",
        (
            "GET",
            "/disputes/v2/disputes/{dispute_krn}/requests/{request_id}/responses/{response_id}\
             /attachments/{attachment_id}",
        ),
        Nothing,
        &[&[answer(200, ""), answer(404, "")], V2],
    ),
    operation(
        DisputesV3,
        "disputes_v3.list",
        ("GET", "/disputes/v3/disputes"),
        Nothing,
        &[V3, &[not_given(404, "", "what would be missing is not published")]],
    ),
    operation(
        DisputesV3,
        "disputes_v3.read",
        ("GET", "/disputes/v3/disputes/{payment_dispute_id}"),
        Nothing,
        &[V3, &[answer(404, "")]],
    ),
];
