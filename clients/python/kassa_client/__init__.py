"""Take, capture and refund Klarna payments through a Kassa gateway."""

from . import types
from .errors import (
    AccessError,
    ConflictError,
    ConnectionFailed,
    DeclinedError,
    InvalidRequestError,
    KassaError,
    NotFoundError,
    NotPossibleError,
    ProblemError,
    ServerError,
    TooManyError,
    WebhookError,
)
from .operations import Api
from .transport import Transport
from .webhooks import WebhookEvent, verify_webhook

__all__ = [
    "AccessError",
    "ConflictError",
    "ConnectionFailed",
    "DeclinedError",
    "InvalidRequestError",
    "Kassa",
    "KassaError",
    "NotFoundError",
    "NotPossibleError",
    "ProblemError",
    "ServerError",
    "TooManyError",
    "WebhookError",
    "WebhookEvent",
    "types",
    "verify_webhook",
]


class Kassa(Api):
    """A client. Cheap to keep, and meant to be kept; threads may share it."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        timeout_seconds: float = 60.0,
        retries: int = 2,
    ) -> None:
        super().__init__(Transport(base_url, api_key, timeout_seconds, retries))
