//! An account in which a request is sent, and everything that can be read of it afterwards.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::document;
use crate::{Api, days_ago};

/// What followed from a request.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) status: u16,
    pub(super) answer: Value,
    /// Invoices with their lines, and costs.
    pub(super) money: Value,
    /// Everything else.
    pub(super) shown: Value,
}

impl Outcome {
    pub(super) fn differs(&self, other: &Self) -> bool {
        (&self.answer, &self.money, &self.shown) != (&other.answer, &other.money, &other.shown)
    }

    /// Returns true if the emulator refuses this property by its name, that of its object, or its value. A request that the
    /// document does not allow says nothing.
    pub(super) fn refuses(&self, property: &str, value: &Value) -> bool {
        let error = self.answer["error"].as_str().unwrap_or_default();
        let answer = self.answer.to_string();
        let mut names = property.rsplit('.').take(2).chain(value.as_str());
        !error.starts_with("the request does not conform") && names.any(|name| answer.contains(name))
    }
}

/// What is read of the account afterwards.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read {
    All,
    Money,
}

pub(super) struct World<'a> {
    api: &'a Api,
    product: String,
    customers: [String; 2],
    contacts: [String; 2],
    /// Credit currencies.
    credits: [String; 2],
    /// A draft order of the product.
    order: String,
    /// What else the operation needs, by name.
    made: BTreeMap<&'static str, String>,
}

impl<'a> World<'a> {
    /// An account for requests of this operation.
    pub(super) async fn of(api: &'a Api, operation: &str) -> Self {
        let mut world = Self::new(api).await;
        match operation {
            "create-checkout" | "update-plan-by-id" | "update-plan-upgrade-path" => world.add_plan().await,
            "create-payment-allocation" => world.add_payment().await,
            "update-customer-group" | "create-customer-group-members" | "update-customer-group-members" => {
                let group = api.call("POST", "/customer-groups/", json!({"name": "G"})).await.1;
                world.made.insert("group", group["id"].as_str().unwrap().to_owned());
            }
            "update-customer-unit" => {
                for key in ["u", "other"] {
                    let unit = json!({"externalId": key, "parentExternalId": "c"});
                    api.call("POST", &format!("/customers/{}/customer-units", world.customers[0]), unit).await;
                }
            }
            _ => {}
        }
        let product = api.call("GET", &format!("/products/{}", world.product), Value::Null).await.1;
        let attribute = &product["productAttributes"][0]["productAttributeId"];
        world.made.insert("attribute", attribute.as_str().unwrap().to_owned());
        world
    }

    async fn add_plan(&mut self) {
        let product = self.api.call("GET", &format!("/products/{}", self.product), Value::Null).await.1;
        let attribute = json!({"productAttributeId": product["productAttributes"][0]["productAttributeId"],
            "pricing": usage(json!({"unitPrice": 7}))});
        let plan = json!({"productId": self.product, "attributes": [attribute]});
        let plan = self.api.call("POST", "/plans/", plan).await.1;
        self.made.insert("plan", plan["id"].as_str().unwrap().to_owned());
    }

    /// A payment, and a posted invoice that it can settle.
    async fn add_payment(&mut self) {
        let pricing = json!({"chargeType": "recurring", "pricingModel": "perUnit", "pricePoints": {"unitPrice": 100}});
        let line = json!({"productId": self.product, "attributes": [{"name": "fee", "pricing": pricing}]});
        let order =
            json!({"customerId": self.customers[0], "currency": "USD", "creationState": "active", "lines": [line]});
        self.api.call("POST", "/orders/", order).await;
        let invoice = self.api.invoices().await[0]["id"].as_str().unwrap().to_owned();
        self.api.control(&format!("invoices/{invoice}/post")).await;
        let lines = self.api.call("GET", &format!("/invoices/{invoice}/lines"), Value::Null).await.1;
        self.made.insert("line", lines["data"][0]["id"].as_str().unwrap().to_owned());
        let payment =
            json!({"customerId": self.customers[0], "amount": 500, "currency": "USD", "paymentType": "check"});
        let payment = self.api.call("POST", "/payments/", payment).await.1;
        self.made.insert("payment", payment["id"].as_str().unwrap().to_owned());
    }

    async fn new(api: &'a Api) -> Self {
        api.emulator.reset();
        let id = |answer: (u16, Value)| answer.1["id"].as_str().unwrap_or_else(|| panic!("{}", answer.1)).to_owned();
        let product = id(api.call("POST", "/products/", json!({"name": "P", "externalId": "p"})).await);
        let attribute = json!({"name": "a", "pricing": usage(json!({"unitPrice": 10}))});
        let update = json!({"productAttributes": [attribute]});
        api.call("PUT", &format!("/products/{product}"), update).await;
        let customer =
            async |name: &str| id(api.call("POST", "/customers/", json!({"name": name, "externalId": name})).await);
        let customers = [customer("c").await, customer("c2").await];
        let currency =
            async |key: &str| id(api.call("POST", "/credits/currencies", json!({"name": key, "key": key})).await);
        let credits = [currency("tokens").await, currency("gold").await];
        let grant = json!({"creditCurrencyKey": "tokens", "amount": 3});
        api.call("POST", "/customers/external/c/credits/grants", grant).await;
        let contact = async |of: &str| {
            id(api.call("POST", "/contacts/", json!({"customerId": of, "email": "a@a.example"})).await)
        };
        let contacts = [contact(&customers[0]).await, contact(&customers[0]).await];
        let body = json!({"customerId": customers[0], "currency": "USD", "startDate": time(100), "lines": [{"productId": product}]});
        api.call("POST", "/orders/", json!({"customerId": customers[0], "externalId": "taken"})).await;
        let order = id(api.call("POST", "/orders/", body).await);
        api.call("PATCH", "/webhooks/billing-invoice-paid", json!({"enabled": false})).await;
        Self { api, product, customers, contacts, credits, order, made: BTreeMap::new() }
    }

    /// Valid bodies of an operation, each without most of its properties.
    pub(super) fn bases(&self, operation: &str) -> Vec<Value> {
        let attribute = |pricing: Value| json!({"productAttributes": [{"name": "a", "pricing": pricing}]});
        let order = |pricing: Value| {
            json!({"customerId": self.customers[0], "currency": "USD", "startDate": time(100), "creationState": "active",
                "lines": [{"productId": self.product, "startDate": time(100), "attributes": [{"name": "b", "pricing": pricing}]}]})
        };
        let line = |charge: &str, model: &str, point: Value| {
            order(json!({"chargeType": charge, "pricingModel": model, "eventName": "e", "pricePoints": point}))
        };
        let credits = |model: &str, more: Value| {
            let mut pricing = json!({"chargeType": "usage", "pricingModel": model, "eventName": "e", "overageUnitPrice": 5,
                "creditsCurrencyId": self.credits[0], "pricePoints": {"unitPrice": 0}, "creditBenefits": [self.benefit()]});
            pricing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            order(pricing)
        };
        let product_credits = |kind: &str, more: Value| {
            let mut body =
                attribute(json!({"pricingType": kind, "eventName": "e", "creditsCurrencyId": self.credits[0]}));
            body["productAttributes"][0]["pricing"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body["productAttributes"][0]["creditBenefits"] = json!([self.benefit()]);
            body
        };
        let input = json!({"kind": "signalQuantity", "path": "$.n"});
        let brackets =
            json!([{"upTo": 1, "creditUnits": 4}, {"upTo": null, "creditUnits": 1, "creditUnitsPerUnit": 3}]);
        let bracketed = json!({"creditUnitBrackets": brackets, "pricingInput": input, "overageUnitPrice": 5});
        let tiers = json!([{"lowerBound": 0, "unitAmount": 10, "upperBound": 1}, {"lowerBound": 1, "unitAmount": 3}]);
        let last = json!([{"lowerBound": 0, "unitAmount": 10}]);
        let made = |name: &str| self.made.get(name).cloned().unwrap_or_default();
        let priced = |pricing: Value| {
            let attributes = json!([{"productAttributeId": made("attribute"), "pricing": pricing}]);
            match operation {
                "update-pricing" => json!({ "pricing": attributes[0]["pricing"] }),
                "create-plan" => json!({"productId": self.product, "attributes": attributes}),
                _ => json!({ "attributes": attributes }),
            }
        };
        match operation {
            "create-checkout" => vec![
                json!({"products": [{"id": self.product}], "successUrl": "https://x.example"}),
                json!({"products": [{"id": self.product, "plans": [{"id": made("plan")}]}], "successUrl": "https://x.example", "customCards": [{"label": "l"}]}),
            ],
            "create-customer-alias" => vec![json!({"alias": "a"})],
            "create-customer-group" => vec![json!({"name": "N"})],
            "create-customer-group-members" | "update-customer-group-members" => vec![json!({"customerIds": ["c"]})],
            "create-customer-portal" => vec![json!({"customerId": self.customers[0]})],
            "create-customer-unit" => vec![json!({"externalId": "u", "parentExternalId": "c"})],
            "create-payment" => vec![
                json!({"customerId": self.customers[0], "amount": 10, "currency": "USD", "paymentType": "cash"}),
                json!({"externalCustomerId": "c", "amount": 10, "currency": "USD", "paymentType": "cash"}),
            ],
            "create-payment-allocation" => vec![json!({"paymentId": made("payment"),
                "allocations": [{"invoiceLineId": made("line"), "amount": 10}]})],
            "create-payment-method" => vec![
                json!({"customerId": self.customers[0], "confirmationToken": "t"}),
                json!({"externalCustomerId": "c", "confirmationToken": "t"}),
            ],
            "create-plan" | "update-plan-by-id" | "update-pricing" => prices(&tiers, &last).map(priced).collect(),
            "update-plan-upgrade-path" => {
                vec![json!({"productId": self.product, "groups": [{"frequency": null, "planIds": [made("plan")]}]})]
            }
            "create-contact" => vec![json!({"customerId": self.customers[0], "email": "b@a.example"})],
            "create-costs" => vec![
                json!({"costs": [{"type": "cost", "amount": 1, "currency": "USD", "product": {"productId": self.product}, "customer": {"customerId": self.customers[0]}}]}),
                json!({"costs": [{"type": "cost", "amount": 1, "currency": "USD", "customer": {}}]}),
                json!({"costs": [{"type": "usage", "vendor": "v", "model": "m", "usage": {}, "amount": 2, "currency": "EUR", "costOverride": {"amount": 1, "currency": "USD"}, "customer": {}}]}),
            ]
            .into_iter()
            .map(|mut body| {
                if body["costs"][0]["customer"] == json!({}) {
                    body["costs"][0]["customer"] = json!({"externalCustomerId": "c"});
                }
                body["costs"][0]["timestamp"] = time(1).into();
                body
            })
            .collect(),
            "create-customer" => vec![json!({"name": "N"})],
            "create-product" => vec![json!({"name": "N"})],
            "create-order" => vec![
                line("usage", "perUnit", json!({"unitPrice": 10})),
                line("usage", "graduatedPricing", json!({"unitPrice": 0, "tiers": tiers})),
                line("usage", "graduatedPricing", json!({"unitPrice": 0, "tiers": last})),
                line("recurring", "perUnit", json!({"unitPrice": 10})),
                order(json!({"chargeType": "recurring", "pricingModel": "perUnit", "billingFrequency": "custom",
                    "billingFrequencyCustomMonths": 5, "pricePoints": {"unitPrice": 10}})),
                line("oneTime", "perUnit", json!({"unitPrice": 10})),
                {
                    let mut body = line("recurring", "perUnit", json!({"unitPrice": 10}));
                    body["billingFrequencyOverride"] = json!({"frequency": "custom", "customMonths": 5});
                    body
                },
                credits("prepaidCredits", json!({"creditCost": 4, "pricingInput": input, "billingFrequency": "quarterly"})),
                credits("bracketedPrepaidCredits", json!({"creditUnitBrackets": brackets, "pricingInput": input})),
            ],
            "create-signals" => vec![
                json!({"signals": [{"eventName": "e", "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"}}]}),
                json!({"signals": [{"eventName": "e", "customer": {"customerId": self.customers[0]}, "attribution": {"productId": self.product}}]}),
            ],
            "update-product-by-id" => prices(&tiers, &last).map(attribute).chain([
                product_credits("UsagePrepaidCredits", json!({"creditCost": 4, "pricingInput": input})),
                product_credits("UsageBracketedPrepaidCredits", bracketed),
                product_credits("SeatBasedPrepaidCredits", json!({"creditCost": 4, "billingFrequency": "Monthly"})),
                attribute(json!({"pricingType": "UsageCostPlus", "costPlusMultiplier": 3})),
                json!({"productAttributes": [{"name": "a", "pricing": {"pricingType": "RecurringPercentOfTotal", "billingFrequency": "Monthly", "percentageValue": 50}},
                    {"name": "fee", "pricing": {"pricingType": "RecurringPerUnit", "billingFrequency": "Monthly", "pricePoints": [{"currency": "USD", "unitPrice": 500}]}}]}),
            ]).collect(),
            _ => vec![json!({})],
        }
    }

    /// Values to try for a property.
    pub(super) fn candidates(&self, property: &str, schema: &Value) -> Vec<Value> {
        let name = property.rsplit('.').next().unwrap_or_default();
        if let Some(words) = schema["enum"].as_array() {
            return words.clone();
        }
        match name {
            "customerId" | "billingCustomerId" => return vec![self.customers[1].clone().into(), "cus_none".into()],
            "externalCustomerId" => return vec!["c2".into()],
            "billingContactIds" => return vec![json!([self.contacts[1]])],
            "productId" | "externalProductId" => return vec!["none".into()],
            "currency" | "defaultCurrency" => return vec!["EUR".into()],
            "externalId" => return vec!["other".into(), "taken".into()],
            "paymentTerms" => return vec!["NET 7".into()],
            "productAttributeId" => return vec!["00000000-0000-4000-8000-0000000000aa".into()],
            "billingFrequencyCustomMonths" => return vec![json!(2)],
            "creditsCurrencyId" => return vec![self.credits[1].clone().into()],
            "path" => return vec!["$.m".into()],
            "upTo" => return vec![json!(5)],
            "rolloverDurationUnit" => return vec!["months".into()],
            "id" if property == "products.id" => return vec!["none".into()],
            _ => {}
        }
        let kinds = schema["type"].as_array().cloned().unwrap_or_else(|| vec![schema["type"].clone()]);
        match (kinds[0].as_str().unwrap_or_default(), schema["format"].as_str()) {
            ("string", Some("date-time")) => vec![time(50).into(), "2099-01-01T00:00:00Z".into()],
            ("string", Some("email")) => vec!["z@z.example".into()],
            ("string", Some("uri")) => vec!["http://127.0.0.1:1/x".into()],
            ("string", _) => vec!["other".into()],
            ("boolean", _) => vec![true.into(), false.into()],
            ("integer" | "number", _) => vec![2.into(), 20.into(), (-1).into()],
            ("array", _) => {
                let words = &document::resolved(&schema["items"])["enum"];
                vec![json!([words[0].as_str().unwrap_or("other")])]
            }
            _ => vec![json!({"k": 1})],
        }
    }

    /// Sends the request, lets the account bill, and reads all of it, or the money only.
    pub(super) async fn outcome(&self, operation: &str, body: &Value, read: Read) -> Outcome {
        let (method, path) = self.target(operation).await;
        let (status, answer) = self.api.call(method, &path, body.clone()).await;
        if status >= 300 {
            return Outcome { status, answer, money: Value::Null, shown: Value::Null };
        }
        self.sell(operation, &answer).await;
        if operation != "create-signals" {
            let signals: Vec<_> = [60, 40, 20].into_iter().map(signal).collect();
            self.api.call("POST", "/signals/bulk", json!({"signals": signals})).await;
            let cost = json!({"type": "cost", "amount": 1, "currency": "USD", "vendor": "v", "timestamp": time(20),
                "customer": {"externalCustomerId": "c"}, "product": {"externalProductId": "p"}});
            self.api.call("POST", "/costs/bulk", json!({ "costs": [cost] })).await;
        }
        // The order takes the product's prices as they are now.
        let order = json!({"customerId": self.customers[0], "currency": "USD", "startDate": time(100), "creationState": "active",
            "lines": [{"productId": self.product}]});
        if !operation.contains("order") {
            self.api.call("POST", "/orders/", order).await;
        }
        self.api.call("POST", &format!("/orders/{}/activate", self.order), Value::Null).await;
        let mut money = vec![];
        for invoice in self.api.invoices().await {
            let lines = format!("/invoices/{}/lines", invoice["id"].as_str().unwrap());
            money.push(self.api.call("GET", &lines, Value::Null).await.1["data"].clone());
            money.push(invoice);
        }
        for query in ["credits/transactions?limit=200", "customers/external/c/credits/balances"] {
            money.push(self.api.call("GET", &format!("/{query}"), Value::Null).await.1["data"].clone());
        }
        let costs = json!(format!("{:?}", self.api.emulator.costs()));
        let shown = match read {
            Read::All => self.shown(&answer).await,
            Read::Money => Value::Null,
        };
        let money = settled(json!([money, costs]));
        Outcome { status, answer: settled(answer), money, shown: settled(shown) }
    }

    /// Completes the checkout that was made, or one of the plan.
    async fn sell(&self, operation: &str, answer: &Value) {
        let made = answer["id"].as_str().unwrap_or_default();
        let checkout = match operation {
            "create-checkout" => made.to_owned(),
            "create-plan" | "update-plan-by-id" => {
                let offer = json!({"products": [{"id": self.product, "plans": [{"id": made}]}],
                    "successUrl": "https://x.example", "externalCustomerId": "c"});
                let checkout = self.api.call("POST", "/checkouts/", offer).await.1;
                checkout["id"].as_str().unwrap_or_default().to_owned()
            }
            _ => return,
        };
        let complete = format!("checkouts/{checkout}/complete");
        // A checkout for more than one use sells twice.
        for _ in 0..2 {
            self.api.control(&complete).await;
        }
        let now = json!({"eventName": "e", "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"}});
        self.api.call("POST", "/signals/bulk", json!({"signals": [now, now, now]})).await;
    }

    async fn target(&self, operation: &str) -> (&'static str, String) {
        let of_customer = |what: &str| format!("/customers/{}/{what}", self.customers[0]);
        let made = |name: &str| self.made.get(name).map(String::as_str).unwrap_or_default();
        let (kind, action) = match operation {
            "create-customer-alias" => return ("POST", of_customer("aliases")),
            "create-customer-unit" => return ("POST", of_customer("customer-units")),
            "update-customer-unit" => return ("PATCH", of_customer("customer-units/u")),
            "create-customer-funding-instructions" => return ("POST", of_customer("funding-instructions")),
            "upsert-customer-user-by-external-id" => return ("PUT", "/customers/c/users/u".into()),
            "update-customer-group" => return ("PATCH", format!("/customer-groups/{}", made("group"))),
            "create-customer-group-members" => {
                return ("POST", format!("/customer-groups/{}/members", made("group")));
            }
            "update-customer-group-members" => return ("PUT", format!("/customer-groups/{}/members", made("group"))),
            "update-plan-by-id" => return ("PUT", format!("/plans/{}", made("plan"))),
            "update-plan-upgrade-path" => return ("PUT", "/plans/upgrade-path".into()),
            "update-pricing" => return ("PUT", format!("/pricing/{}", made("attribute"))),
            "update-invoice-by-id" => {
                self.api.call("POST", &format!("/orders/{}/activate", self.order), Value::Null).await;
                let id = self.api.invoices().await[0]["id"].as_str().unwrap().to_owned();
                return ("PUT", format!("/invoices/{id}"));
            }
            "update-webhook" => return ("PATCH", "/webhooks/billing-invoice-paid".into()),
            "update-contact-by-id" => ("contacts", &self.contacts[0]),
            "update-customer-by-id" => ("customers", &self.customers[0]),
            "update-order-by-id" => ("orders", &self.order),
            "update-product-by-id" => ("products", &self.product),
            "create-signals" => return ("POST", "/signals/bulk".into()),
            "create-costs" => return ("POST", "/costs/bulk".into()),
            create => return ("POST", format!("/{}s/", create.trim_start_matches("create-"))),
        };
        ("PUT", format!("/{kind}/{action}"))
    }

    fn benefit(&self) -> Value {
        json!({"id": "b", "creditsCurrencyId": self.credits[0], "amount": 3, "rolloverAmount": 1, "rolloverDuration": 10,
            "rolloverDurationUnit": "days"})
    }

    async fn shown(&self, answer: &Value) -> Value {
        let mut shown = Vec::new();
        let made = answer["id"].as_str().unwrap_or_default();
        const LISTS: [&str; 13] = [
            "customers/",
            "contacts/",
            "products/",
            "orders/",
            "checkouts/",
            "signals/",
            "webhooks/",
            "plans/",
            "payments/",
            "payment-allocations/",
            "payment-methods/",
            "customer-groups/",
            "customers/external/c/customer-units",
        ];
        for path in LISTS {
            shown.push(self.api.call("GET", &format!("/{path}"), Value::Null).await.1);
        }
        for path in [format!("products/{}", self.product), format!("orders/{made}/lines"), format!("checkouts/{made}")]
        {
            shown.push(self.api.call("GET", &format!("/{path}"), Value::Null).await.1);
        }
        shown.push(json!(self.api.emulator.idempotency_keys()));
        shown.into()
    }
}

/// Prices of a product or a plan, of every kind that has properties of its own.
fn prices(tiers: &Value, last: &Value) -> impl Iterator<Item = Value> {
    let graduated = |tiers: &Value| {
        json!({"pricingType": "UsageGraduated", "eventName": "e",
            "pricePoints": [{"currency": "USD", "unitPrice": 0, "tiers": tiers}]})
    };
    let five = json!([{"currency": "USD", "unitPrice": 5}]);
    [
        usage(json!({"unitPrice": 20})),
        graduated(tiers),
        graduated(last),
        json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Monthly", "pricePoints": five}),
        json!({"pricingType": "RecurringPerUnit", "billingFrequency": "Custom", "billingFrequencyCustomMonths": 5,
            "pricePoints": five}),
        json!({"pricingType": "OneTimePerUnit", "pricePoints": five}),
    ]
    .into_iter()
}

fn signal(days: u64) -> Value {
    json!({"eventName": "e", "timestamp": time(days), "data": {"n": 3, "m": 1}, "customer": {"externalCustomerId": "c"}, "attribution": {"externalProductId": "p"}})
}

fn usage(point: Value) -> Value {
    let mut point = point;
    point["currency"] = "USD".into();
    json!({"pricingType": "UsagePerUnit", "eventName": "e", "pricePoints": [point]})
}

/// Midnight of a day, so that every account begins alike.
fn time(days: u64) -> String {
    format!("{}T00:00:00Z", days_ago(days).date_naive())
}

/// Replaces the times that passed between two accounts.
fn settled(value: Value) -> Value {
    match value {
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(time) if (Utc::now() - time).num_minutes().abs() < 5 => "now".into(),
            // What begins now ends at this time of another day.
            Ok(time) => time.date_naive().to_string().into(),
            _ => text.into(),
        },
        Value::Array(all) => all.into_iter().map(settled).collect(),
        Value::Object(all) => all.into_iter().map(|(key, value)| (key, settled(value))).collect(),
        other => other,
    }
}

/// Sets a property of a body. A dot goes into an object and into the first of a list.
pub(super) fn set(body: &mut Value, property: &str, value: Value) {
    const LISTS: [&str; 12] = [
        "allocations",
        "attributes",
        "costs",
        "creditBenefits",
        "creditUnitBrackets",
        "customCards",
        "groups",
        "lines",
        "plans",
        "productAttributes",
        "products",
        "signals",
    ];
    let mut at = body;
    for part in property.split('.') {
        if at.is_array() {
            at = &mut at[0];
        }
        if at.is_null() {
            *at = json!({});
        }
        at = &mut at[part];
        if at.is_null() && LISTS.contains(&part) && !property.ends_with(part) {
            *at = json!([{}]);
        }
    }
    *at = value;
}
