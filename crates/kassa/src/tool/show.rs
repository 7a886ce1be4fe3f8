//! How answers look: tables for people, one line of JSON for programs.
//!
//! What is shown may come from anyone, so nothing in it can move a terminal's cursor.

use comfy_table::{Cell, Table, presets};
use klarna::Currency;
use serde_json::{Map, Value};

/// No more columns than this in a list; how many are left out is said below it.
const COLUMNS: usize = 8;

/// Text that leaves the terminal alone.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Rows under headings.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: Vec<[String; N]>) -> String {
    let rows = rows.into_iter().map(Vec::from).collect();
    grid(&headings, rows)
}

fn grid(headings: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings.iter().map(|heading| Cell::new(heading.to_uppercase())));
    for row in rows {
        table.add_row(row.iter().map(|text| Cell::new(plain(text))));
    }
    trimmed(&table)
}

/// Names and values below each other.
pub(crate) fn pairs(rows: &[(String, String)]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    for (name, value) in rows {
        table.add_row([Cell::new(plain(name)), Cell::new(plain(value))]);
    }
    trimmed(&table)
}

fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A JSON document as tables: what is single first, then each list.
pub(crate) fn document(value: &Value) -> String {
    let currency = currency_of(value);
    let mut lists = Vec::new();
    let mut rows = Vec::new();
    match value {
        Value::Object(members) => flatten("", members, currency.as_ref(), &mut rows, &mut lists),
        Value::Array(items) => lists.push((String::new(), items)),
        other => return format!("{}\n", plain(&scalar("", other, None))),
    }
    let mut text = if rows.is_empty() { String::new() } else { pairs(&rows) };
    for (title, items) in lists {
        if !text.is_empty() {
            text.push('\n');
        }
        if !title.is_empty() {
            text.push_str(&plain(&title));
            text.push('\n');
        }
        text.push_str(&list(items, currency.as_ref()));
    }
    text
}

fn flatten<'v>(
    prefix: &str,
    members: &'v Map<String, Value>,
    currency: Option<&Currency>,
    rows: &mut Vec<(String, String)>,
    lists: &mut Vec<(String, &'v Vec<Value>)>,
) {
    for (name, value) in members {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match value {
            Value::Object(members) => {
                let own = currency_of(value);
                flatten(&path, members, own.as_ref().or(currency), rows, lists);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => lists.push((path, items)),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| scalar("", item, None)).collect();
                rows.push((path, items.join(", ")));
            }
            Value::Null => {}
            scalar_value => {
                let text = scalar(name, scalar_value, currency);
                rows.push((path, text));
            }
        }
    }
}

/// A list of objects, its members as columns: where there are too many, first what stands in the objects themselves,
/// then what matters most in what is nested; in the order of their first appearance.
fn list(items: &[Value], currency: Option<&Currency>) -> String {
    if items.is_empty() {
        return "(none)\n".to_owned();
    }
    let mut lines = Vec::new();
    let mut columns: Vec<String> = Vec::new();
    for item in items {
        let mut rows = Vec::new();
        if let Value::Object(members) = item {
            let own = currency_of(item);
            flatten("", members, own.as_ref().or(currency), &mut rows, &mut Vec::new());
        } else {
            rows.push(("value".to_owned(), scalar("", item, None)));
        }
        for (name, _) in &rows {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        lines.push(rows);
    }
    let left_out = columns.len().saturating_sub(COLUMNS);
    if left_out > 0 {
        columns.sort_by_key(|name| rank(name));
        columns.truncate(COLUMNS);
    }
    let headings: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = lines.into_iter().map(|row| {
        let value = |column: &String| {
            row.iter().find(|(name, _)| name == column).map(|(_, value)| value.clone())
        };
        columns.iter().map(|column| value(column).unwrap_or_default()).collect()
    });
    let mut text = grid(&headings, rows.collect());
    if left_out > 0 {
        text = format!("{text}({left_out} more columns with --json)\n");
    }
    text
}

/// How late a column is wanted.
fn rank(name: &str) -> u8 {
    match name.rsplit_once('.') {
        _ if name.ends_with("settlement_amount") => 1,
        None => 0,
        Some((_, "status" | "state" | "amount" | "currency")) => 2,
        Some(_) => 3,
    }
}

fn scalar(name: &str, value: &Value, currency: Option<&Currency>) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match (currency, number.as_i64()) {
            (Some(currency), Some(minor)) if is_amount(name) => amount(minor, currency),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

fn is_amount(name: &str) -> bool {
    name == "unit_price" || name == "amount" || name.ends_with("_amount") || name.ends_with("_fee")
}

/// An amount as people write it: `149.00 SEK`.
pub(crate) fn amount(minor: i64, currency: &Currency) -> String {
    let digits = usize::from(currency.exponent());
    let sign = if minor < 0 { "-" } else { "" };
    let figures = format!("{:0>width$}", minor.unsigned_abs(), width = digits + 1);
    let (whole, part) = figures.split_at(figures.len() - digits);
    let point = if digits == 0 { "" } else { "." };
    format!("{sign}{whole}{point}{part} {currency}")
}

/// The currency that a document speaks of.
fn currency_of(value: &Value) -> Option<Currency> {
    [
        "purchase_currency",
        "currency_code",
        "currency",
        "settlement_currency_code",
        "summary_currency_code",
    ]
    .iter()
    .find_map(|name| value.get(name)?.as_str())
    .map(Currency::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (minor, currency, expected) in [
            (14_900, "SEK", "149.00 SEK"),
            (5, "EUR", "0.05 EUR"),
            (-5, "EUR", "-0.05 EUR"),
            (0, "EUR", "0.00 EUR"),
            (i64::MIN, "USD", "-92233720368547758.08 USD"),
        ] {
            assert_eq!(amount(minor, &Currency::from(currency)), expected);
        }
    }

    #[test]
    fn a_document_is_single_values_first_and_then_its_lists() {
        let text = document(&json!({
            "order_id": "o-1",
            "purchase_currency": "SEK",
            "order_amount": 10_000,
            "options": { "colours": ["red", "blue"] },
            "nothing": null,
            "captures": [
                { "capture_id": "c-1", "captured_amount": 4_000 },
                { "capture_id": "c-2", "captured_amount": 6_000, "reference": "S-2" },
            ],
            "refunds": [],
        }));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn too_many_columns_leave_out_what_is_nested() {
        let totals = json!({
            "a_amount": 1, "b_amount": 2, "c_amount": 3, "settlement_amount": 64_626, "d_amount": 4,
        });
        let text = document(&json!({ "payouts": [{
            "totals": totals, "payment_reference": "R-1", "payout_date": "2026-01-02",
            "currency_code": "SEK", "transactions": 3,
        }]}));
        for wanted in ["PAYMENT_REFERENCE", "R-1", "2026-01-02", "646.26 SEK"] {
            assert!(text.contains(wanted), "{text}");
        }
        assert!(text.contains("(1 more columns with --json)"), "{text}");
    }

    #[test]
    fn nothing_in_an_answer_moves_the_cursor() {
        let text = document(&json!({ "name\u{1b}[2J": "a\u{1b}]0;x\u{7}\nb" }));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{7}'), "{text:?}");
        assert_eq!(text.lines().count(), 1);
    }
}
