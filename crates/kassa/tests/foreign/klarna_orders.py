"""klarna-orders, generated from Klarna's description of the Payments API: sessions, an order, a token."""

import base64
import json
import os
import urllib.request

import klarna
from klarna.models import operations, shared

BASE = os.environ["PLAYGROUND"]
PAIR = f"{os.environ['USERNAME']}:{os.environ['PASSWORD']}"
SHOPPER = {
    "given_name": "Alice", "family_name": "Test", "email": "customer@email.se",
    "street_address": "Södra Blasieholmshamnen 2", "postal_code": "11148", "city": "Stockholm",
    "phone": "+46701740615", "country": "SE",
}


def authorize(session_id):
    """What the browser does between a session and an order."""
    body = {
        "session_id": session_id, "email": SHOPPER["email"],
        "data": {"billing_address": SHOPPER, "customer": {"date_of_birth": "1941-03-21"}},
    }
    request = urllib.request.Request(
        f"{BASE}/playground/v1/shopper/authorize", json.dumps(body).encode(),
        {"content-type": "application/json"},
    )
    with urllib.request.urlopen(request) as answer:
        shown = json.load(answer)
    assert shown["approved"], shown
    return shown["authorization_token"]


def client(**where):
    pair = base64.b64encode(PAIR.encode()).decode()
    return klarna.Klarna(security=shared.Security(api_key_auth=f"Basic {pair}"), **where)


def goods(price=5000, rate=2500, tax=2000):
    return [shared.OrderLine(
        name="Battery Power Pack", quantity=2, unit_price=price, total_amount=2 * price,
        tax_rate=rate, total_tax_amount=tax, type="physical",
    )]


def session_of(api, intent, price=5000, rate=2500, tax=2000):
    answer = api.sessions.create(shared.SessionCreateInput(
        purchase_country="SE", purchase_currency="SEK", locale="sv-SE", intent=intent,
        order_amount=2 * price, order_tax_amount=tax, order_lines=goods(price, rate, tax),
    ))
    assert answer.status_code == 200, answer.raw_response.text
    return answer.merchant_session


def buy(api):
    session = session_of(api, shared.SessionCreateIntentEnum.BUY)
    assert session.client_token and session.payment_method_categories
    path = operations.ReadCreditSessionRequest(session_id=session.session_id)
    read = api.sessions.read(path)
    assert read.session_read.order_amount == 10000, read.raw_response.text
    updated = api.sessions.update(operations.UpdateCreditSessionRequest(
        session_id=session.session_id,
        session_input=shared.SessionInput(merchant_reference1="ON4711"),
    ))
    assert updated.status_code == 204, updated.raw_response.text

    token = authorize(session.session_id)
    read = api.sessions.read(path).session_read
    assert read.authorization_token == token and read.status.value == "incomplete", read
    placed = api.orders.create(operations.CreateOrderRequest(
        authorization_token=token,
        create_order_request_input=shared.CreateOrderRequestInput(
            purchase_country="SE", purchase_currency="SEK", locale="sv-SE",
            order_amount=10000, order_tax_amount=2000, order_lines=goods(), auto_capture=True,
        ),
    ))
    assert placed.status_code == 200, placed.raw_response.text
    assert placed.order.fraud_status == "ACCEPTED", placed.order
    assert api.sessions.read(path).session_read.status.value == "complete"
    again = api.authorizations.cancel(
        operations.CancelAuthorizationRequest(authorization_token=token))
    assert again.status_code == 404, again.raw_response.text
    return placed.order.order_id


def sign_up(api):
    session = session_of(api, shared.SessionCreateIntentEnum.TOKENIZE, 0, 0, 0)
    token = authorize(session.session_id)
    created = api.tokens.purchase(operations.PurchaseTokenRequest(
        authorization_token=token,
        customer_token_creation_request=shared.CustomerTokenCreationRequest(
            purchase_country="SE", purchase_currency="SEK", locale="sv-SE",
            description="A battery every month",
            intended_use=shared.CustomerTokenCreationRequestIntendedUseEnum.SUBSCRIPTION,
        ),
    ))
    assert created.status_code == 200, created.raw_response.text
    return created.customer_token_creation_response.token_id


# With the server that its caller names, and with the one that it has built in.
print(json.dumps({
    "orders": [buy(client(server_url=BASE)), buy(client())],
    "token_id": sign_up(client()),
}))
