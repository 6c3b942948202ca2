//! Webhooks: their settings, the signing secret, and the messages to send.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::contract::Matched;
use super::refusal::{Refusal, Reply};
use crate::client::is_loopback;
use crate::webhook::{SIGNATURE_HEADER, Verifier};
use crate::{JsonObject, Timestamp};

/// Every event, and the key of its payload.
const EVENTS: [(&str, &str); 11] = [
    ("billing-checkout-completed", "checkout"),
    ("billing-checkout-created", "checkout"),
    ("billing-checkout-expired", "checkout"),
    ("billing-credit-cap-reached", "cap"),
    ("billing-credits-depleted", "credits"),
    ("billing-invoice-created", "invoice"),
    ("billing-invoice-paid", "invoice"),
    ("billing-invoice-posted", "invoice"),
    ("billing-overage-incurred", "overage"),
    ("billing-payment-failed", "payment"),
    ("billing-payment-succeeded", "payment"),
];

#[derive(Debug, Default, Clone)]
struct WebhookSetting {
    enabled: bool,
    url: Option<String>,
    last_sent: Option<Timestamp>,
    last_status: Option<bool>,
}

/// The account's webhooks.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    settings: BTreeMap<String, WebhookSetting>,
    secret: Option<String>,
    secrets_created: u32,
    /// The messages that are still to be sent, in order.
    outgoing: Vec<OutgoingMessage>,
    /// The latest that were sent.
    sent: VecDeque<Sent>,
}

#[derive(Debug)]
struct Sent {
    at: Timestamp,
    event: String,
    is_taken: bool,
}

/// So many sent messages are remembered.
const REMEMBERED: usize = 100;

/// A message that is still to be sent.
#[derive(Debug, Clone)]
pub(super) struct OutgoingMessage {
    pub(super) event: String,
    pub(super) url: String,
    pub(super) secret: String,
    pub(super) body: Vec<u8>,
}

impl Webhooks {
    fn new_secret(&mut self) -> String {
        self.secrets_created += 1;
        let secret = format!("whsec_emulator_{}", self.secrets_created);
        self.secret = Some(secret.clone());
        secret
    }

    /// Queues a message, if the event has an enabled URL. Returns true if it does.
    pub(super) fn send(&mut self, event: &str, data: JsonObject, is_test: bool) -> bool {
        let wanted = self.settings.get(event).filter(|setting| setting.enabled).and_then(|setting| setting.url.clone());
        let (Some(url), Some(secret)) = (wanted, self.secret.clone()) else { return false };
        let timestamp = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let body = json!({ "event": event, "timestamp": timestamp, "isTest": is_test, "data": data });
        self.outgoing.push(OutgoingMessage { event: event.to_owned(), url, secret, body: body.to_string().into() });
        true
    }

    pub(super) fn take_outgoing(&mut self) -> Vec<OutgoingMessage> {
        std::mem::take(&mut self.outgoing)
    }

    pub(super) fn sent(&mut self, event: &str, success: bool) {
        self.sent.truncate(REMEMBERED - 1);
        self.sent.push_front(Sent { at: Timestamp::now(), event: event.to_owned(), is_taken: success });
        if let Some(setting) = self.settings.get_mut(event) {
            setting.last_sent = Some(Timestamp::now());
            setting.last_status = Some(success);
        }
    }

    /// The latest messages that were sent, the newest first.
    pub(super) fn log(&self) -> Value {
        let shown = |sent: &Sent| json!({ "at": sent.at.to_string(), "event": sent.event, "isTaken": sent.is_taken });
        self.sent.iter().map(shown).collect()
    }

    fn shown(&self, event: &str) -> Value {
        let setting = self.settings.get(event).cloned().unwrap_or_default();
        let status = |success| if success { "success" } else { "failed" };
        json!({
            "id": format!("wh_{event}"),
            "name": event,
            "description": format!("Sent for {event}."),
            "enabled": setting.enabled,
            "url": setting.url,
            "lastSentAt": setting.last_sent.map(|at| at.to_string()),
            "lastStatus": setting.last_status.map(status),
        })
    }
}

fn known(matched: &Matched) -> Result<(&'static str, &'static str), Refusal> {
    let name = matched.path.get("webhookName").map(String::as_str).unwrap_or_default();
    EVENTS.into_iter().find(|(event, _)| *event == name).ok_or_else(|| Refusal::not_found("webhook", name))
}

/// The emulator sends nothing to other machines.
fn check_url(url: &str) -> Result<(), Refusal> {
    if Url::parse(url).is_ok_and(|url| is_loopback(&url)) {
        return Ok(());
    }
    Err(Refusal::invalid("body.url", "the emulator sends webhooks to loopback addresses only: use http://127.0.0.1"))
}

/// The operations on webhooks.
impl Webhooks {
    pub(super) fn list(&self) -> Value {
        let all: Vec<_> = EVENTS.iter().map(|(event, _)| self.shown(event)).collect();
        json!({ "data": all, "signingSecretConfigured": self.secret.is_some() })
    }

    pub(super) fn update(&mut self, matched: &Matched, body: &Value) -> Reply {
        let (event, _) = known(matched)?;
        if let Some(url) = body["url"].as_str() {
            check_url(url)?;
        }
        let setting = self.settings.entry(event.to_owned()).or_default();
        if let Some(enabled) = body["enabled"].as_bool() {
            setting.enabled = enabled;
        }
        if let Some(url) = body.get("url") {
            setting.url = url.as_str().map(str::to_owned);
        }
        let new_secret = self.secret.is_none().then(|| self.new_secret());
        let mut shown = self.shown(event);
        // The secret is shown only once.
        if let Some(secret) = new_secret {
            shown["signingSecret"] = secret.into();
        }
        Ok(shown)
    }

    pub(super) fn rotate_secret(&mut self) -> Value {
        json!({ "signingSecret": self.new_secret() })
    }

    pub(super) fn test(&mut self, matched: &Matched) -> Reply {
        let (event, key) = known(matched)?;
        let data = crate::object!({ (key): { "id": "test" } });
        if !self.send(event, data, true) {
            return Err(Refusal::invalid("path.webhookName", "set a URL and enable the webhook first"));
        }
        Ok(json!({ "success": true }))
    }
}

/// Reaches this machine only, so it asks no proxy of the environment.
#[derive(Debug)]
pub(super) struct WebhookClient(reqwest::Client);

impl Default for WebhookClient {
    fn default() -> Self {
        let client = || reqwest::Client::builder().no_proxy();
        // A container may have no certificates. HTTP needs none.
        Self(client().build().or_else(|_| client().tls_certs_only([]).build()).unwrap_or_default())
    }
}

/// Posts a message as Paid does. Returns true if it was acknowledged.
pub(super) async fn deliver(WebhookClient(client): &WebhookClient, outgoing: &OutgoingMessage) -> bool {
    let signature = Verifier::new(&outgoing.secret).sign(&outgoing.body);
    let request = client
        .post(&outgoing.url)
        .header(CONTENT_TYPE, "application/json")
        .header(SIGNATURE_HEADER, signature)
        .timeout(Duration::from_secs(10))
        .body(outgoing.body.clone());
    request.send().await.is_ok_and(|response| response.status().is_success())
}
