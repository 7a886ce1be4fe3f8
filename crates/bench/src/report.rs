//! What is printed.

/// One measurement, as one JSON object on one line of standard output.
#[expect(clippy::print_stdout, reason = "the output is what this program is for")]
pub(crate) fn say(name: &str, value: f64, unit: &str) {
    // Three decimals for ratios, none for rates: more would be noise.
    let value = if value < 100.0 { (value * 1000.0).round() / 1000.0 } else { value.round() };
    println!("{}", serde_json::json!({ "name": name, "value": value, "unit": unit }));
}

/// Why the run ended early.
#[expect(clippy::print_stderr, reason = "a command line complains on its standard error")]
pub(crate) fn complain(text: &str) {
    eprintln!("error: {text}");
}

/// The middle one; 0 of none.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The median of the ratios within each round.
pub(crate) fn median_ratio(rates: &[f64], to: &[f64]) -> f64 {
    median(rates.iter().zip(to).map(|(rate, to)| rate / to).collect())
}

/// How many a second.
#[expect(clippy::cast_precision_loss, reason = "a count of a few seconds is far below 2^52")]
pub(crate) fn rate(count: u64, elapsed: std::time::Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}
