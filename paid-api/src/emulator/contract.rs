//! The API's document as a check: which operation a request is, and whether it may be sent like this.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

const DOCUMENT: &str = include_str!("../generated/document.json");

/// Checks requests and answers against the API's document.
pub struct Contract {
    document: Value,
    operations: Vec<Operation>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

struct Operation {
    id: String,
    method: String,
    segments: Vec<String>,
    status: u16,
    pointer: String,
}

/// A request that is what the document says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Matched {
    /// The operation's id.
    pub operation: String,
    /// The parameters of the path, decoded.
    pub path: BTreeMap<String, String>,
    /// The parameters of the query, decoded.
    pub query: BTreeMap<String, String>,
    /// The status of success.
    pub status: u16,
}

/// What is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// 404 for a path that the document does not have, 405 for a method, 400 for the rest.
    pub status: u16,
    /// The operation, where there is one.
    pub operation: Option<String>,
    /// Where: `path`, `query.limit`, `body/signals/0/customer`.
    pub place: String,
    /// What.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for Violation {}

impl fmt::Debug for Contract {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Contract({} operations)", self.operations.len())
    }
}

impl Contract {
    /// The document that this version of the library was generated from.
    pub fn of_paid() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::read(serde_json::from_str(DOCUMENT).unwrap_or_default()))
    }

    fn read(document: Value) -> Self {
        let mut operations = Vec::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, facts) in item.as_object().into_iter().flatten() {
                let statuses = facts["responses"].as_object();
                let success = statuses.and_then(|statuses| statuses.keys().find(|status| status.starts_with('2')));
                let escaped = path.replace('~', "~0").replace('/', "~1");
                operations.push(Operation {
                    id: facts["operationId"].as_str().unwrap_or_default().to_owned(),
                    method: method.to_uppercase(),
                    segments: path.split('/').map(str::to_owned).collect(),
                    status: success.and_then(|status| status.parse().ok()).unwrap_or(200),
                    pointer: format!("/paths/{escaped}/{method}"),
                });
            }
        }
        // A fixed segment is meant before a parameter.
        operations
            .sort_by_key(|operation| operation.segments.iter().map(|part| is_parameter(part)).collect::<Vec<_>>());
        Self { document, operations, validators: Mutex::default() }
    }

    /// The ids of all operations.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.id.as_str())
    }

    /// Checks a request: its method, its path below the base URL, its query string and its body.
    ///
    /// # Errors
    ///
    /// The first thing that the document does not allow.
    pub fn check(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Result<Matched, Violation> {
        let operation = self.find(method, path)?;
        let violation = |place: String, problem: String| Violation {
            status: 400,
            operation: Some(operation.id.clone()),
            place,
            problem,
        };
        let facts = self.document.pointer(&operation.pointer).unwrap_or(&Value::Null);
        let matched = Matched {
            operation: operation.id.clone(),
            path: operation.parameters(path),
            query: pairs(query),
            status: operation.status,
        };
        self.check_parameters(operation, facts, &matched).map_err(|(place, problem)| violation(place, problem))?;
        self.check_body(operation, facts, body).map_err(|(place, problem)| violation(place, problem))?;
        Ok(matched)
    }

    fn find(&self, method: &str, path: &str) -> Result<&Operation, Violation> {
        let here: Vec<_> = self.operations.iter().filter(|operation| operation.matches(path)).collect();
        if let Some(operation) = here.iter().find(|operation| operation.method == method) {
            return Ok(operation);
        }
        let (status, problem) = if here.is_empty() {
            let other = if path.ends_with('/') { path.trim_end_matches('/').to_owned() } else { format!("{path}/") };
            let hint = if self.operations.iter().any(|operation| operation.matches(&other)) {
                format!("; the document has {other}")
            } else {
                String::new()
            };
            (404, format!("the document has no path {path}{hint}"))
        } else {
            let methods: Vec<_> = here.iter().map(|operation| operation.method.as_str()).collect();
            (405, format!("{path} takes {}, not {method}", methods.join(", ")))
        };
        Err(Violation { status, operation: None, place: "path".into(), problem })
    }

    fn check_parameters(
        &self,
        operation: &Operation,
        facts: &Value,
        matched: &Matched,
    ) -> Result<(), (String, String)> {
        let parameters = facts["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        for (index, parameter) in parameters.iter().enumerate() {
            let name = parameter["name"].as_str().unwrap_or_default();
            let place = parameter["in"].as_str().unwrap_or_default();
            let given = if place == "path" { &matched.path } else { &matched.query };
            match given.get(name) {
                Some(text) => self
                    .validate(
                        &format!("{}/parameters/{index}/schema", operation.pointer),
                        &typed(&parameter["schema"], text),
                    )
                    .map_err(|(_, problem)| (format!("{place}.{name}"), problem))?,
                None if parameter["required"] == true => {
                    return Err((format!("{place}.{name}"), "is required".into()));
                }
                None => {}
            }
        }
        let known =
            |name: &str| parameters.iter().any(|parameter| parameter["in"] == "query" && parameter["name"] == name);
        match matched.query.keys().find(|name| !known(name)) {
            Some(name) => Err((format!("query.{name}"), "is no parameter of this operation".into())),
            None => Ok(()),
        }
    }

    fn check_body(&self, operation: &Operation, facts: &Value, body: &[u8]) -> Result<(), (String, String)> {
        let pointer = "/requestBody/content/application~1json/schema";
        if facts.pointer(pointer).is_none() {
            return if body.is_empty() { Ok(()) } else { Err(("body".into(), "this operation takes no body".into())) };
        }
        let value: Value =
            serde_json::from_slice(body).map_err(|error| ("body".to_owned(), format!("is no JSON: {error}")))?;
        self.validate(&format!("{}{pointer}", operation.pointer), &value)
            .map_err(|(place, problem)| (format!("body{place}"), problem))
    }

    /// Checks an answer of an operation.
    ///
    /// # Errors
    ///
    /// The first thing that the document does not say.
    pub fn check_answer(&self, operation: &str, answer: &Value) -> Result<(), Violation> {
        let Some(operation) = self.operations.iter().find(|known| known.id == operation) else { return Ok(()) };
        let pointer = format!("{}/responses/{}/content/application~1json/schema", operation.pointer, operation.status);
        if self.document.pointer(&pointer).is_none() {
            return Ok(());
        }
        self.validate(&pointer, answer).map_err(|(place, problem)| Violation {
            status: 500,
            operation: Some(operation.id.clone()),
            place: format!("answer{place}"),
            problem,
        })
    }

    fn validate(&self, pointer: &str, value: &Value) -> Result<(), (String, String)> {
        let known = self.validators.lock().map(|known| known.get(pointer).cloned()).unwrap_or_default();
        let validator = match known {
            Some(validator) => validator,
            None => {
                // In a URI the braces of a path template are escaped.
                let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
                let schema = json!({"$ref": format!("#{fragment}"), "paths": self.document["paths"], "components": self.document["components"]});
                let built = Arc::new(build(&schema)?);
                if let Ok(mut known) = self.validators.lock() {
                    known.insert(pointer.to_owned(), Arc::clone(&built));
                }
                built
            }
        };
        first_error(&validator, value)
    }
}

fn build(schema: &Value) -> Result<Validator, (String, String)> {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).map_err(|error| (String::new(), format!("the document's schema cannot be used: {error}")))
}

fn first_error(validator: &Validator, value: &Value) -> Result<(), (String, String)> {
    validator.validate(value).map_err(|error| {
        let mut problem = error.to_string();
        if problem.len() > 300 {
            let cut = (0..=300).rev().find(|at| problem.is_char_boundary(*at)).unwrap_or(0);
            problem.truncate(cut);
            problem.push('…');
        }
        (error.instance_path().to_string(), problem)
    })
}

fn is_parameter(segment: &str) -> bool {
    segment.starts_with('{')
}

impl Operation {
    fn matches(&self, path: &str) -> bool {
        let parts: Vec<_> = path.split('/').collect();
        parts.len() == self.segments.len()
            && self
                .segments
                .iter()
                .zip(&parts)
                .all(|(segment, part)| if is_parameter(segment) { !part.is_empty() } else { segment == part })
    }

    fn parameters(&self, path: &str) -> BTreeMap<String, String> {
        let parts = self.segments.iter().zip(path.split('/')).filter(|(segment, _)| is_parameter(segment));
        parts.map(|(segment, part)| (segment.trim_matches(['{', '}']).to_owned(), decode(part))).collect()
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn pairs(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(&name.replace('+', " ")), decode(&value.replace('+', " ")))
        })
        .collect()
}

/// The text of a parameter as the JSON that its schema speaks of.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(method: &str, path: &str, query: &str, body: &str) -> Violation {
        Contract::of_paid().check(method, path, query, body.as_bytes()).unwrap_err()
    }

    #[test]
    fn a_request_is_recognised_with_its_parameters() {
        let matched = Contract::of_paid().check("GET", "/customers/external/a%2Fb", "", b"").unwrap();
        assert_eq!(matched.operation, "get-customer-by-external-id");
        assert_eq!(matched.path["externalId"], "a/b");
    }

    #[test]
    fn what_the_document_does_not_allow_is_refused_with_its_place() {
        for (violation, place, status) in [
            (violation("GET", "/nothing", "", ""), "path", 404),
            (violation("PATCH", "/customers/", "", ""), "path", 405),
            (violation("GET", "/customers/", "limit=ten", ""), "query.limit", 400),
            (violation("GET", "/customers/", "colour=red", ""), "query.colour", 400),
            (violation("GET", "/customers/", "status=gone", ""), "query.status", 400),
            (violation("GET", "/pricing/", "", ""), "query.productId", 400),
            (violation("POST", "/customers/", "", "{"), "body", 400),
            (violation("POST", "/customers/", "", r#"{"name":1}"#), "body/name", 400),
            (
                violation(
                    "POST",
                    "/signals/bulk",
                    "",
                    r#"{"signals":[{"eventName":"e","customer":{"customerId":"c","externalCustomerId":"c"}}]}"#,
                ),
                "body/signals/0/customer",
                400,
            ),
        ] {
            assert_eq!((violation.place.as_str(), violation.status), (place, status), "{violation}");
        }
    }

    #[test]
    fn a_missing_trailing_slash_is_pointed_out() {
        assert!(violation("GET", "/customers", "", "").problem.contains("the document has /customers/"));
    }
}
