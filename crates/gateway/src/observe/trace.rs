//! Where the running span stands in its trace, as text that can be kept and sent, and the way back.
//!
//! Without a collector there is no trace: [`current`] is then `None`, and [`follow`] does nothing.

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::domain::trace_parent::TraceParent;

/// The place of a span.
fn place(span: &Span) -> Option<TraceParent> {
    let context = span.context();
    let place = context.span().span_context().clone();
    place.is_valid().then(|| TraceParent {
        trace_id: u128::from_be_bytes(place.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(place.span_id().to_bytes()),
        flags: place.trace_flags().to_u8(),
    })
}

/// The place of the span that runs, for whatever it causes: to be kept with an operation, a read, an event.
pub fn current() -> Option<String> {
    place(&Span::current()).map(|parent| parent.to_string())
}

/// The place of this span, for the header `traceparent` of a call that it makes.
pub fn of(span: &Span) -> Option<String> {
    place(span).map(|parent| parent.to_string())
}

fn remote(parent: TraceParent) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(parent.trace_id.to_be_bytes()),
        SpanId::from_bytes(parent.span_id.to_be_bytes()),
        TraceFlags::new(parent.flags),
        true,
        TraceState::NONE,
    )
}

/// Makes a span that was not entered yet a child of what caused it, if that is known, and writes the trace's id to the
/// span's field `trace.id`, so that log lines and traces find each other. What cannot be read is as if it were not there.
pub fn follow(span: &Span, cause: Option<&str>) {
    if let Some(parent) = cause.and_then(|text| text.parse::<TraceParent>().ok()) {
        // Fails only where nothing is recorded.
        let _ = span.set_parent(Context::new().with_remote_span_context(remote(parent)));
    }
    if let Some(own) = place(span) {
        span.record("trace.id", tracing::field::display(format_args!("{:032x}", own.trace_id)));
    }
}

/// Says that a span has to do with another one that is not its parent.
pub fn link(span: &Span, other: Option<&str>) {
    if let Some(other) = other.and_then(|text| text.parse::<TraceParent>().ok()) {
        span.add_link(remote(other));
    }
}
