//! What the generators need of an OpenAPI document, and nothing else of it.

use serde_json::Value;

use crate::process::Outcome;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Integer,
    Number,
    Boolean,
    /// Anything of JSON.
    Any,
    /// An object whose members are not described.
    Object,
    List(Box<Type>),
    /// One of these texts.
    OneOf(Vec<String>),
    Named(String),
    Nullable(Box<Type>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) says: String,
    pub(super) kind: Type,
    pub(super) required: bool,
}

/// A named type.
#[derive(Debug, Clone)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) says: String,
    pub(super) shape: Shape,
}

#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// These members, and those of other types.
    Object { base: Vec<String>, members: Vec<Member> },
    /// Another name for this.
    Alias(Type),
}

/// An operation.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    /// Such as `payments`.
    pub(super) group: String,
    /// Such as `capture`.
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) says: String,
    /// The members of the path, in their order.
    pub(super) ids: Vec<String>,
    pub(super) query: Vec<Member>,
    pub(super) body: Option<Type>,
    /// Whether it takes an `Idempotency-Key`.
    pub(super) keyed: bool,
    /// Whether it takes `Prefer`.
    pub(super) waits: bool,
    /// What it answers; nothing, if there is no body.
    pub(super) answers: Vec<Type>,
    /// What a page of it is made of, if it is paged.
    pub(super) paged: Option<Type>,
}

/// The whole API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) schemas: Vec<Schema>,
    pub(super) operations: Vec<Operation>,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

impl Type {
    fn read(schema: &Value) -> Self {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return Self::Named(reference.rsplit('/').next().unwrap_or_default().to_owned());
        }
        for any in ["oneOf", "anyOf", "allOf"] {
            if let Some(choices) = schema.get(any).and_then(Value::as_array) {
                let is_null = |choice: &&Value| text(choice, "type") == "null";
                let nullable = choices.iter().any(|choice| is_null(&choice));
                let mut known = choices.iter().filter(|choice| !is_null(choice));
                let found = match (known.next(), known.next()) {
                    (Some(one), None) => Self::read(one),
                    _ => Self::Any,
                };
                return if nullable { Self::Nullable(Box::new(found)) } else { found };
            }
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            let names = values.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            return Self::OneOf(names);
        }
        let (kind, nullable) = match schema.get("type") {
            Some(Value::String(kind)) => (kind.as_str(), false),
            Some(Value::Array(kinds)) => {
                let mut names = kinds.iter().filter_map(Value::as_str);
                let nullable = names.clone().any(|name| name == "null");
                (names.find(|name| *name != "null").unwrap_or_default(), nullable)
            }
            _ => ("", false),
        };
        let found = match kind {
            "string" => Self::Text,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "boolean" => Self::Boolean,
            "array" => Self::List(Box::new(schema.get("items").map_or(Self::Any, Self::read))),
            "object" => Self::Object,
            _ => Self::Any,
        };
        if nullable { Self::Nullable(Box::new(found)) } else { found }
    }
}

impl Schema {
    fn read(name: &str, schema: &Value) -> Self {
        let mut base = Vec::new();
        let mut members = Vec::new();
        for part in list(schema, "allOf").chain([schema]) {
            if let Type::Named(name) = Type::read(part)
                && part.get("$ref").is_some()
            {
                base.push(name);
            }
            let required: Vec<&str> = list(part, "required").filter_map(Value::as_str).collect();
            let properties = part.get("properties").and_then(Value::as_object);
            members.extend(properties.into_iter().flatten().map(|(name, value)| Member {
                name: name.clone(),
                says: text(value, "description").to_owned(),
                kind: Type::read(value),
                required: required.contains(&name.as_str()),
            }));
        }
        let shape = if base.is_empty() && members.is_empty() {
            Shape::Alias(Type::read(schema))
        } else {
            Shape::Object { base, members }
        };
        Self { name: name.to_owned(), says: text(schema, "description").to_owned(), shape }
    }
}

impl Operation {
    /// None where the answer is a stream or a file: those are watched or saved, not called.
    fn read(path: &str, method: &str, value: &Value) -> Outcome<Option<Self>> {
        let id = text(value, "operationId");
        // The group is the first part of the path, and the name what is left of the id.
        let group = path.trim_start_matches("/v1/").split('/').next().unwrap_or_default();
        let group = &group.replace(['-', '.'], "_");
        let name = id
            .strip_prefix(group.as_str())
            .and_then(|rest| rest.strip_prefix('_'))
            .ok_or_else(|| format!("{method} {path}: `{id}` does not begin with `{group}_`"))?;
        let parameters: Vec<&Value> = list(value, "parameters").collect();
        let of = |place: &'static str| {
            parameters.iter().filter(move |parameter| text(parameter, "in") == place)
        };
        let has = |name: &str| of("header").any(|parameter| text(parameter, "name") == name);
        let responses = value.get("responses").and_then(Value::as_object);
        let good: Vec<&Value> = responses
            .into_iter()
            .flatten()
            .filter(|(status, _)| status.starts_with('2'))
            .map(|(_, response)| response)
            .collect();
        let streams = ["/content/text~1event-stream", "/content/text~1csv"];
        if good.iter().any(|response| streams.iter().any(|kind| response.pointer(kind).is_some())) {
            return Ok(None);
        }
        let mut answers: Vec<Type> = Vec::new();
        for response in good {
            if let Some(schema) = response.pointer("/content/application~1json/schema") {
                let found = Type::read(schema);
                if !answers.contains(&found) {
                    answers.push(found);
                }
            }
        }
        let query: Vec<Member> = of("query")
            .map(|parameter| Member {
                name: text(parameter, "name").to_owned(),
                says: text(parameter, "description").to_owned(),
                kind: parameter.get("schema").map_or(Type::Any, Type::read).solid(),
                required: parameter.get("required") == Some(&Value::Bool(true)),
            })
            .collect();
        let summary = text(value, "summary");
        let says = format!("{summary}\n{}", text(value, "description"));
        Ok(Some(Self {
            group: group.clone(),
            name: name.to_owned(),
            method: method.to_uppercase(),
            path: path.to_owned(),
            says: says.trim().to_owned(),
            ids: of("path").map(|parameter| text(parameter, "name").to_owned()).collect(),
            body: value.pointer("/requestBody/content/application~1json/schema").map(Type::read),
            keyed: has("Idempotency-Key"),
            waits: has("Prefer"),
            paged: None,
            query,
            answers,
        }))
    }
}

impl Type {
    fn solid(self) -> Self {
        match self {
            Self::Nullable(inner) => *inner,
            other => other,
        }
    }
}

impl Api {
    pub(super) fn read(described: &Value) -> Outcome<Self> {
        let object = |pointer: &str| described.pointer(pointer).and_then(Value::as_object);
        let schemas: Vec<Schema> = object("/components/schemas")
            .into_iter()
            .flatten()
            .map(|(name, schema)| Schema::read(name, schema))
            .collect();
        let mut operations = Vec::new();
        for (path, item) in object("/paths").into_iter().flatten() {
            for (method, value) in item.as_object().into_iter().flatten() {
                operations.extend(Operation::read(path, method, value)?);
            }
        }
        for operation in &mut operations {
            operation.paged = page_of(&schemas, operation);
        }
        operations.sort_by(|one, other| (&one.group, &one.name).cmp(&(&other.group, &other.name)));
        Ok(Self { schemas, operations })
    }

    /// The groups, each once.
    pub(super) fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> =
            self.operations.iter().map(|operation| operation.group.as_str()).collect();
        groups.dedup();
        groups
    }
}

fn page_of(schemas: &[Schema], operation: &Operation) -> Option<Type> {
    operation.query.iter().find(|member| member.name == "cursor")?;
    let [Type::Named(name)] = operation.answers.as_slice() else { return None };
    let schema = schemas.iter().find(|schema| schema.name == *name)?;
    let Shape::Object { members, .. } = &schema.shape else { return None };
    match &members.iter().find(|member| member.name == "data")?.kind {
        Type::List(item) => Some((**item).clone()),
        _ => None,
    }
}

/// `webhook_endpoints` as `WebhookEndpoints`.
pub(super) fn pascal(name: &str) -> String {
    name.split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect::<String>()
            })
        })
        .collect()
}

/// `webhook_endpoints` as `webhookEndpoints`.
pub(super) fn camel(name: &str) -> String {
    let mut name = pascal(name);
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    name
}
