//! The body of a response, read up to a limit: a server may send without end.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// As much of a body as was read.
#[derive(Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// True if the body is larger than the limit.
    pub(crate) is_too_large: bool,
}

impl Body {
    /// Reads a body that is needed as a whole. What exceeds the limit is not read.
    pub(crate) async fn whole(mut response: Response, limit: usize) -> Result<Self, reqwest::Error> {
        let announced = response.content_length().unwrap_or(0);
        if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Ok(Self { bytes: Bytes::new(), is_too_large: true });
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if chunk.len() > limit - bytes.len() {
                return Ok(Self { bytes: Bytes::new(), is_too_large: true });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { bytes: bytes.freeze(), is_too_large: false })
    }

    /// Reads what arrives of a body, up to the limit: the status is reported even if the body is cut off.
    pub(crate) async fn start(mut response: Response, limit: usize) -> Self {
        let mut bytes = BytesMut::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            bytes.extend_from_slice(&chunk);
            if bytes.len() >= limit {
                bytes.truncate(limit);
                break;
            }
        }
        Self { bytes: bytes.freeze(), is_too_large: false }
    }
}
