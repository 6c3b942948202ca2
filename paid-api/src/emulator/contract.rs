//! Checks requests and responses against the API's OpenAPI document.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use matchit::{Match, Router};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::Timestamp;
use crate::error::excerpt;

const DOCUMENT: &str = include_str!("../generated/document.json");

/// The longest problem that a violation quotes, in characters.
const PROBLEM_LIMIT: usize = 300;

/// Checks requests and responses against the API's OpenAPI document.
pub struct Contract {
    document: Value,
    /// By id.
    operations: BTreeMap<String, Arc<Operation>>,
    /// By method: some paths of one method match a wider path of another.
    routes: BTreeMap<String, Router<Arc<Operation>>>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
    /// Of branches of unions, by their address in the document: to build one takes long.
    branches: Mutex<HashMap<usize, Arc<Validator>>>,
}

struct Operation {
    id: String,
    /// The status of a successful response.
    status: u16,
    /// Where the operation is in the document, as a JSON pointer.
    pointer: String,
}

/// A request that conforms to the document.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Matched {
    /// The operation's id, such as `create-customer`.
    pub operation: String,
    /// The path parameters, percent-decoded.
    pub path: BTreeMap<String, String>,
    /// The query parameters, percent-decoded.
    pub query: BTreeMap<String, String>,
    /// The status of a successful response.
    pub status: u16,
}

/// How a request or a response differs from the document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The status to respond with: 404 for an unknown path, 405 for an unknown method, 400 for any other violation of a
    /// request; 500 for a violation of a response.
    pub status: u16,
    /// The operation's id, or `None` if the method and path match no operation.
    pub operation: Option<String>,
    /// Where the problem is, such as `path`, `query.limit` or `body/signals/0/customer`.
    pub place: String,
    /// What is wrong.
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
    /// Returns the contract of the document from which this version of the library was generated.
    pub fn of_paid() -> &'static Self {
        static CONTRACT: OnceLock<Contract> = OnceLock::new();
        CONTRACT.get_or_init(|| {
            let mut document: Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
            // This library always sends the hash; Paid's own clients need not.
            if let Some(Value::Array(required)) =
                document.pointer_mut("/components/schemas/ExecuteAmendmentRequest/required")
            {
                required.retain(|name| name != "planHash");
            }
            Self::read(document)
        })
    }

    fn read(document: Value) -> Self {
        let mut operations = BTreeMap::new();
        let mut routes = BTreeMap::<String, Router<Arc<Operation>>>::new();
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            for (method, facts) in item.as_object().into_iter().flatten() {
                let statuses = facts["responses"].as_object();
                let success = statuses.and_then(|statuses| statuses.keys().find(|status| status.starts_with('2')));
                let escaped = path.replace('~', "~0").replace('/', "~1");
                let operation = Arc::new(Operation {
                    id: facts["operationId"].as_str().unwrap_or_default().to_owned(),
                    status: success.and_then(|status| status.parse().ok()).unwrap_or(200),
                    pointer: format!("/paths/{escaped}/{method}"),
                });
                // This fails only if two paths differ in nothing but a parameter's name; a test finds every operation.
                let _ = routes.entry(method.to_uppercase()).or_default().insert(path, Arc::clone(&operation));
                operations.insert(operation.id.clone(), operation);
            }
        }
        Self { document, operations, routes, validators: Mutex::default(), branches: Mutex::default() }
    }

    /// Lists every `operationId` of the document.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        self.operations.keys().map(String::as_str)
    }

    /// Checks a request. `path` is the path below the base URL, `query` the query string without `?`.
    ///
    /// # Errors
    ///
    /// The first violation of the document.
    pub fn check(&self, method: &str, path: &str, query: &str, body: &[u8]) -> Result<Matched, Violation> {
        self.read_request(method, path, query, body).map(|(matched, _)| matched)
    }

    /// Like [`check`](Self::check), and also returns the body, which is null for a request without one.
    pub(super) fn read_request(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Result<(Matched, Value), Violation> {
        let (operation, parameters) = self.find(method, path)?;
        let violation = |place: String, problem: String| Violation {
            status: 400,
            operation: Some(operation.id.clone()),
            place,
            problem,
        };
        let facts = self.document.pointer(&operation.pointer).unwrap_or(&Value::Null);
        let matched = Matched {
            operation: operation.id.clone(),
            path: parameters,
            query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            status: operation.status,
        };
        self.check_parameters(operation, facts, &matched).map_err(|(place, problem)| violation(place, problem))?;
        let body = self.check_body(operation, facts, body).map_err(|(place, problem)| violation(place, problem))?;
        Ok((matched, body))
    }

    fn find(&self, method: &str, path: &str) -> Result<(&Operation, BTreeMap<String, String>), Violation> {
        let routes = self.routes.get(method);
        let found = routes.and_then(|routes| route(routes, path)).ok_or_else(|| self.not_found(method, path))?;
        let parameters = found.params.iter().map(|(name, value)| (name.to_owned(), percent_decoded(value)));
        Ok((found.value, parameters.collect()))
    }

    fn not_found(&self, method: &str, path: &str) -> Violation {
        let methods = self.methods(path);
        let (status, problem) = if methods.is_empty() {
            (404, format!("the document has no path {path}{}", self.hint(path)))
        } else {
            (405, format!("the document has {} for {path}, not {method}", methods.join(", ")))
        };
        Violation { status, operation: None, place: "path".into(), problem }
    }

    /// Names the path that differs only in its trailing slash, if the document has it.
    fn hint(&self, path: &str) -> String {
        let other = match path.strip_suffix('/') {
            Some(without) => without.to_owned(),
            None => format!("{path}/"),
        };
        if self.methods(&other).is_empty() { String::new() } else { format!("; the document has {other}") }
    }

    /// The methods that the document has for a path.
    fn methods(&self, path: &str) -> Vec<&str> {
        self.routes
            .iter()
            .filter(|(_, routes)| route(routes, path).is_some())
            .map(|(method, _)| method.as_str())
            .collect()
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
            Some(name) => Err((format!("query.{name}"), "is not a parameter of this operation".into())),
            None => Ok(()),
        }
    }

    fn check_body(&self, operation: &Operation, facts: &Value, body: &[u8]) -> Result<Value, (String, String)> {
        let pointer = "/requestBody/content/application~1json/schema";
        if facts.pointer(pointer).is_none() {
            return if body.is_empty() {
                Ok(Value::Null)
            } else {
                Err(("body".into(), "this operation has no request body".into()))
            };
        }
        let value: Value =
            serde_json::from_slice(body).map_err(|error| ("body".to_owned(), format!("is not JSON: {error}")))?;
        self.validate(&format!("{}{pointer}", operation.pointer), &value)
            .map_err(|(place, problem)| (format!("body{place}"), problem))?;
        Ok(value)
    }

    /// Checks the body of a successful response of an operation.
    ///
    /// # Errors
    ///
    /// The first violation of the document.
    pub fn check_answer(&self, operation: &str, answer: &Value) -> Result<(), Violation> {
        let Some(operation) = self.operations.get(operation) else { return Ok(()) };
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
                let schema = self.document.pointer(pointer);
                let absent = || (String::new(), format!("the document has no schema at {pointer}"));
                let built = Arc::new(self.build(schema.ok_or_else(absent)?.clone())?);
                if let Ok(mut known) = self.validators.lock() {
                    known.insert(pointer.to_owned(), Arc::clone(&built));
                }
                built
            }
        };
        first_error(&validator, value).map_err(|plain| {
            let schema = self.document.pointer(pointer).unwrap_or(&Value::Null);
            self.union_error(schema, value).unwrap_or(plain)
        })
    }

    /// The violation in the first union with a discriminator that does not hold: what the branch that was meant lacks.
    fn union_error(&self, schema: &Value, value: &Value) -> Option<(String, String)> {
        let schema = self.resolved(schema);
        if let (Some(tag), Some(branches)) =
            (schema["discriminator"]["propertyName"].as_str(), schema["oneOf"].as_array())
        {
            return self.branch_error(tag, branches, value);
        }
        let below = |part: &str, schema: &Value, value: &Value| {
            self.union_error(schema, value).map(|(place, problem)| (format!("/{part}{place}"), problem))
        };
        let properties = schema["properties"].as_object().into_iter().flatten();
        let in_property = properties.filter_map(|(name, schema)| below(name, schema, value.get(name)?)).next();
        let items = value.as_array().into_iter().flatten().enumerate();
        in_property
            .or_else(|| items.filter_map(|(index, item)| below(&index.to_string(), schema.get("items")?, item)).next())
    }

    fn branch_error(&self, tag: &str, branches: &[Value], value: &Value) -> Option<(String, String)> {
        let names =
            |branch: &Value| self.resolved(branch)["properties"][tag]["enum"].as_array().cloned().unwrap_or_default();
        let Some(named) = value.as_object()?.get(tag) else {
            return Some((String::new(), format!("{tag:?} is a required property")));
        };
        let Some(branch) = branches.iter().find(|branch| names(branch).contains(named)) else {
            let known: Vec<_> = branches.iter().flat_map(names).map(|name| name.to_string()).collect();
            return Some((format!("/{tag}"), format!("{named} is none of {}", known.join(", "))));
        };
        self.union_error(branch, value).or_else(|| {
            let validator = self.of_branch(branch)?;
            let (place, problem) = first_error(&validator, value).err()?;
            Some((place, format!("{named}: {problem}")))
        })
    }

    fn of_branch(&self, branch: &Value) -> Option<Arc<Validator>> {
        let address = std::ptr::from_ref(branch).addr();
        if let Some(known) = self.branches.lock().ok()?.get(&address) {
            return Some(Arc::clone(known));
        }
        let built = Arc::new(self.build(branch.clone()).ok()?);
        self.branches.lock().ok()?.insert(address, Arc::clone(&built));
        Some(built)
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(schema)
    }

    /// A validator holds a copy of the components that its schema reaches: with all of them, each would take megabytes.
    fn build(&self, mut schema: Value) -> Result<Validator, (String, String)> {
        let mut reached = Value::Null;
        self.reach(&schema, &mut reached);
        if !reached.is_null() {
            schema["components"] = reached;
        }
        build(&schema)
    }

    /// Copies the components that a schema refers to, and those that they refer to.
    fn reach(&self, schema: &Value, reached: &mut Value) {
        match schema {
            Value::Object(properties) => {
                let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/components/"));
                if let Some((kind, name)) = target.and_then(|target| target.split_once('/'))
                    && reached[kind][name].is_null()
                {
                    let component = &self.document["components"][kind][name];
                    reached[kind][name] = component.clone();
                    self.reach(component, reached);
                }
                properties.values().for_each(|each| self.reach(each, reached));
            }
            Value::Array(items) => items.iter().for_each(|each| self.reach(each, reached)),
            _ => {}
        }
    }
}

fn build(schema: &Value) -> Result<Validator, (String, String)> {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).map_err(|error| (String::new(), format!("the document's schema cannot be used: {error}")))
}

fn first_error(validator: &Validator, value: &Value) -> Result<(), (String, String)> {
    validator
        .validate(value)
        .map_err(|error| (error.instance_path().to_string(), excerpt(&error.to_string(), PROBLEM_LIMIT)))
}

/// matchit lets a parameter in the middle of a path be empty; the document's parameters are never empty.
fn route<'a, 'p, T>(routes: &'a Router<T>, path: &'p str) -> Option<Match<'a, 'p, &'a T>> {
    routes.at(path).ok().filter(|found| found.params.iter().all(|(_, value)| !value.is_empty()))
}

fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The JSON value of a parameter, which its schema describes.
fn typed(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        // Filters take dates and times without an offset, too: Paid's document says so in prose.
        Some("string") if schema["format"] == "date-time" => {
            text.parse::<Timestamp>().map_or_else(|_| text.into(), |time| time.to_string().into())
        }
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
    fn every_operation_is_found_by_its_path_and_no_parameter_is_empty() {
        let contract = Contract::of_paid();
        for (path, item) in contract.document["paths"].as_object().unwrap() {
            for (method, facts) in item.as_object().unwrap() {
                let (found, parameters) = contract.find(&method.to_uppercase(), path).unwrap();
                assert_eq!(found.id, facts["operationId"], "{method} {path}");
                assert!(parameters.iter().all(|(name, value)| *value == format!("{{{name}}}")), "{parameters:?}");
            }
        }
        assert_eq!(contract.find("GET", "/customers//state").err().unwrap().status, 404);
    }

    #[test]
    fn a_validator_has_what_its_schema_reaches_and_no_more() {
        let contract = Contract::of_paid();
        let mut reached = Value::Null;
        contract.reach(&json!({"items": [{"$ref": "#/components/schemas/CustomerListResponse"}]}), &mut reached);
        let schemas = &reached["schemas"];
        assert!(schemas["Customer"].is_object() && schemas["CustomerConnections"].is_object(), "{schemas}");
        assert_eq!((&schemas["Invoice"], &reached["paths"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn a_query_is_read_as_a_form() {
        let matched = Contract::of_paid().check("GET", "/customers/", "name=a+b%2Bc&limit=5", b"").unwrap();
        assert_eq!((matched.query["name"].as_str(), matched.query["limit"].as_str()), ("a b+c", "5"));
    }

    #[test]
    fn a_filter_by_time_takes_a_date_too() {
        for text in ["2026-06-30", "2026-06-30T10:00:00", "2026-06-30T00:00:00-05:00"] {
            Contract::of_paid().check("GET", "/customers/", &format!("createdAtFrom={text}"), b"").unwrap();
        }
        assert_eq!(violation("GET", "/customers/", "createdAtFrom=soon", "").place, "query.createdAtFrom");
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
    fn a_violation_in_a_union_says_which_branch_was_meant_and_what_it_lacks() {
        let update = |pricing: &str| {
            let body = format!(r#"{{"productAttributes":[{{"name":"a","pricing":{pricing}}}]}}"#);
            violation("PUT", "/products/prod_1", "", &body)
        };
        let lacking = update(r#"{"pricingType":"UsagePerUnit","pricePoints":[]}"#);
        assert_eq!(lacking.place, "body/productAttributes/0/pricing");
        assert!(lacking.problem.contains("UsagePerUnit") && lacking.problem.contains("eventName"), "{lacking}");
        let unknown = update(r#"{"pricingType":"Free"}"#);
        assert_eq!(unknown.place, "body/productAttributes/0/pricing/pricingType");
        let cost = violation("POST", "/costs/bulk", "", r#"{"costs":[{"type":"cost","amount":"1"}]}"#);
        assert!(cost.place.starts_with("body/costs/0") && cost.problem.contains("cost"), "{cost}");
    }

    #[test]
    fn a_missing_trailing_slash_is_pointed_out() {
        assert!(violation("GET", "/customers", "", "").problem.contains("the document has /customers/"));
    }
}
