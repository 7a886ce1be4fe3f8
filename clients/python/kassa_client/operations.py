"""Every operation of the API.

Made by `cargo xtask clients` from the API's description. Not to be changed by hand.
"""

from typing import Iterator, List, Literal, Optional, Union

from . import types
from .transport import Group, Transport, segment


class ApiKeys(Group):
    def create(self, body: types.CreateKey, *, idempotency_key: Optional[str] = None) -> types.KeyView:
        """Makes a key. The answer shows it, once."""
        return self._call("POST", "/v1/api_keys", body=body, keyed=True, idempotency_key=idempotency_key)

    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.KeyList:
        """Lists the store's keys, newest first; those that have ended, too."""
        return self._call("GET", "/v1/api_keys", query={"limit": limit, "cursor": cursor})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.KeyView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/api_keys", query={"limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.KeyView:
        """Reads a key; never the key itself."""
        return self._call("GET", f"/v1/api_keys/{segment(id)}")

    def revoke(self, id: str) -> types.KeyView:
        """Ends a key at once, and for good."""
        return self._call("POST", f"/v1/api_keys/{segment(id)}/revoke")

    def rotate(self, id: str, body: types.RotateKey, *, idempotency_key: Optional[str] = None) -> types.KeyView:
        """Puts a new key in the place of one; the old one works on for a while."""
        return self._call("POST", f"/v1/api_keys/{segment(id)}/rotate", body=body, keyed=True, idempotency_key=idempotency_key)


class AuditLog(Group):
    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.AuditList:
        """Lists who did what in the dashboard and with keys, newest first. Nothing in it is ever changed."""
        return self._call("GET", "/v1/audit_log", query={"limit": limit, "cursor": cursor})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.AuditEntry]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/audit_log", query={"limit": limit, "cursor": cursor})


class Browser(Group):
    def read(self) -> types.BrowserSettings:
        """Reads what pages begin Klarna's browser libraries with."""
        return self._call("GET", "/v1/browser")


class Checkouts(Group):
    def cancel(self, id: str) -> types.CheckoutView:
        """Calls a checkout off: no authorisation is taken for it any more."""
        return self._call("POST", f"/v1/checkouts/{segment(id)}/cancel")

    def confirm(self, id: str, body: types.Confirm, *, wait_seconds: Optional[int] = None) -> types.CheckoutView:
        """Places the order. The same token again is the same order, whoever brings it: this call, a repeat
        of it, Klarna's callback.
        """
        return self._call("POST", f"/v1/checkouts/{segment(id)}/confirm", body=body, wait_seconds=wait_seconds)

    def create(self, body: types.CreateCheckout, *, idempotency_key: Optional[str] = None) -> types.CheckoutView:
        """Opens a checkout."""
        return self._call("POST", "/v1/checkouts", body=body, keyed=True, idempotency_key=idempotency_key)

    def read(self, id: str) -> types.CheckoutView:
        """Reads a checkout. One whose Klarna session or page is over, or nearly so, gets a fresh one on the
        way: take `klarna.client_token` or `redirect_url` from this answer each time a shopper comes back.
        With `Prefer: wait=SECONDS`, when the shopper comes back from a page of Klarna's: Klarna is asked
        where they stand, and an order that is being placed is waited for.
        """
        return self._call("GET", f"/v1/checkouts/{segment(id)}")

    def reopen(self, id: str, body: types.ReopenPage, *, idempotency_key: Optional[str] = None) -> types.CheckoutView:
        """Gives a checkout a fresh page: after the shopper has called the one before off, or when a link got
        lost. Nobody can pay on the one before any more.
        """
        return self._call("POST", f"/v1/checkouts/{segment(id)}/page", body=body, keyed=True, idempotency_key=idempotency_key)

    def send(self, id: str, body: types.SendLink, *, idempotency_key: Optional[str] = None) -> types.CheckoutView:
        """Has Klarna send the shopper a link to the page."""
        return self._call("POST", f"/v1/checkouts/{segment(id)}/send", body=body, keyed=True, idempotency_key=idempotency_key)

    def stream_token(self, id: str, *, idempotency_key: Optional[str] = None) -> types.StreamToken:
        """Makes a token with which a browser watches this checkout for an hour, and sees nothing else."""
        return self._call("POST", f"/v1/checkouts/{segment(id)}/stream_tokens", keyed=True, idempotency_key=idempotency_key)

    def update(self, id: str, body: types.UpdateCheckout) -> types.CheckoutView:
        """Changes a checkout. A shopper who has authorised already must authorise again."""
        return self._call("POST", f"/v1/checkouts/{segment(id)}", body=body)


class CustomerTokens(Group):
    def cancel(self, id: str, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> types.CustomerTokenView:
        """Cancels a customer token for ever. Its subscriptions end with it."""
        return self._call("POST", f"/v1/customer_tokens/{segment(id)}/cancel", keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def charge(self, id: str, body: types.CreateCharge, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> types.ChargeView:
        """Charges a customer token on demand: makes one order, which becomes a payment like any other.
        Send an `Idempotency-Key`: the same charge again under the same key is carried out once.
        """
        return self._call("POST", f"/v1/customer_tokens/{segment(id)}/charges", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def charge_read(self, id: str, charge_id: str) -> types.ChargeView:
        """Reads a charge."""
        return self._call("GET", f"/v1/customer_tokens/{segment(id)}/charges/{segment(charge_id)}")

    def charge_step_up(self, id: str, charge_id: str, body: types.OpenStepUp) -> types.CheckoutView:
        """Opens a checkout in which the shopper can help with a refused charge; the same one as long as it is
        open. Once it is confirmed, its order stands for the charge, and the method that was chosen stands
        behind the token.
        """
        return self._call("POST", f"/v1/customer_tokens/{segment(id)}/charges/{segment(charge_id)}/step_up", body=body)

    def charges(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.ChargeList:
        """Lists the charges that were asked for by hand, newest first. Those of subscriptions are listed with
        their subscription.
        """
        return self._call("GET", f"/v1/customer_tokens/{segment(id)}/charges", query={"limit": limit, "cursor": cursor})

    def charges_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.ChargeView]:
        """The same, one by one over all pages."""
        return self._pages("GET", f"/v1/customer_tokens/{segment(id)}/charges", query={"limit": limit, "cursor": cursor})

    def list(self, *, customer_id: Optional[str] = None, status: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.CustomerTokenList:
        """Lists customer tokens, newest first, as the gateway last knew them."""
        return self._call("GET", "/v1/customer_tokens", query={"customer_id": customer_id, "status": status, "limit": limit, "cursor": cursor})

    def list_all(self, *, customer_id: Optional[str] = None, status: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.CustomerTokenView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/customer_tokens", query={"customer_id": customer_id, "status": status, "limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.CustomerTokenView:
        """Reads a customer token, and asks Klarna about it on the way. Where Klarna cannot be asked, it is as
        the gateway last knew it: see `checked_at`.
        """
        return self._call("GET", f"/v1/customer_tokens/{segment(id)}")


class Customers(Group):
    def create(self, body: types.CreateCustomer, *, idempotency_key: Optional[str] = None) -> types.CustomerView:
        """Adds a customer. One of the same reference is answered as it is."""
        return self._call("POST", "/v1/customers", body=body, keyed=True, idempotency_key=idempotency_key)

    def list(self, *, reference: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.CustomerList:
        """Lists customers, newest first."""
        return self._call("GET", "/v1/customers", query={"reference": reference, "limit": limit, "cursor": cursor})

    def list_all(self, *, reference: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.CustomerView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/customers", query={"reference": reference, "limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.CustomerView:
        """Reads a customer."""
        return self._call("GET", f"/v1/customers/{segment(id)}")


class Disputes(Group):
    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, state: Optional[str] = None, open: Optional[bool] = None, payment_id: Optional[str] = None) -> types.DisputeList:
        """Lists disputes, the last raised first."""
        return self._call("GET", "/v1/disputes", query={"limit": limit, "cursor": cursor, "state": state, "open": open, "payment_id": payment_id})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, state: Optional[str] = None, open: Optional[bool] = None, payment_id: Optional[str] = None) -> Iterator[types.DisputeView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/disputes", query={"limit": limit, "cursor": cursor, "state": state, "open": open, "payment_id": payment_id})

    def read(self, id: str) -> types.DisputeView:
        """Reads a dispute."""
        return self._call("GET", f"/v1/disputes/{segment(id)}")


class Erasures(Group):
    def create(self, body: types.CreateErasure, *, idempotency_key: Optional[str] = None) -> types.ErasureView:
        """Forgets shoppers: erases everything personal of these payments and checkouts, wherever the gateway
        keeps it, and keeps the books. Asking again for what was erased changes nothing.
        """
        return self._call("POST", "/v1/erasures", body=body, keyed=True, idempotency_key=idempotency_key)

    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.ErasureList:
        """Lists what was asked to be forgotten, newest first."""
        return self._call("GET", "/v1/erasures", query={"limit": limit, "cursor": cursor})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.ErasureView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/erasures", query={"limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.ErasureView:
        """Reads what became of an erasure."""
        return self._call("GET", f"/v1/erasures/{segment(id)}")


class Events(Group):
    def list(self, *, type: Optional[str] = None, subject_id: Optional[str] = None, from_: Optional[str] = None, until: Optional[str] = None, order: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.EventPage:
        """Lists what happened in the store."""
        return self._call("GET", "/v1/events", query={"type": type, "subject_id": subject_id, "from": from_, "until": until, "order": order, "limit": limit, "cursor": cursor})

    def list_all(self, *, type: Optional[str] = None, subject_id: Optional[str] = None, from_: Optional[str] = None, until: Optional[str] = None, order: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.EventView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/events", query={"type": type, "subject_id": subject_id, "from": from_, "until": until, "order": order, "limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.EventView:
        """Reads an event."""
        return self._call("GET", f"/v1/events/{segment(id)}")


class ExpiryPolicy(Group):
    def read(self) -> types.ExpiryPolicy:
        """Reads what the store wants."""
        return self._call("GET", "/v1/expiry-policy")

    def replace(self, body: types.ExpiryPolicy) -> types.ExpiryPolicy:
        """Replaces what the store wants. What was left out is as it is by default."""
        return self._call("PUT", "/v1/expiry-policy", body=body)


class Identities(Group):
    def adopt(self, body: types.AdoptTokens) -> types.SignedInView:
        """Takes over a shopper whom Klarna's button signed in on your page."""
        return self._call("POST", "/v1/identities", body=body)

    def forget(self, id: str) -> None:
        """Forgets who signed in: Klarna is told that their tokens are not needed any more."""
        self._call("DELETE", f"/v1/identities/{segment(id)}")

    def link(self, id: str, body: types.LinkIdentity) -> types.IdentityView:
        """Links who signed in with a customer of yours. Who is one customer's already does not become another's."""
        return self._call("POST", f"/v1/identities/{segment(id)}/link", body=body)

    def read(self, id: str) -> types.IdentityView:
        """Reads who signed in."""
        return self._call("GET", f"/v1/identities/{segment(id)}")


class Operations(Group):
    def list(self, *, state: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.OperationList:
        """Lists operations, newest first."""
        return self._call("GET", "/v1/operations", query={"state": state, "limit": limit, "cursor": cursor})

    def list_all(self, *, state: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.OperationDetail]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/operations", query={"state": state, "limit": limit, "cursor": cursor})

    def look(self, id: str, body: types.Resume) -> types.OperationDetail:
        """Looks into Klarna's books again and settles the operation if they tell."""
        return self._call("POST", f"/v1/operations/{segment(id)}/look", body=body)

    def read(self, id: str) -> types.OperationDetail:
        """Reads an operation with everything that is known of it."""
        return self._call("GET", f"/v1/operations/{segment(id)}")

    def resume(self, id: str, body: types.Resume) -> types.OperationDetail:
        """Has the operation tried again, under the same key and with the same bytes."""
        return self._call("POST", f"/v1/operations/{segment(id)}/resume", body=body)

    def settle(self, id: str, body: types.Settle) -> types.OperationDetail:
        """Settles the operation by a person's word, once it was compared with Klarna's books."""
        return self._call("POST", f"/v1/operations/{segment(id)}/settle", body=body)


class Payments(Group):
    def acknowledge(self, id: str, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Tells Klarna that the shop has the order. A capture says so too."""
        return self._call("POST", f"/v1/payments/{segment(id)}/acknowledge", keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def cancel(self, id: str, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Cancels a payment of which nothing is captured: the whole authorisation is given back."""
        return self._call("POST", f"/v1/payments/{segment(id)}/cancel", keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def capture(self, id: str, body: types.CreateCapture, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Captures a payment, wholly or in part."""
        return self._call("POST", f"/v1/payments/{segment(id)}/captures", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def capture_due_date_options(self, id: str, capture_id: str) -> types.DueDateOptions:
        """Reads from Klarna by how many days the due date of a capture can be moved now, and for what fee."""
        return self._call("GET", f"/v1/payments/{segment(id)}/captures/{segment(capture_id)}/due-date-options")

    def capture_extend_due_date(self, id: str, capture_id: str, body: types.ExtendDueDate, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Lets the shopper pay a capture later. Klarna charges the merchant the fee that the option names."""
        return self._call("POST", f"/v1/payments/{segment(id)}/captures/{segment(capture_id)}/due-date", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def capture_resend_communication(self, id: str, capture_id: str, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Has Klarna write to the shopper again, with the latest state of a capture."""
        return self._call("POST", f"/v1/payments/{segment(id)}/captures/{segment(capture_id)}/resend-communication", keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def capture_shipping_info(self, id: str, capture_id: str, body: types.AddShippingInfo, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Adds parcels to a capture."""
        return self._call("POST", f"/v1/payments/{segment(id)}/captures/{segment(capture_id)}/shipping-info", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def customer(self, id: str, body: types.CustomerDetails, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Changes where the order is sent. Klarna checks the shopper anew and may refuse."""
        return self._call("POST", f"/v1/payments/{segment(id)}/customer-details", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def events(self, id: str) -> types.EventList:
        """Lists what happened, oldest first."""
        return self._call("GET", f"/v1/payments/{segment(id)}/events")

    def extend(self, id: str, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Gives the authorisation more time: Klarna's own period, from today."""
        return self._call("POST", f"/v1/payments/{segment(id)}/authorization/extend", keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, q: Optional[str] = None, reference: Optional[str] = None, status: Optional[str] = None, fraud_status: Optional[str] = None, currency: Optional[str] = None, country: Optional[str] = None, channel: Optional[str] = None, from_: Optional[str] = None, until: Optional[str] = None, amount_min: Optional[int] = None, amount_max: Optional[int] = None, expiring: Optional[bool] = None, needs_attention: Optional[bool] = None, sort: Optional[str] = None) -> types.PaymentList:
        """Lists payments, newest first or in another order."""
        return self._call("GET", "/v1/payments", query={"limit": limit, "cursor": cursor, "q": q, "reference": reference, "status": status, "fraud_status": fraud_status, "currency": currency, "country": country, "channel": channel, "from": from_, "until": until, "amount_min": amount_min, "amount_max": amount_max, "expiring": expiring, "needs_attention": needs_attention, "sort": sort})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, q: Optional[str] = None, reference: Optional[str] = None, status: Optional[str] = None, fraud_status: Optional[str] = None, currency: Optional[str] = None, country: Optional[str] = None, channel: Optional[str] = None, from_: Optional[str] = None, until: Optional[str] = None, amount_min: Optional[int] = None, amount_max: Optional[int] = None, expiring: Optional[bool] = None, needs_attention: Optional[bool] = None, sort: Optional[str] = None) -> Iterator[types.PaymentView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/payments", query={"limit": limit, "cursor": cursor, "q": q, "reference": reference, "status": status, "fraud_status": fraud_status, "currency": currency, "country": country, "channel": channel, "from": from_, "until": until, "amount_min": amount_min, "amount_max": amount_max, "expiring": expiring, "needs_attention": needs_attention, "sort": sort})

    def read(self, id: str) -> types.PaymentView:
        """Reads a payment."""
        return self._call("GET", f"/v1/payments/{segment(id)}")

    def references(self, id: str, body: types.MerchantReferences, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Changes the shop's references."""
        return self._call("POST", f"/v1/payments/{segment(id)}/merchant-references", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def refund(self, id: str, body: types.CreateRefund, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Gives captured money back, wholly or in part."""
        return self._call("POST", f"/v1/payments/{segment(id)}/refunds", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def release(self, id: str, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Gives back what will not be captured."""
        return self._call("POST", f"/v1/payments/{segment(id)}/release", keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def shipping_info(self, id: str, body: types.AddShippingInfo, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Adds parcels to the order, before it is captured. Afterwards they belong to a capture."""
        return self._call("POST", f"/v1/payments/{segment(id)}/shipping-info", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)

    def stream_token(self, id: str, *, idempotency_key: Optional[str] = None) -> types.StreamToken:
        """Makes a token with which a browser watches this payment for an hour, and sees nothing else."""
        return self._call("POST", f"/v1/payments/{segment(id)}/stream_tokens", keyed=True, idempotency_key=idempotency_key)

    def update(self, id: str, body: types.UpdateAuthorization, *, idempotency_key: Optional[str] = None, wait_seconds: Optional[int] = None) -> Union[types.PaymentView, types.Accepted]:
        """Changes amount and lines of what is not captured yet."""
        return self._call("POST", f"/v1/payments/{segment(id)}/authorization", body=body, keyed=True, idempotency_key=idempotency_key, wait_seconds=wait_seconds)


class Payouts(Group):
    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, currency: Optional[str] = None, reference: Optional[str] = None, from_: Optional[str] = None, until: Optional[str] = None) -> types.PayoutList:
        """Lists what Klarna has paid out, newest first."""
        return self._call("GET", "/v1/payouts", query={"limit": limit, "cursor": cursor, "currency": currency, "reference": reference, "from": from_, "until": until})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None, currency: Optional[str] = None, reference: Optional[str] = None, from_: Optional[str] = None, until: Optional[str] = None) -> Iterator[types.PayoutView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/payouts", query={"limit": limit, "cursor": cursor, "currency": currency, "reference": reference, "from": from_, "until": until})

    def read(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.PayoutDetail:
        """Reads a payout and what it is made of."""
        return self._call("GET", f"/v1/payouts/{segment(id)}", query={"limit": limit, "cursor": cursor})


class Plans(Group):
    def archive(self, id: str, *, idempotency_key: Optional[str] = None) -> types.PlanView:
        """Archives a plan: no new subscription may have it, and those that have it keep it."""
        return self._call("POST", f"/v1/plans/{segment(id)}/archive", keyed=True, idempotency_key=idempotency_key)

    def create(self, body: types.CreatePlan, *, idempotency_key: Optional[str] = None) -> types.PlanView:
        """Adds a plan."""
        return self._call("POST", "/v1/plans", body=body, keyed=True, idempotency_key=idempotency_key)

    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.PlanList:
        """Lists plans, newest first."""
        return self._call("GET", "/v1/plans", query={"limit": limit, "cursor": cursor})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.PlanView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/plans", query={"limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.PlanView:
        """Reads a plan."""
        return self._call("GET", f"/v1/plans/{segment(id)}")


class Public(Group):
    def confirm(self, id: str, body: types.Confirm, *, wait_seconds: Optional[int] = None) -> types.PublicCheckout:
        """Places the order, as the shop's server would. The same token again is the same order."""
        return self._call("POST", f"/v1/public/checkouts/{segment(id)}/confirm", body=body, wait_seconds=wait_seconds)

    def read(self, id: str) -> types.PublicCheckout:
        """Reads a checkout's public status."""
        return self._call("GET", f"/v1/public/checkouts/{segment(id)}")


class Reports(Group):
    def overview(self, *, days: Optional[int] = None, currency: Optional[str] = None) -> types.OverviewView:
        """Reads how the store is doing, by day and currency."""
        return self._call("GET", "/v1/reports/overview", query={"days": days, "currency": currency})


class RetentionPolicy(Group):
    def read(self) -> types.RetentionPolicy:
        """Reads how long the store keeps what it knows of shoppers."""
        return self._call("GET", "/v1/retention-policy")

    def replace(self, body: types.RetentionPolicy) -> types.RetentionPolicy:
        """Replaces it. What is over by then is erased within a minute, in batches."""
        return self._call("PUT", "/v1/retention-policy", body=body)


class SignIns(Group):
    def begin(self, body: types.BeginSignIn) -> types.SignInView:
        """Begins a sign-in with Klarna."""
        return self._call("POST", "/v1/sign_ins", body=body)

    def finish(self, id: str, body: types.FinishSignIn) -> types.SignedInView:
        """Finishes a sign-in with what Klarna answered. It can be finished once."""
        return self._call("POST", f"/v1/sign_ins/{segment(id)}/finish", body=body)


class Stores(Group):
    def account_create(self, id: str, body: types.CreateAccount, *, idempotency_key: Optional[str] = None) -> types.AccountView:
        """Adds an account to a store."""
        return self._call("POST", f"/v1/stores/{segment(id)}/accounts", body=body, keyed=True, idempotency_key=idempotency_key)

    def account_list(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.AccountList:
        """Lists a store's accounts, oldest first. The one that the gateway was started with is not among
        them: it serves the default store where no other account does.
        """
        return self._call("GET", f"/v1/stores/{segment(id)}/accounts", query={"limit": limit, "cursor": cursor})

    def account_list_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.AccountView]:
        """The same, one by one over all pages."""
        return self._pages("GET", f"/v1/stores/{segment(id)}/accounts", query={"limit": limit, "cursor": cursor})

    def account_test(self, id: str, account_id: str) -> types.TestView:
        """Asks Klarna whether it takes the account's credential. Nothing is changed there or here."""
        return self._call("POST", f"/v1/stores/{segment(id)}/accounts/{segment(account_id)}/test")

    def account_update(self, id: str, account_id: str, body: types.UpdateAccount) -> types.AccountView:
        """Changes an account, or rotates its credential: make a new one in Klarna's merchant portal, give
        it here, test it, then disable the old one there.
        """
        return self._call("POST", f"/v1/stores/{segment(id)}/accounts/{segment(account_id)}", body=body)

    def create(self, body: types.CreateStore, *, idempotency_key: Optional[str] = None) -> types.StoreView:
        """Makes a store, with a key for its API. The key is in this answer and nowhere else: a repeat of the
        request under its `Idempotency-Key` shows the store without it.
        """
        return self._call("POST", "/v1/stores", body=body, keyed=True, idempotency_key=idempotency_key)

    def list(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.StoreList:
        """Lists the stores that the key may see, oldest first."""
        return self._call("GET", "/v1/stores", query={"limit": limit, "cursor": cursor})

    def list_all(self, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.StoreView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/stores", query={"limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.StoreView:
        """Reads a store."""
        return self._call("GET", f"/v1/stores/{segment(id)}")

    def update(self, id: str, body: types.UpdateStore) -> types.StoreView:
        """Changes a store."""
        return self._call("POST", f"/v1/stores/{segment(id)}", body=body)


class Subscriptions(Group):
    def cancel(self, id: str, body: types.CancelSubscription, *, idempotency_key: Optional[str] = None) -> types.SubscriptionView:
        """Ends a subscription. What was charged stays charged: refund the payment if it is to be given back."""
        return self._call("POST", f"/v1/subscriptions/{segment(id)}/cancel", body=body, keyed=True, idempotency_key=idempotency_key)

    def change_plan(self, id: str, body: types.ChangePlan, *, idempotency_key: Optional[str] = None) -> types.SubscriptionView:
        """Moves a subscription to another plan."""
        return self._call("POST", f"/v1/subscriptions/{segment(id)}/plan", body=body, keyed=True, idempotency_key=idempotency_key)

    def charges(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.SubscriptionChargeList:
        """Lists the charges of a subscription, newest first."""
        return self._call("GET", f"/v1/subscriptions/{segment(id)}/charges", query={"limit": limit, "cursor": cursor})

    def charges_all(self, id: str, *, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.SubscriptionChargeView]:
        """The same, one by one over all pages."""
        return self._pages("GET", f"/v1/subscriptions/{segment(id)}/charges", query={"limit": limit, "cursor": cursor})

    def create(self, body: types.CreateSubscription, *, idempotency_key: Optional[str] = None) -> types.SubscriptionView:
        """Adds a subscription."""
        return self._call("POST", "/v1/subscriptions", body=body, keyed=True, idempotency_key=idempotency_key)

    def events(self, id: str) -> types.EventList:
        """Lists what happened to a subscription, oldest first."""
        return self._call("GET", f"/v1/subscriptions/{segment(id)}/events")

    def list(self, *, status: Optional[str] = None, customer_id: Optional[str] = None, customer_token_id: Optional[str] = None, reference: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.SubscriptionList:
        """Lists subscriptions, newest first."""
        return self._call("GET", "/v1/subscriptions", query={"status": status, "customer_id": customer_id, "customer_token_id": customer_token_id, "reference": reference, "limit": limit, "cursor": cursor})

    def list_all(self, *, status: Optional[str] = None, customer_id: Optional[str] = None, customer_token_id: Optional[str] = None, reference: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.SubscriptionView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/subscriptions", query={"status": status, "customer_id": customer_id, "customer_token_id": customer_token_id, "reference": reference, "limit": limit, "cursor": cursor})

    def pause(self, id: str, *, idempotency_key: Optional[str] = None) -> types.SubscriptionView:
        """Holds a subscription: nothing is charged until it is resumed, and what would have been is not charged
        later.
        """
        return self._call("POST", f"/v1/subscriptions/{segment(id)}/pause", keyed=True, idempotency_key=idempotency_key)

    def read(self, id: str) -> types.SubscriptionView:
        """Reads a subscription."""
        return self._call("GET", f"/v1/subscriptions/{segment(id)}")

    def resume(self, id: str, *, idempotency_key: Optional[str] = None) -> types.SubscriptionView:
        """Lets a paused or suspended subscription go on with its next due day; takes a cancellation at the end of
        the period back.
        """
        return self._call("POST", f"/v1/subscriptions/{segment(id)}/resume", keyed=True, idempotency_key=idempotency_key)

    def retry(self, id: str, *, idempotency_key: Optional[str] = None) -> types.SubscriptionView:
        """Tries a failed charge again now, under a key of its own."""
        return self._call("POST", f"/v1/subscriptions/{segment(id)}/retry", keyed=True, idempotency_key=idempotency_key)

    def step_up(self, id: str, body: types.OpenStepUp) -> types.CheckoutView:
        """Opens a checkout in which the shopper can pay a refused charge in another way; the same one as long as
        it is open. Show it to the shopper who follows your link. Once it is confirmed the charge is paid, the
        subscription goes on, and the method that was chosen stands behind the token.
        It closes when the charge is tried again, and while the shopper is paying it is not tried.
        """
        return self._call("POST", f"/v1/subscriptions/{segment(id)}/step_up", body=body)


class WebhookDeliveries(Group):
    def list(self, *, endpoint_id: Optional[str] = None, status: Optional[str] = None, subject_id: Optional[str] = None, event_id: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> types.WebhookDeliveryList:
        """Lists webhook deliveries, the newest event first."""
        return self._call("GET", "/v1/webhook_deliveries", query={"endpoint_id": endpoint_id, "status": status, "subject_id": subject_id, "event_id": event_id, "limit": limit, "cursor": cursor})

    def list_all(self, *, endpoint_id: Optional[str] = None, status: Optional[str] = None, subject_id: Optional[str] = None, event_id: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None) -> Iterator[types.WebhookDeliveryView]:
        """The same, one by one over all pages."""
        return self._pages("GET", "/v1/webhook_deliveries", query={"endpoint_id": endpoint_id, "status": status, "subject_id": subject_id, "event_id": event_id, "limit": limit, "cursor": cursor})

    def read(self, id: str) -> types.WebhookDeliveryDetail:
        """Reads a webhook delivery, with what is sent and each attempt."""
        return self._call("GET", f"/v1/webhook_deliveries/{segment(id)}")

    def replay(self, id: str, *, idempotency_key: Optional[str] = None) -> types.WebhookDeliveryView:
        """Sends one message again, now, whatever became of it."""
        return self._call("POST", f"/v1/webhook_deliveries/{segment(id)}/replay", keyed=True, idempotency_key=idempotency_key)


class WebhookEndpoints(Group):
    def create(self, body: types.CreateWebhookEndpoint, *, idempotency_key: Optional[str] = None) -> types.WebhookEndpointView:
        """Makes a webhook endpoint. The answer holds its secret, which is not shown again: check each
        message's `webhook-signature` with it, as Standard Webhooks says.
        """
        return self._call("POST", "/v1/webhook_endpoints", body=body, keyed=True, idempotency_key=idempotency_key)

    def delete(self, id: str) -> None:
        """Removes a webhook endpoint with its log. What was on its way to it is not sent."""
        self._call("DELETE", f"/v1/webhook_endpoints/{segment(id)}")

    def disable(self, id: str, *, idempotency_key: Optional[str] = None) -> types.WebhookEndpointView:
        """Has a webhook endpoint called no more. What is on its way to it becomes a dead letter."""
        return self._call("POST", f"/v1/webhook_endpoints/{segment(id)}/disable", keyed=True, idempotency_key=idempotency_key)

    def enable(self, id: str, *, idempotency_key: Optional[str] = None) -> types.WebhookEndpointView:
        """Has a webhook endpoint called again. What happened while it was disabled can be replayed."""
        return self._call("POST", f"/v1/webhook_endpoints/{segment(id)}/enable", keyed=True, idempotency_key=idempotency_key)

    def list(self) -> types.WebhookEndpointList:
        """Lists the store's webhook endpoints."""
        return self._call("GET", "/v1/webhook_endpoints")

    def read(self, id: str) -> types.WebhookEndpointView:
        """Reads a webhook endpoint, and how it has been lately."""
        return self._call("GET", f"/v1/webhook_endpoints/{segment(id)}")

    def replay(self, id: str, body: types.ReplayMessages, *, idempotency_key: Optional[str] = None) -> types.ReplayedMessages:
        """Sends messages again: those that were given up, or all of a stretch of time. Receivers know a
        repeated message by its `webhook-id`. At most 500 events are looked through at a time.
        """
        return self._call("POST", f"/v1/webhook_endpoints/{segment(id)}/replay", body=body, keyed=True, idempotency_key=idempotency_key)

    def rotate(self, id: str, body: types.RotateSecret, *, idempotency_key: Optional[str] = None) -> types.WebhookEndpointView:
        """Gives a webhook endpoint a newer secret. Until the overlap ends each message is signed with both:
        exchange the secret at the receiver, and nothing is lost. The answer holds the new one, once.
        """
        return self._call("POST", f"/v1/webhook_endpoints/{segment(id)}/rotate", body=body, keyed=True, idempotency_key=idempotency_key)

    def test(self, id: str, *, idempotency_key: Optional[str] = None) -> types.WebhookDeliveryView:
        """Sends a `webhook.test` message to one endpoint. Read the delivery to see what came of it."""
        return self._call("POST", f"/v1/webhook_endpoints/{segment(id)}/test", keyed=True, idempotency_key=idempotency_key)

    def update(self, id: str, body: types.UpdateWebhookEndpoint, *, idempotency_key: Optional[str] = None) -> types.WebhookEndpointView:
        """Changes a webhook endpoint."""
        return self._call("POST", f"/v1/webhook_endpoints/{segment(id)}", body=body, keyed=True, idempotency_key=idempotency_key)


class Api:
    """Every group of operations."""

    def __init__(self, transport: Transport) -> None:
        self.api_keys = ApiKeys(transport)
        self.audit_log = AuditLog(transport)
        self.browser = Browser(transport)
        self.checkouts = Checkouts(transport)
        self.customer_tokens = CustomerTokens(transport)
        self.customers = Customers(transport)
        self.disputes = Disputes(transport)
        self.erasures = Erasures(transport)
        self.events = Events(transport)
        self.expiry_policy = ExpiryPolicy(transport)
        self.identities = Identities(transport)
        self.operations = Operations(transport)
        self.payments = Payments(transport)
        self.payouts = Payouts(transport)
        self.plans = Plans(transport)
        self.public = Public(transport)
        self.reports = Reports(transport)
        self.retention_policy = RetentionPolicy(transport)
        self.sign_ins = SignIns(transport)
        self.stores = Stores(transport)
        self.subscriptions = Subscriptions(transport)
        self.webhook_deliveries = WebhookDeliveries(transport)
        self.webhook_endpoints = WebhookEndpoints(transport)
