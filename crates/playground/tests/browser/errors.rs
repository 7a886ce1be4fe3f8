//! The errors that calls throw: in the documented order, after the callback was told.

use serde_json::json;

use crate::stage::Stage;

const SHOW: &str = r#"{"show_form":false}"#;
const APPROVED: &str = r#"{"approved":false,"show_form":false}"#;

pub(crate) async fn cases(stage: &Stage) {
    let token = stage.open_bare(Stage::swedish()).await;
    before_init(stage).await;
    let init = "Klarna.Payments.init({ client_token: arguments[0] })";
    stage.run(init, vec![json!(token)]).await;
    before_load(stage).await;
    stage.load().await;
    after_load(stage).await;
}

/// The call throws this error, and its callback has heard of it by then, once.
async fn throws(stage: &Stage, call: &str, error: &str, told: &str) {
    let script = format!(
        "const heard = []; const cb = (result) => heard.push(result);
         const name = thrown(() => {{ {call} }});
         return [name, heard.map((result) => JSON.stringify(result, Object.keys(result).sort()))]"
    );
    let expected = if told.is_empty() { json!([]) } else { json!([told]) };
    assert_eq!(stage.run(&script, vec![]).await, json!([error, expected]), "{call}");
}

async fn before_init(stage: &Stage) {
    for token in [
        "undefined",
        "''",
        "'abc'",
        "'a.b.c'",
        "{ client_token: 7 }",
        "{}",
        "'a.e30=.c'",
        "'a.b.c.d'",
    ] {
        throws(stage, &format!("Klarna.Payments.init({token})"), "InvalidClientTokenError", "")
            .await;
    }
    let none = "ApplicationNotInitializedError";
    throws(stage, "Klarna.Payments.load({ container: '#nothing' }, cb)", none, SHOW).await;
    throws(stage, "Klarna.Payments.loadPaymentReview({}, cb)", none, SHOW).await;
    throws(
        stage,
        "Klarna.Payments.reauthorize({ payment_method_category: 'x' }, cb)",
        none,
        APPROVED,
    )
    .await;
    throws(stage, "Klarna.Payments.finalize({}, cb)", none, APPROVED).await;
    throws(stage, "Klarna.Payments.authorize({}, cb)", "ApplicationNotLoadedError", APPROVED).await;
    throws(stage, "Klarna.Payments.on('nothing', cb)", "EventNotSupportedError", "").await;
}

async fn before_load(stage: &Stage) {
    let container = "InvalidContainerSelectorError";
    throws(
        stage,
        "Klarna.Payments.load({ container: '#nothing', payment_method_category: 'x' }, cb)",
        container,
        SHOW,
    )
    .await;
    throws(stage, "Klarna.Payments.load({ container: '##' }, cb)", container, SHOW).await;
    throws(stage, "Klarna.Payments.load({}, cb)", container, SHOW).await;
    throws(stage, "Klarna.Payments.load(cb)", container, SHOW).await;
    throws(stage, "Klarna.Payments.loadPaymentReview({ container: 7 }, cb)", container, SHOW).await;
    let category = "PaymentMethodCategoryNotSupportedError";
    throws(stage, "Klarna.Payments.load({ container: '#one', payment_method_category: 'x', preferred_payment_method: 'y' }, cb)", category, SHOW).await;
    throws(stage, "Klarna.Payments.load({ container: '#one', payment_method_categories: ['pay_now', 'x'], instance_id: 'i' }, cb)", category, SHOW).await;
    throws(
        stage,
        "Klarna.Payments.reauthorize({ payment_method_category: 'x' }, cb)",
        category,
        APPROVED,
    )
    .await;
    let preferred = "PreferredPaymentMethodNotSupportedError";
    throws(
        stage,
        "Klarna.Payments.load({ container: '#one', preferred_payment_method: 'y' }, cb)",
        preferred,
        SHOW,
    )
    .await;
    let load = "ApplicationNotLoadedError";
    throws(
        stage,
        "Klarna.Payments.authorize({ payment_method_category: 'x' }, cb)",
        load,
        APPROVED,
    )
    .await;
    throws(stage, "Klarna.Payments.finalize({ payment_method_category: 'x' }, cb)", load, APPROVED)
        .await;
}

async fn after_load(stage: &Stage) {
    let category = "PaymentMethodCategoryNotSupportedError";
    throws(
        stage,
        "Klarna.Payments.authorize({ payment_method_category: 'x' }, cb)",
        category,
        APPROVED,
    )
    .await;
    throws(
        stage,
        "Klarna.Payments.finalize({ payment_method_category: 'x' }, cb)",
        category,
        APPROVED,
    )
    .await;
    let load = "ApplicationNotLoadedError";
    throws(
        stage,
        "Klarna.Payments.authorize({ payment_method_category: 'pay_now' }, cb)",
        load,
        APPROVED,
    )
    .await;
    throws(
        stage,
        "Klarna.Payments.finalize({ payment_method_category: 'pay_now' }, cb)",
        load,
        APPROVED,
    )
    .await;
    // A callback that throws does not keep the error from the caller.
    let script =
        "return thrown(() => Klarna.Payments.load({}, () => { throw new Error('the page'); }))";
    assert_eq!(stage.run(script, vec![]).await, "InvalidContainerSelectorError");
}
