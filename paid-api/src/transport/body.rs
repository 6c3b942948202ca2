//! The body of a response, read up to a limit: a server may send without end.

use bytes::{Bytes, BytesMut};

use crate::platform::Response;

/// As much of a body as was read.
#[derive(Default)]
pub(crate) struct Body {
    pub(crate) bytes: Bytes,
    /// True if the body is larger than the limit.
    pub(crate) is_too_large: bool,
    /// What follows, if the body is streamed.
    pub(crate) rest: Option<Box<Response>>,
}

impl Body {
    /// Reads a body that is needed as a whole. What exceeds the limit is not read.
    pub(crate) async fn whole(mut response: Response, limit: usize) -> Result<Self, reqwest::Error> {
        let announced = response.content_length().unwrap_or(0);
        if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
            return Ok(Self::too_large());
        }
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if chunk.len() > limit - bytes.len() {
                return Ok(Self::too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Self { bytes: bytes.freeze(), ..Self::default() })
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
        Self { bytes: bytes.freeze(), ..Self::default() }
    }

    /// Reads the first bytes of a body that is streamed. Until they are there, the request may be sent again.
    pub(crate) async fn begun(mut response: Response) -> Result<Self, reqwest::Error> {
        let bytes = response.chunk().await?;
        let rest = bytes.is_some().then(|| Box::new(response));
        Ok(Self { bytes: bytes.unwrap_or_default(), rest, ..Self::default() })
    }

    fn too_large() -> Self {
        Self { is_too_large: true, ..Self::default() }
    }
}
