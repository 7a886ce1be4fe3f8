"""The shapes of requests and answers.

Made by `cargo xtask clients` from the API's description. Not to be changed by hand.
"""

from typing import Any, Dict, List, Literal, Optional, TypedDict

try:
    from typing import NotRequired
except ImportError:  # before Python 3.11
    from typing_extensions import NotRequired


class FiguresView(TypedDict):
    """The figures of a day, or of several."""
    approval_rate: NotRequired[Optional[int]]
    """The approved share of the confirmed checkouts in ten thousandths: 9750 is 97.50 %. Absent while
    there are none.
    """
    approved: "SumView"
    """Those of them that came of a confirmed checkout: charges of a customer token do not."""
    authorized: "SumView"
    """Orders that Klarna made."""
    captured: "SumView"
    """What was captured."""
    declined: "SumView"
    """Confirmed checkouts that Klarna declined."""
    disputed: "SumView"
    """Disputes that were raised."""
    disputes_lost: "SumView"
    """Disputes that were lost."""
    disputes_won: "SumView"
    """Disputes that were won."""
    fees: "SumView"
    """What Klarna took for its services in payouts and invoices, with tax."""
    paid_out: "SumView"
    """What was paid out."""
    refunded: "SumView"
    """What was given back."""


class OperationView(TypedDict):
    """An operation that is on its way, or that a person must look at."""
    amount: NotRequired[Optional[int]]
    """The amount of a capture or refund, or the new total of the authorisation."""
    attempts: int
    """How often Klarna was asked."""
    created_at: str
    """When it was accepted."""
    held: bool
    """Set while it waits for Klarna's decision about fraud."""
    id: str
    """Its id."""
    kind: str
    """What it asks for: `place_order`, `capture`, `refund`, `cancel`, `release`,
    `update_authorization`, `extend_authorization`, `update_customer_details`,
    `update_merchant_references`, `add_shipping_info`, `resend_communication`,
    `extend_due_date`, `acknowledge`, `create_token`, `charge` or `cancel_token`.
    """
    refusal: NotRequired[Optional["RefusalView"]]
    state: str
    """Where it stands: `queued`, `running`, `in_doubt`, `done`, `refused` or `needs_attention`."""


class PayoutView(TypedDict):
    """A payout."""
    amount: int
    """What is paid out, in minor units."""
    currency: str
    """The currency of every amount in it."""
    differences: List["DifferenceView"]
    """What does not add up between Klarna's totals and the entries; empty when all is well."""
    entry_count: int
    """How many entries it has."""
    id: str
    """Its id."""
    merchant_id: str
    """Klarna's name of the merchant who is paid."""
    paid_at: str
    """When Klarna starts the transfer; the bank has it about one banking day later."""
    reference: str
    """Klarna's name for it; it stands on the bank statement."""
    settlement_type: str
    """`NET` when fees are deducted, `GROSS` when they are invoiced, `GROSS_FEE` for that invoice."""
    totals: "TotalsView"
    """What it is made of."""


class WebhookDeliveryView(TypedDict):
    """One event on its way to one endpoint."""
    attempts: int
    """How often it was tried."""
    created_at: str
    """When the event happened."""
    endpoint_id: str
    """Where to."""
    event_id: str
    """What is told: the `webhook-id` of each attempt."""
    id: str
    """Its id."""
    last_outcome: str
    """What the last attempt came to."""
    last_status: NotRequired[Optional[int]]
    """The HTTP status of the last answer."""
    next_attempt_at: NotRequired[Optional[str]]
    """When it is tried next, if an earlier event of the subject does not hold it up."""
    status: str
    """`pending` (waits for its turn or the next attempt), `delivered`, or `dead` (given up)."""
    subject_id: str
    """What the event happened to. Events of one subject are delivered in their order."""
    type: str
    """The event's type."""
    updated_at: str
    """The last change."""


class Accepted(TypedDict):
    """The answer while an outcome is not known yet."""
    operation: "OperationView"
    """The operation: read the payment to see what becomes of it."""
    payment: "PaymentView"
    """The payment as it is now."""


class AccountList(TypedDict):
    """A page of accounts."""
    data: List["AccountView"]
    """Oldest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class AccountView(TypedDict):
    """A Klarna account, without its password."""
    active: bool
    """Whether it takes new purchases."""
    base_url: str
    """The host that is called."""
    countries: List[str]
    """The countries it serves; all of its region if there are none."""
    created_at: str
    """When it was made."""
    environment: NotRequired[Optional[str]]
    """`live` or `playground`, likewise."""
    id: str
    """Its id."""
    label: str
    """What people call it."""
    merchant_id: NotRequired[Optional[str]]
    """Klarna's name of the merchant."""
    region: NotRequired[Optional[str]]
    """`europe`, `north_america` or `oceania`; absent for a host that is not Klarna's."""
    store_id: str
    """The store that it is of."""
    updated_at: str
    """The last change."""
    username: str
    """The user name of the credential."""


class ActionView(TypedDict):
    """Something that can be done now."""
    action: str
    """`capture`, `refund`, `cancel`, `release`, `update_authorization`, `extend_authorization`,
    `update_customer_details`, `update_merchant_references`, `add_shipping_info`,
    `resend_communication`, `extend_due_date` or `acknowledge`.
    """
    capture_ids: NotRequired[List[str]]
    """The captures that it can be done to, where it is done to one."""
    max_amount: NotRequired[Optional[int]]
    """At most how much, in minor units."""
    min_amount: NotRequired[Optional[int]]
    """At least how much, in minor units: for the new total of an authorisation."""
    return_fee: NotRequired[bool]
    """Set when a refund may keep back a return fee."""
    until: NotRequired[Optional[str]]
    """Until when, as far as that is known."""
    waits_for_fraud_decision: NotRequired[bool]
    """Set when it is accepted now and carried out once Klarna has accepted the risk."""


class AddShippingInfo(TypedDict):
    """Parcels. They are added to those there are: Klarna replaces none."""
    shipping_info: List["Parcel"]
    """1 to 500 of them."""


class AddressPatch(TypedDict):
    """The members of an address that change."""
    attention: NotRequired[Optional[str]]
    """The person or department in the organisation."""
    city: NotRequired[Optional[str]]
    """City."""
    country: NotRequired[Optional[str]]
    """ISO 3166-1 alpha-2 code."""
    email: NotRequired[Optional[str]]
    """E-mail address."""
    family_name: NotRequired[Optional[str]]
    """Family name."""
    given_name: NotRequired[Optional[str]]
    """Given name."""
    organization_name: NotRequired[Optional[str]]
    """The organisation, for purchases of businesses."""
    phone: NotRequired[Optional[str]]
    """Phone number."""
    postal_code: NotRequired[Optional[str]]
    """Postal code."""
    region: NotRequired[Optional[str]]
    """State or province."""
    street_address: NotRequired[Optional[str]]
    """Street and house number."""
    street_address2: NotRequired[Optional[str]]
    """What else the street needs."""
    title: NotRequired[Optional[str]]
    """Title, in the country's own form."""


class AdoptTokens(TypedDict):
    """What Klarna's button gave to your page."""
    id_token: str
    """`user_account_linking_id_token`, or `idToken`."""
    refresh_token: str
    """`user_account_linking_refresh_token`, or `refreshToken`. It is used at once, and worthless afterwards."""


class AmountsView(TypedDict):
    """The sums of a payment, in minor units."""
    authorized: int
    """What the authorisation is for now."""
    captured: int
    """What was captured."""
    original: int
    """What it was for at first."""
    refundable: int
    """What can still be given back."""
    refunded: int
    """What was given back."""
    remaining: int
    """What can still be captured."""


class AttemptView(TypedDict):
    """One call to Klarna."""
    answer: NotRequired[Optional[Dict[str, Any]]]
    """What Klarna answered, as far as it may be shown."""
    at: str
    """When it ended."""
    correlation_id: NotRequired[Optional[str]]
    """Klarna's id of the exchange."""
    number: int
    """Counts from 1."""
    outcome: str
    """What it came to, in a few words."""
    status: NotRequired[Optional[int]]
    """The HTTP status, if there was an answer."""


class AuditEntry(TypedDict):
    """Something that somebody did."""
    action: str
    """What was done, such as `api_key.rotated`."""
    actor_id: str
    """The id of the user or of the key."""
    actor_kind: str
    """`user`, `api_key` or `system`."""
    actor_name: str
    """The user's or the key's name at that time."""
    created_at: str
    """When."""
    data: Dict[str, Any]
    """More about it."""
    id: str
    """Its id."""
    subject: str
    """To what: an id, or a path."""


class AuditList(TypedDict):
    """A page of the audit log."""
    data: List["AuditEntry"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


Because = Literal["requested", "period_ended", "token_cancelled", "charges_failed", "checkout_over", "no_further_day"]
"""Why a subscription ended."""


class BeginSignIn(TypedDict):
    """A sign-in to be."""
    locale: NotRequired[Optional[str]]
    """The shopper's language, such as `sv-SE`."""
    prompt: NotRequired[Optional[str]]
    """`login` or `consent`: ask again, although it was answered before. `none`: never ask."""
    redirect_uri: str
    """The page of yours to which Klarna sends the browser back; registered with Klarna for your client identifier,
    letter by letter.
    """
    scope: NotRequired[Optional[str]]
    """What is asked for, separated by spaces; the person's name, contact and billing address if it is left out."""


class BrowserSettings(TypedDict):
    """What pages begin Klarna's browser libraries with."""
    client_id: NotRequired[Optional[str]]
    """Klarna's client identifier, by which it knows the shop's pages; absent when the gateway was not told
    one, and there is nothing then that a page could begin.
    """
    environment: str
    """`playground` or `production`."""
    payments_sdk_url: str
    """The library of payments, which the express button is part of."""
    web_sdk_url: str
    """The Web SDK: placements and signing in."""


class CancelSubscription(TypedDict):
    """When it ends."""
    when: NotRequired[Optional["When"]]


class CaptureView(TypedDict):
    """A capture."""
    amount: int
    """Its amount."""
    captured_at: str
    """When."""
    description: NotRequired[Optional[str]]
    """Shown to the shopper."""
    due_date_extensions: NotRequired[List[int]]
    """By how many days its due date was moved, each time."""
    id: str
    """Klarna's id."""
    klarna_reference: NotRequired[Optional[str]]
    """Klarna's short reference."""
    order_lines: List[Dict[str, Any]]
    """Which lines."""
    reference: NotRequired[Optional[str]]
    """Stands in settlement files."""
    refunded: int
    """How much of it was given back, as far as Klarna has said."""
    shipping_info: NotRequired[List["Parcel"]]
    """Its parcels."""


class CardView(TypedDict):
    """The card behind a token, as far as a merchant may see it."""
    brand: str
    """Whose it is, such as `VISA`."""
    expiry_date: str
    """`MM/YYYY`."""
    masked_number: str
    """All but the last four digits as stars."""


class ChangePlan(TypedDict):
    """Another plan."""
    plan_id: str
    """The plan."""
    when: NotRequired[Optional["When"]]


Channel = Literal["inline", "hosted", "in_store", "native"]
"""How a purchase reaches the shopper."""


class ChargeList(TypedDict):
    """A page of charges."""
    data: List["ChargeView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


ChargeStatus = Literal["pending", "failed", "paid", "given_up", "void"]
"""What came of a charge."""


class ChargeView(TypedDict):
    """A charge of a token."""
    can_step_up: bool
    """Whether the shopper can recover it: `POST /v1/customer_tokens/{id}/charges/{charge_id}/step_up`."""
    id: str
    """Its id: that of the operation that carries it out."""
    merchant_reference: str
    """The shop's number of it."""
    operation: "OperationView"
    """Where it stands, and why it was refused, if it was."""
    payment: NotRequired[Optional["PaymentView"]]
    payment_id: NotRequired[Optional[str]]
    """The payment it became."""


class CheckoutView(TypedDict):
    """A checkout."""
    account_id: NotRequired[Optional[str]]
    """The Klarna account it was opened with, where it has a name."""
    channel: str
    """How the purchase reaches the shopper: `inline`, `hosted`, `in_store` or `native`."""
    checkout_secret: NotRequired[Optional[str]]
    """By what the shopper's browser shows that this checkout is its own, when it calls
    `/v1/public` with a publishable key; in the answer that opened it. Never in a URL.
    """
    country: str
    """Where the shopper buys."""
    created_at: str
    """When it was opened."""
    currency: str
    """The currency of every amount in it."""
    customer_token_id: NotRequired[Optional[str]]
    """The customer token it made."""
    expires_at: str
    """When the checkout ends if nobody comes back."""
    finalize: str
    """Of a checkout of several steps: `later` while the shopper has not approved, `awaited` once the
    shopper has and `finalize` is to be called; else `automatic`.
    """
    id: str
    """Its id."""
    intent: "Intent"
    """`buy`, `tokenize` or `buy_and_tokenize`."""
    klarna: NotRequired[Optional["KlarnaView"]]
    locale: str
    """The shopper's language."""
    merchant_reference: str
    """The shop's order number."""
    order_amount: int
    """The total, in minor units."""
    order_lines: List[Dict[str, Any]]
    """The lines, as Klarna is told them."""
    order_tax_amount: int
    """The tax in it."""
    page: NotRequired[Optional["PageView"]]
    payment: NotRequired[Optional["PaymentView"]]
    payment_id: NotRequired[Optional[str]]
    """The payment it led to."""
    redirect_url: NotRequired[Optional[str]]
    """Where the shopper's browser should go: to Klarna's page while it is to be paid there, and in the
    answer to `confirm` after the purchase.
    """
    refusal: NotRequired[Optional["RefusalView"]]
    status: str
    """Where it stands: `open`, `confirming`, `completed`, `declined`, `expired` or `cancelled`."""


class Confirm(TypedDict):
    """The shopper's approval."""
    authorization_token: NotRequired[Optional[str]]
    """What the browser's `authorize`, `finalize` or `reauthorize` callback got, or the app's."""
    billing_address: NotRequired[Optional[Dict[str, Any]]]
    """Where the bill goes, if it was not given before. It must be what the shopper authorised."""
    finalize_required: NotRequired[bool]
    """Instead of a token: `authorize` was called with `auto_finalize: false` and answered with
    `finalize_required: true`. The checkout says so from now on, until the token of `finalize`
    comes.
    """
    shipping_address: NotRequired[Optional[Dict[str, Any]]]
    """Where the goods go, likewise."""


class CreateAccount(TypedDict):
    """A new account."""
    countries: NotRequired[List[str]]
    """The countries it serves, two letters each; all of its region if there are none."""
    environment: NotRequired[Optional[str]]
    """`live` or `playground`; needed with a region."""
    label: str
    """What people call it."""
    merchant_id: NotRequired[Optional[str]]
    """Klarna's name of the merchant."""
    password: str
    """Its password. It is sealed, and never shown."""
    region: NotRequired[Optional[str]]
    """`europe`, `north_america` or `oceania`. Left out: the host that the gateway was started with."""
    username: str
    """The user name of the credential."""


class CreateCapture(TypedDict):
    """What to capture. Neither amount nor lines: everything that remains."""
    amount: NotRequired[Optional[int]]
    """So much, in minor units."""
    description: NotRequired[Optional[str]]
    """Shown to the shopper."""
    lines: NotRequired[Optional[List["LineShare"]]]
    """These lines. Amounts come from the recorded lines; a given amount must be their sum."""
    reference: NotRequired[Optional[str]]
    """Stands in settlement files; the operation's id if it is left out."""
    risk: NotRequired["RiskBearer"]
    """`klarna`, or `merchant` to overrule Klarna's refusal of the risk at your own."""
    shipping_delay_days: NotRequired[Optional[int]]
    """Days until the goods leave. Klarna must have allowed that for the merchant id."""
    shipping_info: NotRequired[List["Parcel"]]
    """The parcels. More can be added later."""


class CreateCharge(TypedDict):
    """What is charged."""
    capture: NotRequired[Optional[str]]
    """`manual` (capture when you ship) or `automatic` (Klarna must have allowed it)."""
    lines: List["LineInput"]
    """What is bought."""
    merchant_reference: str
    """The shop's order number."""
    prices: "PricesMode"
    """Whether prices contain tax."""
    step_up: NotRequired["StepUp"]
    """`offered` while the shopper is there and could help with a refusal; `never` if it is left out."""


class CreateCheckout(TypedDict):
    """A cart to be paid."""
    app_return_url: NotRequired[Optional[str]]
    """Of the channels `native` and `hosted`: where your app takes over again, such as
    `myapp://klarna`.
    """
    billing_address: NotRequired[Optional[Dict[str, Any]]]
    """Where the bill goes, as Klarna takes it; with `organization_name` for an organisation."""
    capture: NotRequired[Optional[str]]
    """`manual` (capture when you ship) or `automatic` (Klarna must have allowed it)."""
    channel: NotRequired["Channel"]
    """How the purchase reaches the shopper: `inline` (Klarna's widget in your page), `hosted` (a page
    of Klarna's: send the browser to `redirect_url`), `in_store` (a page of Klarna's on the
    shopper's phone) or `native` (Klarna's SDK in your app).
    """
    confirmation_url: NotRequired[Optional[str]]
    """Where the shopper's browser ends up; `{checkout_id}` is filled in."""
    country: str
    """Where the shopper buys: two letters."""
    currency: NotRequired[Optional[str]]
    """Derived from the country; if it is said, it must be that one."""
    custom_payment_method_ids: NotRequired[Optional[List[str]]]
    """Promotion codes agreed with Klarna."""
    customer: NotRequired[Optional[Dict[str, Any]]]
    """The buyer, as Klarna takes it; of an organisation `{"type": "organization", …}` with its
    registration and VAT numbers. Forgotten here once the checkout is over.
    """
    customer_token: NotRequired[Optional["TokenToBe"]]
    design: NotRequired[Optional[str]]
    """A design package agreed with Klarna."""
    extra_merchant_data: NotRequired[Optional[Dict[str, Any]]]
    """Klarna's extra merchant data: packages by name, each a list of objects."""
    finalize: NotRequired[Optional[str]]
    """`automatic`, or `later` for a checkout of several steps: the browser authorises with
    `auto_finalize: false`, and confirms with the token of `finalize`.
    """
    identity_id: NotRequired[Optional[str]]
    """Who signed in with Klarna, from `/v1/sign_ins` or `/v1/identities`: the shopper is then signed in when they
    pay. Where that cannot be had any more, the checkout is opened all the same.
    """
    in_store: NotRequired[Optional["TillInput"]]
    intent: NotRequired["Intent"]
    """`buy`, `tokenize` (a customer token and no purchase; the amount may be 0) or
    `buy_and_tokenize`.
    """
    lines: List["LineInput"]
    """What is bought."""
    locale: NotRequired[Optional[str]]
    """The shopper's language, such as `sv-SE`; the country's first if it is left out."""
    merchant_data: NotRequired[Optional[str]]
    """Your own data, passed through; 6000 characters at most."""
    merchant_reference: str
    """The shop's order number, shown to the shopper."""
    merchant_reference2: NotRequired[Optional[str]]
    """Another number of yours; stands in settlement files."""
    options: NotRequired[Optional[Dict[str, Any]]]
    """Colours of the widget, as Klarna takes them."""
    page: NotRequired[Optional["PageInput"]]
    prices: "PricesMode"
    """Whether prices contain tax."""
    shipping_address: NotRequired[Optional[Dict[str, Any]]]
    """Where the goods go; as the bill, if it is left out."""


class CreateCustomer(TypedDict):
    """A customer to be."""
    reference: str
    """Your own name for the customer, such as a number in your books: 1 to 64 printable characters
    without spaces. Never an address, an e-mail address or a person's name.
    """


class CreateErasure(TypedDict):
    """Who is to be forgotten, by what the shop knows of them."""
    checkout_ids: NotRequired[List[str]]
    """Checkouts, each with the payment it led to."""
    customer_ids: NotRequired[List[str]]
    """Customers, each with their tokens and what they were charged. Cancel their tokens first."""
    merchant_references: NotRequired[List[str]]
    """The shop's order numbers: every payment that has one of them."""
    payment_ids: NotRequired[List[str]]
    """Payments, each with the checkout it came from."""


class CreateKey(TypedDict):
    """A key to be made."""
    expires_at: NotRequired[Optional[str]]
    """When it ends by itself; never, if it is left out."""
    kind: NotRequired[Optional[str]]
    """`secret` (for servers) or `publishable` (for browsers); `secret` if it is left out."""
    name: str
    """What people call it."""
    origins: NotRequired[List[str]]
    """From which pages a publishable key may be used, such as `https://shop.example`."""
    scopes: NotRequired[List[str]]
    """What a secret key may do; only what the asking key may do itself."""


class CreatePlan(TypedDict):
    """A plan to be. It is charged as it is agreed: for another price make another plan and move
    subscriptions to it.
    """
    amount: NotRequired[Optional[int]]
    """What is charged each time, as one digital line of the plan's name. Either this or `lines`."""
    anchor_day: NotRequired[Optional[int]]
    """The day of the month (1 to 31; a shorter month has its last day instead) or of the week (1 is
    Monday) on which charges fall; the day of the first charge if it is left out. What lies before
    the first such day is free.
    """
    capture: NotRequired[Optional[str]]
    """`manual` (capture each charge yourself) or `automatic` (Klarna must have allowed it)."""
    currency: str
    """The currency of every amount in it."""
    dunning: NotRequired["Dunning"]
    """How failed charges are retried."""
    interval: "Interval"
    """`day`, `week`, `month` or `year`."""
    interval_count: NotRequired[Optional[int]]
    """How many intervals lie between two charges; 1 if it is left out."""
    lines: NotRequired[Optional[List["LineInput"]]]
    """What is charged each time, line by line. Either this or `amount`."""
    name: str
    """What the shopper reads; Klarna is told it as the subscription's name."""
    prices: NotRequired[Optional["PricesMode"]]
    tax_rate: NotRequired[Optional[int]]
    """The tax rate of `amount`, in hundredths of a percent: 2500 is 25 %."""
    trial_days: NotRequired[Optional[int]]
    """How many days are free at the beginning; none if it is left out."""


class CreateRefund(TypedDict):
    """What to refund. Neither amount nor lines: everything that was captured and not given back."""
    amount: NotRequired[Optional[int]]
    """So much, in minor units. The lines are derived from the captured ones."""
    capture_id: NotRequired[Optional[str]]
    """Only what this capture took. Klarna finds a refund's capture by the lines' references; where
    several captures have the same ones, it takes the oldest first.
    """
    description: NotRequired[Optional[str]]
    """Shown to the shopper."""
    lines: NotRequired[Optional[List["LineShare"]]]
    """These lines. Amounts come from the recorded lines; a given amount must be their sum."""
    reference: NotRequired[Optional[str]]
    """Stands in settlement files; the operation's id if it is left out."""
    return_fee: NotRequired[Optional["KeptBack"]]


class CreateStore(TypedDict):
    """A new store."""
    name: str
    """What people call it."""
    premises: NotRequired["Premises"]
    """Where its tills stand."""


class CreateSubscription(TypedDict):
    """A subscription to be: of a customer token, or of a checkout that is going to make one."""
    checkout_id: NotRequired[Optional[str]]
    """A checkout of intent `tokenize` or `buy_and_tokenize` that is not over: the subscription begins
    when it has made its token. A purchase in it stands for the first period, unless there is a trial
    or a `start_at`.
    """
    customer_token_id: NotRequired[Optional[str]]
    """What is charged. Either this or `checkout_id`."""
    merchant_reference: str
    """Your number of the subscription: 1 to 200 characters. A charge's reference is this, a hyphen and
    the charge's number.
    """
    plan_id: str
    """The plan."""
    start_at: NotRequired[Optional[str]]
    """When it begins, such as `2031-01-31T09:00:00+01:00`: not in the past. As soon as the token exists,
    if it is left out. Later charges keep the time of day and the day of the month.
    """
    time_zone: NotRequired[Optional[str]]
    """The IANA time zone on whose clocks days are counted, such as `Europe/Stockholm`; `UTC` if it is
    left out.
    """
    trial_days: NotRequired[Optional[int]]
    """How many days are free at the beginning; the plan's, if it is left out."""


class CreateWebhookEndpoint(TypedDict):
    """Where the shop wants to be told."""
    description: NotRequired[str]
    """For people; at most 200 characters."""
    events: NotRequired[List[str]]
    """Which events: types such as `payment.captured`, or `payment.*`. All, if the list is empty or
    left out.
    """
    url: str
    """Where messages are posted."""


class CurrencyView(TypedDict):
    """One currency."""
    currency: str
    """The currency of every amount in it."""
    days: List["DayView"]
    """Each day, the first one first."""
    open_disputes: "SumView"
    """Disputes that are open now."""
    to_come: int
    """Captured, not given back, and in no payout yet, in minor units; before Klarna's fees, which are
    known once a payout is made. Below zero when more is to be given back than is to come.
    """
    total: "FiguresView"
    """All days together."""


class CustomerDetails(TypedDict):
    """Where the goods are sent. A member that is left out stays; an empty text takes it away. It is
    passed on to Klarna and not kept.
    """
    billing_address: NotRequired[Optional[Dict[str, Any]]]
    """Cannot be changed any more: naming it is refused."""
    shipping_address: NotRequired["AddressPatch"]
    """What changes of the shipping address."""


class CustomerList(TypedDict):
    """A page of customers."""
    data: List["CustomerView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class CustomerTokenList(TypedDict):
    """A page of customer tokens."""
    data: List["CustomerTokenView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class CustomerTokenView(TypedDict):
    """A customer token."""
    card: NotRequired[Optional["CardView"]]
    checked_at: NotRequired[Optional[str]]
    """When Klarna was last asked about it; absent if never."""
    checkout_id: str
    """The checkout in which it was made."""
    country: str
    """Where the shopper buys."""
    created_at: str
    """When it was made."""
    currency: str
    """In what is charged."""
    customer_id: NotRequired[Optional[str]]
    """Whose it is, if the checkout said so."""
    description: str
    """What the shopper was told it is for."""
    id: str
    """Its id. Klarna's own id of it is a secret and stays in the gateway."""
    payment_method_type: NotRequired[Optional[str]]
    """How it is charged, such as `INVOICE`, once Klarna has said it."""
    status: str
    """`active`, `suspended` (Klarna stopped it for now) or `cancelled` (for ever)."""


class CustomerView(TypedDict):
    """A customer."""
    created_at: str
    """When the store first spoke of them."""
    id: str
    """Its id."""
    reference: str
    """The merchant's own name for the customer."""


class DayView(FiguresView):
    """One day."""
    date: str
    """Such as `2031-05-04`; a day of UTC."""


class DifferenceView(TypedDict):
    """Two amounts that should be the same and are not."""
    of: str
    """What is compared, by Klarna's name."""
    parts: int
    """What its parts come to."""
    total: int
    """What Klarna's total says, in minor units."""


class DisputeList(TypedDict):
    """A page of disputes."""
    data: List["DisputeView"]
    """The last raised first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class DisputeView(TypedDict):
    """A dispute."""
    amount: NotRequired[Optional[int]]
    """How much is disputed, in minor units."""
    capture_id: NotRequired[Optional[str]]
    """The capture."""
    closed_at: NotRequired[Optional[str]]
    """When it was closed."""
    currency: NotRequired[Optional[str]]
    """The currency of the amount."""
    deadline_at: NotRequired[Optional[str]]
    """Until when to answer or appeal, in Klarna's merchant portal; absent while it is Klarna's turn."""
    id: str
    """Its id."""
    klarna_dispute_id: str
    """Klarna's id."""
    klarna_order_id: NotRequired[Optional[str]]
    """Klarna's id of the order."""
    opened_at: str
    """When it was raised."""
    outcome: NotRequired[Optional[str]]
    """`won` or `lost`, once it is closed."""
    outcome_detail: NotRequired[Optional[str]]
    """Why, in Klarna's words in lower case."""
    payment_id: NotRequired[Optional[str]]
    """The payment, if it is one of this store's."""
    raised_by: NotRequired[Optional[str]]
    """`customer` or `klarna_agent`."""
    reason: str
    """Klarna's reason in lower case, such as `products_or_services_not_received`."""
    state: str
    """`initiated`, `representment`, `pre_arbitration`, `arbitration` or `closed`; Klarna may add more."""
    updated_at: str
    """When it last changed at Klarna."""


class DueDateOption(TypedDict):
    """One offer."""
    fee: int
    """What Klarna charges the merchant for it, in minor units."""
    number_of_days: int
    """By so many days."""


class DueDateOptions(TypedDict):
    """By how much a due date can be moved."""
    currency: NotRequired[Optional[str]]
    """The currency of the fees."""
    options: List["DueDateOption"]
    """What Klarna offers now; nothing: the due date cannot be moved now."""


class Dunning(TypedDict):
    """How failed charges are retried."""
    give_up: NotRequired["GiveUp"]
    """What happens when the last of them failed: `suspend` (the merchant may resume it) or `cancel`."""
    retry_days: NotRequired[List[int]]
    """How many days after the first failure it is tried again: rising, 1 to 60, at most 10 of them.
    1, 3, 5 and 7 if it is left out; empty for never.
    """
    step_up: NotRequired["StepUp"]
    """Whether a refused charge may be recovered by the shopper: `never`, or `offered` where Klarna
    offers it.
    """


Ended = Literal["done", "refused"]
"""How an operation is said to have ended."""


class EntryView(TypedDict):
    """One entry of a payout."""
    amount: int
    """What it does to the payout, in minor units: below zero it takes. Without tax."""
    at: NotRequired[Optional[str]]
    """When it was registered at Klarna."""
    capture_id: NotRequired[Optional[str]]
    """The capture."""
    detail: NotRequired[Optional[str]]
    """Klarna's closer type in lower case, such as `purchase_fee_fixed`."""
    klarna_order_id: NotRequired[Optional[str]]
    """Klarna's id of the order."""
    merchant_reference: NotRequired[Optional[str]]
    """The shop's order number."""
    payment_id: NotRequired[Optional[str]]
    """The payment, if it is one of this store's."""
    refund_id: NotRequired[Optional[str]]
    """The refund."""
    tax: NotRequired[Optional[int]]
    """The tax on a fee, in minor units, which is taken besides."""
    type: str
    """Klarna's type in lower case: `sale`, `return`, `fee`, `reversal` and so on."""


ErasureKind = Literal["payment", "checkout", "customer"]
"""What something is."""


class ErasureList(TypedDict):
    """A page of erasures."""
    data: List["ErasureView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


ErasureState = Literal["erased", "waiting", "unknown"]
"""What became of it."""


class ErasureSubject(TypedDict):
    """What became of one payment or checkout."""
    because: NotRequired[Optional[str]]
    """Why it is still needed: `checkout_open`, `authorization_open`,
    `operation_pending` or `token_active`.
    """
    erased_at: NotRequired[Optional[str]]
    """When it was erased."""
    id: str
    """Its id."""
    needed_until: NotRequired[Optional[str]]
    """Until when at the latest, where that is known. Cancel or release the payment, or call the
    checkout off, to have it erased sooner.
    """
    status: "ErasureState"
    """`erased`; `waiting` while it is still needed; or `unknown` in this store."""
    type: "ErasureKind"
    """`payment`, `checkout` or `customer`."""


class ErasureView(TypedDict):
    """What was asked to be forgotten, and what became of it."""
    created_at: str
    """When it was asked."""
    id: str
    """Its id."""
    status: str
    """`done`, or `waiting` while something is still needed."""
    subjects: List["ErasureSubject"]
    """Each payment and checkout."""


class EventList(TypedDict):
    """What happened to a payment and to the checkout it came from."""
    data: List["EventView"]
    """Oldest first."""


class EventPage(TypedDict):
    """A page of events."""
    data: List["EventView"]
    """In the order that was asked for."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one, unless the oldest come first."""


class EventView(TypedDict):
    """Something that happened."""
    created_at: str
    """When."""
    data: Dict[str, Any]
    """More about it."""
    id: str
    """The same fact has the same id."""
    subject_id: str
    """The checkout or payment it happened to."""
    type: str
    """What, such as `payment.captured`."""


class ExpiryPolicy(TypedDict):
    """What the store wants."""
    act_days: NotRequired[int]
    """How many days before the expiry it is done: 1 to 180."""
    notice_days: NotRequired[List[int]]
    """How many days before the expiry `payment.authorization_expiring` is sent: at most five
    numbers, 1 to 180.
    """
    on_expiry: NotRequired["OnExpiry"]
    """What is done about a payment of which something can still be captured: `none`, `extend` the
    authorisation, `capture_remaining`, or `release` what remains.
    """


class ExtendDueDate(TypedDict):
    """By how much the due date moves."""
    number_of_days: int
    """One of the numbers of days that the capture's options name."""


class FinishSignIn(TypedDict):
    """What Klarna answered to your page."""
    code: NotRequired[Optional[str]]
    """The parameter `code`."""
    error: NotRequired[Optional[str]]
    """The parameter `error`."""
    iss: NotRequired[Optional[str]]
    """The parameter `iss`."""
    state: str
    """The parameter `state` of the address that the browser came back to."""


GiveUp = Literal["suspend", "cancel"]
"""What to do when every try was in vain."""


class IdentityView(TypedDict):
    """A shopper who signed in with Klarna."""
    created_at: str
    """When they did for the first time."""
    customer_id: NotRequired[Optional[str]]
    """Your customer whose account it is, once you have linked them."""
    id: str
    """Its id: give it as `identity_id` when you open a checkout, and the shopper is signed in when they pay."""
    scope: str
    """What the shopper granted."""
    signed_in_at: str
    """When they signed in the last time."""
    subject: str
    """The name that Klarna gives the account, always the same."""


Intent = Literal["buy", "tokenize", "buy_and_tokenize"]
"""What a checkout is for."""


Interval = Literal["day", "week", "month", "year"]
"""The unit of a rhythm."""


class KeptBack(TypedDict):
    """A return fee."""
    amount: int
    """How much, in minor units."""
    name: NotRequired[str]
    """What the shopper reads."""
    tax_rate: NotRequired[int]
    """The tax in it, in hundredths of a percent."""


class KeyList(TypedDict):
    """A page of keys."""
    data: List["KeyView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class KeyView(TypedDict):
    """An API key. The key itself is shown once, when it is made."""
    created_at: str
    """When it was made."""
    created_by: str
    """Who made it: a key, a user, or `configuration`."""
    expires_at: NotRequired[Optional[str]]
    """When it ends by itself."""
    hint: str
    """The last characters of the key; empty for a key of the configuration."""
    id: str
    """Its id."""
    key: NotRequired[Optional[str]]
    """The key itself: in the answer that made it, and never again. A repeat of the request under
    the same `Idempotency-Key` is answered without it; rotate the key if it was lost.
    """
    kind: str
    """`secret` (for servers) or `publishable` (for browsers)."""
    last_used_at: NotRequired[Optional[str]]
    """When it was last used, to within ten minutes."""
    name: str
    """What people call it."""
    origins: List[str]
    """From which pages a publishable key may be used."""
    replaced_by: NotRequired[Optional[str]]
    """The key that takes its place."""
    revoked_at: NotRequired[Optional[str]]
    """When it was revoked."""
    scopes: List[str]
    """What it may do."""
    status: str
    """`active`, `expired` or `revoked`."""


class KlarnaCause(TypedDict):
    """What Klarna answered, where that is the cause."""
    correlation_id: NotRequired[Optional[str]]
    """Klarna's id of the exchange: quote it to Klarna's support."""
    error_code: NotRequired[Optional[str]]
    """Klarna's code."""
    error_messages: List[str]
    """Klarna's messages: English, for people who debug."""
    status: NotRequired[Optional[int]]
    """The HTTP status of Klarna's answer."""


class KlarnaView(TypedDict):
    """What the shop's page needs to show Klarna's widget."""
    client_token: str
    """For `Klarna.Payments.init`."""
    payment_method_categories: List[Dict[str, Any]]
    """What the widget can show."""
    script_url: str
    """Where the browser library is loaded from."""
    session_expires_at: str
    """When the client token ends. A read of the checkout renews it in time."""


class LineInput(TypedDict):
    """A line of the shop's cart."""
    discount: NotRequired[Optional[int]]
    """Off this line, in minor units."""
    image_url: NotRequired[Optional[str]]
    """A picture of it."""
    name: str
    """What the shopper reads."""
    product_url: NotRequired[Optional[str]]
    """Its page."""
    quantity: NotRequired[int]
    """How many."""
    reference: NotRequired[Optional[str]]
    """The shop's article number: by it, lines are captured and refunded."""
    tax_rate: NotRequired[int]
    """In hundredths of a percent: 2500 is 25 %."""
    type: NotRequired["LineKind"]
    """What it is; `physical` if it is not said."""
    unit_price: int
    """The price of one, in minor units. Of a discount, gift card or store credit: what is taken
    off, with either sign.
    """


LineKind = Literal["physical", "digital", "shipping_fee", "surcharge", "discount", "gift_card", "store_credit"]
"""What a line of the shop's cart is."""


class LineShare(TypedDict):
    """So many units of a line."""
    quantity: int
    """How many units."""
    reference: str
    """The line's reference."""


class LinkIdentity(TypedDict):
    """Whose account it is."""
    customer_id: str
    """Your customer; added by `POST /v1/customers`."""


class MerchantReferences(TypedDict):
    """The shop's references. What is left out stays."""
    merchant_reference1: NotRequired[Optional[str]]
    """The shop's order number, shown to the shopper."""
    merchant_reference2: NotRequired[Optional[str]]
    """Another number of the shop; an empty text takes it away."""


class MethodView(TypedDict):
    """How the shopper pays Klarna."""
    description: NotRequired[Optional[str]]
    """Klarna's words for it."""
    number_of_installments: NotRequired[Optional[int]]
    """In how many parts."""
    type: str
    """Klarna's type, such as `INVOICE`."""


OnExpiry = Literal["none", "extend", "capture_remaining", "release"]
"""What a store wants done about a payment that is about to lapse."""


class OpenChargeView(TypedDict):
    """A charge that failed and waits."""
    attempts: int
    """How often it was tried."""
    can_step_up: bool
    """Whether the shopper can pay it until then: `POST /v1/subscriptions/{id}/step_up`."""
    checkout_id: NotRequired[Optional[str]]
    """The checkout that was opened for that."""
    due_at: str
    """When it fell due."""
    number: int
    """Its number."""
    then: NotRequired[Optional[str]]
    """`retry` or `give_up`: what comes then."""
    waits_until: NotRequired[Optional[str]]
    """When it is tried again, or given up; absent while Klarna is being asked."""


class OpenStepUp(TypedDict):
    """What the page that is opened needs."""
    channel: NotRequired["StepUpChannel"]
    """`inline`: Klarna's widget in a page of yours; `hosted`: a page of Klarna's besides, to whose
    `redirect_url` a link may lead, and which `POST /v1/checkouts/{id}/send` has Klarna send.
    """
    confirmation_url: NotRequired[Optional[str]]
    """Where the shopper's browser ends up; `{checkout_id}` is filled in."""


class OperationDetail(OperationView):
    """An operation with everything that is known of it."""
    calls: List["AttemptView"]
    """Every call to Klarna, oldest first."""
    checkout_id: NotRequired[Optional[str]]
    """The checkout it belongs to; null where a customer token is charged or cancelled."""
    correlation_id: NotRequired[Optional[str]]
    """Klarna's id of the last exchange."""
    klarna_id: NotRequired[Optional[str]]
    """Klarna's id of what it made, where it took effect."""
    klarna_order_id: NotRequired[Optional[str]]
    """The Klarna order it is about."""
    merchant_reference: str
    """The shop's order number."""
    payment_id: NotRequired[Optional[str]]
    """The payment it is about, or led to."""
    request: NotRequired[Optional[Dict[str, Any]]]
    """What is sent, as far as it may be shown."""
    settled: NotRequired[Optional["SettlementView"]]
    subject_id: NotRequired[Optional[str]]
    """The subscription or customer token it is about, where it is neither about a checkout nor
    about a payment.
    """
    updated_at: str
    """The last change."""
    version: int
    """Grows with every change: send it along to act on what you saw."""


class OperationList(TypedDict):
    """A page of operations."""
    data: List["OperationDetail"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


OverviewView = TypedDict("OverviewView", {
    "currencies": List["CurrencyView"],
    "from": str,
    "until": str,
})
"""How a store is doing."""


class PageInput(TypedDict):
    """How Klarna's page looks, and where the shopper's browser goes from it."""
    back_url: NotRequired[Optional[str]]
    """When the shopper goes back to the shop, and may return."""
    background_images: NotRequired[List[Dict[str, Any]]]
    """Pictures behind the page: `{url, width}`."""
    cancel_url: NotRequired[Optional[str]]
    """When the shopper cancels. On the web that is the same as going back."""
    error_url: NotRequired[Optional[str]]
    """After a technical error; `failure_url` if it is left out."""
    failure_url: NotRequired[Optional[str]]
    """When Klarna declines."""
    logo_url: NotRequired[Optional[str]]
    """The shop's logo."""
    page_title: NotRequired[Optional[str]]
    """The page's heading, in the shopper's language."""
    payment_method_categories: NotRequired[List[str]]
    """The payment method categories that are offered; all of them if there are none."""
    purchase_type: NotRequired[Optional[str]]
    """What the last button says: `BUY`, `RENT`, `BOOK`, `SUBSCRIBE`, `DOWNLOAD`, `ORDER` or
    `CONTINUE`.
    """
    show_subtotal_detail: NotRequired[Optional[str]]
    """`HIDE`: only the total is shown."""
    success_url: NotRequired[Optional[str]]
    """After an approval; `confirmation_url` if it is left out. `{checkout_id}` is filled in."""


class PageView(TypedDict):
    """The page of Klarna's on which the shopper pays."""
    changed_at: str
    """When its status last changed."""
    expires_at: str
    """When it ends. A read of the checkout renews it in time."""
    payment_method_categories: List[Dict[str, Any]]
    """What the shopper can choose on it: the name and the logo to show beside the way to pay."""
    qr_code_url: NotRequired[Optional[str]]
    """A picture of a code that leads to it, for a screen that the shopper looks at."""
    redirect_url: NotRequired[Optional[str]]
    """Its address: send the shopper's browser there. Klarna gives none for a purchase in a store."""
    sent_at: NotRequired[Optional[str]]
    """When."""
    sent_by: NotRequired[Optional[str]]
    """How its link was sent, the last time: `sms` or `email`."""
    status: str
    """Where it stands: `waiting`, `in_progress`, `completed`, `declined` and `failed` (the shopper
    may try again), `back`, `cancelled`, `disabled` or `expired`.
    """


class PaidOutView(TypedDict):
    """What of a payment is in a payout."""
    entries: List["EntryView"]
    """The payment's entries in it."""
    paid_at: str
    """When Klarna starts the transfer."""
    payout_id: str
    """The payout."""
    reference: str
    """Klarna's name for it."""


class Parcel(TypedDict):
    """One parcel, and the one that may come back."""
    return_shipping_company: NotRequired[Optional[str]]
    """The carrier of a return."""
    return_tracking_number: NotRequired[Optional[str]]
    """The carrier's number of a return."""
    return_tracking_uri: NotRequired[Optional[str]]
    """Where a return can be followed."""
    shipping_company: NotRequired[Optional[str]]
    """The carrier; be specific: `DHL US`, not `DHL`."""
    shipping_method: NotRequired[Optional[str]]
    """`PickUpStore`, `Home`, `BoxReg`, `BoxUnreg`, `PickUpPoint`, `Own`, `Postal`,
    `DHLPackstation`, `Digital`, `Undefined`, `PickUpWarehouse`, `ClickCollect` or
    `PalletDelivery`.
    """
    tracking_number: NotRequired[Optional[str]]
    """The carrier's number."""
    tracking_uri: NotRequired[Optional[str]]
    """Where the shopper can follow it."""


class PaymentList(TypedDict):
    """A page of payments."""
    data: List["PaymentView"]
    """In the order that was asked for. A page may be shorter than it could be although it is not the last:
    only so much is searched at once.
    """
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one. Good with the same filters and order only."""


class PaymentView(TypedDict):
    """A payment."""
    amounts: "AmountsView"
    """The sums."""
    available_actions: List["ActionView"]
    """What can be done now, with limits."""
    captures: List["CaptureView"]
    """What was captured."""
    checkout_id: NotRequired[Optional[str]]
    """The checkout it came from; null where a customer token was charged."""
    country: str
    """Where the shopper bought."""
    created_at: str
    """When the order was made."""
    currency: str
    """The currency of every amount in it."""
    disputes: NotRequired[Optional[List["DisputeView"]]]
    """What is disputed; only where one payment is read."""
    expires_at: NotRequired[Optional[str]]
    """The last moment for a capture."""
    fraud_status: str
    """`ACCEPTED`, `PENDING` or `REJECTED`. Ship only when it is accepted."""
    id: str
    """Its id."""
    klarna_order_id: str
    """Klarna's id of the order."""
    klarna_reference: NotRequired[Optional[str]]
    """Klarna's short reference."""
    merchant_reference: str
    """The shop's order number."""
    merchant_reference2: NotRequired[Optional[str]]
    """Another number of the shop."""
    operations: List["OperationView"]
    """What is on its way."""
    order_lines: List[Dict[str, Any]]
    """What was bought."""
    payment_method: NotRequired[Optional["MethodView"]]
    payouts: NotRequired[Optional[List["PaidOutView"]]]
    """What of it is in which payout; only where one payment is read."""
    refunds: List["RefundView"]
    """What was given back."""
    shipping_info: NotRequired[List["Parcel"]]
    """Parcels of the order as such."""
    status: str
    """`authorized`, `part_captured`, `captured`, `cancelled`, `expired` or `closed`."""
    unavailable_actions: List["UnavailableView"]
    """What cannot be done now, and why not."""


class PayoutDetail(PayoutView):
    """A payout with a page of its entries."""
    entries: List["EntryView"]
    """Its entries, in the order of time."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page of entries begins; absent on the last one."""


class PayoutList(TypedDict):
    """A page of payouts."""
    data: List["PayoutView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class PlanList(TypedDict):
    """A page of plans."""
    data: List["PlanView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class PlanView(TypedDict):
    """A plan."""
    anchor_day: NotRequired[Optional[int]]
    """The day on which charges fall; the day of the first charge if it is absent."""
    capture: str
    """`manual` or `automatic`."""
    created_at: str
    """When it was made."""
    currency: str
    """The currency of every amount in it."""
    dunning: "Dunning"
    """How failed charges are retried."""
    id: str
    """Its id."""
    interval: "Interval"
    """`day`, `week`, `month` or `year`."""
    interval_count: int
    """How many intervals lie between two charges."""
    lines: List["LineInput"]
    """What is charged each time."""
    name: str
    """What the shopper reads."""
    prices: "PricesMode"
    """Whether prices contain tax."""
    status: "Status"
    """`active`, or `archived`: then no new subscription may have it."""
    trial_days: int
    """How many days are free at the beginning."""


class Premises(TypedDict):
    """Where a store's tills stand: what Klarna is told of purchases in it."""
    city: NotRequired[Optional[str]]
    """City."""
    country: NotRequired[Optional[str]]
    """Country, two letters: also where the counter sells."""
    merchant_store_id: NotRequired[Optional[str]]
    """The store's own number, as its tills know it; our id of the store, if it is not said."""
    postal_code: NotRequired[Optional[str]]
    """Postal code."""
    street_address: NotRequired[Optional[str]]
    """Street without the number."""
    street_number: NotRequired[Optional[str]]
    """House number."""


PricesMode = Literal["including_tax", "excluding_tax"]
"""Whether the shop's prices contain tax."""


class Problem(TypedDict):
    """An error answer."""
    code: str
    """Stable, for programs."""
    correlation_id: NotRequired[Optional[str]]
    """Klarna's id of the exchange, where Klarna is the cause."""
    detail: str
    """What is wrong this time."""
    klarna: NotRequired[Optional["KlarnaCause"]]
    member: NotRequired[Optional[str]]
    """The member of the request that is wrong."""
    operation_id: NotRequired[Optional[str]]
    """The operation that was refused."""
    remedy: str
    """What to do about it."""
    status: int
    """The HTTP status."""
    title: str
    """The kind of problem for people."""
    type: str
    """A name for the kind of problem: `urn:kassa:problem:` and the code."""


class PublicCheckout(TypedDict):
    """A checkout as its shopper's browser may see it."""
    currency: str
    """The currency of the total."""
    expires_at: str
    """When the checkout ends if nobody comes back."""
    id: str
    """Its id."""
    merchant_reference: str
    """The shop's order number."""
    order_amount: int
    """The total, in minor units."""
    redirect_url: NotRequired[Optional[str]]
    """Where to go after the purchase."""
    status: str
    """Where it stands: `open`, `confirming`, `completed`, `declined`, `expired` or `cancelled`."""


class RefundView(TypedDict):
    """A refund."""
    amount: int
    """Its amount."""
    capture_id: NotRequired[Optional[str]]
    """The capture it was asked for of, where one was named."""
    description: NotRequired[Optional[str]]
    """Shown to the shopper."""
    id: str
    """Klarna's id."""
    order_lines: List[Dict[str, Any]]
    """Which lines."""
    reference: NotRequired[Optional[str]]
    """Stands in settlement files."""
    refunded_at: str
    """When."""


class RefusalView(TypedDict):
    """Why the last authorisation led to no order."""
    code: str
    """Stable, for programs."""
    detail: str
    """For people."""
    klarna: NotRequired[Optional["KlarnaCause"]]
    remedy: str
    """What to do about it."""


ReopenPage = Dict[str, Any]
"""Nothing needs to be said."""


ReplayMessages = TypedDict("ReplayMessages", {
    "cursor": NotRequired[Optional[str]],
    "from": NotRequired[Optional[str]],
    "until": NotRequired[Optional[str]],
    "what": "ReplayWhat",
})
"""What is to be sent again."""


ReplayWhat = Literal["dead", "range"]
"""Which messages are sent again."""


class ReplayedMessages(TypedDict):
    """What a replay came to."""
    count: int
    """So many messages are on their way again."""
    next_cursor: NotRequired[Optional[str]]
    """Set when there is more: ask again with it."""


class Resume(TypedDict):
    """Which state of the operation is meant."""
    note: NotRequired[Optional[str]]
    """Why; stays in the history."""
    version: NotRequired[Optional[int]]
    """The `version` you saw; whatever it is now, if it is left out."""


class RetentionPolicy(TypedDict):
    """How long the store keeps what it knows of shoppers."""
    personal_data_days: NotRequired[Optional[int]]
    """So many days after a payment or checkout came to its end and was last changed, what is personal
    in it is erased: 1 to 3650. For ever, if it is left out or null.
    """


RiskBearer = Literal["klarna", "merchant"]
"""Who bears the risk of a capture."""


class RotateKey(TypedDict):
    """How a key is to be replaced."""
    overlap_seconds: NotRequired[Optional[int]]
    """How long the old key still works, in seconds: 0 to 2592000; a day if it is left out."""


class RotateSecret(TypedDict):
    """How a secret is replaced."""
    overlap_hours: NotRequired[Optional[int]]
    """For how many hours the older secrets go on signing beside the new one: 0 to 168; 24 if it is
    left out.
    """


class SecretView(TypedDict):
    """A secret, without itself."""
    created_at: str
    """Since when it signs."""
    expires_at: NotRequired[Optional[str]]
    """Until when, once there is a newer one."""


SendLink = Any
"""Where the link goes. Klarna sends it, in the language of the checkout; it is not kept here."""


class Settle(TypedDict):
    """What happened."""
    klarna_id: NotRequired[Optional[str]]
    """The capture or refund that was made, where Klarna's books show several that it may be."""
    klarna_order_id: NotRequired[Optional[str]]
    """The order that was made: needed to settle a `place_order` as done."""
    note: str
    """How you know; stays in the history."""
    outcome: "Ended"
    """`done` or `refused`. Compared with Klarna's books before it is believed."""
    version: NotRequired[Optional[int]]
    """The `version` you saw; whatever it is now, if it is left out."""


class SettlementView(TypedDict):
    """Who settled an operation that waited for a person."""
    at: str
    """When."""
    by: str
    """Who."""
    note: str
    """Why, in their words."""


class SignInView(TypedDict):
    """A sign-in that has begun."""
    authorization_url: str
    """Where to send the browser."""
    expires_at: str
    """Until when it can be finished."""
    id: str
    """Its id. Keep it, with `state`, in the shopper's own session."""
    redirect_uri: str
    """Where the browser comes back to."""
    state: str
    """What Klarna gives back: compare it with what came back before you finish the sign-in, so that nobody can have
    your shopper finish somebody else's.
    """


class SignedInView(TypedDict):
    """A shopper who has just signed in."""
    identity: "IdentityView"
    """The shopper."""
    profile: Dict[str, Any]
    """What they share with you, as Klarna tells it: `given_name`, `email`, `billing_address` and so on. It is told
    this once, and not kept here.
    """


Status = Literal["active", "archived"]
"""Whether new subscriptions may have a plan."""


StepUp = Literal["offered", "never"]
"""Whether the shopper may be asked to help with a refused charge."""


StepUpChannel = Literal["inline", "hosted"]
"""Where the shopper can help with a refused charge."""


class StoreList(TypedDict):
    """A page of stores."""
    data: List["StoreView"]
    """Oldest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class StoreView(TypedDict):
    """A store."""
    api_key: NotRequired[Optional[str]]
    """A key for this store's API, in the answer that makes the store. It is never shown again."""
    created_at: str
    """When it was made."""
    id: str
    """Its id."""
    name: str
    """What people call it."""
    premises: "Premises"
    """Where its tills stand: what Klarna is told of purchases in it."""


class StreamToken(TypedDict):
    """A token for one stream."""
    expires_at: str
    """When it ends."""
    token: str
    """What stands in `url`."""
    url: str
    """For the browser: `new EventSource(url)`."""


class SubscriptionChargeList(TypedDict):
    """A page of a subscription's charges."""
    data: List["SubscriptionChargeView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class SubscriptionChargeView(TypedDict):
    """One charge of a subscription."""
    amount: int
    """How much, in minor units."""
    attempts: int
    """How often Klarna was asked, under a key of its own each time."""
    currency: str
    """In which currency."""
    due_at: str
    """When it fell due: the beginning of what it pays for."""
    number: int
    """Its number; the first is 1."""
    operation_ids: List[str]
    """The operations that asked, oldest first."""
    payment_id: NotRequired[Optional[str]]
    """The payment that paid it."""
    period_end: NotRequired[Optional[str]]
    """The end of what it pays for."""
    plan_id: str
    """The plan it was charged by."""
    refusal: NotRequired[Optional["RefusalView"]]
    status: "ChargeStatus"
    """`pending` (Klarna, or a person, is being asked), `failed` (something follows), `paid`,
    `given_up` or `void` (the subscription ended before).
    """


class SubscriptionList(TypedDict):
    """A page of subscriptions."""
    data: List["SubscriptionView"]
    """Newest first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class SubscriptionView(TypedDict):
    """A subscription."""
    cancel_at_period_end: bool
    """Set when it ends instead of being charged again."""
    charges: int
    """How many charges have fallen due, the first payment of a checkout included."""
    checkout_id: NotRequired[Optional[str]]
    """The checkout that makes the token, if it began with one."""
    created_at: str
    """When it was made."""
    customer_id: NotRequired[Optional[str]]
    """Whose it is, if that was said."""
    customer_token_id: NotRequired[Optional[str]]
    """What is charged; absent while it is incomplete."""
    ended_at: NotRequired[Optional[str]]
    """When it ended."""
    ended_because: NotRequired[Optional["Because"]]
    id: str
    """Its id."""
    interval: "Interval"
    """`day`, `week`, `month` or `year`."""
    interval_count: int
    """How many intervals lie between two charges."""
    merchant_reference: str
    """The shop's number of it. A charge's reference is this, a hyphen and the charge's number."""
    next_charge_at: NotRequired[Optional[str]]
    """When the next period is charged; absent if none will be by itself."""
    next_plan_id: NotRequired[Optional[str]]
    """The plan from the next period on, if it changes."""
    open_charge: NotRequired[Optional["OpenChargeView"]]
    paused_at: NotRequired[Optional[str]]
    """When it was paused."""
    plan_id: str
    """The plan."""
    status: str
    """`incomplete` (its checkout has not made the token yet), `trialing` (nothing was charged yet),
    `active`, `past_due` (a charge failed and is retried), `paused`, `suspended` (charging was given
    up) or `cancelled`.
    """
    time_zone: str
    """The time zone on whose clocks days are counted."""


class SumView(TypedDict):
    """An amount, and of how many."""
    amount: int
    """In minor units."""
    count: int
    """How many."""


class TestView(TypedDict):
    """What Klarna says of an account's credential."""
    code: str
    """`works`, `credentials_refused`, `merchant_inactive`, `klarna_unreachable` or `klarna_refused`."""
    detail: str
    """For people."""
    klarna: NotRequired[Optional["KlarnaCause"]]
    remedy: NotRequired[Optional[str]]
    """What to do about it, if there is something."""
    works: bool
    """Whether Klarna takes it."""


class TillInput(TypedDict):
    """The till that sells."""
    merchant_store_id: NotRequired[Optional[str]]
    """The store's own number; that of the store's settings if it is left out."""
    terminal_id: NotRequired[Optional[str]]
    """The till."""


class TokenToBe(TypedDict):
    """A customer token that a checkout is to make."""
    customer_id: NotRequired[Optional[str]]
    """Whose it will be."""
    description: str
    """What the shopper is told it is for: 1 to 255 characters."""
    plan_id: NotRequired[Optional[str]]
    """The plan of the subscription that it is for: Klarna is told of its name and rhythm with each line
    of goods and services. Left out for charges on demand.
    """


class TotalsView(TypedDict):
    """What a payout is made of, in minor units. An amount is without a sign; its name says what it does."""
    charges: int
    """Other debits."""
    credits: int
    """Other credits."""
    debt_after: int
    """What the store owes Klarna after it."""
    fees: int
    """Klarna's fees and their tax, less what was given back of them."""
    held_back: int
    """Withheld as a reserve."""
    released: int
    """Paid after it was withheld."""
    repaid: int
    """Debt that it paid back."""
    returns: int
    """Refunds by the store."""
    reversals: int
    """What Klarna gave back to shoppers, after disputes above all."""
    sales: int
    """Captures."""


class UnavailableView(TypedDict):
    """Something that cannot be done now."""
    action: str
    """What."""
    code: str
    """The code that asking for it would be answered with."""
    detail: str
    """Why not."""
    remedy: str
    """What to do about it."""


class UpdateAccount(TypedDict):
    """What is to be changed of an account; what is left out stays. The host cannot be changed: a
    credential is good for one only.
    """
    active: NotRequired[Optional[bool]]
    """`false`: no new purchases. What was opened with it goes on."""
    countries: NotRequired[Optional[List[str]]]
    """The countries it serves; replaced as a whole."""
    label: NotRequired[Optional[str]]
    """What people call it."""
    merchant_id: NotRequired[Optional[str]]
    """Klarna's name of the merchant."""
    password: NotRequired[Optional[str]]
    """The password of a new credential."""
    username: NotRequired[Optional[str]]
    """The user name of a new credential of the same merchant; only with its password."""


class UpdateAuthorization(TypedDict):
    """What the authorisation becomes. Lines replace those there are; with an amount alone those there
    are stay, and a line called "Adjustment" makes them add up.
    """
    amount: NotRequired[Optional[int]]
    """The new total, in minor units: not less than what is captured. More than there is needs a
    payment method for which Klarna offers that, and a new check of the shopper.
    """
    description: NotRequired[Optional[str]]
    """Why; Klarna keeps it."""
    lines: NotRequired[Optional[List["LineInput"]]]
    """Everything that is bought now, as in a checkout. A given amount must be their sum."""
    prices: NotRequired[Optional["PricesMode"]]


class UpdateCheckout(TypedDict):
    """What is to be changed; what is left out stays. `lines` are replaced as a whole."""
    billing_address: NotRequired[Optional[Dict[str, Any]]]
    """Where the bill goes; replaced as a whole."""
    country: NotRequired[Optional[str]]
    """Where the shopper buys. A change gives the checkout a fresh Klarna session."""
    currency: NotRequired[Optional[str]]
    """Must be the country's."""
    customer: NotRequired[Optional[Dict[str, Any]]]
    """The buyer, as Klarna takes it."""
    extra_merchant_data: NotRequired[Optional[Dict[str, Any]]]
    """Klarna's extra merchant data; replaced as a whole."""
    lines: NotRequired[Optional[List["LineInput"]]]
    """What is bought."""
    locale: NotRequired[Optional[str]]
    """The shopper's language. Left out with a new country: that country's first."""
    merchant_data: NotRequired[Optional[str]]
    """Your own data, passed through."""
    merchant_reference: NotRequired[Optional[str]]
    """The shop's order number."""
    merchant_reference2: NotRequired[Optional[str]]
    """Another number of yours."""
    prices: NotRequired[Optional["PricesMode"]]
    shipping_address: NotRequired[Optional[Dict[str, Any]]]
    """Where the goods go; replaced as a whole."""


class UpdateStore(TypedDict):
    """What is to be changed of a store; what is left out stays."""
    name: NotRequired[Optional[str]]
    """What people call it."""
    premises: NotRequired[Optional["Premises"]]


class UpdateWebhookEndpoint(TypedDict):
    """What is to be changed; what is left out stays."""
    description: NotRequired[Optional[str]]
    """For people."""
    events: NotRequired[Optional[List[str]]]
    """Which events; replaced as a whole."""
    url: NotRequired[Optional[str]]
    """Where messages are posted."""


class WebhookAttemptView(TypedDict):
    """One attempt at a delivery."""
    answer: NotRequired[str]
    """The beginning of the answer's body."""
    at: str
    """When it began."""
    duration_ms: int
    """How long it took, in milliseconds."""
    number: int
    """Counts from 1."""
    outcome: str
    """What it came to."""
    status: NotRequired[Optional[int]]
    """The HTTP status, if there was an answer."""


class WebhookDeliveryDetail(WebhookDeliveryView):
    """A delivery with what is sent and each attempt."""
    body: NotRequired[Optional[str]]
    """The body of each attempt, byte for byte; absent once the event was erased."""
    log: List["WebhookAttemptView"]
    """Every attempt, oldest first."""


class WebhookDeliveryList(TypedDict):
    """A page of deliveries."""
    data: List["WebhookDeliveryView"]
    """The newest event first."""
    next_cursor: NotRequired[Optional[str]]
    """Where the next page begins; absent on the last one."""


class WebhookEndpointList(TypedDict):
    """The endpoints of the store."""
    data: List["WebhookEndpointView"]
    """Oldest first; a store has at most 20."""


class WebhookEndpointView(TypedDict):
    """Where a store is told of events."""
    created_at: str
    """When it was made."""
    description: str
    """For people."""
    disabled_reason: NotRequired[Optional[str]]
    """Why it is disabled: `asked`, `failing` (nothing arrived for three days) or `gone` (it answered
    410).
    """
    events: List[str]
    """Which events: types such as `payment.captured`, or `payment.*`. All, if the list is empty."""
    failing_since: NotRequired[Optional[str]]
    """Since when none did, although some were sent."""
    id: str
    """Its id."""
    last_outcome: NotRequired[str]
    """What the last attempt came to."""
    last_success_at: NotRequired[Optional[str]]
    """When a message last arrived."""
    secret: NotRequired[Optional[str]]
    """The newest secret itself, `whsec_…`: only in the answer that made it. Keep it safe."""
    signing_secrets: List["SecretView"]
    """What signs now, the newest first; more than one while secrets are exchanged."""
    status: str
    """`enabled` or `disabled`."""
    updated_at: str
    """The last change."""
    url: str
    """Where messages are posted."""


When = Literal["now", "period_end"]
"""When something takes effect."""
