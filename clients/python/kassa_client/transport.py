"""How a call is made, repeated and paged. What calls there are stands in `operations`."""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import Any, Dict, Iterator, Optional

from .errors import ConnectionFailed, KassaError, problem_of

_WORTH_A_REPEAT = frozenset((429, 502, 503, 504))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would carry the API key elsewhere."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def segment(text: str) -> str:
    """An id as it stands in a path."""
    if not isinstance(text, str) or not text:
        raise KassaError("an id is missing")
    return urllib.parse.quote(text, safe="")


class Transport:
    """Makes calls to one gateway."""

    def __init__(self, base_url: str, api_key: str, timeout_seconds: float, retries: int) -> None:
        if not base_url or not api_key:
            raise KassaError("a client needs a base URL and an API key")
        self._base_url = base_url.rstrip("/")
        self._api_key = api_key
        self._timeout_seconds = timeout_seconds
        self._retries = retries
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __repr__(self) -> str:
        return f"Transport({self._base_url!r})"

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Dict[str, Any]] = None,
        body: Any = None,
        headers: Optional[Dict[str, str]] = None,
        repeatable: Optional[bool] = None,
    ) -> Any:
        """One call, repeated where that is safe."""
        known = {name: value for name, value in (query or {}).items() if value is not None}
        url = self._base_url + path
        if known:
            url += "?" + urllib.parse.urlencode(known)
        sent = {"Authorization": f"Bearer {self._api_key}", "Accept": "application/json"}
        sent.update(headers or {})
        data = None
        if body is not None:
            data = json.dumps(body).encode("utf-8")
            sent["Content-Type"] = "application/json"
        if repeatable is None:
            repeatable = method == "GET"
        attempt = 0
        while True:
            last = not repeatable or attempt >= self._retries
            request = urllib.request.Request(url, data=data, headers=sent, method=method)
            try:
                try:
                    with self._opener.open(request, timeout=self._timeout_seconds) as answer:
                        return _read(answer.read())
                except urllib.error.HTTPError as error:
                    status, found = error.code, _read(error.read())
            except (OSError, http.client.HTTPException, ValueError) as error:
                if last:
                    raise ConnectionFailed(f"{method} {path}: no usable answer came") from error
            else:
                if last or status not in _WORTH_A_REPEAT:
                    raise problem_of(status, found)
            most = 0.25 * 2**attempt
            time.sleep(most / 2 + random.random() * most / 2)
            attempt += 1


def _read(text: bytes) -> Any:
    return json.loads(text) if text else None


class Group:
    """A group of operations."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Optional[Dict[str, Any]] = None,
        body: Any = None,
        keyed: bool = False,
        idempotency_key: Optional[str] = None,
        wait_seconds: Optional[int] = None,
    ) -> Any:
        headers = {}
        if keyed:
            headers["Idempotency-Key"] = idempotency_key or str(uuid.uuid4())
        if wait_seconds is not None:
            headers["Prefer"] = "respond-async" if wait_seconds == 0 else f"wait={wait_seconds}"
        # Under a key a repeat is recognised as one; so is the confirmation of the same token.
        repeatable = method == "GET" or keyed or path.endswith("/confirm")
        return self._transport.call(
            method, path, query=query, body=body, headers=headers, repeatable=repeatable
        )

    def _pages(self, method: str, path: str, *, query: Dict[str, Any]) -> Iterator[Any]:
        query = dict(query)
        while True:
            page = self._call(method, path, query=query)
            yield from page["data"]
            # An order that goes on for ever says where it stands even when there is nothing more yet.
            if not page.get("next_cursor") or not page["data"]:
                return
            query["cursor"] = page["next_cursor"]
