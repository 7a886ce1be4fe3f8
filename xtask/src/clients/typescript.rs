//! The generated part of the client for TypeScript: types, and a table of operations that the part written
//! by hand makes methods of. No step of building stands between it and whoever uses it.

use std::fmt::Write as _;

use super::model::{Api, Operation, Schema, Shape, Type, camel, pascal};

const HEAD: &str =
    "// Made by `cargo xtask clients` from the API's description. Not to be changed by hand.\n\n";

fn of(kind: &Type) -> String {
    match kind {
        Type::Text => "string".to_owned(),
        Type::Integer | Type::Number => "number".to_owned(),
        Type::Boolean => "boolean".to_owned(),
        Type::Any => "unknown".to_owned(),
        Type::Object => "Record<string, unknown>".to_owned(),
        Type::List(item) => match &**item {
            Type::OneOf(_) | Type::Nullable(_) => format!("({})[]", of(item)),
            _ => format!("{}[]", of(item)),
        },
        Type::OneOf(names) => {
            names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(" | ")
        }
        Type::Named(name) => name.clone(),
        Type::Nullable(inner) => format!("{} | null", of(inner)),
    }
}

fn comment(indent: &str, says: &str) -> String {
    let lines: Vec<&str> = says.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}/** {line} */\n"),
        lines => {
            let mut text = format!("{indent}/**\n");
            for line in lines {
                let _ = writeln!(text, "{indent} * {line}");
            }
            let _ = writeln!(text, "{indent} */");
            text
        }
    }
}

/// `types.d.ts`.
pub(super) fn types(api: &Api) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(
        "import type { CallOptions, KeyedOptions, WaitingOptions } from \"./index.js\";\n\n",
    );
    for one in &api.schemas {
        text.push_str(&schema(one));
        text.push('\n');
    }
    for group in api.groups() {
        let _ = writeln!(text, "export interface {} {{", pascal(group));
        for operation in api.operations.iter().filter(|operation| operation.group == group) {
            text.push_str(&method(operation));
        }
        text.push_str("}\n\n");
    }
    text.push_str("/** Every group of operations. */\nexport interface Api {\n");
    for group in api.groups() {
        let _ = writeln!(text, "  readonly {}: {};", camel(group), pascal(group));
    }
    text.push_str("}\n");
    text
}

fn schema(schema: &Schema) -> String {
    let mut text = comment("", &schema.says);
    match &schema.shape {
        Shape::Alias(kind) => {
            let _ = writeln!(text, "export type {} = {};", schema.name, of(kind));
        }
        Shape::Object { base, members } => {
            let extends = if base.is_empty() {
                String::new()
            } else {
                format!(" extends {}", base.join(", "))
            };
            let _ = writeln!(text, "export interface {}{extends} {{", schema.name);
            for member in members {
                text.push_str(&comment("  ", &member.says));
                let mark = if member.required { "" } else { "?" };
                let _ = writeln!(text, "  {}{mark}: {};", member.name, of(&member.kind));
            }
            text.push_str("}\n");
        }
    }
    text
}

fn answer(operation: &Operation) -> String {
    if operation.answers.is_empty() {
        return "void".to_owned();
    }
    operation.answers.iter().map(of).collect::<Vec<_>>().join(" | ")
}

fn query(operation: &Operation) -> String {
    let members: Vec<String> = operation
        .query
        .iter()
        .map(|member| {
            format!(
                "{}{}: {}",
                member.name,
                if member.required { "" } else { "?" },
                of(&member.kind)
            )
        })
        .collect();
    format!("{{ {} }}", members.join("; "))
}

fn method(operation: &Operation) -> String {
    let mut arguments: Vec<String> =
        operation.ids.iter().map(|id| format!("{}: string", camel(id))).collect();
    if let Some(body) = &operation.body {
        arguments.push(format!("body: {}", of(body)));
    }
    if !operation.query.is_empty() {
        arguments.push(format!("query?: {}", query(operation)));
    }
    let options = match (operation.keyed, operation.waits) {
        (true, true) => "KeyedOptions & WaitingOptions",
        (true, false) => "KeyedOptions",
        (false, true) => "WaitingOptions",
        (false, false) => "CallOptions",
    };
    arguments.push(format!("options?: {options}"));
    let name = camel(&operation.name);
    let mut text = comment("  ", &operation.says);
    let _ = writeln!(text, "  {name}({}): Promise<{}>;", arguments.join(", "), answer(operation));
    if let Some(item) = &operation.paged {
        let _ = writeln!(text, "  /** The same, one by one over all pages. */");
        let _ = writeln!(
            text,
            "  {name}All({}): AsyncGenerator<{}, void, undefined>;",
            arguments.join(", "),
            of(item)
        );
    }
    text
}

/// `operations.js`.
pub(super) fn operations(api: &Api) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(
        "/** Each operation: method, path, and what it takes. */\nexport const operations = {\n",
    );
    for group in api.groups() {
        let _ = writeln!(text, "  {}: {{", camel(group));
        for operation in api.operations.iter().filter(|operation| operation.group == group) {
            let mut takes = Vec::new();
            for (name, is) in [
                ("body", operation.body.is_some()),
                ("query", !operation.query.is_empty()),
                ("keyed", operation.keyed),
                ("waits", operation.waits),
                ("paged", operation.paged.is_some()),
            ] {
                if is {
                    takes.push(format!("{name}: true"));
                }
            }
            let takes = if takes.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", takes.join(", "))
            };
            let _ = writeln!(
                text,
                "    {}: [\"{}\", \"{}\", {takes}],",
                camel(&operation.name),
                operation.method,
                operation.path
            );
        }
        text.push_str("  },\n");
    }
    text.push_str("};\n");
    text
}
