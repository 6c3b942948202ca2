//! Work that spans several processes: tracing tokens in the Python client's format, and W3C `traceparent`.

use std::fmt;
use std::str::FromStr;

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};

use super::work::current_work;
use crate::signal::key::random;

/// A trace that several processes share: a 128-bit number that is not 0.
///
/// ```
/// use paid::trace::TracingToken;
///
/// let token = TracingToken::new();
/// let stored = token.to_string(); // decimal, as in the Python client
/// assert_eq!(stored.parse::<TracingToken>().unwrap(), token);
/// assert_eq!(TracingToken::from_hex(&token.to_hex()).unwrap(), token);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TracingToken(u128);

/// A text is not a tracing token or not a `traceparent`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ParseTokenError {
    problem: &'static str,
}

const NO_DECIMAL: ParseTokenError = ParseTokenError {
    problem: "a tracing token is a decimal number from 1 to 2^128 - 1; for hexadecimal use `from_hex`",
};
const NO_HEX: ParseTokenError =
    ParseTokenError { problem: "a tracing token in hexadecimal has 32 digits, not all of them 0" };
const NO_PARENT: ParseTokenError = ParseTokenError {
    problem: "a traceparent is `00-<32 hex digits>-<16 hex digits>-<2 hex digits>`, in lower case, and no id is all 0",
};

impl TracingToken {
    /// Draws a random trace id, for work that goes on in another process.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        loop {
            let [high, low] = [random_u64(), random_u64()];
            let number = u128::from(high) << 64 | u128::from(low);
            if number != 0 {
                return Self(number);
            }
        }
    }

    /// The token of the current scope's trace, to hand to another process; `None` outside a traced scope.
    pub fn current() -> Option<Self> {
        let work = current_work()?;
        let number = u128::from_be_bytes(work.span_context().trace_id().to_bytes());
        (number != 0).then_some(Self(number))
    }

    /// Parses 32 hexadecimal digits.
    ///
    /// # Errors
    ///
    /// If `text` is anything else, or all digits are 0.
    pub fn from_hex(text: &str) -> Result<Self, ParseTokenError> {
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NO_HEX);
        }
        match u128::from_str_radix(text, 16) {
            Ok(0) | Err(_) => Err(NO_HEX),
            Ok(number) => Ok(Self(number)),
        }
    }

    /// Formats the token as 32 hexadecimal digits.
    pub fn to_hex(self) -> String {
        format!("{:032x}", self.0)
    }

    /// The trace id as a number, as the Python client stores it.
    pub fn get(self) -> u128 {
        self.0
    }

    /// A parent span in that trace, as in the official clients. It never existed.
    pub(crate) fn parent(self) -> SpanContext {
        let span = loop {
            let number = random_u64();
            if number != 0 {
                break number;
            }
        };
        SpanContext::new(
            TraceId::from_bytes(self.0.to_be_bytes()),
            SpanId::from_bytes(span.to_be_bytes()),
            TraceFlags::SAMPLED,
            true,
            TraceState::default(),
        )
    }
}

fn random_u64() -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = random();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

impl TryFrom<u128> for TracingToken {
    type Error = ParseTokenError;

    fn try_from(number: u128) -> Result<Self, ParseTokenError> {
        if number == 0 { Err(NO_DECIMAL) } else { Ok(Self(number)) }
    }
}

/// Parses a decimal number.
impl FromStr for TracingToken {
    type Err = ParseTokenError;

    fn from_str(text: &str) -> Result<Self, ParseTokenError> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NO_DECIMAL);
        }
        text.parse().map_err(|_| NO_DECIMAL).and_then(|number: u128| Self::try_from(number))
    }
}

/// Formats a decimal number, as the Python client stores it.
impl fmt::Display for TracingToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for TracingToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TracingToken({self})")
    }
}

/// The `traceparent` header of the current scope, for requests to your own services; `None` outside a traced scope.
pub fn traceparent() -> Option<String> {
    let work = current_work()?;
    let context = work.span_context();
    context.is_valid().then(|| format!("00-{}-{}-01", context.trace_id(), context.span_id()))
}

/// Parses a `traceparent`. The sampled flag is ignored: billing does not depend on sampling.
///
/// OpenTelemetry's `TraceContextPropagator` would accept ids of any length, so that a header that was cut off would join
/// another trace.
pub(crate) fn parse_traceparent(text: &str) -> Result<SpanContext, ParseTokenError> {
    let mut parts = text.trim().split('-');
    let (Some(version), Some(trace), Some(span), Some(flags)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(NO_PARENT);
    };
    let is_hex =
        |text: &str, digits| text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    // Future versions may have more parts.
    let is_version = is_hex(version, 2) && version != "ff" && (version != "00" || parts.next().is_none());
    if !is_version || !is_hex(trace, 32) || !is_hex(span, 16) || !is_hex(flags, 2) {
        return Err(NO_PARENT);
    }
    let (trace, span) = (TraceId::from_hex(trace), SpanId::from_hex(span));
    match (trace, span) {
        (Ok(trace), Ok(span)) if trace != TraceId::INVALID && span != SpanId::INVALID => {
            Ok(SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default()))
        }
        _ => Err(NO_PARENT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_an_error_and_no_other_trace() {
        for text in ["", "0", "-1", "+1", " 1", "1.0", "abc", "340282366920938463463374607431768211456"] {
            assert!(text.parse::<TracingToken>().is_err(), "{text}");
        }
        assert_eq!("340282366920938463463374607431768211455".parse::<TracingToken>().unwrap().get(), u128::MAX);
        for text in ["", "0", "00000000000000000000000000000000", "+000000000000000000000000000000f", "g"] {
            assert!(TracingToken::from_hex(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_traceparent_is_read_as_the_standard_says() {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        let context = parse_traceparent(good).unwrap();
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.is_sampled() && context.is_remote());
        assert!(parse_traceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more").is_ok());
        for bad in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        ] {
            assert!(parse_traceparent(bad).is_err(), "{bad}");
        }
    }
}
