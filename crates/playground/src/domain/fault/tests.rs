//! The decisions about faults, in many cases and in random ones.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn fault(value: Value) -> Fault {
    serde_json::from_value(value).unwrap()
}

fn armed(value: Value) -> Armed {
    let fault = fault(value);
    assert_eq!(fault.check(), []);
    Armed::new("f".to_owned(), fault, Counts::default(), 42)
}

const CAPTURE: Call<'static> =
    Call { method: "POST", path: "/ordermanagement/v1/orders/o-1/captures", merchant_id: "K1" };

fn hits(fault: Armed, calls: usize) -> Vec<usize> {
    let mut faults = [fault];
    (0..calls).filter(|_| plan_call(&mut faults, CAPTURE).damage.is_some()).collect()
}

#[test]
fn the_next_calls_are_hit_and_no_others() {
    let drop = json!({"type": "drop"});
    assert_eq!(hits(armed(json!({"times": 3, "effect": drop})), 10), [0, 1, 2]);
    assert_eq!(hits(armed(json!({"times": 2, "skip": 4, "effect": drop})), 10), [4, 5]);
    assert_eq!(hits(armed(json!({"effect": drop})), 5).len(), 5);
}

#[test]
fn a_tenth_of_ten_thousand_calls_is_a_thousand() {
    for (per_mille, expected) in
        [(1, 10), (100, 1_000), (137, 1_370), (999, 9_990), (1_000, 10_000)]
    {
        let fault = json!({"per_mille": per_mille, "effect": {"type": "error", "status": 503}});
        assert_eq!(hits(armed(fault), 10_000).len(), expected, "{per_mille}");
    }
}

proptest! {
    #[test]
    fn what_is_hit_depends_on_seed_and_order_alone(
        seed in 0_u64..1 << 53, per_mille in 1_u64..=1_000, skip in 0_u64..50, times in 1_u64..50, stop in 0_usize..200,
    ) {
        let asked = json!({
            "per_mille": per_mille, "skip": skip, "times": times, "seed": seed,
            "effect": {"type": "drop"},
        });
        let whole = hits(armed(asked.clone()), 400);
        // The same after an interruption, when only the counts were kept.
        let mut faults = [armed(asked.clone())];
        let mut parts: Vec<usize> =
            (0..stop).filter(|_| plan_call(&mut faults, CAPTURE).damage.is_some()).collect();
        let counts = faults[0].counts;
        let mut faults = [Armed::new("f".to_owned(), fault(asked), counts, 0)];
        parts.extend((stop..400).filter(|_| plan_call(&mut faults, CAPTURE).damage.is_some()));
        prop_assert_eq!(&parts, &whole);
        prop_assert!(whole.len() <= usize::try_from(times).unwrap());
        prop_assert!(whole.iter().all(|hit| *hit >= usize::try_from(skip).unwrap()));
        prop_assert_eq!(u64::try_from(whole.len()).unwrap(), faults[0].counts.injected);
    }

    #[test]
    fn no_call_is_held_up_for_more_than_a_minute(
        seed: u32, one in 0_u64..=60_000, two in 0_u64..=60_000, deviation in 0_u64..=60_000,
    ) {
        let latency = |distribution: Value, when: &str| armed(json!({
            "seed": seed, "effect": {"type": "latency", "distribution": distribution, "when": when},
        }));
        let mut faults = [
            latency(json!({"kind": "normal", "mean_ms": one, "deviation_ms": deviation}), "before"),
            latency(json!({"kind": "fixed", "ms": two}), "after"),
            latency(json!({"kind": "p99", "ms": one}), "before"),
        ];
        let plan = plan_call(&mut faults, CAPTURE);
        prop_assert!(plan.before_ms + plan.after_ms <= GREATEST_LATENCY_MS);
        prop_assert_eq!(plan.injected.len(), 3);
    }
}

#[test]
fn only_what_fits_is_counted() {
    let cases = [
        (json!({}), true),
        (json!({"method": "POST"}), true),
        (json!({"method": "GET"}), false),
        (json!({"path": "/ordermanagement/v1/orders/{order_id}/captures"}), true),
        (json!({"path": "/ordermanagement/*"}), true),
        (json!({"path": "/*"}), true),
        (json!({"path": "/payments/*"}), false),
        (json!({"operation": "orders.capture"}), true),
        (json!({"operation": "orders.list_captures"}), false),
        (json!({"merchant_id": "K1"}), true),
        (json!({"merchant_id": "K2"}), false),
        (json!({"merchant_id": "K2", "operation": "orders.capture"}), false),
    ];
    for (matching, expected) in cases {
        let fault = armed(json!({"match": matching, "effect": {"type": "drop"}}));
        let mut faults = [fault];
        let plan = plan_call(&mut faults, CAPTURE);
        assert_eq!(plan.damage.is_some(), expected, "{matching}");
        assert_eq!(faults[0].counts.matched, u64::from(expected), "{matching}");
    }
    let mut lost = [armed(json!({"effect": {"type": "lose"}}))];
    assert_eq!(plan_call(&mut lost, CAPTURE), CallPlan::default());
    let mut dropped = [armed(json!({"effect": {"type": "drop"}}))];
    assert_eq!(plan_callback(&mut dropped, CallbackKind::Push, "K1"), None);
}

#[test]
fn the_first_damage_is_the_only_one() {
    let mut faults = [
        armed(json!({"effect": {"type": "latency", "distribution": {"kind": "fixed", "ms": 5}}})),
        armed(json!({"times": 1, "effect": {"type": "error", "status": 502, "when": "after"}})),
        armed(json!({"effect": {"type": "drop", "when": "after", "how": "reset"}})),
    ];
    let first = plan_call(&mut faults, CAPTURE);
    assert_eq!(first.before_ms, 5);
    assert_eq!(first.damage, Some(Damage::Error { status: 502, body: None, when: When::After }));
    let effects: Vec<&str> = first.injected.iter().map(|hit| hit.effect.as_str()).collect();
    assert_eq!(effects, ["latency 5 ms", "error 502 after the work"]);
    assert_eq!(faults[2].counts, Counts::default());
    let second = plan_call(&mut faults, CAPTURE);
    assert_eq!(second.damage, Some(Damage::Drop { when: When::After, how: DropHow::Reset }));
}

#[test]
fn callbacks_are_hit_by_kind_and_merchant() {
    let mut faults = [armed(json!({
        "match": {"callback": "push", "merchant_id": "K1"}, "times": 1,
        "effect": {"type": "duplicate", "copies": 2},
    }))];
    assert_eq!(plan_callback(&mut faults, CallbackKind::Authorization, "K1"), None);
    assert_eq!(plan_callback(&mut faults, CallbackKind::Push, "K2"), None);
    let (damage, injected) = plan_callback(&mut faults, CallbackKind::Push, "K1").unwrap();
    assert_eq!(damage, CallbackDamage::Duplicate(2));
    assert_eq!(injected.effect, "duplicated 2 times");
    assert_eq!(plan_callback(&mut faults, CallbackKind::Push, "K1"), None);
}

#[test]
fn the_published_times_are_those_of_the_operation() {
    let service = json!({"effect": {"type": "latency", "distribution": {"kind": "service_level"}}});
    let longest = |method: &str, path: &str| {
        let mut faults = [armed(service.clone())];
        let call = Call { method, path, merchant_id: "K1" };
        let mut times: Vec<u64> =
            (0..1_000).map(|_| plan_call(&mut faults, call).before_ms).collect();
        times.sort_unstable();
        times[990]
    };
    assert!((140..=240).contains(&longest("POST", "/payments/v1/sessions")));
    assert!((900..=1_600).contains(&longest(CAPTURE.method, CAPTURE.path)));
    assert!((5_400..=9_600).contains(&longest("GET", "/settlements/v1/payouts")));
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let drop = json!({"type": "drop"});
    let cases = [
        (json!({"per_mille": 0, "effect": drop}), "per_mille"),
        (json!({"per_mille": 1_001, "effect": drop}), "per_mille"),
        (json!({"times": 0, "effect": drop}), "times"),
        (json!({"match": {"callback": "push"}, "effect": drop}), "match.callback"),
        (json!({"match": {"method": "FETCH"}, "effect": drop}), "match.method"),
        (json!({"match": {"path": "payments"}, "effect": drop}), "match.path"),
        (json!({"match": {"path": "/playground/v1/clock"}, "effect": drop}), "match.path"),
        (json!({"match": {"operation": "orders.sing"}, "effect": drop}), "match.operation"),
        (
            json!({"match": {"operation": "orders.read", "method": "GET"}, "effect": drop}),
            "match.operation",
        ),
        (json!({"match": {"path": "/payments/*"}, "effect": {"type": "lose"}}), "match.path"),
        (json!({"effect": {"type": "error", "status": 200}}), "effect.status"),
        (
            json!({"effect": {"type": "slow_body", "bytes_per_second": 0}}),
            "effect.bytes_per_second",
        ),
        (json!({"effect": {"type": "duplicate", "copies": 0}}), "effect.copies"),
        (json!({"effect": {"type": "duplicate", "copies": 11}}), "effect.copies"),
        (json!({"effect": {"type": "delay", "ms": 0}}), "effect.ms"),
        (json!({"effect": {"type": "reorder", "within_ms": 0}}), "effect.within_ms"),
        (
            json!({"effect": {"type": "latency", "distribution": {"kind": "fixed", "ms": 60_001}}}),
            "effect.distribution",
        ),
        (
            json!({"effect": {"type": "latency", "distribution": {"kind": "uniform", "min_ms": 2, "max_ms": 1}}}),
            "effect.distribution.min_ms",
        ),
    ];
    for (asked, path) in cases {
        let problems = fault(asked.clone()).check();
        assert_eq!(problems.len(), 1, "{asked}: {problems:?}");
        assert_eq!(problems[0].path, path, "{asked}");
    }
}

#[test]
fn what_is_unknown_is_not_overlooked() {
    for asked in [
        json!({}),
        json!({"effect": {"type": "explode"}}),
        json!({"effect": {"type": "drop", "hwo": "reset"}}),
        json!({"effect": {"type": "drop"}, "time": 3}),
        json!({"effect": {"type": "drop"}, "match": {"merchant": "K1"}}),
        json!({"effect": {"type": "drop"}, "match": {"callback": "pull"}}),
        json!({"effect": {"type": "drop"}, "per_mille": 0.5}),
        json!({"effect": {"type": "latency", "distribution": {"kind": "fixed", "ms": -1}}}),
    ] {
        assert!(serde_json::from_value::<Fault>(asked.clone()).is_err(), "{asked}");
    }
}
