"""Checks webhooks as Standard Webhooks says: the signature first, then the time, then the body is read."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from typing import Any, Dict, Mapping, Optional, Sequence, TypedDict, Union

from .errors import WebhookError


class WebhookEvent(TypedDict):
    """An event as it is told. Take the same `id` once: a message may come again."""

    id: str
    type: str
    timestamp: str
    subject_id: str
    version: int
    data: Dict[str, Any]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def verify_webhook(
    secrets: Union[str, Sequence[str]],
    headers: Mapping[str, str],
    body: Union[str, bytes],
    *,
    tolerance_seconds: int = 300,
    now: Optional[float] = None,
) -> WebhookEvent:
    """Returns the event, or raises `WebhookError`. `body` is the body as it came, byte for byte."""
    found = {name.lower(): value for name, value in headers.items()}
    message_id = found.get("webhook-id")
    timestamp = found.get("webhook-timestamp")
    signatures = found.get("webhook-signature")
    if not message_id or not timestamp or not signatures:
        raise WebhookError("a header of the scheme is missing")
    data = body.encode("utf-8") if isinstance(body, str) else bytes(body)
    signed = f"{message_id}.{timestamp}.".encode("utf-8") + data
    given = [_decoded(part[3:]) for part in signatures.split(" ") if part.startswith("v1,")]
    trusted = False
    for secret in [secrets] if isinstance(secrets, str) else secrets:
        key = _decoded(secret[len("whsec_") :] if secret.startswith("whsec_") else secret)
        if not key:
            continue
        wanted = hmac.new(key, signed, hashlib.sha256).digest()
        trusted = any([hmac.compare_digest(wanted, one) for one in given]) or trusted
    if not trusted:
        raise WebhookError("no signature is right")
    at = time.time() if now is None else now
    if not timestamp.isdigit() or abs(at - int(timestamp)) > tolerance_seconds:
        raise WebhookError("the message is too old, or from the future")
    event: WebhookEvent = json.loads(data)
    return event
