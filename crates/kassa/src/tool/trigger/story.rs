//! The steps that stories are made of. Each notes what it made.

use http::Method;
use klarna::types::customer_token::CreateTokenOrder;
use klarna::types::disputes::{Appeal, AttachmentReference, Represent};
use klarna::types::hosted_payment_page::{self as page, Options, PlaceOrderMode};
use klarna::types::in_store::{
    Distribution, DistributionCallbackUrls, DistributionMethod, StoreAddress, StoreInfo,
};
use klarna::types::order_line::{Subscription, SubscriptionInterval};
use klarna::types::order_management::{CreateCapture, CreateRefund};
use klarna::types::payments::{
    AcquiringChannel, CreateCustomerToken, CreateOrder, CreateSession, IntendedUse, Intent,
    MerchantUrls,
};
use klarna::{
    AuthorizationToken, Client, Country, Currency, CustomerTokenId, MerchantId, MinorUnits,
    OrderId, OrderLine, PaymentDisputeId, SessionId, Upload,
};
use serde_json::{Map, Value, json};
use url::Url;

use crate::tool::control::Control;
use crate::tool::failure::Failure;
use crate::tool::requests::text;

/// The smallest document that is one.
const EVIDENCE: &[u8] = b"%PDF-1.4\n%%EOF\n";

/// Whom the shop tells about whom it sold to.
const REFERENCE: &str = "kassa-trigger";

/// A story while it is told.
pub(super) struct Story {
    pub(super) client: Client,
    pub(super) control: Control,
    pub(super) merchant_id: Option<String>,
    pub(super) country: Country,
    pub(super) currency: Currency,
    pub(super) locale: String,
    pub(super) amount: MinorUnits,
    pub(super) email: Option<String>,
    pub(super) callback_url: Option<Url>,
    /// What it has made, in order.
    pub(super) made: Map<String, Value>,
}

/// Where orders are pushed to: the call has no body, so that its URL has to say which order it is about.
fn pushed_to(url: &Url) -> String {
    let joint = if url.query().is_some() { '&' } else { '?' };
    format!("{url}{joint}order_id={{checkout.order.id}}")
}

impl Story {
    fn note(&mut self, name: &str, value: impl Into<Value>) {
        self.made.insert(name.to_owned(), value.into());
    }

    /// About half of the amount.
    pub(super) fn half(&self) -> MinorUnits {
        MinorUnits::new(self.amount.get() / 2)
    }

    fn lines(&self, intent: &Intent) -> Vec<OrderLine> {
        let line = OrderLine::new("Mugg", 1, self.amount, self.amount);
        vec![match intent {
            Intent::Buy => line,
            _ => line.subscription(Subscription::new("Kaffe", SubscriptionInterval::Month, 1)),
        }]
    }

    /// The address that Klarna's test system decides by.
    fn shopper(&self, tag: &str) -> String {
        if let Some(email) = &self.email {
            return email.clone();
        }
        let top = match &self.country {
            Country::GB => "uk".to_owned(),
            other => other.as_str().to_ascii_lowercase(),
        };
        let tag = if tag.is_empty() { String::new() } else { format!("+{tag}") };
        format!("customer{tag}@email.{top}")
    }

    fn session_request(&self, intent: Intent) -> CreateSession {
        let lines = self.lines(&intent);
        let mut request =
            CreateSession::new(self.country.clone(), self.currency.clone(), self.amount, lines)
                .order_tax_amount(MinorUnits::new(0))
                .locale(self.locale.as_str())
                .merchant_reference1(REFERENCE)
                .intent(intent);
        if let Some(url) = &self.callback_url {
            let push = pushed_to(url);
            let url = url.as_str();
            let urls = MerchantUrls::new().authorization(url).notification(url).push(push);
            request = request.merchant_urls(urls);
        }
        request
    }

    async fn open(&mut self, request: &CreateSession) -> Result<SessionId, Failure> {
        let session = self.client.payments().create_session(request).await?;
        self.note("session_id", session.session_id.as_str());
        Ok(session.session_id.clone())
    }

    async fn ask_shopper(&mut self, session: &SessionId, tag: &str) -> Result<Value, Failure> {
        let email = self.shopper(tag);
        self.note("email", email.as_str());
        let call = json!({ "session_id": session.as_str(), "email": email });
        self.control.post("/shopper/authorize", &call).await
    }

    /// A shopper approves.
    pub(super) async fn authorized(
        &mut self,
        intent: Intent,
        tag: &str,
    ) -> Result<AuthorizationToken, Failure> {
        let request = self.session_request(intent);
        let session = self.open(&request).await?;
        let outcome = self.ask_shopper(&session, tag).await?;
        let token = text(&outcome, "authorization_token");
        if token.is_empty() {
            return Err(Failure::failed("the shopper was not approved")
                .detail("outcome", outcome.clone())
                .remedy("another --email"));
        }
        self.note("authorization_token", token);
        Ok(AuthorizationToken::new(token))
    }

    /// Klarna refuses the shopper.
    pub(super) async fn declined(&mut self) -> Result<(), Failure> {
        let request = self.session_request(Intent::Buy);
        let session = self.open(&request).await?;
        let outcome = self.ask_shopper(&session, "denied").await?;
        for name in ["approved", "show_form"] {
            self.note(name, outcome.get(name).cloned().unwrap_or_default());
        }
        Ok(())
    }

    /// An order is placed.
    pub(super) async fn placed(&mut self, tag: &str) -> Result<OrderId, Failure> {
        let token = self.authorized(Intent::Buy, tag).await?;
        let mut request = CreateOrder::new(
            self.country.clone(),
            self.currency.clone(),
            self.amount,
            self.lines(&Intent::Buy),
        )
        .order_tax_amount(MinorUnits::new(0))
        .locale(self.locale.as_str())
        .merchant_reference1(REFERENCE);
        if let Some(url) = &self.callback_url {
            let urls = MerchantUrls::new().notification(url.as_str()).push(pushed_to(url));
            request = request.merchant_urls(urls);
        }
        let order = self.client.payments().create_order(&token, &request).await?;
        // It is used up.
        self.made.remove("authorization_token");
        self.note("order_id", order.order_id.as_str());
        if let Some(status) = &order.fraud_status {
            self.note("fraud_status", status.as_str());
        }
        Ok(order.order_id.clone())
    }

    /// How the order stands in the end.
    pub(super) async fn order_now(&mut self, order: &OrderId) -> Result<(), Failure> {
        let order = self.client.orders().get(order).await?;
        self.note("status", order.status.as_str());
        let currency = self.currency.to_string();
        self.note("purchase_currency", currency);
        self.note("order_amount", order.order_amount.get());
        self.note("captured_amount", order.captured_amount.get());
        self.note("refunded_amount", order.refunded_amount.get());
        Ok(())
    }

    /// An order is placed and captured.
    pub(super) async fn captured(&mut self) -> Result<OrderId, Failure> {
        let order = self.placed("").await?;
        self.capture(&order, self.amount).await?;
        self.order_now(&order).await?;
        Ok(order)
    }

    pub(super) async fn capture(
        &mut self,
        order: &OrderId,
        amount: MinorUnits,
    ) -> Result<(), Failure> {
        let request = CreateCapture::new(amount).reference(REFERENCE);
        let capture = self.client.orders().capture(order, &request).await?;
        self.note("capture_id", capture.capture_id.as_str());
        Ok(())
    }

    pub(super) async fn refund(
        &mut self,
        order: &OrderId,
        amount: MinorUnits,
    ) -> Result<(), Failure> {
        let request = CreateRefund::new(amount).reference(REFERENCE);
        let refund = self.client.orders().refund(order, &request).await?;
        self.note("refund_id", refund.refund_id.as_str());
        Ok(())
    }

    /// An order under review is decided.
    pub(super) async fn reviewed(&mut self, tag: &str) -> Result<(), Failure> {
        let order = self.placed(tag).await?;
        // These tags decide after a second.
        let by = "PT2S";
        self.control.post("/clock", &json!({ "advance": by })).await?;
        self.note("clock_advanced", by);
        let decided = self.client.orders().get(&order).await?;
        if let Some(status) = &decided.fraud_status {
            self.note("fraud_status", status.as_str());
        }
        self.order_now(&order).await
    }

    /// A shopper signs up.
    pub(super) async fn signed_up(&mut self) -> Result<CustomerTokenId, Failure> {
        let token = self.authorized(Intent::Tokenize, "").await?;
        let request = CreateCustomerToken::new(
            self.country.clone(),
            self.currency.clone(),
            self.locale.as_str(),
            "Kaffe",
            IntendedUse::Subscription,
        );
        let created = self.client.payments().create_customer_token(&token, &request).await?;
        self.made.remove("authorization_token");
        self.note("token_id", created.token_id.as_str());
        Ok(created.token_id.clone())
    }

    fn charge_request(&self) -> CreateTokenOrder {
        let lines = self.lines(&Intent::Tokenize);
        CreateTokenOrder::new(self.currency.clone(), self.amount, MinorUnits::new(0), lines)
    }

    pub(super) async fn charge(&mut self, token: &CustomerTokenId) -> Result<(), Failure> {
        let order = self.client.customer_tokens().charge(token, &self.charge_request()).await?;
        self.note("order_id", order.order_id.as_str());
        Ok(())
    }

    pub(super) async fn charge_refused(&mut self, token: &CustomerTokenId) -> Result<(), Failure> {
        match self.client.customer_tokens().charge(token, &self.charge_request()).await {
            Ok(order) => Err(Failure::failed("the charge was not refused")
                .detail("order_id", order.order_id.as_str())),
            Err(error) => {
                let Some(code) = error.code() else { return Err(error.into()) };
                self.note("error_code", code.as_str());
                if let Some(id) = error.correlation_id() {
                    self.note("correlation_id", id.as_str());
                }
                if let Some(reason) = &error.body().reason {
                    self.note("reason", reason.as_str());
                }
                Ok(())
            }
        }
    }

    /// Klarna does something to a token.
    pub(super) async fn change_token(
        &mut self,
        token: &CustomerTokenId,
        change: Value,
    ) -> Result<(), Failure> {
        self.control.post(&format!("/customer-tokens/{}", token.as_str()), &change).await?;
        Ok(())
    }

    pub(super) async fn token_now(&mut self, token: &CustomerTokenId) -> Result<(), Failure> {
        let read = self.client.customer_tokens().get(token).await?;
        self.note("status", read.status.as_str());
        Ok(())
    }

    async fn page(&mut self, channel: Option<AcquiringChannel>) -> Result<String, Failure> {
        let mut request = self.session_request(Intent::Buy);
        let is_web = channel.is_none();
        if let Some(channel) = channel {
            request = request.acquiring_channel(channel);
        }
        let session = self.open(&request).await?;
        let mut urls = page::MerchantUrls::new()
            .success("https://shop.example/thanks")
            .cancel("https://shop.example/cancelled")
            .failure("https://shop.example/sorry");
        if is_web {
            urls = urls.back("https://shop.example/cart");
        }
        if let Some(url) = &self.callback_url {
            urls = urls.status_update(url.as_str());
        }
        let options = Options::new().place_order_mode(PlaceOrderMode::PlaceOrder);
        let request = page::CreateSession::new(self.client.payments().session_url(&session))
            .merchant_urls(urls)
            .options(options);
        let hosted = self.client.hosted_payment_page().create(&request).await?;
        self.note("hosted_session_id", hosted.session_id.as_str());
        let url = hosted.redirect_url.clone().unwrap_or_default();
        if !url.is_empty() {
            self.note("page", url);
        }
        Ok(hosted.session_id.as_str().to_owned())
    }

    /// A shopper does something on a hosted page.
    pub(super) async fn hosted(
        &mut self,
        channel: Option<AcquiringChannel>,
        action: &str,
    ) -> Result<(), Failure> {
        let hosted = self.page(channel).await?;
        let mut call = json!({ "hpp_session_id": hosted, "action": action });
        if action == "approve" {
            call = json!({
                "hpp_session_id": hosted, "action": action, "email": self.shopper(""),
            });
        }
        self.control.post("/shopper/hosted", &call).await?;
        self.page_now(&hosted).await
    }

    /// The merchant closes a hosted page.
    pub(super) async fn hosted_disabled(&mut self) -> Result<(), Failure> {
        let hosted = self.page(None).await?;
        let id = klarna::HostedSessionId::new(hosted.as_str());
        self.client.hosted_payment_page().disable(&id).await?;
        self.page_now(&hosted).await
    }

    async fn page_now(&mut self, hosted: &str) -> Result<(), Failure> {
        let id = klarna::HostedSessionId::new(hosted);
        let read = self.client.hosted_payment_page().get(&id).await?;
        self.note("status", read.status.as_str());
        if let Some(order_id) = &read.order_id {
            self.note("order_id", order_id.as_str());
        }
        Ok(())
    }

    async fn till(&mut self) -> Result<SessionId, Failure> {
        let address = StoreAddress::new()
            .street_address("Sveavägen")
            .street_number("46")
            .postal_code("11134")
            .city("Stockholm")
            .country(self.country.as_str());
        let mut distribution = Distribution::new(DistributionMethod::OneQr);
        if let Some(url) = &self.callback_url {
            let urls = DistributionCallbackUrls::new().status_update(url.as_str());
            distribution = distribution.callback_urls(urls);
        }
        let request = self
            .session_request(Intent::Buy)
            .acquiring_channel(AcquiringChannel::InStore)
            .distribution(distribution)
            .attachment(StoreInfo::new("STO-7", "POS-1", address).attachment());
        self.open(&request).await
    }

    /// A shopper does something with the link of a purchase in a store.
    pub(super) async fn in_store(&mut self, action: &str) -> Result<(), Failure> {
        let session = self.till().await?;
        let result = self.client.in_store().result(&session).await?;
        let link = result.payment_link.clone().unwrap_or_default();
        self.note("payment_link", link.as_str());
        let call = json!({ "url": link, "action": action, "email": self.shopper("") });
        self.control.post("/shopper/hosted", &call).await?;
        self.till_now(&session).await
    }

    /// The store calls the purchase off.
    pub(super) async fn in_store_called_off(&mut self) -> Result<(), Failure> {
        let session = self.till().await?;
        self.client.in_store().cancel(&session).await?;
        self.note("called_off", true);
        self.till_now(&session).await
    }

    async fn till_now(&mut self, session: &SessionId) -> Result<(), Failure> {
        let result = self.client.in_store().result(session).await?;
        if let Some(status) = &result.status {
            self.note("status", status.as_str());
        }
        if let Some(order_id) = &result.order_id {
            self.note("order_id", order_id.as_str());
        }
        Ok(())
    }

    fn merchant(&self) -> Result<String, Failure> {
        self.merchant_id.clone().ok_or_else(|| {
            Failure::usage("it has to be known whose credentials these are")
                .remedy("put the merchant id in KASSA_KLARNA_MERCHANT_ID")
        })
    }

    /// What was captured is paid out.
    pub(super) async fn paid_out(&mut self) -> Result<(), Failure> {
        let merchant_id = self.merchant()?;
        self.captured().await?;
        let close = json!({ "merchant_id": merchant_id, "currency": self.currency.as_str() });
        let closed = self.control.post("/settlements/close", &close).await?;
        let reference = closed.pointer("/payouts/0").and_then(Value::as_str).unwrap_or_default();
        if reference.is_empty() {
            return Err(Failure::failed("nothing was paid out")
                .remedy("`kassa logs` shows the calls; payouts of the merchant may be stopped"));
        }
        let id = klarna::PaymentReference::new(reference);
        let payout = self.client.settlements().payout(&id).await?;
        self.note("payment_reference", reference);
        self.note("payout_date", payout.payout_date.to_string());
        self.note("settlement_amount", payout.totals.settlement_amount.get());
        Ok(())
    }

    /// A shopper disputes a capture.
    pub(super) async fn disputed(
        &mut self,
        script: Option<&str>,
    ) -> Result<PaymentDisputeId, Failure> {
        let merchant_id = MerchantId::new(self.merchant()?);
        self.client.disputes().enroll(&merchant_id).await?;
        if let Some(url) = &self.callback_url {
            // Klarna is told by its own people where a merchant's webhook is, once for all of the merchant's disputes.
            let path = format!("/merchants/{}/disputes", merchant_id.as_str());
            self.control.post(&path, &json!({ "webhook": { "url": url.as_str() } })).await?;
            self.note("webhook_url", url.as_str().to_owned());
        }
        let order = self.captured().await?;
        for name in ["status", "captured_amount", "refunded_amount"] {
            self.made.remove(name);
        }
        let mut call = json!({ "order_id": order.as_str() });
        if let (Some(call), Some(script)) = (call.as_object_mut(), script) {
            call.insert("script".to_owned(), script.into());
        }
        let raised = self.control.post("/disputes", &call).await?;
        for name in ["payment_dispute_id", "dispute_krn", "reason", "state", "deadline_at"] {
            if let Some(value) = raised.get(name) {
                self.note(name, value.clone());
            }
        }
        Ok(PaymentDisputeId::new(text(&raised, "payment_dispute_id")))
    }

    /// The merchant answers with evidence.
    pub(super) async fn represent(&mut self, dispute: &PaymentDisputeId) -> Result<(), Failure> {
        let file = Upload::new("proof-of-delivery.pdf", EVIDENCE);
        let uploaded = self.client.disputes().upload(dispute, &file).await?;
        let id = uploaded.payment_dispute_attachment_id.clone();
        self.note("payment_dispute_attachment_id", id.as_str());
        let evidence = AttachmentReference::new(id).description("Proof of delivery");
        self.client.disputes().represent(dispute, &Represent::new(vec![evidence])).await?;
        Ok(())
    }

    /// The merchant loses preliminarily, and appeals.
    pub(super) async fn appealed(&mut self) -> Result<PaymentDisputeId, Failure> {
        let dispute = self.disputed(Some("manual")).await?;
        self.represent(&dispute).await?;
        self.decide(&dispute, "lost").await?;
        let appeal = Appeal::new("Signed for by the shopper");
        self.client.disputes().appeal(&dispute, &appeal).await?;
        Ok(dispute)
    }

    /// Klarna decides.
    pub(super) async fn decide(
        &mut self,
        dispute: &PaymentDisputeId,
        decision: &str,
    ) -> Result<(), Failure> {
        let path = format!("/disputes/{}/decide", dispute.as_str());
        self.control.post(&path, &json!({ "decision": decision })).await?;
        Ok(())
    }

    /// How the dispute stands in the end.
    pub(super) async fn dispute_now(&mut self, dispute: &PaymentDisputeId) -> Result<(), Failure> {
        let path = format!("/v4/payment/disputes/{}", dispute.as_str());
        let call = self.client.raw(Method::GET, path);
        let read = call.route("/v4/payment/disputes/{payment_dispute_id}").send::<Value>().await?;
        self.note("state", text(&read, "state"));
        for name in ["dispute_outcome", "dispute_outcome_detailed"] {
            let value = read.pointer(&format!("/state_context/{name}"));
            if let Some(value) = value.and_then(Value::as_str) {
                self.note(name, value);
            }
        }
        Ok(())
    }
}
