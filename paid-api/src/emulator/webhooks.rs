//! Webhooks: which are set, what is sent, and the signing secret.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::contract::Matched;
use super::store::{Refusal, Reply, Store};
use crate::{JsonObject, Timestamp};

/// Every event that can be set, and the key of its data.
const EVENTS: [(&str, &str); 10] = [
    ("billing-checkout-completed", "checkout"),
    ("billing-checkout-created", "checkout"),
    ("billing-checkout-expired", "checkout"),
    ("billing-credits-depleted", "credits"),
    ("billing-invoice-created", "invoice"),
    ("billing-invoice-paid", "invoice"),
    ("billing-invoice-posted", "invoice"),
    ("billing-overage-incurred", "overage"),
    ("billing-payment-failed", "payment"),
    ("billing-payment-succeeded", "payment"),
];

#[derive(Debug, Default, Clone)]
struct Setting {
    enabled: bool,
    url: Option<String>,
    last_sent: Option<Timestamp>,
    last_status: Option<bool>,
}

/// What is set.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    settings: BTreeMap<String, Setting>,
    secret: Option<String>,
    secrets_made: u32,
    /// What is to be sent, in order.
    outgoing: Vec<Outgoing>,
}

/// A delivery to make.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    pub(crate) event: String,
    pub(crate) url: String,
    pub(crate) secret: String,
    pub(crate) body: Vec<u8>,
}

impl Webhooks {
    fn new_secret(&mut self) -> String {
        self.secrets_made += 1;
        let secret = format!("whsec_emulator_{}", self.secrets_made);
        self.secret = Some(secret.clone());
        secret
    }

    /// Queues an event, if somebody wants to hear it; whether.
    pub(crate) fn send(&mut self, event: &str, data: JsonObject, is_test: bool) -> bool {
        let wanted = self.settings.get(event).filter(|setting| setting.enabled).and_then(|setting| setting.url.clone());
        let (Some(url), Some(secret)) = (wanted, self.secret.clone()) else { return false };
        let timestamp = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let body = json!({ "event": event, "timestamp": timestamp, "isTest": is_test, "data": data });
        self.outgoing.push(Outgoing { event: event.to_owned(), url, secret, body: body.to_string().into() });
        true
    }

    pub(crate) fn take_outgoing(&mut self) -> Vec<Outgoing> {
        std::mem::take(&mut self.outgoing)
    }

    pub(crate) fn sent(&mut self, event: &str, success: bool) {
        if let Some(setting) = self.settings.get_mut(event) {
            setting.last_sent = Some(Timestamp::now());
            setting.last_status = Some(success);
        }
    }

    fn shown(&self, event: &str) -> Value {
        let setting = self.settings.get(event).cloned().unwrap_or_default();
        json!({
            "id": format!("wh_{event}"),
            "name": event,
            "description": format!("Sent for {event}."),
            "enabled": setting.enabled,
            "url": setting.url,
            "lastSentAt": setting.last_sent.map(|at| at.to_string()),
            "lastStatus": if setting.last_status == Some(false) { "failed" } else { "success" },
        })
    }
}

fn known(matched: &Matched) -> Result<(&'static str, &'static str), Refusal> {
    let name = matched.path.get("webhookName").map(String::as_str).unwrap_or_default();
    EVENTS.into_iter().find(|(event, _)| *event == name).ok_or_else(|| Refusal::not_found("webhook", name))
}

/// The emulator talks to this machine only.
fn checked_url(url: &str) -> Result<(), Refusal> {
    let is_local = reqwest::Url::parse(url).is_ok_and(|url| {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    });
    match is_local {
        true => Ok(()),
        false => {
            Err(Refusal::invalid("body.url", "the emulator sends webhooks to this machine only: use http://127.0.0.1"))
        }
    }
}

impl Store {
    pub(crate) fn list_webhooks(&self) -> Value {
        let all: Vec<_> = EVENTS.iter().map(|(event, _)| self.webhooks.shown(event)).collect();
        json!({ "data": all, "signingSecretConfigured": self.webhooks.secret.is_some() })
    }

    pub(crate) fn update_webhook(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (event, _) = known(matched)?;
        if let Some(url) = body["url"].as_str() {
            checked_url(url)?;
        }
        let setting = self.webhooks.settings.entry(event.to_owned()).or_default();
        if let Some(enabled) = body["enabled"].as_bool() {
            setting.enabled = enabled;
        }
        if let Some(url) = body.get("url") {
            setting.url = url.as_str().map(str::to_owned);
        }
        let made = self.webhooks.secret.is_none().then(|| self.webhooks.new_secret());
        let mut shown = self.webhooks.shown(event);
        // Shown once.
        if let Some(secret) = made {
            shown["signingSecret"] = secret.into();
        }
        Ok(shown)
    }

    pub(crate) fn rotate_webhook_secret(&mut self) -> Value {
        json!({ "signingSecret": self.webhooks.new_secret() })
    }

    pub(crate) fn test_webhook(&mut self, matched: &Matched) -> Reply {
        let (event, key) = known(matched)?;
        let data = crate::object!({ (key): { "id": "test" } });
        match self.webhooks.send(event, data, true) {
            true => Ok(json!({ "success": true })),
            false => Err(Refusal::invalid("path.webhookName", "set a URL and enable the webhook first")),
        }
    }
}

/// Posts a delivery as Paid does; whether it was acknowledged.
pub(crate) async fn deliver(client: &reqwest::Client, outgoing: &Outgoing) -> bool {
    let signature = crate::webhook::Verifier::new(&outgoing.secret).sign(&outgoing.body);
    let request = client
        .post(&outgoing.url)
        .header("content-type", "application/json")
        .header(crate::webhook::SIGNATURE_HEADER, signature)
        .timeout(std::time::Duration::from_secs(10))
        .body(outgoing.body.clone());
    request.send().await.is_ok_and(|response| response.status().is_success())
}
