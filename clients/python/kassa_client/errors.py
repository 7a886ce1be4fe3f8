"""What can go wrong, each as a type of its own."""

from typing import Any, Dict, Optional, Type


class KassaError(Exception):
    """Anything that this client fails with."""


class ConnectionFailed(KassaError):
    """No usable answer came: whether anything was done is not known, unless the request had a key."""


class WebhookError(KassaError):
    """A message that cannot be trusted. Answer it with 400, and do nothing."""


class ProblemError(KassaError):
    """The gateway answered that it did not do what was asked."""

    def __init__(self, status: int, problem: Dict[str, Any]) -> None:
        self.status = status
        self.problem = problem
        self.code: str = problem.get("code", "unknown")
        self.detail: str = problem.get("detail", "the gateway answered with an error")
        self.remedy: str = problem.get("remedy", "")
        self.member: Optional[str] = problem.get("member")
        self.operation_id: Optional[str] = problem.get("operation_id")
        self.correlation_id: Optional[str] = problem.get("correlation_id")
        self.klarna: Optional[Dict[str, Any]] = problem.get("klarna")
        super().__init__(f"{self.detail} {self.remedy}".strip())


class InvalidRequestError(ProblemError):
    """400: a member of the request is wrong; `member` names it."""


class AccessError(ProblemError):
    """401 and 403: the API key is not known, or may not do this."""


class DeclinedError(ProblemError):
    """402: Klarna declined."""


class NotFoundError(ProblemError):
    """404: there is nothing of that id in this store."""


class ConflictError(ProblemError):
    """409: the state forbids it."""


class NotPossibleError(ProblemError):
    """422: it is understood, and not possible."""


class TooManyError(ProblemError):
    """429: too many at once."""


class ServerError(ProblemError):
    """5xx: the gateway, or Klarna behind it, failed."""


_BY_STATUS: Dict[int, Type[ProblemError]] = {
    400: InvalidRequestError,
    401: AccessError,
    402: DeclinedError,
    403: AccessError,
    404: NotFoundError,
    409: ConflictError,
    422: NotPossibleError,
    429: TooManyError,
}


def problem_of(status: int, body: Any) -> ProblemError:
    """The error that an answer stands for."""
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else ProblemError)
    return kind(status, body if isinstance(body, dict) else {})
