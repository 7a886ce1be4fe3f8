//! Faults that a single call asks for itself, in a header or in a merchant reference: for programs that
//! cannot arrange faults beforehand. Never part of what is sent to Klarna itself.

use super::{CallPlan, Damage, DropHow, GREATEST_LATENCY_MS, Injected, When};

/// Reads `500`, `503`, `timeout`, `reset`, `close` or `slow=ms`, each optionally followed by `;after`:
/// the work is done first. `None` for anything else.
pub(crate) fn from_words(words: &str) -> Option<CallPlan> {
    let words = words.trim();
    let (what, when) = match words.split_once(';') {
        None => (words, When::Before),
        Some((what, "after")) => (what.trim_end(), When::After),
        Some(_) => return None,
    };
    let mut plan = CallPlan::default();
    let mut wait = |ms: u64| match when {
        When::Before => plan.before_ms = ms,
        When::After => plan.after_ms = ms,
    };
    match what {
        // Nobody waits that long.
        "timeout" => {
            wait(GREATEST_LATENCY_MS);
            plan.damage = Some(Damage::Drop { when, how: DropHow::Close });
        }
        "reset" => plan.damage = Some(Damage::Drop { when, how: DropHow::Reset }),
        "close" => plan.damage = Some(Damage::Drop { when, how: DropHow::Close }),
        _ => {
            if let Some(ms) = what.strip_prefix("slow=") {
                wait(ms.parse::<u64>().ok()?.min(GREATEST_LATENCY_MS));
            } else {
                let status = what.parse().ok().filter(|status| (400..=599).contains(status))?;
                plan.damage = Some(Damage::Error { status, body: None, when });
            }
        }
    }
    let effect = format!("asked for by the call: {words}");
    plan.injected.push(Injected { fault_id: "switch".to_owned(), effect });
    Some(plan)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_understood() {
        let damage = |words| from_words(words).unwrap().damage;
        assert_eq!(
            damage("503"),
            Some(Damage::Error { status: 503, body: None, when: When::Before })
        );
        assert_eq!(
            damage(" 500;after "),
            Some(Damage::Error { status: 500, body: None, when: When::After })
        );
        assert_eq!(
            damage("reset;after"),
            Some(Damage::Drop { when: When::After, how: DropHow::Reset })
        );
        let slow = from_words("slow=250").unwrap();
        assert_eq!((slow.before_ms, slow.after_ms, slow.damage), (250, 0, None));
        assert_eq!(from_words("slow=99999999;after").unwrap().after_ms, GREATEST_LATENCY_MS);
        let timeout = from_words("timeout").unwrap();
        assert_eq!(timeout.before_ms, GREATEST_LATENCY_MS);
        assert!(timeout.damage.is_some());
    }

    #[test]
    fn other_words_are_none() {
        for words in
            ["", "200", "600", "slow=", "slow=-1", "slow=a", "reset;before", "5000", ";after"]
        {
            assert_eq!(from_words(words), None, "{words}");
        }
    }
}
