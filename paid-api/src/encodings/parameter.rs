//! Lists and objects in paths, queries, headers and cookies, as OpenAPI's styles write them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

/// How a list or an object is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a,b`.
    Simple,
    /// `.a.b`.
    Label,
    /// `;name=a,b`.
    Matrix,
    /// `name=a,b`, or `name=a&name=b` when exploded.
    Form,
    /// `name=a%20b`.
    SpaceDelimited,
    /// `name=a|b`.
    PipeDelimited,
    /// `name[key]=a`.
    DeepObject,
    /// JSON.
    Json,
}

/// Unreserved characters of RFC 3986 stay as they are.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes everything that may mean something in a URL.
pub(crate) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// A scalar as text; what has parts is JSON.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The pieces of a query: `name=value`, encoded.
pub(crate) fn pieces(name: &str, style: Style, explode: bool, value: &Value) -> Vec<String> {
    let pair = |name: &str, value: &Value| format!("{}={}", encoded(name), encoded(&text(value)));
    let joined = |separator: &str| {
        let parts: Vec<_> = flat(value).iter().map(|part| encoded(part)).collect();
        vec![format!("{}={}", encoded(name), parts.join(separator))]
    };
    match (style, value) {
        (Style::Json, value) => vec![format!("{}={}", encoded(name), encoded(&value.to_string()))],
        (Style::DeepObject, value) => {
            let mut pieces = Vec::new();
            deep(name, value, &mut |name, value| pieces.push(pair(name, value)));
            pieces
        }
        (_, Value::Array(items)) if explode => items.iter().map(|item| pair(name, item)).collect(),
        (_, Value::Object(object)) if explode => object.iter().map(|(key, value)| pair(key, value)).collect(),
        (Style::SpaceDelimited, _) => joined("%20"),
        (Style::PipeDelimited, _) => joined("%7C"),
        _ => joined(","),
    }
}

/// A list's items, or an object's keys and values in turns.
fn flat(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().map(text).collect(),
        Value::Object(object) => object.iter().flat_map(|(key, value)| [key.clone(), text(value)]).collect(),
        other => vec![text(other)],
    }
}

fn deep(name: &str, value: &Value, write: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| deep(&format!("{name}[{key}]"), value, write)),
        Value::Array(items) => items.iter().for_each(|item| deep(&format!("{name}[]"), item, write)),
        scalar => write(name, scalar),
    }
}

/// What stands in a path, encoded by `encode`, or in a header, as it is.
pub(crate) fn joined(
    name: &str,
    style: Style,
    explode: bool,
    value: &Value,
    encode: impl Fn(&str) -> String,
) -> String {
    let pairs = |equals: &str, separator: &str| -> String {
        let Value::Object(object) = value else {
            return flat(value).iter().map(|part| encode(part)).collect::<Vec<_>>().join(separator);
        };
        let pairs = object.iter().map(|(key, value)| format!("{}{equals}{}", encode(key), encode(&text(value))));
        pairs.collect::<Vec<_>>().join(separator)
    };
    let equals = if explode { "=" } else { "," };
    match style {
        Style::Json => encode(&value.to_string()),
        Style::Label if explode => format!(".{}", pairs("=", ".")),
        Style::Label => format!(".{}", pairs(",", ",")),
        Style::Matrix if !explode => format!(";{name}={}", pairs(",", ",")),
        Style::Matrix => match value {
            Value::Object(_) => format!(";{}", pairs("=", ";")),
            other => flat(other).iter().map(|part| format!(";{name}={}", encode(part))).collect(),
        },
        _ => pairs(equals, ","),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queries_are_written_as_openapi_says() {
        let (list, object) = (json!(["a,b", "ü", 3]), json!({"R": 100, "G": "x y"}));
        for (style, explode, value, expected) in [
            (Style::Form, true, &list, "c=a%2Cb&c=%C3%BC&c=3"),
            (Style::Form, false, &list, "c=a%2Cb,%C3%BC,3"),
            (Style::SpaceDelimited, false, &list, "c=a%2Cb%20%C3%BC%203"),
            (Style::PipeDelimited, false, &list, "c=a%2Cb%7C%C3%BC%7C3"),
            (Style::Form, true, &object, "G=x%20y&R=100"),
            (Style::Form, false, &object, "c=G,x%20y,R,100"),
            (Style::DeepObject, true, &object, "c%5BG%5D=x%20y&c%5BR%5D=100"),
            (Style::Json, false, &object, "c=%7B%22G%22%3A%22x%20y%22%2C%22R%22%3A100%7D"),
        ] {
            assert_eq!(pieces("c", style, explode, value).join("&"), expected, "{style:?} {explode}");
        }
        let nested = json!({"a": {"b": [1, 2]}, "c": true});
        let deep = pieces("f", Style::DeepObject, true, &nested).join("&").replace("%5B", "[").replace("%5D", "]");
        assert_eq!(deep, "f[a][b][]=1&f[a][b][]=2&f[c]=true");
    }

    #[test]
    fn paths_and_headers_are_written_as_openapi_says() {
        let (list, object) = (json!([3, "a/b"]), json!({"R": 100, "G": 200}));
        for (style, explode, value, expected) in [
            (Style::Simple, false, &list, "3,a%2Fb"),
            (Style::Simple, true, &object, "G=200,R=100"),
            (Style::Simple, false, &object, "G,200,R,100"),
            (Style::Label, true, &list, ".3.a%2Fb"),
            (Style::Label, true, &object, ".G=200.R=100"),
            (Style::Matrix, false, &list, ";c=3,a%2Fb"),
            (Style::Matrix, true, &list, ";c=3;c=a%2Fb"),
            (Style::Matrix, true, &object, ";G=200;R=100"),
        ] {
            assert_eq!(joined("c", style, explode, value, encoded), expected, "{style:?} {explode}");
        }
        assert_eq!(joined("c", Style::Simple, false, &list, str::to_owned), "3,a/b");
    }
}
