//! Every example runs, against a whole playground in memory.

#![allow(dead_code, reason = "an example has a main of its own")]

#[path = "../../examples/after_payment.rs"]
mod after_payment;
#[path = "../../examples/callbacks.rs"]
mod callbacks;
#[path = "../../examples/disputes.rs"]
mod disputes;
#[path = "../../examples/hosted_page.rs"]
mod hosted_page;
#[path = "../../examples/in_store.rs"]
mod in_store;
#[path = "../../examples/on_demand.rs"]
mod on_demand;
#[path = "../../examples/one_time.rs"]
mod one_time;
#[path = "../../examples/recurring.rs"]
mod recurring;
#[path = "../../examples/retries.rs"]
mod retries;
#[path = "../../examples/settlements.rs"]
mod settlements;
#[path = "../../examples/testing.rs"]
mod testing;

use crate::common::world::World;

/// Runs a program against a world of its own.
macro_rules! runs {
    ($($name:ident),* $(,)?) => { $(
        #[tokio::test]
        async fn $name() {
            let world = World::start().await;
            super::$name::run(&world.client).await.unwrap();
            world.stop().await;
        }
    )* };
}

/// One test for each program, by the same name.
mod program {
    use klarna::MinorUnits;
    use klarna::types::order_management::CreateCapture;
    use serde_json::json;

    use super::World;

    runs!(
        after_payment,
        callbacks,
        disputes,
        hosted_page,
        in_store,
        on_demand,
        one_time,
        recurring,
        retries,
        testing,
    );

    /// Something has to be paid out before there is something to read.
    #[tokio::test]
    async fn settlements() {
        let world = World::start().await;
        let capture = CreateCapture::new(MinorUnits::new(10_000));
        world.client.orders().capture(&world.order().await, &capture).await.unwrap();
        world.control("/settlements/close", &json!({ "merchant_id": "K123456" })).await;
        super::settlements::run(&world.client).await.unwrap();
        world.stop().await;
    }
}

#[test]
fn no_example_is_left_out() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let known = [
        "after_payment",
        "callbacks",
        "disputes",
        "hosted_page",
        "in_store",
        "on_demand",
        "one_time",
        "recurring",
        "retries",
        "settlements",
        "testing",
    ];
    assert_eq!(found, known.map(|name| format!("{name}.rs")));
}
