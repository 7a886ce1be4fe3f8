import http.server
import json
import os
import queue
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.join(os.environ["CLIENTS"], "python"))

from kassa_client import (  # noqa: E402
    AccessError,
    ConflictError,
    InvalidRequestError,
    Kassa,
    NotFoundError,
    NotPossibleError,
    WebhookError,
    verify_webhook,
)

kassa = Kassa(os.environ["GATEWAY"], os.environ["API_KEY"])
got = queue.Queue()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        got.put((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = kassa.webhook_endpoints.create(
    {"url": f"http://127.0.0.1:{server.server_port}/", "events": ["payment.authorized", "payment.captured", "payment.refunded"]}
)

CART = {
    "merchant_reference": "WEB-2002",
    "country": "SE",
    "prices": "including_tax",
    "lines": [{"type": "physical", "reference": "MUG", "name": "Mugg", "quantity": 3, "unit_price": 9900, "tax_rate": 2500}],
}


def expect(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was expected")


def pay():
    checkout = kassa.checkouts.create(CART)
    request = urllib.request.Request(
        os.environ["PLAYGROUND"] + "/playground/v1/shopper/authorize",
        data=json.dumps({"client_token": checkout["klarna"]["client_token"]}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        token = json.load(answer)["authorization_token"]
    done = kassa.checkouts.confirm(checkout["id"], {"authorization_token": token})
    assert done["status"] == "completed", done
    return done["payment_id"]


payment_id = pay()
captured = kassa.payments.capture(payment_id, {"lines": [{"reference": "MUG", "quantity": 1}]})
assert captured["amounts"]["captured"] == 9900
for _ in range(2):
    refunded = kassa.payments.refund(payment_id, {"amount": 500}, idempotency_key="refund-py")
    assert refunded["amounts"]["refunded"] == 500
error = expect(
    NotPossibleError, lambda: kassa.payments.refund(payment_id, {"amount": 600}, idempotency_key="refund-py")
)
assert error.code == "idempotency_mismatch" and error.remedy
expect(ConflictError, lambda: kassa.payments.cancel(payment_id))
expect(NotFoundError, lambda: kassa.payments.read("pay_nobody"))
error = expect(InvalidRequestError, lambda: kassa.checkouts.create({**CART, "country": "XX"}))
assert error.member == "country"
expect(AccessError, lambda: Kassa(os.environ["GATEWAY"], "kassa_sk_wrong").payments.list())

other = pay()
listed = [payment["id"] for payment in kassa.payments.list_all(limit=1, reference="WEB-2002")]
assert sorted(listed) == sorted([payment_id, other]), listed
events = kassa.events.list(type="payment.*", subject_id=payment_id)
assert any(event["type"] == "payment.captured" for event in events["data"])

told = []
first = None
while len(told) < 4:
    headers, body = got.get(timeout=60)
    first = first or (headers, body)
    told.append(verify_webhook(endpoint["secret"], headers, body))
of_payment = [event["type"] for event in told if event["subject_id"] == payment_id]
assert of_payment[:2] == ["payment.authorized", "payment.captured"], of_payment
headers, body = first
verify_webhook(["whsec_b3RoZXI=", endpoint["secret"]], headers, body)
lower = {name.lower(): value for name, value in headers.items()}
for secret, changed, text, now in [
    ("whsec_b3RoZXI=", {}, body, None),
    (endpoint["secret"], {}, body + b" ", None),
    (endpoint["secret"], {"webhook-id": "evt_other"}, body, None),
    (endpoint["secret"], {"webhook-signature": ""}, body, None),
    (endpoint["secret"], {}, body, time.time() + 301),
]:
    expect(WebhookError, lambda: verify_webhook(secret, {**lower, **changed}, text, now=now))
kassa.webhook_endpoints.delete(endpoint["id"])
server.shutdown()
print(json.dumps({"payment_id": payment_id, "told": len(told)}))
