//! The place of a call in a trace, as the W3C writes it in the header `traceparent`: which trace, which span of it called,
//! and whether it is recorded.
//!
//! It travels with what it caused: it is kept with an operation, a read and an event, and goes out with the webhook. It
//! says nothing about anybody.

use std::fmt;
use std::str::FromStr;

/// A place in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace; not zero.
    pub trace_id: u128,
    /// The span that called; not zero.
    pub span_id: u64,
    /// The lowest bit says that the trace is recorded.
    pub flags: u8,
}

/// A text that is no `traceparent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent such as 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]
pub struct NotATraceParent;

/// Lower-case hexadecimal digits of exactly that many, and nothing else: `from_str_radix` alone takes signs.
fn hexadecimal(text: &str, digits: usize) -> Option<u128> {
    let is_hexadecimal = |letter: u8| letter.is_ascii_digit() || (b'a'..=b'f').contains(&letter);
    (text.len() == digits && text.bytes().all(is_hexadecimal))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

impl FromStr for TraceParent {
    type Err = NotATraceParent;

    fn from_str(text: &str) -> Result<Self, NotATraceParent> {
        let mut parts = text.trim().split('-');
        let mut next =
            |digits| parts.next().and_then(|part| hexadecimal(part, digits)).ok_or(NotATraceParent);
        let (version, trace_id, span_id, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        // A later version may say more behind what this one says.
        let more = parts.next().is_some();
        if version == 0xff || (version == 0 && more) || trace_id == 0 || span_id == 0 {
            return Err(NotATraceParent);
        }
        Ok(Self {
            trace_id,
            span_id: u64::try_from(span_id).map_err(|_| NotATraceParent)?,
            flags: u8::try_from(flags).map_err(|_| NotATraceParent)?,
        })
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_read_is_written_again() {
        let parent: TraceParent = GOOD.parse().unwrap();
        assert_eq!(parent.flags, 1);
        assert_eq!(parent.to_string(), GOOD);
        assert_eq!(format!("{GOOD} ").parse(), Ok(parent));
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = GOOD.replacen("00", "cc", 1);
        assert_eq!(
            later.parse::<TraceParent>().map(|parent| parent.to_string()),
            Ok(GOOD.to_owned())
        );
        assert!(format!("{later}-what-else").parse::<TraceParent>().is_ok());
    }

    #[test]
    fn nothing_else_is_read() {
        let zero_trace = GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32));
        let zero_span = GOOD.replace("b7ad6b7169203331", &"0".repeat(16));
        for bad in [
            "",
            "00",
            "00-1-2-3",
            &GOOD.to_uppercase(),
            &GOOD.replacen("00", "ff", 1),
            &GOOD.replacen("0af", "+af", 1),
            &format!("{GOOD}-more"),
            &format!("{GOOD}0"),
            &zero_trace,
            &zero_span,
        ] {
            assert_eq!(bad.parse::<TraceParent>(), Err(NotATraceParent), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_place_has_a_text(trace_id in 1_u128.., span_id in 1_u64.., flags: u8) {
            let parent = TraceParent { trace_id, span_id, flags };
            prop_assert_eq!(parent.to_string().parse(), Ok(parent));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,80}") {
            let _ = text.parse::<TraceParent>();
        }
    }
}
