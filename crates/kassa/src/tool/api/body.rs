//! Bodies as the command line gives them: JSON, a file, standard input, and members set one by one.

use std::io::Read as _;

use serde_json::{Map, Value};

use crate::tool::failure::Failure;

/// More than any API takes.
const GREATEST_BODY: u64 = 16 * 1024 * 1024;

/// No list is longer than Klarna takes.
const LONGEST_LIST: usize = 10_000;

/// Reads `--data`: JSON, `@FILE`, or `-` for standard input.
pub(crate) fn read(data: &str) -> Result<Value, Failure> {
    let (text, whence) = match data.strip_prefix('@') {
        Some("-") => (whole(std::io::stdin().lock(), "standard input")?, "standard input"),
        Some(path) => {
            let file = std::fs::File::open(path)
                .map_err(|error| Failure::usage(format!("cannot read {path}: {error}")))?;
            (whole(file, path)?, path)
        }
        None if data == "-" => {
            (whole(std::io::stdin().lock(), "standard input")?, "standard input")
        }
        None => (data.to_owned(), "--data"),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!("{whence} is not JSON: {error}"))
            .remedy("give JSON, or @FILE, or - for standard input")
    })
}

fn whole(from: impl std::io::Read, whence: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = from.take(GREATEST_BODY + 1).read_to_string(&mut text);
    match read {
        Ok(bytes) if bytes as u64 > GREATEST_BODY => {
            Err(Failure::usage(format!("{whence} is larger than any body that Klarna takes")))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(Failure::usage(format!("cannot read {whence}: {error}"))),
    }
}

/// The body that `--data` and `--set` make together, if there is one.
pub(super) fn compose(data: Option<&str>, set: &[String]) -> Result<Option<Value>, Failure> {
    let mut body = data.map(read).transpose()?;
    for assignment in set {
        let (path, text) = assignment.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--set {assignment}: there is no `=`"))
                .remedy("--set order_amount=10000")
        })?;
        let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
        let at = body.get_or_insert_with(|| Value::Object(Map::new()));
        assign(at, path, value)
            .map_err(|reason| Failure::usage(format!("--set {path}: {reason}")))?;
    }
    Ok(body)
}

/// A step into a document.
#[derive(Debug, PartialEq, Eq)]
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

fn assign(mut at: &mut Value, path: &str, value: Value) -> Result<(), String> {
    let steps = steps(path)?;
    let Some((last, before)) = steps.split_last() else {
        return Err("no member is named".to_owned());
    };
    for step in before {
        at = enter(at, step)?;
    }
    if let (Step::Member(name), Value::Null) = (last, &value) {
        // Klarna's APIs have no null: it is left out.
        if let Some(members) = at.as_object_mut() {
            members.shift_remove(*name);
        }
        return Ok(());
    }
    *enter(at, last)? = value;
    Ok(())
}

/// The place that a step leads to, made if there is nothing yet.
fn enter<'v>(at: &'v mut Value, step: &Step<'_>) -> Result<&'v mut Value, String> {
    if at.is_null() {
        *at = match step {
            Step::Member(_) => Value::Object(Map::new()),
            Step::Item(_) => Value::Array(Vec::new()),
        };
    }
    match (step, at) {
        (Step::Member(name), Value::Object(members)) => {
            Ok(members.entry((*name).to_owned()).or_insert(Value::Null))
        }
        (Step::Item(index), Value::Array(items)) => {
            if *index > items.len() {
                return Err(format!("[{index}] would leave a gap: there are {}", items.len()));
            }
            if *index == items.len() {
                items.push(Value::Null);
            }
            items.get_mut(*index).ok_or_else(|| "no such item".to_owned())
        }
        (Step::Member(name), _) => Err(format!("`{name}` is not in an object")),
        (Step::Item(index), _) => Err(format!("[{index}] is not in a list")),
    }
}

fn steps(path: &str) -> Result<Vec<Step<'_>>, String> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (name, mut rest) = match part.find('[') {
            Some(at) => part.split_at(at),
            None => (part, ""),
        };
        if name.is_empty() {
            return Err("a member's name is empty".to_owned());
        }
        steps.push(Step::Member(name));
        while let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']').ok_or("a `]` is missing")?;
            let index = index
                .parse()
                .ok()
                .filter(|index| *index < LONGEST_LIST)
                .ok_or_else(|| format!("[{index}] is not the number of an item"))?;
            steps.push(Step::Item(index));
            rest = after;
        }
        if !rest.is_empty() {
            return Err(format!("`{rest}` after a `]`"));
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(data: Option<&str>, set: &[&str], expected: Result<Value, &str>) {
        let set: Vec<String> = set.iter().map(|&text| text.to_owned()).collect();
        let found = compose(data, &set).map(Option::unwrap_or_default);
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(failure), Err(expected)) => {
                assert_eq!(failure.exit_status(), 2);
                assert!(failure.to_string().contains(expected), "{failure}");
            }
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }

    #[test]
    fn members_are_set_one_by_one() {
        check(None, &[], Ok(Value::Null));
        check(Some("[1]"), &[], Ok(json!([1])));
        check(None, &["captured_amount=100"], Ok(json!({ "captured_amount": 100 })));
        check(None, &["reference=S-1"], Ok(json!({ "reference": "S-1" })));
        check(None, &["reference=\"12\""], Ok(json!({ "reference": "12" })));
        check(None, &["a="], Ok(json!({ "a": "" })));
        check(None, &["a=b=c"], Ok(json!({ "a": "b=c" })));
        check(Some(r#"{"a":{"b":1}}"#), &["a.c=[2]"], Ok(json!({ "a": { "b": 1, "c": [2] } })));
        check(
            None,
            &[
                "order_lines[0].name=Mugg",
                "order_lines[0].quantity=2",
                "order_lines[1].name=Tallrik",
            ],
            Ok(
                json!({ "order_lines": [{ "name": "Mugg", "quantity": 2 }, { "name": "Tallrik" }] }),
            ),
        );
        check(Some(r#"{"a":1,"b":2}"#), &["a=null"], Ok(json!({ "b": 2 })));
        check(None, &["a[0][1]=1"], Err("leave a gap"));
    }

    #[test]
    fn mistakes_are_named() {
        check(Some("{"), &[], Err("--data is not JSON"));
        check(Some("@/nonexistent/cart.json"), &[], Err("cannot read /nonexistent/cart.json"));
        check(None, &["captured_amount"], Err("no `=`"));
        check(None, &["=1"], Err("name is empty"));
        check(None, &["a..b=1"], Err("name is empty"));
        check(None, &["a[x]=1"], Err("not the number of an item"));
        check(None, &["a[99999999]=1"], Err("not the number of an item"));
        check(None, &["a[0=1"], Err("`]` is missing"));
        check(Some("[]"), &["a=1"], Err("not in an object"));
        check(Some(r#"{"a":1}"#), &["a.b=1"], Err("not in an object"));
        check(Some(r#"{"a":{}}"#), &["a[0]=1"], Err("not in a list"));
    }
}
