//! The one call that brings cost records to Paid.

use std::future::Future;
use std::pin::Pin;

use crate::error::Error;
use crate::types::CreateCostsResponse;
use crate::{Call, Client, Method};

/// The pending answer of Paid.
pub(crate) type CostAnswer<'a> = Pin<Box<dyn Future<Output = Result<CreateCostsResponse, Error>> + Send + 'a>>;

/// Paid, or a simulation of it.
pub(crate) trait CostApi: Send + Sync {
    /// Sends the body of `POST /costs/bulk`, once: after an attempt that Paid may have received, there is no other.
    fn create(&self, body: Vec<u8>) -> CostAnswer<'_>;
}

impl CostApi for Client {
    fn create(&self, body: Vec<u8>) -> CostAnswer<'_> {
        let call = Call::new(self, "create-costs", Method::POST, "/costs/bulk").json_text(body).repeatable_if(false);
        call.send()
    }
}
