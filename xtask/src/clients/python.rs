//! The generated part of the client for Python: typed dictionaries, and a class for each group of operations
//! whose methods the part written by hand carries out.

use std::fmt::Write as _;

use super::model::{Api, Member, Operation, Schema, Shape, Type, pascal};

/// Words that cannot be names in Python.
const RESERVED: [&str; 12] = [
    "from", "in", "is", "class", "def", "del", "pass", "global", "lambda", "with", "yield",
    "import",
];

fn named(name: &str) -> String {
    if RESERVED.contains(&name) { format!("{name}_") } else { name.to_owned() }
}

fn of(kind: &Type) -> String {
    match kind {
        Type::Text => "str".to_owned(),
        Type::Integer => "int".to_owned(),
        Type::Number => "float".to_owned(),
        Type::Boolean => "bool".to_owned(),
        Type::Any => "Any".to_owned(),
        Type::Object => "Dict[str, Any]".to_owned(),
        Type::List(item) => format!("List[{}]", of(item)),
        Type::OneOf(names) => {
            let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("Literal[{}]", names.join(", "))
        }
        Type::Named(name) => format!("\"{name}\""),
        Type::Nullable(inner) => format!("Optional[{}]", of(inner)),
    }
}

fn doc(indent: &str, says: &str) -> String {
    let lines: Vec<String> = says
        .lines()
        .map(|line| line.trim().replace('\\', "\\\\").replace("\"\"\"", "'''"))
        .filter(|line| !line.is_empty())
        .collect();
    match lines.as_slice() {
        [] => String::new(),
        [line] => format!("{indent}\"\"\"{line}\"\"\"\n"),
        lines => {
            let mut text = format!("{indent}\"\"\"{}\n", lines[0]);
            for line in &lines[1..] {
                let _ = writeln!(text, "{indent}{line}");
            }
            let _ = writeln!(text, "{indent}\"\"\"");
            text
        }
    }
}

/// `types.py`.
pub(super) fn types(api: &Api) -> String {
    let mut text = String::from(
        "\"\"\"The shapes of requests and answers.\n\nMade by `cargo xtask clients` from the API's description. Not \
         to be changed by hand.\n\"\"\"\n\nfrom typing import Any, Dict, List, Literal, Optional, TypedDict\n\ntry:\n    \
         from typing import NotRequired\nexcept ImportError:  # before Python 3.11\n    from typing_extensions import \
         NotRequired\n",
    );
    // A base has to be there before what is made of it.
    let (bases, others): (Vec<&Schema>, Vec<&Schema>) =
        api.schemas.iter().partition(|one| is_base(api, &one.name));
    for one in bases.into_iter().chain(others) {
        text.push_str("\n\n");
        text.push_str(&schema(one));
    }
    text
}

fn is_base(api: &Api, name: &str) -> bool {
    api.schemas.iter().any(|schema| match &schema.shape {
        Shape::Object { base, .. } => base.iter().any(|base| base == name),
        Shape::Alias(_) => false,
    })
}

fn schema(schema: &Schema) -> String {
    match &schema.shape {
        Shape::Alias(kind) => format!("{} = {}\n{}", schema.name, of(kind), doc("", &schema.says)),
        Shape::Object { base, members } => {
            let base = if base.is_empty() { "TypedDict".to_owned() } else { base.join(", ") };
            // A member whose name is no name in Python has to be written another way.
            if members.iter().any(|member| RESERVED.contains(&member.name.as_str())) {
                return functional(schema, members);
            }
            let mut text = format!("class {}({base}):\n{}", schema.name, doc("    ", &schema.says));
            for member in members {
                let _ = writeln!(text, "    {}: {}", member.name, membered(member));
                text.push_str(&doc("    ", &member.says));
            }
            if members.is_empty() && schema.says.is_empty() {
                text.push_str("    pass\n");
            }
            text
        }
    }
}

fn functional(schema: &Schema, members: &[Member]) -> String {
    let mut text = format!("{} = TypedDict(\"{}\", {{\n", schema.name, schema.name);
    for member in members {
        let _ = writeln!(text, "    \"{}\": {},", member.name, membered(member));
    }
    text.push_str("})\n");
    text.push_str(&doc("", &schema.says));
    text
}

fn membered(member: &Member) -> String {
    let kind = of(&member.kind);
    if member.required { kind } else { format!("NotRequired[{kind}]") }
}

fn answer(operation: &Operation) -> String {
    match operation.answers.as_slice() {
        [] => "None".to_owned(),
        [one] => plain(one),
        several => {
            format!("Union[{}]", several.iter().map(plain).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A type outside of the file of types.
fn plain(kind: &Type) -> String {
    match kind {
        Type::Named(name) => format!("types.{name}"),
        Type::List(item) => format!("List[{}]", plain(item)),
        other => of(other),
    }
}

/// `operations.py`.
pub(super) fn operations(api: &Api) -> String {
    let mut text = String::from(
        "\"\"\"Every operation of the API.\n\nMade by `cargo xtask clients` from the API's description. Not to be \
         changed by hand.\n\"\"\"\n\nfrom typing import Iterator, List, Literal, Optional, Union\n\nfrom . import \
         types\nfrom .transport import Group, Transport, segment\n",
    );
    for group in api.groups() {
        let _ = write!(text, "\n\nclass {}(Group):\n", pascal(group));
        let mut first = true;
        for operation in api.operations.iter().filter(|operation| operation.group == group) {
            if !first {
                text.push('\n');
            }
            first = false;
            text.push_str(&method(operation));
        }
    }
    text.push_str("\n\nclass Api:\n    \"\"\"Every group of operations.\"\"\"\n\n    def __init__(self, transport: Transport) -> None:\n");
    for group in api.groups() {
        let _ = writeln!(text, "        self.{group} = {}(transport)", pascal(group));
    }
    text
}

fn method(operation: &Operation) -> String {
    let mut arguments = vec!["self".to_owned()];
    arguments.extend(operation.ids.iter().map(|id| format!("{}: str", named(id))));
    if let Some(body) = &operation.body {
        arguments.push(format!("body: {}", plain(body)));
    }
    let mut named_only = Vec::new();
    named_only.extend(operation.query.iter().map(|member| {
        format!("{}: Optional[{}] = None", named(&member.name), plain(&member.kind))
    }));
    if operation.keyed {
        named_only.push("idempotency_key: Optional[str] = None".to_owned());
    }
    if operation.waits {
        named_only.push("wait_seconds: Optional[int] = None".to_owned());
    }
    if !named_only.is_empty() {
        arguments.push("*".to_owned());
        arguments.extend(named_only);
    }
    let arguments = arguments.join(", ");
    let mut call = vec![format!("\"{}\"", operation.method), path(operation)];
    let query: Vec<String> = operation
        .query
        .iter()
        .map(|member| format!("\"{}\": {}", member.name, named(&member.name)))
        .collect();
    if !query.is_empty() {
        call.push(format!("query={{{}}}", query.join(", ")));
    }
    if operation.body.is_some() {
        call.push("body=body".to_owned());
    }
    if operation.keyed {
        call.push("keyed=True, idempotency_key=idempotency_key".to_owned());
    }
    if operation.waits {
        call.push("wait_seconds=wait_seconds".to_owned());
    }
    let mut text = format!("    def {}({arguments}) -> {}:\n", operation.name, answer(operation));
    text.push_str(&doc("        ", &operation.says));
    let give = if operation.answers.is_empty() { "" } else { "return " };
    let _ = writeln!(text, "        {give}self._call({})", call.join(", "));
    if let Some(item) = &operation.paged {
        let _ = write!(
            text,
            "\n    def {}_all({arguments}) -> Iterator[{}]:\n        \"\"\"The same, one by one over all \
             pages.\"\"\"\n        return self._pages({})\n",
            operation.name,
            plain(item),
            call.join(", ")
        );
    }
    text
}

fn path(operation: &Operation) -> String {
    let mut path = operation.path.clone();
    for id in &operation.ids {
        path = path.replace(&format!("{{{id}}}"), &format!("{{segment({})}}", named(id)));
    }
    if operation.ids.is_empty() { format!("\"{path}\"") } else { format!("f\"{path}\"") }
}
