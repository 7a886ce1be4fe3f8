//! A whole program for each thing that one does with Klarna.
//!
//! Every program here is a file in the crate's `examples` folder, and every one of them is run against a playground by
//! this crate's tests. To run one yourself:
//!
//! ```console
//! $ kassa playground --ephemeral
//! $ export KLARNA_BASE_URL=http://localhost:7072 KLARNA_USERNAME=… KLARNA_PASSWORD=…   # as it printed
//! $ cargo run --example one_time
//! ```
//!
//! Where a shopper has to do something in a browser, the programs ask the playground to play the shopper
//! (`/playground/v1/shopper/…`). That is the only part that Klarna itself does not have.
//!
//! | chapter | for |
//! |---|---|
//! | [`one_time`] | a shopper pays once |
//! | [`recurring`] | a subscription |
//! | [`on_demand`] | a wallet, charged with one press |
//! | [`hosted_page`] | a shop without a payment page of its own |
//! | [`in_store`] | a till |
//! | [`after_payment`] | capture, refund, release, cancel |
//! | [`settlements`] | what was paid out, and for what |
//! | [`disputes`] | answering them |
//! | [`callbacks`] | what Klarna tells the shop |
//! | [`retries`] | when something goes wrong |
//! | [`testing`] | one's own tests |

macro_rules! chapters {
    ($( $(#[$about:meta])* $name:ident ),* $(,)?) => { $(
        $(#[$about])*
        #[doc = ""]
        #[doc = concat!("```no_run\n", include_str!(concat!("../examples/", stringify!($name), ".rs")), "```")]
        pub mod $name {}
    )* };
}

chapters! {
    /// A shopper pays once: [`Payments`](crate::Payments).
    ///
    /// A session is opened when the shopper comes to the checkout, and may be changed until it is approved. It lives for
    /// 48 hours. The approval is an authorization token, good for one order within 60 minutes: the same token and the
    /// same request give the same order, so that placing it is safe to repeat.
    one_time,
    /// A subscription: [`CustomerTokens`](crate::CustomerTokens).
    ///
    /// Make the key of a charge from what is charged for, and no month is charged twice. A refusal has `reason` and
    /// `fraud_status` in [`Error::body`](crate::Error::body). Lines repeat the `subscription` of the first purchase.
    recurring,
    /// Purchases on demand: [`CustomerTokens`](crate::CustomerTokens).
    ///
    /// Without a first purchase, the session is over nothing. While the shopper is there, a charge can say
    /// [`StepUp::Supported`](crate::types::customer_token::StepUp): its refusal then carries the `step_up_id` with which
    /// a new session lets the shopper mend it.
    on_demand,
    /// A page of Klarna's: [`HostedPaymentPage`](crate::HostedPaymentPage).
    ///
    /// The page belongs to a Payments session and may place the order itself. Send the browser to the URL that Klarna
    /// gave, and never build one. [`Watch`](crate::Watch) finds out what came of it where callbacks cannot be received.
    hosted_page,
    /// A till: [`InStore`](crate::InStore).
    ///
    /// The session asks for a distribution and says which store sells. Klarna places the order; the till captures it.
    in_store,
    /// Capture, refund, release, cancel: [`Orders`](crate::Orders).
    ///
    /// Every write carries an idempotency key. Amounts are what is left of the order, not of the cart: read the order,
    /// and capture at most `remaining_authorized_amount`.
    after_payment,
    /// What was paid out: [`Settlements`](crate::Settlements).
    ///
    /// Lists are streams, and so are reports: [`Rows`](crate::report::Rows) reads a CSV report of any size in constant
    /// memory, [`Download`](crate::Download) gives any report as bytes, as something to read from, or into a file.
    /// Reports that come by SFTP are read by [`ReportParser`](crate::report::ReportParser).
    settlements,
    /// Answering disputes: [`Disputes`](crate::Disputes), and [`DisputesV2`](crate::DisputesV2) for the older version.
    ///
    /// Files are uploaded first and named in the answer. A second answer is refused by the dispute's state, so that the
    /// calls are safe to repeat; after doubt, the dispute itself says what happened.
    disputes,
    /// What Klarna tells the shop.
    ///
    /// Callbacks of Klarna's regional APIs are not signed, may come late, twice or not at all. They say where to look, and
    /// nothing else. Answer fast, and do the work afterwards.
    callbacks,
    /// When something goes wrong: [`Error`](crate::Error), [`retry`](crate::retry), [`Pacing`](crate::Pacing).
    ///
    /// | ask the error | and |
    /// |---|---|
    /// | [`outcome_unknown`](crate::Error::outcome_unknown) | it may have happened: repeat under the same key, or read |
    /// | [`is_retryable`](crate::Error::is_retryable) | the same call may work later |
    /// | [`code`](crate::Error::code), [`status`](crate::Error::status) | decide on these, never on messages |
    /// | [`problems`](crate::Error::problems) | what is wrong with the request and what would have passed |
    /// | [`correlation_id`](crate::Error::correlation_id) | what Klarna's support wants to know |
    retries,
    /// One's own tests: the program under test and a playground.
    ///
    /// A playground in a test needs no network and no account, and its clock can be moved. Start it as a child process
    /// with `kassa playground --ephemeral --json --listen 127.0.0.1:0`: the first line that it prints is a JSON object
    /// with its URL and credentials. Without one, [`ClientBuilder::transport`](crate::ClientBuilder::transport) takes
    /// any tower service in place of a network.
    testing,
}
