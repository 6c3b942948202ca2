//! Media types: which of a body's or an answer's is taken, and how it is written.

use serde_json::Value;

use super::places;

/// How a body or an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Pairs,
    Parts,
    Text,
    Bytes,
}

impl Form {
    /// As the later steps read it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Pairs => "pairs",
            Self::Parts => "parts",
            Self::Text => "text",
            Self::Bytes => "bytes",
        }
    }
}

/// The media type without its parameters, and its form; `None` for XML, which has none.
fn form(media: &str, schema: &Value) -> Option<(String, Form)> {
    let plain = media.split(';').next().unwrap_or(media).trim().to_ascii_lowercase();
    let bytes = schema["format"] == "binary";
    let form = match plain.as_str() {
        "application/json" | "text/json" => Form::Json,
        "*/*" | "" if bytes => Form::Bytes,
        "*/*" | "" | "application/*" => Form::Json,
        "application/x-www-form-urlencoded" => Form::Pairs,
        "multipart/form-data" => Form::Parts,
        "application/xml" | "text/xml" => return None,
        other if other.ends_with("+json") => Form::Json,
        other if other.ends_with("+xml") && other != "image/svg+xml" => return None,
        other if other.starts_with("text/") && other != "text/event-stream" => Form::Text,
        _ => Form::Bytes,
    };
    Some((plain, form))
}

/// What is taken of a content.
#[derive(Debug)]
pub(super) struct Taken<'a> {
    pub(super) media: String,
    pub(super) form: Form,
    pub(super) schema: Option<&'a Value>,
    pub(super) at: String,
}

/// JSON before everything else, and what has parts before what has none. `Err` if there is nothing but XML.
pub(super) fn taken<'a>(content: Option<&'a Value>, at: &str) -> Result<Option<Taken<'a>>, ()> {
    let mut all = Vec::new();
    let mut has_any = false;
    for (media, entry) in places::object(content) {
        has_any = true;
        let schema = entry.get("schema");
        let Some((plain, form)) = form(media, schema.unwrap_or(&Value::Null)) else { continue };
        let at = places::below(&places::below(&places::below(at, "content"), media), "schema");
        // Vendors' JSON and `application/json` are usually the same; the plain one is asked for.
        let rank = (form as usize, plain != "application/json", plain.clone());
        all.push((rank, Taken { media: plain, form, schema, at }));
    }
    if has_any && all.is_empty() {
        return Err(());
    }
    all.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(all.into_iter().next().map(|(_, taken)| taken))
}
