//! T1: read a customer token.

use axum::extract::{Path, State};
use klarna_types::CustomerTokenId;
use klarna_types::customer_token::{
    CardInformation, CustomerToken as View, CustomerTokenStatus, DirectDebitInformation,
    TokenPaymentMethodType,
};

use crate::api::auth::Caller;
use crate::api::error::ApiError;
use crate::api::respond::Answer;
use crate::app::App;
use crate::domain::customer_token::{CustomerToken, Instrument};
use crate::store::customer_tokens;

/// `GET /customer-token/v1/tokens/{token_id}`.
pub(super) async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(token_id): Path<String>,
) -> Result<Answer, ApiError> {
    let token_id = CustomerTokenId::new(token_id);
    let merchant = caller.merchant.clone();
    let token = app
        .db()
        .read(move |tx| customer_tokens::find_of(tx, &merchant.merchant_id, &token_id))
        .await?
        .ok_or_else(|| ApiError::not_found("Invalid customer-token ID"))?;
    Answer::ok(&view(token))
}

/// The token as its merchant sees it. A card or a bank account is shown where one is charged.
fn view(token: CustomerToken) -> View {
    let mut view = View::new(
        CustomerTokenStatus::from(token.status.as_str()),
        TokenPaymentMethodType::from(&token.payment_method.kind),
    );
    match token.instrument {
        Instrument::Card { brand, expiry_date, masked_number } => {
            view.card = Some(CardInformation { brand, expiry_date, masked_number });
        }
        Instrument::BankAccount { masked_number } => {
            view.direct_debit = Some(DirectDebitInformation { masked_number });
        }
        Instrument::Bill => {}
    }
    view
}
