// Made by `cargo xtask clients` from the API's description. Not to be changed by hand.

import type { CallOptions, KeyedOptions, WaitingOptions } from "./index.js";

/** The answer while an outcome is not known yet. */
export interface Accepted {
  /** The operation: read the payment to see what becomes of it. */
  operation: OperationView;
  /** The payment as it is now. */
  payment: PaymentView;
}

/** A page of accounts. */
export interface AccountList {
  /** Oldest first. */
  data: AccountView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A Klarna account, without its password. */
export interface AccountView {
  /** Whether it takes new purchases. */
  active: boolean;
  /** The host that is called. */
  base_url: string;
  /** The countries it serves; all of its region if there are none. */
  countries: string[];
  /** When it was made. */
  created_at: string;
  /** `live` or `playground`, likewise. */
  environment?: string | null;
  /** Its id. */
  id: string;
  /** What people call it. */
  label: string;
  /** Klarna's name of the merchant. */
  merchant_id?: string | null;
  /** `europe`, `north_america` or `oceania`; absent for a host that is not Klarna's. */
  region?: string | null;
  /** The store that it is of. */
  store_id: string;
  /** The last change. */
  updated_at: string;
  /** The user name of the credential. */
  username: string;
}

/** Something that can be done now. */
export interface ActionView {
  /**
   * `capture`, `refund`, `cancel`, `release`, `update_authorization`, `extend_authorization`,
   * `update_customer_details`, `update_merchant_references`, `add_shipping_info`,
   * `resend_communication`, `extend_due_date` or `acknowledge`.
   */
  action: string;
  /** The captures that it can be done to, where it is done to one. */
  capture_ids?: string[];
  /** At most how much, in minor units. */
  max_amount?: number | null;
  /** At least how much, in minor units: for the new total of an authorisation. */
  min_amount?: number | null;
  /** Set when a refund may keep back a return fee. */
  return_fee?: boolean;
  /** Until when, as far as that is known. */
  until?: string | null;
  /** Set when it is accepted now and carried out once Klarna has accepted the risk. */
  waits_for_fraud_decision?: boolean;
}

/** Parcels. They are added to those there are: Klarna replaces none. */
export interface AddShippingInfo {
  /** 1 to 500 of them. */
  shipping_info: Parcel[];
}

/** The members of an address that change. */
export interface AddressPatch {
  /** The person or department in the organisation. */
  attention?: string | null;
  /** City. */
  city?: string | null;
  /** ISO 3166-1 alpha-2 code. */
  country?: string | null;
  /** E-mail address. */
  email?: string | null;
  /** Family name. */
  family_name?: string | null;
  /** Given name. */
  given_name?: string | null;
  /** The organisation, for purchases of businesses. */
  organization_name?: string | null;
  /** Phone number. */
  phone?: string | null;
  /** Postal code. */
  postal_code?: string | null;
  /** State or province. */
  region?: string | null;
  /** Street and house number. */
  street_address?: string | null;
  /** What else the street needs. */
  street_address2?: string | null;
  /** Title, in the country's own form. */
  title?: string | null;
}

/** What Klarna's button gave to your page. */
export interface AdoptTokens {
  /** `user_account_linking_id_token`, or `idToken`. */
  id_token: string;
  /** `user_account_linking_refresh_token`, or `refreshToken`. It is used at once, and worthless afterwards. */
  refresh_token: string;
}

/** The sums of a payment, in minor units. */
export interface AmountsView {
  /** What the authorisation is for now. */
  authorized: number;
  /** What was captured. */
  captured: number;
  /** What it was for at first. */
  original: number;
  /** What can still be given back. */
  refundable: number;
  /** What was given back. */
  refunded: number;
  /** What can still be captured. */
  remaining: number;
}

/** One call to Klarna. */
export interface AttemptView {
  /** What Klarna answered, as far as it may be shown. */
  answer?: Record<string, unknown> | null;
  /** When it ended. */
  at: string;
  /** Klarna's id of the exchange. */
  correlation_id?: string | null;
  /** Counts from 1. */
  number: number;
  /** What it came to, in a few words. */
  outcome: string;
  /** The HTTP status, if there was an answer. */
  status?: number | null;
}

/** Something that somebody did. */
export interface AuditEntry {
  /** What was done, such as `api_key.rotated`. */
  action: string;
  /** The id of the user or of the key. */
  actor_id: string;
  /** `user`, `api_key` or `system`. */
  actor_kind: string;
  /** The user's or the key's name at that time. */
  actor_name: string;
  /** When. */
  created_at: string;
  /** More about it. */
  data: Record<string, unknown>;
  /** Its id. */
  id: string;
  /** To what: an id, or a path. */
  subject: string;
}

/** A page of the audit log. */
export interface AuditList {
  /** Newest first. */
  data: AuditEntry[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** Why a subscription ended. */
export type Because = "requested" | "period_ended" | "token_cancelled" | "charges_failed" | "checkout_over" | "no_further_day";

/** A sign-in to be. */
export interface BeginSignIn {
  /** The shopper's language, such as `sv-SE`. */
  locale?: string | null;
  /** `login` or `consent`: ask again, although it was answered before. `none`: never ask. */
  prompt?: string | null;
  /**
   * The page of yours to which Klarna sends the browser back; registered with Klarna for your client identifier,
   * letter by letter.
   */
  redirect_uri: string;
  /** What is asked for, separated by spaces; the person's name, contact and billing address if it is left out. */
  scope?: string | null;
}

/** What pages begin Klarna's browser libraries with. */
export interface BrowserSettings {
  /**
   * Klarna's client identifier, by which it knows the shop's pages; absent when the gateway was not told
   * one, and there is nothing then that a page could begin.
   */
  client_id?: string | null;
  /** `playground` or `production`. */
  environment: string;
  /** The library of payments, which the express button is part of. */
  payments_sdk_url: string;
  /** The Web SDK: placements and signing in. */
  web_sdk_url: string;
}

/** When it ends. */
export interface CancelSubscription {
  when?: When | null;
}

/** A capture. */
export interface CaptureView {
  /** Its amount. */
  amount: number;
  /** When. */
  captured_at: string;
  /** Shown to the shopper. */
  description?: string | null;
  /** By how many days its due date was moved, each time. */
  due_date_extensions?: number[];
  /** Klarna's id. */
  id: string;
  /** Klarna's short reference. */
  klarna_reference?: string | null;
  /** Which lines. */
  order_lines: Record<string, unknown>[];
  /** Stands in settlement files. */
  reference?: string | null;
  /** How much of it was given back, as far as Klarna has said. */
  refunded: number;
  /** Its parcels. */
  shipping_info?: Parcel[];
}

/** The card behind a token, as far as a merchant may see it. */
export interface CardView {
  /** Whose it is, such as `VISA`. */
  brand: string;
  /** `MM/YYYY`. */
  expiry_date: string;
  /** All but the last four digits as stars. */
  masked_number: string;
}

/** Another plan. */
export interface ChangePlan {
  /** The plan. */
  plan_id: string;
  when?: When | null;
}

/** How a purchase reaches the shopper. */
export type Channel = "inline" | "hosted" | "in_store" | "native";

/** A page of charges. */
export interface ChargeList {
  /** Newest first. */
  data: ChargeView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** What came of a charge. */
export type ChargeStatus = "pending" | "failed" | "paid" | "given_up" | "void";

/** A charge of a token. */
export interface ChargeView {
  /** Whether the shopper can recover it: `POST /v1/customer_tokens/{id}/charges/{charge_id}/step_up`. */
  can_step_up: boolean;
  /** Its id: that of the operation that carries it out. */
  id: string;
  /** The shop's number of it. */
  merchant_reference: string;
  /** Where it stands, and why it was refused, if it was. */
  operation: OperationView;
  payment?: PaymentView | null;
  /** The payment it became. */
  payment_id?: string | null;
}

/** A checkout. */
export interface CheckoutView {
  /** The Klarna account it was opened with, where it has a name. */
  account_id?: string | null;
  /** How the purchase reaches the shopper: `inline`, `hosted`, `in_store` or `native`. */
  channel: string;
  /**
   * By what the shopper's browser shows that this checkout is its own, when it calls
   * `/v1/public` with a publishable key; in the answer that opened it. Never in a URL.
   */
  checkout_secret?: string | null;
  /** Where the shopper buys. */
  country: string;
  /** When it was opened. */
  created_at: string;
  /** The currency of every amount in it. */
  currency: string;
  /** The customer token it made. */
  customer_token_id?: string | null;
  /** When the checkout ends if nobody comes back. */
  expires_at: string;
  /**
   * Of a checkout of several steps: `later` while the shopper has not approved, `awaited` once the
   * shopper has and `finalize` is to be called; else `automatic`.
   */
  finalize: string;
  /** Its id. */
  id: string;
  /** `buy`, `tokenize` or `buy_and_tokenize`. */
  intent: Intent;
  klarna?: KlarnaView | null;
  /** The shopper's language. */
  locale: string;
  /** The shop's order number. */
  merchant_reference: string;
  /** The total, in minor units. */
  order_amount: number;
  /** The lines, as Klarna is told them. */
  order_lines: Record<string, unknown>[];
  /** The tax in it. */
  order_tax_amount: number;
  page?: PageView | null;
  payment?: PaymentView | null;
  /** The payment it led to. */
  payment_id?: string | null;
  /**
   * Where the shopper's browser should go: to Klarna's page while it is to be paid there, and in the
   * answer to `confirm` after the purchase.
   */
  redirect_url?: string | null;
  refusal?: RefusalView | null;
  /** Where it stands: `open`, `confirming`, `completed`, `declined`, `expired` or `cancelled`. */
  status: string;
}

/** The shopper's approval. */
export interface Confirm {
  /** What the browser's `authorize`, `finalize` or `reauthorize` callback got, or the app's. */
  authorization_token?: string | null;
  /** Where the bill goes, if it was not given before. It must be what the shopper authorised. */
  billing_address?: Record<string, unknown> | null;
  /**
   * Instead of a token: `authorize` was called with `auto_finalize: false` and answered with
   * `finalize_required: true`. The checkout says so from now on, until the token of `finalize`
   * comes.
   */
  finalize_required?: boolean;
  /** Where the goods go, likewise. */
  shipping_address?: Record<string, unknown> | null;
}

/** A new account. */
export interface CreateAccount {
  /** The countries it serves, two letters each; all of its region if there are none. */
  countries?: string[];
  /** `live` or `playground`; needed with a region. */
  environment?: string | null;
  /** What people call it. */
  label: string;
  /** Klarna's name of the merchant. */
  merchant_id?: string | null;
  /** Its password. It is sealed, and never shown. */
  password: string;
  /** `europe`, `north_america` or `oceania`. Left out: the host that the gateway was started with. */
  region?: string | null;
  /** The user name of the credential. */
  username: string;
}

/** What to capture. Neither amount nor lines: everything that remains. */
export interface CreateCapture {
  /** So much, in minor units. */
  amount?: number | null;
  /** Shown to the shopper. */
  description?: string | null;
  /** These lines. Amounts come from the recorded lines; a given amount must be their sum. */
  lines?: LineShare[] | null;
  /** Stands in settlement files; the operation's id if it is left out. */
  reference?: string | null;
  /** `klarna`, or `merchant` to overrule Klarna's refusal of the risk at your own. */
  risk?: RiskBearer;
  /** Days until the goods leave. Klarna must have allowed that for the merchant id. */
  shipping_delay_days?: number | null;
  /** The parcels. More can be added later. */
  shipping_info?: Parcel[];
}

/** What is charged. */
export interface CreateCharge {
  /** `manual` (capture when you ship) or `automatic` (Klarna must have allowed it). */
  capture?: string | null;
  /** What is bought. */
  lines: LineInput[];
  /** The shop's order number. */
  merchant_reference: string;
  /** Whether prices contain tax. */
  prices: PricesMode;
  /** `offered` while the shopper is there and could help with a refusal; `never` if it is left out. */
  step_up?: StepUp;
}

/** A cart to be paid. */
export interface CreateCheckout {
  /**
   * Of the channels `native` and `hosted`: where your app takes over again, such as
   * `myapp://klarna`.
   */
  app_return_url?: string | null;
  /** Where the bill goes, as Klarna takes it; with `organization_name` for an organisation. */
  billing_address?: Record<string, unknown> | null;
  /** `manual` (capture when you ship) or `automatic` (Klarna must have allowed it). */
  capture?: string | null;
  /**
   * How the purchase reaches the shopper: `inline` (Klarna's widget in your page), `hosted` (a page
   * of Klarna's: send the browser to `redirect_url`), `in_store` (a page of Klarna's on the
   * shopper's phone) or `native` (Klarna's SDK in your app).
   */
  channel?: Channel;
  /** Where the shopper's browser ends up; `{checkout_id}` is filled in. */
  confirmation_url?: string | null;
  /** Where the shopper buys: two letters. */
  country: string;
  /** Derived from the country; if it is said, it must be that one. */
  currency?: string | null;
  /** Promotion codes agreed with Klarna. */
  custom_payment_method_ids?: string[] | null;
  /**
   * The buyer, as Klarna takes it; of an organisation `{"type": "organization", …}` with its
   * registration and VAT numbers. Forgotten here once the checkout is over.
   */
  customer?: Record<string, unknown> | null;
  customer_token?: TokenToBe | null;
  /** A design package agreed with Klarna. */
  design?: string | null;
  /** Klarna's extra merchant data: packages by name, each a list of objects. */
  extra_merchant_data?: Record<string, unknown> | null;
  /**
   * `automatic`, or `later` for a checkout of several steps: the browser authorises with
   * `auto_finalize: false`, and confirms with the token of `finalize`.
   */
  finalize?: string | null;
  /**
   * Who signed in with Klarna, from `/v1/sign_ins` or `/v1/identities`: the shopper is then signed in when they
   * pay. Where that cannot be had any more, the checkout is opened all the same.
   */
  identity_id?: string | null;
  in_store?: TillInput | null;
  /**
   * `buy`, `tokenize` (a customer token and no purchase; the amount may be 0) or
   * `buy_and_tokenize`.
   */
  intent?: Intent;
  /** What is bought. */
  lines: LineInput[];
  /** The shopper's language, such as `sv-SE`; the country's first if it is left out. */
  locale?: string | null;
  /** Your own data, passed through; 6000 characters at most. */
  merchant_data?: string | null;
  /** The shop's order number, shown to the shopper. */
  merchant_reference: string;
  /** Another number of yours; stands in settlement files. */
  merchant_reference2?: string | null;
  /** Colours of the widget, as Klarna takes them. */
  options?: Record<string, unknown> | null;
  page?: PageInput | null;
  /** Whether prices contain tax. */
  prices: PricesMode;
  /** Where the goods go; as the bill, if it is left out. */
  shipping_address?: Record<string, unknown> | null;
}

/** A customer to be. */
export interface CreateCustomer {
  /**
   * Your own name for the customer, such as a number in your books: 1 to 64 printable characters
   * without spaces. Never an address, an e-mail address or a person's name.
   */
  reference: string;
}

/** Who is to be forgotten, by what the shop knows of them. */
export interface CreateErasure {
  /** Checkouts, each with the payment it led to. */
  checkout_ids?: string[];
  /** Customers, each with their tokens and what they were charged. Cancel their tokens first. */
  customer_ids?: string[];
  /** The shop's order numbers: every payment that has one of them. */
  merchant_references?: string[];
  /** Payments, each with the checkout it came from. */
  payment_ids?: string[];
}

/** A key to be made. */
export interface CreateKey {
  /** When it ends by itself; never, if it is left out. */
  expires_at?: string | null;
  /** `secret` (for servers) or `publishable` (for browsers); `secret` if it is left out. */
  kind?: string | null;
  /** What people call it. */
  name: string;
  /** From which pages a publishable key may be used, such as `https://shop.example`. */
  origins?: string[];
  /** What a secret key may do; only what the asking key may do itself. */
  scopes?: string[];
}

/**
 * A plan to be. It is charged as it is agreed: for another price make another plan and move
 * subscriptions to it.
 */
export interface CreatePlan {
  /** What is charged each time, as one digital line of the plan's name. Either this or `lines`. */
  amount?: number | null;
  /**
   * The day of the month (1 to 31; a shorter month has its last day instead) or of the week (1 is
   * Monday) on which charges fall; the day of the first charge if it is left out. What lies before
   * the first such day is free.
   */
  anchor_day?: number | null;
  /** `manual` (capture each charge yourself) or `automatic` (Klarna must have allowed it). */
  capture?: string | null;
  /** The currency of every amount in it. */
  currency: string;
  /** How failed charges are retried. */
  dunning?: Dunning;
  /** `day`, `week`, `month` or `year`. */
  interval: Interval;
  /** How many intervals lie between two charges; 1 if it is left out. */
  interval_count?: number | null;
  /** What is charged each time, line by line. Either this or `amount`. */
  lines?: LineInput[] | null;
  /** What the shopper reads; Klarna is told it as the subscription's name. */
  name: string;
  prices?: PricesMode | null;
  /** The tax rate of `amount`, in hundredths of a percent: 2500 is 25 %. */
  tax_rate?: number | null;
  /** How many days are free at the beginning; none if it is left out. */
  trial_days?: number | null;
}

/** What to refund. Neither amount nor lines: everything that was captured and not given back. */
export interface CreateRefund {
  /** So much, in minor units. The lines are derived from the captured ones. */
  amount?: number | null;
  /**
   * Only what this capture took. Klarna finds a refund's capture by the lines' references; where
   * several captures have the same ones, it takes the oldest first.
   */
  capture_id?: string | null;
  /** Shown to the shopper. */
  description?: string | null;
  /** These lines. Amounts come from the recorded lines; a given amount must be their sum. */
  lines?: LineShare[] | null;
  /** Stands in settlement files; the operation's id if it is left out. */
  reference?: string | null;
  return_fee?: KeptBack | null;
}

/** A new store. */
export interface CreateStore {
  /** What people call it. */
  name: string;
  /** Where its tills stand. */
  premises?: Premises;
}

/** A subscription to be: of a customer token, or of a checkout that is going to make one. */
export interface CreateSubscription {
  /**
   * A checkout of intent `tokenize` or `buy_and_tokenize` that is not over: the subscription begins
   * when it has made its token. A purchase in it stands for the first period, unless there is a trial
   * or a `start_at`.
   */
  checkout_id?: string | null;
  /** What is charged. Either this or `checkout_id`. */
  customer_token_id?: string | null;
  /**
   * Your number of the subscription: 1 to 200 characters. A charge's reference is this, a hyphen and
   * the charge's number.
   */
  merchant_reference: string;
  /** The plan. */
  plan_id: string;
  /**
   * When it begins, such as `2031-01-31T09:00:00+01:00`: not in the past. As soon as the token exists,
   * if it is left out. Later charges keep the time of day and the day of the month.
   */
  start_at?: string | null;
  /**
   * The IANA time zone on whose clocks days are counted, such as `Europe/Stockholm`; `UTC` if it is
   * left out.
   */
  time_zone?: string | null;
  /** How many days are free at the beginning; the plan's, if it is left out. */
  trial_days?: number | null;
}

/** Where the shop wants to be told. */
export interface CreateWebhookEndpoint {
  /** For people; at most 200 characters. */
  description?: string;
  /**
   * Which events: types such as `payment.captured`, or `payment.*`. All, if the list is empty or
   * left out.
   */
  events?: string[];
  /** Where messages are posted. */
  url: string;
}

/** One currency. */
export interface CurrencyView {
  /** The currency of every amount in it. */
  currency: string;
  /** Each day, the first one first. */
  days: DayView[];
  /** Disputes that are open now. */
  open_disputes: SumView;
  /**
   * Captured, not given back, and in no payout yet, in minor units; before Klarna's fees, which are
   * known once a payout is made. Below zero when more is to be given back than is to come.
   */
  to_come: number;
  /** All days together. */
  total: FiguresView;
}

/**
 * Where the goods are sent. A member that is left out stays; an empty text takes it away. It is
 * passed on to Klarna and not kept.
 */
export interface CustomerDetails {
  /** Cannot be changed any more: naming it is refused. */
  billing_address?: Record<string, unknown> | null;
  /** What changes of the shipping address. */
  shipping_address?: AddressPatch;
}

/** A page of customers. */
export interface CustomerList {
  /** Newest first. */
  data: CustomerView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A page of customer tokens. */
export interface CustomerTokenList {
  /** Newest first. */
  data: CustomerTokenView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A customer token. */
export interface CustomerTokenView {
  card?: CardView | null;
  /** When Klarna was last asked about it; absent if never. */
  checked_at?: string | null;
  /** The checkout in which it was made. */
  checkout_id: string;
  /** Where the shopper buys. */
  country: string;
  /** When it was made. */
  created_at: string;
  /** In what is charged. */
  currency: string;
  /** Whose it is, if the checkout said so. */
  customer_id?: string | null;
  /** What the shopper was told it is for. */
  description: string;
  /** Its id. Klarna's own id of it is a secret and stays in the gateway. */
  id: string;
  /** How it is charged, such as `INVOICE`, once Klarna has said it. */
  payment_method_type?: string | null;
  /** `active`, `suspended` (Klarna stopped it for now) or `cancelled` (for ever). */
  status: string;
}

/** A customer. */
export interface CustomerView {
  /** When the store first spoke of them. */
  created_at: string;
  /** Its id. */
  id: string;
  /** The merchant's own name for the customer. */
  reference: string;
}

/** One day. */
export interface DayView extends FiguresView {
  /** Such as `2031-05-04`; a day of UTC. */
  date: string;
}

/** Two amounts that should be the same and are not. */
export interface DifferenceView {
  /** What is compared, by Klarna's name. */
  of: string;
  /** What its parts come to. */
  parts: number;
  /** What Klarna's total says, in minor units. */
  total: number;
}

/** A page of disputes. */
export interface DisputeList {
  /** The last raised first. */
  data: DisputeView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A dispute. */
export interface DisputeView {
  /** How much is disputed, in minor units. */
  amount?: number | null;
  /** The capture. */
  capture_id?: string | null;
  /** When it was closed. */
  closed_at?: string | null;
  /** The currency of the amount. */
  currency?: string | null;
  /** Until when to answer or appeal, in Klarna's merchant portal; absent while it is Klarna's turn. */
  deadline_at?: string | null;
  /** Its id. */
  id: string;
  /** Klarna's id. */
  klarna_dispute_id: string;
  /** Klarna's id of the order. */
  klarna_order_id?: string | null;
  /** When it was raised. */
  opened_at: string;
  /** `won` or `lost`, once it is closed. */
  outcome?: string | null;
  /** Why, in Klarna's words in lower case. */
  outcome_detail?: string | null;
  /** The payment, if it is one of this store's. */
  payment_id?: string | null;
  /** `customer` or `klarna_agent`. */
  raised_by?: string | null;
  /** Klarna's reason in lower case, such as `products_or_services_not_received`. */
  reason: string;
  /** `initiated`, `representment`, `pre_arbitration`, `arbitration` or `closed`; Klarna may add more. */
  state: string;
  /** When it last changed at Klarna. */
  updated_at: string;
}

/** One offer. */
export interface DueDateOption {
  /** What Klarna charges the merchant for it, in minor units. */
  fee: number;
  /** By so many days. */
  number_of_days: number;
}

/** By how much a due date can be moved. */
export interface DueDateOptions {
  /** The currency of the fees. */
  currency?: string | null;
  /** What Klarna offers now; nothing: the due date cannot be moved now. */
  options: DueDateOption[];
}

/** How failed charges are retried. */
export interface Dunning {
  /** What happens when the last of them failed: `suspend` (the merchant may resume it) or `cancel`. */
  give_up?: GiveUp;
  /**
   * How many days after the first failure it is tried again: rising, 1 to 60, at most 10 of them.
   * 1, 3, 5 and 7 if it is left out; empty for never.
   */
  retry_days?: number[];
  /**
   * Whether a refused charge may be recovered by the shopper: `never`, or `offered` where Klarna
   * offers it.
   */
  step_up?: StepUp;
}

/** How an operation is said to have ended. */
export type Ended = "done" | "refused";

/** One entry of a payout. */
export interface EntryView {
  /** What it does to the payout, in minor units: below zero it takes. Without tax. */
  amount: number;
  /** When it was registered at Klarna. */
  at?: string | null;
  /** The capture. */
  capture_id?: string | null;
  /** Klarna's closer type in lower case, such as `purchase_fee_fixed`. */
  detail?: string | null;
  /** Klarna's id of the order. */
  klarna_order_id?: string | null;
  /** The shop's order number. */
  merchant_reference?: string | null;
  /** The payment, if it is one of this store's. */
  payment_id?: string | null;
  /** The refund. */
  refund_id?: string | null;
  /** The tax on a fee, in minor units, which is taken besides. */
  tax?: number | null;
  /** Klarna's type in lower case: `sale`, `return`, `fee`, `reversal` and so on. */
  type: string;
}

/** What something is. */
export type ErasureKind = "payment" | "checkout" | "customer";

/** A page of erasures. */
export interface ErasureList {
  /** Newest first. */
  data: ErasureView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** What became of it. */
export type ErasureState = "erased" | "waiting" | "unknown";

/** What became of one payment or checkout. */
export interface ErasureSubject {
  /**
   * Why it is still needed: `checkout_open`, `authorization_open`,
   * `operation_pending` or `token_active`.
   */
  because?: string | null;
  /** When it was erased. */
  erased_at?: string | null;
  /** Its id. */
  id: string;
  /**
   * Until when at the latest, where that is known. Cancel or release the payment, or call the
   * checkout off, to have it erased sooner.
   */
  needed_until?: string | null;
  /** `erased`; `waiting` while it is still needed; or `unknown` in this store. */
  status: ErasureState;
  /** `payment`, `checkout` or `customer`. */
  type: ErasureKind;
}

/** What was asked to be forgotten, and what became of it. */
export interface ErasureView {
  /** When it was asked. */
  created_at: string;
  /** Its id. */
  id: string;
  /** `done`, or `waiting` while something is still needed. */
  status: string;
  /** Each payment and checkout. */
  subjects: ErasureSubject[];
}

/** What happened to a payment and to the checkout it came from. */
export interface EventList {
  /** Oldest first. */
  data: EventView[];
}

/** A page of events. */
export interface EventPage {
  /** In the order that was asked for. */
  data: EventView[];
  /** Where the next page begins; absent on the last one, unless the oldest come first. */
  next_cursor?: string | null;
}

/** Something that happened. */
export interface EventView {
  /** When. */
  created_at: string;
  /** More about it. */
  data: Record<string, unknown>;
  /** The same fact has the same id. */
  id: string;
  /** The checkout or payment it happened to. */
  subject_id: string;
  /** What, such as `payment.captured`. */
  type: string;
}

/** What the store wants. */
export interface ExpiryPolicy {
  /** How many days before the expiry it is done: 1 to 180. */
  act_days?: number;
  /**
   * How many days before the expiry `payment.authorization_expiring` is sent: at most five
   * numbers, 1 to 180.
   */
  notice_days?: number[];
  /**
   * What is done about a payment of which something can still be captured: `none`, `extend` the
   * authorisation, `capture_remaining`, or `release` what remains.
   */
  on_expiry?: OnExpiry;
}

/** By how much the due date moves. */
export interface ExtendDueDate {
  /** One of the numbers of days that the capture's options name. */
  number_of_days: number;
}

/** The figures of a day, or of several. */
export interface FiguresView {
  /**
   * The approved share of the confirmed checkouts in ten thousandths: 9750 is 97.50 %. Absent while
   * there are none.
   */
  approval_rate?: number | null;
  /** Those of them that came of a confirmed checkout: charges of a customer token do not. */
  approved: SumView;
  /** Orders that Klarna made. */
  authorized: SumView;
  /** What was captured. */
  captured: SumView;
  /** Confirmed checkouts that Klarna declined. */
  declined: SumView;
  /** Disputes that were raised. */
  disputed: SumView;
  /** Disputes that were lost. */
  disputes_lost: SumView;
  /** Disputes that were won. */
  disputes_won: SumView;
  /** What Klarna took for its services in payouts and invoices, with tax. */
  fees: SumView;
  /** What was paid out. */
  paid_out: SumView;
  /** What was given back. */
  refunded: SumView;
}

/** What Klarna answered to your page. */
export interface FinishSignIn {
  /** The parameter `code`. */
  code?: string | null;
  /** The parameter `error`. */
  error?: string | null;
  /** The parameter `iss`. */
  iss?: string | null;
  /** The parameter `state` of the address that the browser came back to. */
  state: string;
}

/** What to do when every try was in vain. */
export type GiveUp = "suspend" | "cancel";

/** A shopper who signed in with Klarna. */
export interface IdentityView {
  /** When they did for the first time. */
  created_at: string;
  /** Your customer whose account it is, once you have linked them. */
  customer_id?: string | null;
  /** Its id: give it as `identity_id` when you open a checkout, and the shopper is signed in when they pay. */
  id: string;
  /** What the shopper granted. */
  scope: string;
  /** When they signed in the last time. */
  signed_in_at: string;
  /** The name that Klarna gives the account, always the same. */
  subject: string;
}

/** What a checkout is for. */
export type Intent = "buy" | "tokenize" | "buy_and_tokenize";

/** The unit of a rhythm. */
export type Interval = "day" | "week" | "month" | "year";

/** A return fee. */
export interface KeptBack {
  /** How much, in minor units. */
  amount: number;
  /** What the shopper reads. */
  name?: string;
  /** The tax in it, in hundredths of a percent. */
  tax_rate?: number;
}

/** A page of keys. */
export interface KeyList {
  /** Newest first. */
  data: KeyView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** An API key. The key itself is shown once, when it is made. */
export interface KeyView {
  /** When it was made. */
  created_at: string;
  /** Who made it: a key, a user, or `configuration`. */
  created_by: string;
  /** When it ends by itself. */
  expires_at?: string | null;
  /** The last characters of the key; empty for a key of the configuration. */
  hint: string;
  /** Its id. */
  id: string;
  /**
   * The key itself: in the answer that made it, and never again. A repeat of the request under
   * the same `Idempotency-Key` is answered without it; rotate the key if it was lost.
   */
  key?: string | null;
  /** `secret` (for servers) or `publishable` (for browsers). */
  kind: string;
  /** When it was last used, to within ten minutes. */
  last_used_at?: string | null;
  /** What people call it. */
  name: string;
  /** From which pages a publishable key may be used. */
  origins: string[];
  /** The key that takes its place. */
  replaced_by?: string | null;
  /** When it was revoked. */
  revoked_at?: string | null;
  /** What it may do. */
  scopes: string[];
  /** `active`, `expired` or `revoked`. */
  status: string;
}

/** What Klarna answered, where that is the cause. */
export interface KlarnaCause {
  /** Klarna's id of the exchange: quote it to Klarna's support. */
  correlation_id?: string | null;
  /** Klarna's code. */
  error_code?: string | null;
  /** Klarna's messages: English, for people who debug. */
  error_messages: string[];
  /** The HTTP status of Klarna's answer. */
  status?: number | null;
}

/** What the shop's page needs to show Klarna's widget. */
export interface KlarnaView {
  /** For `Klarna.Payments.init`. */
  client_token: string;
  /** What the widget can show. */
  payment_method_categories: Record<string, unknown>[];
  /** Where the browser library is loaded from. */
  script_url: string;
  /** When the client token ends. A read of the checkout renews it in time. */
  session_expires_at: string;
}

/** A line of the shop's cart. */
export interface LineInput {
  /** Off this line, in minor units. */
  discount?: number | null;
  /** A picture of it. */
  image_url?: string | null;
  /** What the shopper reads. */
  name: string;
  /** Its page. */
  product_url?: string | null;
  /** How many. */
  quantity?: number;
  /** The shop's article number: by it, lines are captured and refunded. */
  reference?: string | null;
  /** In hundredths of a percent: 2500 is 25 %. */
  tax_rate?: number;
  /** What it is; `physical` if it is not said. */
  type?: LineKind;
  /**
   * The price of one, in minor units. Of a discount, gift card or store credit: what is taken
   * off, with either sign.
   */
  unit_price: number;
}

/** What a line of the shop's cart is. */
export type LineKind = "physical" | "digital" | "shipping_fee" | "surcharge" | "discount" | "gift_card" | "store_credit";

/** So many units of a line. */
export interface LineShare {
  /** How many units. */
  quantity: number;
  /** The line's reference. */
  reference: string;
}

/** Whose account it is. */
export interface LinkIdentity {
  /** Your customer; added by `POST /v1/customers`. */
  customer_id: string;
}

/** The shop's references. What is left out stays. */
export interface MerchantReferences {
  /** The shop's order number, shown to the shopper. */
  merchant_reference1?: string | null;
  /** Another number of the shop; an empty text takes it away. */
  merchant_reference2?: string | null;
}

/** How the shopper pays Klarna. */
export interface MethodView {
  /** Klarna's words for it. */
  description?: string | null;
  /** In how many parts. */
  number_of_installments?: number | null;
  /** Klarna's type, such as `INVOICE`. */
  type: string;
}

/** What a store wants done about a payment that is about to lapse. */
export type OnExpiry = "none" | "extend" | "capture_remaining" | "release";

/** A charge that failed and waits. */
export interface OpenChargeView {
  /** How often it was tried. */
  attempts: number;
  /** Whether the shopper can pay it until then: `POST /v1/subscriptions/{id}/step_up`. */
  can_step_up: boolean;
  /** The checkout that was opened for that. */
  checkout_id?: string | null;
  /** When it fell due. */
  due_at: string;
  /** Its number. */
  number: number;
  /** `retry` or `give_up`: what comes then. */
  then?: string | null;
  /** When it is tried again, or given up; absent while Klarna is being asked. */
  waits_until?: string | null;
}

/** What the page that is opened needs. */
export interface OpenStepUp {
  /**
   * `inline`: Klarna's widget in a page of yours; `hosted`: a page of Klarna's besides, to whose
   * `redirect_url` a link may lead, and which `POST /v1/checkouts/{id}/send` has Klarna send.
   */
  channel?: StepUpChannel;
  /** Where the shopper's browser ends up; `{checkout_id}` is filled in. */
  confirmation_url?: string | null;
}

/** An operation with everything that is known of it. */
export interface OperationDetail extends OperationView {
  /** Every call to Klarna, oldest first. */
  calls: AttemptView[];
  /** The checkout it belongs to; null where a customer token is charged or cancelled. */
  checkout_id?: string | null;
  /** Klarna's id of the last exchange. */
  correlation_id?: string | null;
  /** Klarna's id of what it made, where it took effect. */
  klarna_id?: string | null;
  /** The Klarna order it is about. */
  klarna_order_id?: string | null;
  /** The shop's order number. */
  merchant_reference: string;
  /** The payment it is about, or led to. */
  payment_id?: string | null;
  /** What is sent, as far as it may be shown. */
  request?: Record<string, unknown> | null;
  settled?: SettlementView | null;
  /**
   * The subscription or customer token it is about, where it is neither about a checkout nor
   * about a payment.
   */
  subject_id?: string | null;
  /** The last change. */
  updated_at: string;
  /** Grows with every change: send it along to act on what you saw. */
  version: number;
}

/** A page of operations. */
export interface OperationList {
  /** Newest first. */
  data: OperationDetail[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** An operation that is on its way, or that a person must look at. */
export interface OperationView {
  /** The amount of a capture or refund, or the new total of the authorisation. */
  amount?: number | null;
  /** How often Klarna was asked. */
  attempts: number;
  /** When it was accepted. */
  created_at: string;
  /** Set while it waits for Klarna's decision about fraud. */
  held: boolean;
  /** Its id. */
  id: string;
  /**
   * What it asks for: `place_order`, `capture`, `refund`, `cancel`, `release`,
   * `update_authorization`, `extend_authorization`, `update_customer_details`,
   * `update_merchant_references`, `add_shipping_info`, `resend_communication`,
   * `extend_due_date`, `acknowledge`, `create_token`, `charge` or `cancel_token`.
   */
  kind: string;
  refusal?: RefusalView | null;
  /** Where it stands: `queued`, `running`, `in_doubt`, `done`, `refused` or `needs_attention`. */
  state: string;
}

/** How a store is doing. */
export interface OverviewView {
  /** One for each currency; amounts of different currencies are never added. */
  currencies: CurrencyView[];
  /** When the first day begins. */
  from: string;
  /** Until when it is counted: now. */
  until: string;
}

/** How Klarna's page looks, and where the shopper's browser goes from it. */
export interface PageInput {
  /** When the shopper goes back to the shop, and may return. */
  back_url?: string | null;
  /** Pictures behind the page: `{url, width}`. */
  background_images?: Record<string, unknown>[];
  /** When the shopper cancels. On the web that is the same as going back. */
  cancel_url?: string | null;
  /** After a technical error; `failure_url` if it is left out. */
  error_url?: string | null;
  /** When Klarna declines. */
  failure_url?: string | null;
  /** The shop's logo. */
  logo_url?: string | null;
  /** The page's heading, in the shopper's language. */
  page_title?: string | null;
  /** The payment method categories that are offered; all of them if there are none. */
  payment_method_categories?: string[];
  /**
   * What the last button says: `BUY`, `RENT`, `BOOK`, `SUBSCRIBE`, `DOWNLOAD`, `ORDER` or
   * `CONTINUE`.
   */
  purchase_type?: string | null;
  /** `HIDE`: only the total is shown. */
  show_subtotal_detail?: string | null;
  /** After an approval; `confirmation_url` if it is left out. `{checkout_id}` is filled in. */
  success_url?: string | null;
}

/** The page of Klarna's on which the shopper pays. */
export interface PageView {
  /** When its status last changed. */
  changed_at: string;
  /** When it ends. A read of the checkout renews it in time. */
  expires_at: string;
  /** What the shopper can choose on it: the name and the logo to show beside the way to pay. */
  payment_method_categories: Record<string, unknown>[];
  /** A picture of a code that leads to it, for a screen that the shopper looks at. */
  qr_code_url?: string | null;
  /** Its address: send the shopper's browser there. Klarna gives none for a purchase in a store. */
  redirect_url?: string | null;
  /** When. */
  sent_at?: string | null;
  /** How its link was sent, the last time: `sms` or `email`. */
  sent_by?: string | null;
  /**
   * Where it stands: `waiting`, `in_progress`, `completed`, `declined` and `failed` (the shopper
   * may try again), `back`, `cancelled`, `disabled` or `expired`.
   */
  status: string;
}

/** What of a payment is in a payout. */
export interface PaidOutView {
  /** The payment's entries in it. */
  entries: EntryView[];
  /** When Klarna starts the transfer. */
  paid_at: string;
  /** The payout. */
  payout_id: string;
  /** Klarna's name for it. */
  reference: string;
}

/** One parcel, and the one that may come back. */
export interface Parcel {
  /** The carrier of a return. */
  return_shipping_company?: string | null;
  /** The carrier's number of a return. */
  return_tracking_number?: string | null;
  /** Where a return can be followed. */
  return_tracking_uri?: string | null;
  /** The carrier; be specific: `DHL US`, not `DHL`. */
  shipping_company?: string | null;
  /**
   * `PickUpStore`, `Home`, `BoxReg`, `BoxUnreg`, `PickUpPoint`, `Own`, `Postal`,
   * `DHLPackstation`, `Digital`, `Undefined`, `PickUpWarehouse`, `ClickCollect` or
   * `PalletDelivery`.
   */
  shipping_method?: string | null;
  /** The carrier's number. */
  tracking_number?: string | null;
  /** Where the shopper can follow it. */
  tracking_uri?: string | null;
}

/** A page of payments. */
export interface PaymentList {
  /**
   * In the order that was asked for. A page may be shorter than it could be although it is not the last:
   * only so much is searched at once.
   */
  data: PaymentView[];
  /** Where the next page begins; absent on the last one. Good with the same filters and order only. */
  next_cursor?: string | null;
}

/** A payment. */
export interface PaymentView {
  /** The sums. */
  amounts: AmountsView;
  /** What can be done now, with limits. */
  available_actions: ActionView[];
  /** What was captured. */
  captures: CaptureView[];
  /** The checkout it came from; null where a customer token was charged. */
  checkout_id?: string | null;
  /** Where the shopper bought. */
  country: string;
  /** When the order was made. */
  created_at: string;
  /** The currency of every amount in it. */
  currency: string;
  /** What is disputed; only where one payment is read. */
  disputes?: DisputeView[] | null;
  /** The last moment for a capture. */
  expires_at?: string | null;
  /** `ACCEPTED`, `PENDING` or `REJECTED`. Ship only when it is accepted. */
  fraud_status: string;
  /** Its id. */
  id: string;
  /** Klarna's id of the order. */
  klarna_order_id: string;
  /** Klarna's short reference. */
  klarna_reference?: string | null;
  /** The shop's order number. */
  merchant_reference: string;
  /** Another number of the shop. */
  merchant_reference2?: string | null;
  /** What is on its way. */
  operations: OperationView[];
  /** What was bought. */
  order_lines: Record<string, unknown>[];
  payment_method?: MethodView | null;
  /** What of it is in which payout; only where one payment is read. */
  payouts?: PaidOutView[] | null;
  /** What was given back. */
  refunds: RefundView[];
  /** Parcels of the order as such. */
  shipping_info?: Parcel[];
  /** `authorized`, `part_captured`, `captured`, `cancelled`, `expired` or `closed`. */
  status: string;
  /** What cannot be done now, and why not. */
  unavailable_actions: UnavailableView[];
}

/** A payout with a page of its entries. */
export interface PayoutDetail extends PayoutView {
  /** Its entries, in the order of time. */
  entries: EntryView[];
  /** Where the next page of entries begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A page of payouts. */
export interface PayoutList {
  /** Newest first. */
  data: PayoutView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A payout. */
export interface PayoutView {
  /** What is paid out, in minor units. */
  amount: number;
  /** The currency of every amount in it. */
  currency: string;
  /** What does not add up between Klarna's totals and the entries; empty when all is well. */
  differences: DifferenceView[];
  /** How many entries it has. */
  entry_count: number;
  /** Its id. */
  id: string;
  /** Klarna's name of the merchant who is paid. */
  merchant_id: string;
  /** When Klarna starts the transfer; the bank has it about one banking day later. */
  paid_at: string;
  /** Klarna's name for it; it stands on the bank statement. */
  reference: string;
  /** `NET` when fees are deducted, `GROSS` when they are invoiced, `GROSS_FEE` for that invoice. */
  settlement_type: string;
  /** What it is made of. */
  totals: TotalsView;
}

/** A page of plans. */
export interface PlanList {
  /** Newest first. */
  data: PlanView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A plan. */
export interface PlanView {
  /** The day on which charges fall; the day of the first charge if it is absent. */
  anchor_day?: number | null;
  /** `manual` or `automatic`. */
  capture: string;
  /** When it was made. */
  created_at: string;
  /** The currency of every amount in it. */
  currency: string;
  /** How failed charges are retried. */
  dunning: Dunning;
  /** Its id. */
  id: string;
  /** `day`, `week`, `month` or `year`. */
  interval: Interval;
  /** How many intervals lie between two charges. */
  interval_count: number;
  /** What is charged each time. */
  lines: LineInput[];
  /** What the shopper reads. */
  name: string;
  /** Whether prices contain tax. */
  prices: PricesMode;
  /** `active`, or `archived`: then no new subscription may have it. */
  status: Status;
  /** How many days are free at the beginning. */
  trial_days: number;
}

/** Where a store's tills stand: what Klarna is told of purchases in it. */
export interface Premises {
  /** City. */
  city?: string | null;
  /** Country, two letters: also where the counter sells. */
  country?: string | null;
  /** The store's own number, as its tills know it; our id of the store, if it is not said. */
  merchant_store_id?: string | null;
  /** Postal code. */
  postal_code?: string | null;
  /** Street without the number. */
  street_address?: string | null;
  /** House number. */
  street_number?: string | null;
}

/** Whether the shop's prices contain tax. */
export type PricesMode = "including_tax" | "excluding_tax";

/** An error answer. */
export interface Problem {
  /** Stable, for programs. */
  code: string;
  /** Klarna's id of the exchange, where Klarna is the cause. */
  correlation_id?: string | null;
  /** What is wrong this time. */
  detail: string;
  klarna?: KlarnaCause | null;
  /** The member of the request that is wrong. */
  member?: string | null;
  /** The operation that was refused. */
  operation_id?: string | null;
  /** What to do about it. */
  remedy: string;
  /** The HTTP status. */
  status: number;
  /** The kind of problem for people. */
  title: string;
  /** A name for the kind of problem: `urn:kassa:problem:` and the code. */
  type: string;
}

/** A checkout as its shopper's browser may see it. */
export interface PublicCheckout {
  /** The currency of the total. */
  currency: string;
  /** When the checkout ends if nobody comes back. */
  expires_at: string;
  /** Its id. */
  id: string;
  /** The shop's order number. */
  merchant_reference: string;
  /** The total, in minor units. */
  order_amount: number;
  /** Where to go after the purchase. */
  redirect_url?: string | null;
  /** Where it stands: `open`, `confirming`, `completed`, `declined`, `expired` or `cancelled`. */
  status: string;
}

/** A refund. */
export interface RefundView {
  /** Its amount. */
  amount: number;
  /** The capture it was asked for of, where one was named. */
  capture_id?: string | null;
  /** Shown to the shopper. */
  description?: string | null;
  /** Klarna's id. */
  id: string;
  /** Which lines. */
  order_lines: Record<string, unknown>[];
  /** Stands in settlement files. */
  reference?: string | null;
  /** When. */
  refunded_at: string;
}

/** Why the last authorisation led to no order. */
export interface RefusalView {
  /** Stable, for programs. */
  code: string;
  /** For people. */
  detail: string;
  klarna?: KlarnaCause | null;
  /** What to do about it. */
  remedy: string;
}

/** Nothing needs to be said. */
export type ReopenPage = Record<string, unknown>;

/** What is to be sent again. */
export interface ReplayMessages {
  /** The `next_cursor` of the answer before. */
  cursor?: string | null;
  /** For a range: events from then on, such as `2031-05-04T00:00:00Z`. */
  from?: string | null;
  /** For a range: events from before then; now, if it is left out. */
  until?: string | null;
  /** Which messages. */
  what: ReplayWhat;
}

/** Which messages are sent again. */
export type ReplayWhat = "dead" | "range";

/** What a replay came to. */
export interface ReplayedMessages {
  /** So many messages are on their way again. */
  count: number;
  /** Set when there is more: ask again with it. */
  next_cursor?: string | null;
}

/** Which state of the operation is meant. */
export interface Resume {
  /** Why; stays in the history. */
  note?: string | null;
  /** The `version` you saw; whatever it is now, if it is left out. */
  version?: number | null;
}

/** How long the store keeps what it knows of shoppers. */
export interface RetentionPolicy {
  /**
   * So many days after a payment or checkout came to its end and was last changed, what is personal
   * in it is erased: 1 to 3650. For ever, if it is left out or null.
   */
  personal_data_days?: number | null;
}

/** Who bears the risk of a capture. */
export type RiskBearer = "klarna" | "merchant";

/** How a key is to be replaced. */
export interface RotateKey {
  /** How long the old key still works, in seconds: 0 to 2592000; a day if it is left out. */
  overlap_seconds?: number | null;
}

/** How a secret is replaced. */
export interface RotateSecret {
  /**
   * For how many hours the older secrets go on signing beside the new one: 0 to 168; 24 if it is
   * left out.
   */
  overlap_hours?: number | null;
}

/** A secret, without itself. */
export interface SecretView {
  /** Since when it signs. */
  created_at: string;
  /** Until when, once there is a newer one. */
  expires_at?: string | null;
}

/** Where the link goes. Klarna sends it, in the language of the checkout; it is not kept here. */
export type SendLink = unknown;

/** What happened. */
export interface Settle {
  /** The capture or refund that was made, where Klarna's books show several that it may be. */
  klarna_id?: string | null;
  /** The order that was made: needed to settle a `place_order` as done. */
  klarna_order_id?: string | null;
  /** How you know; stays in the history. */
  note: string;
  /** `done` or `refused`. Compared with Klarna's books before it is believed. */
  outcome: Ended;
  /** The `version` you saw; whatever it is now, if it is left out. */
  version?: number | null;
}

/** Who settled an operation that waited for a person. */
export interface SettlementView {
  /** When. */
  at: string;
  /** Who. */
  by: string;
  /** Why, in their words. */
  note: string;
}

/** A sign-in that has begun. */
export interface SignInView {
  /** Where to send the browser. */
  authorization_url: string;
  /** Until when it can be finished. */
  expires_at: string;
  /** Its id. Keep it, with `state`, in the shopper's own session. */
  id: string;
  /** Where the browser comes back to. */
  redirect_uri: string;
  /**
   * What Klarna gives back: compare it with what came back before you finish the sign-in, so that nobody can have
   * your shopper finish somebody else's.
   */
  state: string;
}

/** A shopper who has just signed in. */
export interface SignedInView {
  /** The shopper. */
  identity: IdentityView;
  /**
   * What they share with you, as Klarna tells it: `given_name`, `email`, `billing_address` and so on. It is told
   * this once, and not kept here.
   */
  profile: Record<string, unknown>;
}

/** Whether new subscriptions may have a plan. */
export type Status = "active" | "archived";

/** Whether the shopper may be asked to help with a refused charge. */
export type StepUp = "offered" | "never";

/** Where the shopper can help with a refused charge. */
export type StepUpChannel = "inline" | "hosted";

/** A page of stores. */
export interface StoreList {
  /** Oldest first. */
  data: StoreView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A store. */
export interface StoreView {
  /** A key for this store's API, in the answer that makes the store. It is never shown again. */
  api_key?: string | null;
  /** When it was made. */
  created_at: string;
  /** Its id. */
  id: string;
  /** What people call it. */
  name: string;
  /** Where its tills stand: what Klarna is told of purchases in it. */
  premises: Premises;
}

/** A token for one stream. */
export interface StreamToken {
  /** When it ends. */
  expires_at: string;
  /** What stands in `url`. */
  token: string;
  /** For the browser: `new EventSource(url)`. */
  url: string;
}

/** A page of a subscription's charges. */
export interface SubscriptionChargeList {
  /** Newest first. */
  data: SubscriptionChargeView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** One charge of a subscription. */
export interface SubscriptionChargeView {
  /** How much, in minor units. */
  amount: number;
  /** How often Klarna was asked, under a key of its own each time. */
  attempts: number;
  /** In which currency. */
  currency: string;
  /** When it fell due: the beginning of what it pays for. */
  due_at: string;
  /** Its number; the first is 1. */
  number: number;
  /** The operations that asked, oldest first. */
  operation_ids: string[];
  /** The payment that paid it. */
  payment_id?: string | null;
  /** The end of what it pays for. */
  period_end?: string | null;
  /** The plan it was charged by. */
  plan_id: string;
  refusal?: RefusalView | null;
  /**
   * `pending` (Klarna, or a person, is being asked), `failed` (something follows), `paid`,
   * `given_up` or `void` (the subscription ended before).
   */
  status: ChargeStatus;
}

/** A page of subscriptions. */
export interface SubscriptionList {
  /** Newest first. */
  data: SubscriptionView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** A subscription. */
export interface SubscriptionView {
  /** Set when it ends instead of being charged again. */
  cancel_at_period_end: boolean;
  /** How many charges have fallen due, the first payment of a checkout included. */
  charges: number;
  /** The checkout that makes the token, if it began with one. */
  checkout_id?: string | null;
  /** When it was made. */
  created_at: string;
  /** Whose it is, if that was said. */
  customer_id?: string | null;
  /** What is charged; absent while it is incomplete. */
  customer_token_id?: string | null;
  /** When it ended. */
  ended_at?: string | null;
  ended_because?: Because | null;
  /** Its id. */
  id: string;
  /** `day`, `week`, `month` or `year`. */
  interval: Interval;
  /** How many intervals lie between two charges. */
  interval_count: number;
  /** The shop's number of it. A charge's reference is this, a hyphen and the charge's number. */
  merchant_reference: string;
  /** When the next period is charged; absent if none will be by itself. */
  next_charge_at?: string | null;
  /** The plan from the next period on, if it changes. */
  next_plan_id?: string | null;
  open_charge?: OpenChargeView | null;
  /** When it was paused. */
  paused_at?: string | null;
  /** The plan. */
  plan_id: string;
  /**
   * `incomplete` (its checkout has not made the token yet), `trialing` (nothing was charged yet),
   * `active`, `past_due` (a charge failed and is retried), `paused`, `suspended` (charging was given
   * up) or `cancelled`.
   */
  status: string;
  /** The time zone on whose clocks days are counted. */
  time_zone: string;
}

/** An amount, and of how many. */
export interface SumView {
  /** In minor units. */
  amount: number;
  /** How many. */
  count: number;
}

/** What Klarna says of an account's credential. */
export interface TestView {
  /** `works`, `credentials_refused`, `merchant_inactive`, `klarna_unreachable` or `klarna_refused`. */
  code: string;
  /** For people. */
  detail: string;
  klarna?: KlarnaCause | null;
  /** What to do about it, if there is something. */
  remedy?: string | null;
  /** Whether Klarna takes it. */
  works: boolean;
}

/** The till that sells. */
export interface TillInput {
  /** The store's own number; that of the store's settings if it is left out. */
  merchant_store_id?: string | null;
  /** The till. */
  terminal_id?: string | null;
}

/** A customer token that a checkout is to make. */
export interface TokenToBe {
  /** Whose it will be. */
  customer_id?: string | null;
  /** What the shopper is told it is for: 1 to 255 characters. */
  description: string;
  /**
   * The plan of the subscription that it is for: Klarna is told of its name and rhythm with each line
   * of goods and services. Left out for charges on demand.
   */
  plan_id?: string | null;
}

/** What a payout is made of, in minor units. An amount is without a sign; its name says what it does. */
export interface TotalsView {
  /** Other debits. */
  charges: number;
  /** Other credits. */
  credits: number;
  /** What the store owes Klarna after it. */
  debt_after: number;
  /** Klarna's fees and their tax, less what was given back of them. */
  fees: number;
  /** Withheld as a reserve. */
  held_back: number;
  /** Paid after it was withheld. */
  released: number;
  /** Debt that it paid back. */
  repaid: number;
  /** Refunds by the store. */
  returns: number;
  /** What Klarna gave back to shoppers, after disputes above all. */
  reversals: number;
  /** Captures. */
  sales: number;
}

/** Something that cannot be done now. */
export interface UnavailableView {
  /** What. */
  action: string;
  /** The code that asking for it would be answered with. */
  code: string;
  /** Why not. */
  detail: string;
  /** What to do about it. */
  remedy: string;
}

/**
 * What is to be changed of an account; what is left out stays. The host cannot be changed: a
 * credential is good for one only.
 */
export interface UpdateAccount {
  /** `false`: no new purchases. What was opened with it goes on. */
  active?: boolean | null;
  /** The countries it serves; replaced as a whole. */
  countries?: string[] | null;
  /** What people call it. */
  label?: string | null;
  /** Klarna's name of the merchant. */
  merchant_id?: string | null;
  /** The password of a new credential. */
  password?: string | null;
  /** The user name of a new credential of the same merchant; only with its password. */
  username?: string | null;
}

/**
 * What the authorisation becomes. Lines replace those there are; with an amount alone those there
 * are stay, and a line called "Adjustment" makes them add up.
 */
export interface UpdateAuthorization {
  /**
   * The new total, in minor units: not less than what is captured. More than there is needs a
   * payment method for which Klarna offers that, and a new check of the shopper.
   */
  amount?: number | null;
  /** Why; Klarna keeps it. */
  description?: string | null;
  /** Everything that is bought now, as in a checkout. A given amount must be their sum. */
  lines?: LineInput[] | null;
  prices?: PricesMode | null;
}

/** What is to be changed; what is left out stays. `lines` are replaced as a whole. */
export interface UpdateCheckout {
  /** Where the bill goes; replaced as a whole. */
  billing_address?: Record<string, unknown> | null;
  /** Where the shopper buys. A change gives the checkout a fresh Klarna session. */
  country?: string | null;
  /** Must be the country's. */
  currency?: string | null;
  /** The buyer, as Klarna takes it. */
  customer?: Record<string, unknown> | null;
  /** Klarna's extra merchant data; replaced as a whole. */
  extra_merchant_data?: Record<string, unknown> | null;
  /** What is bought. */
  lines?: LineInput[] | null;
  /** The shopper's language. Left out with a new country: that country's first. */
  locale?: string | null;
  /** Your own data, passed through. */
  merchant_data?: string | null;
  /** The shop's order number. */
  merchant_reference?: string | null;
  /** Another number of yours. */
  merchant_reference2?: string | null;
  prices?: PricesMode | null;
  /** Where the goods go; replaced as a whole. */
  shipping_address?: Record<string, unknown> | null;
}

/** What is to be changed of a store; what is left out stays. */
export interface UpdateStore {
  /** What people call it. */
  name?: string | null;
  premises?: Premises | null;
}

/** What is to be changed; what is left out stays. */
export interface UpdateWebhookEndpoint {
  /** For people. */
  description?: string | null;
  /** Which events; replaced as a whole. */
  events?: string[] | null;
  /** Where messages are posted. */
  url?: string | null;
}

/** One attempt at a delivery. */
export interface WebhookAttemptView {
  /** The beginning of the answer's body. */
  answer?: string;
  /** When it began. */
  at: string;
  /** How long it took, in milliseconds. */
  duration_ms: number;
  /** Counts from 1. */
  number: number;
  /** What it came to. */
  outcome: string;
  /** The HTTP status, if there was an answer. */
  status?: number | null;
}

/** A delivery with what is sent and each attempt. */
export interface WebhookDeliveryDetail extends WebhookDeliveryView {
  /** The body of each attempt, byte for byte; absent once the event was erased. */
  body?: string | null;
  /** Every attempt, oldest first. */
  log: WebhookAttemptView[];
}

/** A page of deliveries. */
export interface WebhookDeliveryList {
  /** The newest event first. */
  data: WebhookDeliveryView[];
  /** Where the next page begins; absent on the last one. */
  next_cursor?: string | null;
}

/** One event on its way to one endpoint. */
export interface WebhookDeliveryView {
  /** How often it was tried. */
  attempts: number;
  /** When the event happened. */
  created_at: string;
  /** Where to. */
  endpoint_id: string;
  /** What is told: the `webhook-id` of each attempt. */
  event_id: string;
  /** Its id. */
  id: string;
  /** What the last attempt came to. */
  last_outcome: string;
  /** The HTTP status of the last answer. */
  last_status?: number | null;
  /** When it is tried next, if an earlier event of the subject does not hold it up. */
  next_attempt_at?: string | null;
  /** `pending` (waits for its turn or the next attempt), `delivered`, or `dead` (given up). */
  status: string;
  /** What the event happened to. Events of one subject are delivered in their order. */
  subject_id: string;
  /** The event's type. */
  type: string;
  /** The last change. */
  updated_at: string;
}

/** The endpoints of the store. */
export interface WebhookEndpointList {
  /** Oldest first; a store has at most 20. */
  data: WebhookEndpointView[];
}

/** Where a store is told of events. */
export interface WebhookEndpointView {
  /** When it was made. */
  created_at: string;
  /** For people. */
  description: string;
  /**
   * Why it is disabled: `asked`, `failing` (nothing arrived for three days) or `gone` (it answered
   * 410).
   */
  disabled_reason?: string | null;
  /** Which events: types such as `payment.captured`, or `payment.*`. All, if the list is empty. */
  events: string[];
  /** Since when none did, although some were sent. */
  failing_since?: string | null;
  /** Its id. */
  id: string;
  /** What the last attempt came to. */
  last_outcome?: string;
  /** When a message last arrived. */
  last_success_at?: string | null;
  /** The newest secret itself, `whsec_…`: only in the answer that made it. Keep it safe. */
  secret?: string | null;
  /** What signs now, the newest first; more than one while secrets are exchanged. */
  signing_secrets: SecretView[];
  /** `enabled` or `disabled`. */
  status: string;
  /** The last change. */
  updated_at: string;
  /** Where messages are posted. */
  url: string;
}

/** When something takes effect. */
export type When = "now" | "period_end";

export interface ApiKeys {
  /** Makes a key. The answer shows it, once. */
  create(body: CreateKey, options?: KeyedOptions): Promise<KeyView>;
  /** Lists the store's keys, newest first; those that have ended, too. */
  list(query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<KeyList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<KeyView, void, undefined>;
  /** Reads a key; never the key itself. */
  read(id: string, options?: CallOptions): Promise<KeyView>;
  /** Ends a key at once, and for good. */
  revoke(id: string, options?: CallOptions): Promise<KeyView>;
  /** Puts a new key in the place of one; the old one works on for a while. */
  rotate(id: string, body: RotateKey, options?: KeyedOptions): Promise<KeyView>;
}

export interface AuditLog {
  /** Lists who did what in the dashboard and with keys, newest first. Nothing in it is ever changed. */
  list(query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<AuditList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<AuditEntry, void, undefined>;
}

export interface Browser {
  /** Reads what pages begin Klarna's browser libraries with. */
  read(options?: CallOptions): Promise<BrowserSettings>;
}

export interface Checkouts {
  /** Calls a checkout off: no authorisation is taken for it any more. */
  cancel(id: string, options?: CallOptions): Promise<CheckoutView>;
  /**
   * Places the order. The same token again is the same order, whoever brings it: this call, a repeat
   * of it, Klarna's callback.
   */
  confirm(id: string, body: Confirm, options?: WaitingOptions): Promise<CheckoutView>;
  /** Opens a checkout. */
  create(body: CreateCheckout, options?: KeyedOptions): Promise<CheckoutView>;
  /**
   * Reads a checkout. One whose Klarna session or page is over, or nearly so, gets a fresh one on the
   * way: take `klarna.client_token` or `redirect_url` from this answer each time a shopper comes back.
   * With `Prefer: wait=SECONDS`, when the shopper comes back from a page of Klarna's: Klarna is asked
   * where they stand, and an order that is being placed is waited for.
   */
  read(id: string, options?: CallOptions): Promise<CheckoutView>;
  /**
   * Gives a checkout a fresh page: after the shopper has called the one before off, or when a link got
   * lost. Nobody can pay on the one before any more.
   */
  reopen(id: string, body: ReopenPage, options?: KeyedOptions): Promise<CheckoutView>;
  /** Has Klarna send the shopper a link to the page. */
  send(id: string, body: SendLink, options?: KeyedOptions): Promise<CheckoutView>;
  /** Makes a token with which a browser watches this checkout for an hour, and sees nothing else. */
  streamToken(id: string, options?: KeyedOptions): Promise<StreamToken>;
  /** Changes a checkout. A shopper who has authorised already must authorise again. */
  update(id: string, body: UpdateCheckout, options?: CallOptions): Promise<CheckoutView>;
}

export interface CustomerTokens {
  /** Cancels a customer token for ever. Its subscriptions end with it. */
  cancel(id: string, options?: KeyedOptions & WaitingOptions): Promise<CustomerTokenView>;
  /**
   * Charges a customer token on demand: makes one order, which becomes a payment like any other.
   * Send an `Idempotency-Key`: the same charge again under the same key is carried out once.
   */
  charge(id: string, body: CreateCharge, options?: KeyedOptions & WaitingOptions): Promise<ChargeView>;
  /** Reads a charge. */
  chargeRead(id: string, chargeId: string, options?: CallOptions): Promise<ChargeView>;
  /**
   * Opens a checkout in which the shopper can help with a refused charge; the same one as long as it is
   * open. Once it is confirmed, its order stands for the charge, and the method that was chosen stands
   * behind the token.
   */
  chargeStepUp(id: string, chargeId: string, body: OpenStepUp, options?: CallOptions): Promise<CheckoutView>;
  /**
   * Lists the charges that were asked for by hand, newest first. Those of subscriptions are listed with
   * their subscription.
   */
  charges(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<ChargeList>;
  /** The same, one by one over all pages. */
  chargesAll(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<ChargeView, void, undefined>;
  /** Lists customer tokens, newest first, as the gateway last knew them. */
  list(query?: { customer_id?: string; status?: string; limit?: number; cursor?: string }, options?: CallOptions): Promise<CustomerTokenList>;
  /** The same, one by one over all pages. */
  listAll(query?: { customer_id?: string; status?: string; limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<CustomerTokenView, void, undefined>;
  /**
   * Reads a customer token, and asks Klarna about it on the way. Where Klarna cannot be asked, it is as
   * the gateway last knew it: see `checked_at`.
   */
  read(id: string, options?: CallOptions): Promise<CustomerTokenView>;
}

export interface Customers {
  /** Adds a customer. One of the same reference is answered as it is. */
  create(body: CreateCustomer, options?: KeyedOptions): Promise<CustomerView>;
  /** Lists customers, newest first. */
  list(query?: { reference?: string; limit?: number; cursor?: string }, options?: CallOptions): Promise<CustomerList>;
  /** The same, one by one over all pages. */
  listAll(query?: { reference?: string; limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<CustomerView, void, undefined>;
  /** Reads a customer. */
  read(id: string, options?: CallOptions): Promise<CustomerView>;
}

export interface Disputes {
  /** Lists disputes, the last raised first. */
  list(query?: { limit?: number; cursor?: string; state?: string; open?: boolean; payment_id?: string }, options?: CallOptions): Promise<DisputeList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string; state?: string; open?: boolean; payment_id?: string }, options?: CallOptions): AsyncGenerator<DisputeView, void, undefined>;
  /** Reads a dispute. */
  read(id: string, options?: CallOptions): Promise<DisputeView>;
}

export interface Erasures {
  /**
   * Forgets shoppers: erases everything personal of these payments and checkouts, wherever the gateway
   * keeps it, and keeps the books. Asking again for what was erased changes nothing.
   */
  create(body: CreateErasure, options?: KeyedOptions): Promise<ErasureView>;
  /** Lists what was asked to be forgotten, newest first. */
  list(query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<ErasureList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<ErasureView, void, undefined>;
  /** Reads what became of an erasure. */
  read(id: string, options?: CallOptions): Promise<ErasureView>;
}

export interface Events {
  /** Lists what happened in the store. */
  list(query?: { type?: string; subject_id?: string; from?: string; until?: string; order?: string; limit?: number; cursor?: string }, options?: CallOptions): Promise<EventPage>;
  /** The same, one by one over all pages. */
  listAll(query?: { type?: string; subject_id?: string; from?: string; until?: string; order?: string; limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<EventView, void, undefined>;
  /** Reads an event. */
  read(id: string, options?: CallOptions): Promise<EventView>;
}

export interface ExpiryPolicy {
  /** Reads what the store wants. */
  read(options?: CallOptions): Promise<ExpiryPolicy>;
  /** Replaces what the store wants. What was left out is as it is by default. */
  replace(body: ExpiryPolicy, options?: CallOptions): Promise<ExpiryPolicy>;
}

export interface Identities {
  /** Takes over a shopper whom Klarna's button signed in on your page. */
  adopt(body: AdoptTokens, options?: CallOptions): Promise<SignedInView>;
  /** Forgets who signed in: Klarna is told that their tokens are not needed any more. */
  forget(id: string, options?: CallOptions): Promise<void>;
  /** Links who signed in with a customer of yours. Who is one customer's already does not become another's. */
  link(id: string, body: LinkIdentity, options?: CallOptions): Promise<IdentityView>;
  /** Reads who signed in. */
  read(id: string, options?: CallOptions): Promise<IdentityView>;
}

export interface Operations {
  /** Lists operations, newest first. */
  list(query?: { state?: string; limit?: number; cursor?: string }, options?: CallOptions): Promise<OperationList>;
  /** The same, one by one over all pages. */
  listAll(query?: { state?: string; limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<OperationDetail, void, undefined>;
  /** Looks into Klarna's books again and settles the operation if they tell. */
  look(id: string, body: Resume, options?: CallOptions): Promise<OperationDetail>;
  /** Reads an operation with everything that is known of it. */
  read(id: string, options?: CallOptions): Promise<OperationDetail>;
  /** Has the operation tried again, under the same key and with the same bytes. */
  resume(id: string, body: Resume, options?: CallOptions): Promise<OperationDetail>;
  /** Settles the operation by a person's word, once it was compared with Klarna's books. */
  settle(id: string, body: Settle, options?: CallOptions): Promise<OperationDetail>;
}

export interface Payments {
  /** Tells Klarna that the shop has the order. A capture says so too. */
  acknowledge(id: string, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Cancels a payment of which nothing is captured: the whole authorisation is given back. */
  cancel(id: string, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Captures a payment, wholly or in part. */
  capture(id: string, body: CreateCapture, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Reads from Klarna by how many days the due date of a capture can be moved now, and for what fee. */
  captureDueDateOptions(id: string, captureId: string, options?: CallOptions): Promise<DueDateOptions>;
  /** Lets the shopper pay a capture later. Klarna charges the merchant the fee that the option names. */
  captureExtendDueDate(id: string, captureId: string, body: ExtendDueDate, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Has Klarna write to the shopper again, with the latest state of a capture. */
  captureResendCommunication(id: string, captureId: string, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Adds parcels to a capture. */
  captureShippingInfo(id: string, captureId: string, body: AddShippingInfo, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Changes where the order is sent. Klarna checks the shopper anew and may refuse. */
  customer(id: string, body: CustomerDetails, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Lists what happened, oldest first. */
  events(id: string, options?: CallOptions): Promise<EventList>;
  /** Gives the authorisation more time: Klarna's own period, from today. */
  extend(id: string, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Lists payments, newest first or in another order. */
  list(query?: { limit?: number; cursor?: string; q?: string; reference?: string; status?: string; fraud_status?: string; currency?: string; country?: string; channel?: string; from?: string; until?: string; amount_min?: number; amount_max?: number; expiring?: boolean; needs_attention?: boolean; sort?: string }, options?: CallOptions): Promise<PaymentList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string; q?: string; reference?: string; status?: string; fraud_status?: string; currency?: string; country?: string; channel?: string; from?: string; until?: string; amount_min?: number; amount_max?: number; expiring?: boolean; needs_attention?: boolean; sort?: string }, options?: CallOptions): AsyncGenerator<PaymentView, void, undefined>;
  /** Reads a payment. */
  read(id: string, options?: CallOptions): Promise<PaymentView>;
  /** Changes the shop's references. */
  references(id: string, body: MerchantReferences, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Gives captured money back, wholly or in part. */
  refund(id: string, body: CreateRefund, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Gives back what will not be captured. */
  release(id: string, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Adds parcels to the order, before it is captured. Afterwards they belong to a capture. */
  shippingInfo(id: string, body: AddShippingInfo, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
  /** Makes a token with which a browser watches this payment for an hour, and sees nothing else. */
  streamToken(id: string, options?: KeyedOptions): Promise<StreamToken>;
  /** Changes amount and lines of what is not captured yet. */
  update(id: string, body: UpdateAuthorization, options?: KeyedOptions & WaitingOptions): Promise<PaymentView | Accepted>;
}

export interface Payouts {
  /** Lists what Klarna has paid out, newest first. */
  list(query?: { limit?: number; cursor?: string; currency?: string; reference?: string; from?: string; until?: string }, options?: CallOptions): Promise<PayoutList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string; currency?: string; reference?: string; from?: string; until?: string }, options?: CallOptions): AsyncGenerator<PayoutView, void, undefined>;
  /** Reads a payout and what it is made of. */
  read(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<PayoutDetail>;
}

export interface Plans {
  /** Archives a plan: no new subscription may have it, and those that have it keep it. */
  archive(id: string, options?: KeyedOptions): Promise<PlanView>;
  /** Adds a plan. */
  create(body: CreatePlan, options?: KeyedOptions): Promise<PlanView>;
  /** Lists plans, newest first. */
  list(query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<PlanList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<PlanView, void, undefined>;
  /** Reads a plan. */
  read(id: string, options?: CallOptions): Promise<PlanView>;
}

export interface Public {
  /** Places the order, as the shop's server would. The same token again is the same order. */
  confirm(id: string, body: Confirm, options?: WaitingOptions): Promise<PublicCheckout>;
  /** Reads a checkout's public status. */
  read(id: string, options?: CallOptions): Promise<PublicCheckout>;
}

export interface Reports {
  /** Reads how the store is doing, by day and currency. */
  overview(query?: { days?: number; currency?: string }, options?: CallOptions): Promise<OverviewView>;
}

export interface RetentionPolicy {
  /** Reads how long the store keeps what it knows of shoppers. */
  read(options?: CallOptions): Promise<RetentionPolicy>;
  /** Replaces it. What is over by then is erased within a minute, in batches. */
  replace(body: RetentionPolicy, options?: CallOptions): Promise<RetentionPolicy>;
}

export interface SignIns {
  /** Begins a sign-in with Klarna. */
  begin(body: BeginSignIn, options?: CallOptions): Promise<SignInView>;
  /** Finishes a sign-in with what Klarna answered. It can be finished once. */
  finish(id: string, body: FinishSignIn, options?: CallOptions): Promise<SignedInView>;
}

export interface Stores {
  /** Adds an account to a store. */
  accountCreate(id: string, body: CreateAccount, options?: KeyedOptions): Promise<AccountView>;
  /**
   * Lists a store's accounts, oldest first. The one that the gateway was started with is not among
   * them: it serves the default store where no other account does.
   */
  accountList(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<AccountList>;
  /** The same, one by one over all pages. */
  accountListAll(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<AccountView, void, undefined>;
  /** Asks Klarna whether it takes the account's credential. Nothing is changed there or here. */
  accountTest(id: string, accountId: string, options?: CallOptions): Promise<TestView>;
  /**
   * Changes an account, or rotates its credential: make a new one in Klarna's merchant portal, give
   * it here, test it, then disable the old one there.
   */
  accountUpdate(id: string, accountId: string, body: UpdateAccount, options?: CallOptions): Promise<AccountView>;
  /**
   * Makes a store, with a key for its API. The key is in this answer and nowhere else: a repeat of the
   * request under its `Idempotency-Key` shows the store without it.
   */
  create(body: CreateStore, options?: KeyedOptions): Promise<StoreView>;
  /** Lists the stores that the key may see, oldest first. */
  list(query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<StoreList>;
  /** The same, one by one over all pages. */
  listAll(query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<StoreView, void, undefined>;
  /** Reads a store. */
  read(id: string, options?: CallOptions): Promise<StoreView>;
  /** Changes a store. */
  update(id: string, body: UpdateStore, options?: CallOptions): Promise<StoreView>;
}

export interface Subscriptions {
  /** Ends a subscription. What was charged stays charged: refund the payment if it is to be given back. */
  cancel(id: string, body: CancelSubscription, options?: KeyedOptions): Promise<SubscriptionView>;
  /** Moves a subscription to another plan. */
  changePlan(id: string, body: ChangePlan, options?: KeyedOptions): Promise<SubscriptionView>;
  /** Lists the charges of a subscription, newest first. */
  charges(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): Promise<SubscriptionChargeList>;
  /** The same, one by one over all pages. */
  chargesAll(id: string, query?: { limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<SubscriptionChargeView, void, undefined>;
  /** Adds a subscription. */
  create(body: CreateSubscription, options?: KeyedOptions): Promise<SubscriptionView>;
  /** Lists what happened to a subscription, oldest first. */
  events(id: string, options?: CallOptions): Promise<EventList>;
  /** Lists subscriptions, newest first. */
  list(query?: { status?: string; customer_id?: string; customer_token_id?: string; reference?: string; limit?: number; cursor?: string }, options?: CallOptions): Promise<SubscriptionList>;
  /** The same, one by one over all pages. */
  listAll(query?: { status?: string; customer_id?: string; customer_token_id?: string; reference?: string; limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<SubscriptionView, void, undefined>;
  /**
   * Holds a subscription: nothing is charged until it is resumed, and what would have been is not charged
   * later.
   */
  pause(id: string, options?: KeyedOptions): Promise<SubscriptionView>;
  /** Reads a subscription. */
  read(id: string, options?: CallOptions): Promise<SubscriptionView>;
  /**
   * Lets a paused or suspended subscription go on with its next due day; takes a cancellation at the end of
   * the period back.
   */
  resume(id: string, options?: KeyedOptions): Promise<SubscriptionView>;
  /** Tries a failed charge again now, under a key of its own. */
  retry(id: string, options?: KeyedOptions): Promise<SubscriptionView>;
  /**
   * Opens a checkout in which the shopper can pay a refused charge in another way; the same one as long as
   * it is open. Show it to the shopper who follows your link. Once it is confirmed the charge is paid, the
   * subscription goes on, and the method that was chosen stands behind the token.
   * It closes when the charge is tried again, and while the shopper is paying it is not tried.
   */
  stepUp(id: string, body: OpenStepUp, options?: CallOptions): Promise<CheckoutView>;
}

export interface WebhookDeliveries {
  /** Lists webhook deliveries, the newest event first. */
  list(query?: { endpoint_id?: string; status?: string; subject_id?: string; event_id?: string; limit?: number; cursor?: string }, options?: CallOptions): Promise<WebhookDeliveryList>;
  /** The same, one by one over all pages. */
  listAll(query?: { endpoint_id?: string; status?: string; subject_id?: string; event_id?: string; limit?: number; cursor?: string }, options?: CallOptions): AsyncGenerator<WebhookDeliveryView, void, undefined>;
  /** Reads a webhook delivery, with what is sent and each attempt. */
  read(id: string, options?: CallOptions): Promise<WebhookDeliveryDetail>;
  /** Sends one message again, now, whatever became of it. */
  replay(id: string, options?: KeyedOptions): Promise<WebhookDeliveryView>;
}

export interface WebhookEndpoints {
  /**
   * Makes a webhook endpoint. The answer holds its secret, which is not shown again: check each
   * message's `webhook-signature` with it, as Standard Webhooks says.
   */
  create(body: CreateWebhookEndpoint, options?: KeyedOptions): Promise<WebhookEndpointView>;
  /** Removes a webhook endpoint with its log. What was on its way to it is not sent. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** Has a webhook endpoint called no more. What is on its way to it becomes a dead letter. */
  disable(id: string, options?: KeyedOptions): Promise<WebhookEndpointView>;
  /** Has a webhook endpoint called again. What happened while it was disabled can be replayed. */
  enable(id: string, options?: KeyedOptions): Promise<WebhookEndpointView>;
  /** Lists the store's webhook endpoints. */
  list(options?: CallOptions): Promise<WebhookEndpointList>;
  /** Reads a webhook endpoint, and how it has been lately. */
  read(id: string, options?: CallOptions): Promise<WebhookEndpointView>;
  /**
   * Sends messages again: those that were given up, or all of a stretch of time. Receivers know a
   * repeated message by its `webhook-id`. At most 500 events are looked through at a time.
   */
  replay(id: string, body: ReplayMessages, options?: KeyedOptions): Promise<ReplayedMessages>;
  /**
   * Gives a webhook endpoint a newer secret. Until the overlap ends each message is signed with both:
   * exchange the secret at the receiver, and nothing is lost. The answer holds the new one, once.
   */
  rotate(id: string, body: RotateSecret, options?: KeyedOptions): Promise<WebhookEndpointView>;
  /** Sends a `webhook.test` message to one endpoint. Read the delivery to see what came of it. */
  test(id: string, options?: KeyedOptions): Promise<WebhookDeliveryView>;
  /** Changes a webhook endpoint. */
  update(id: string, body: UpdateWebhookEndpoint, options?: KeyedOptions): Promise<WebhookEndpointView>;
}

/** Every group of operations. */
export interface Api {
  readonly apiKeys: ApiKeys;
  readonly auditLog: AuditLog;
  readonly browser: Browser;
  readonly checkouts: Checkouts;
  readonly customerTokens: CustomerTokens;
  readonly customers: Customers;
  readonly disputes: Disputes;
  readonly erasures: Erasures;
  readonly events: Events;
  readonly expiryPolicy: ExpiryPolicy;
  readonly identities: Identities;
  readonly operations: Operations;
  readonly payments: Payments;
  readonly payouts: Payouts;
  readonly plans: Plans;
  readonly public: Public;
  readonly reports: Reports;
  readonly retentionPolicy: RetentionPolicy;
  readonly signIns: SignIns;
  readonly stores: Stores;
  readonly subscriptions: Subscriptions;
  readonly webhookDeliveries: WebhookDeliveries;
  readonly webhookEndpoints: WebhookEndpoints;
}
