//! The tables.

use serde_json::Value;

use crate::Timestamp;

/// A value of a table. There are no floats: amounts are whole smallest units, or text with all their digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::emulator) enum Cell {
    Null,
    Integer(i64),
    Text(String),
}

impl Cell {
    /// A JSON text, or null.
    pub(in crate::emulator) fn of(value: Option<&Value>) -> Self {
        value.and_then(Value::as_str).map_or(Self::Null, |text| Self::Text(text.to_owned()))
    }

    /// A JSON time, or null.
    pub(in crate::emulator) fn of_time(value: Option<&Value>) -> Self {
        let time = value.and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
        time.map_or(Self::Null, |time| Self::Text(shown_time(time)))
    }
}

/// A time as tables have it: UTC, and of one length, so that times compare as text.
pub(in crate::emulator) fn shown_time(time: Timestamp) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// A table and its columns.
#[derive(Debug)]
pub(in crate::emulator) struct Definition {
    pub(in crate::emulator) name: &'static str,
    pub(super) comment: &'static str,
    /// Name, type and meaning.
    pub(in crate::emulator) columns: &'static [(&'static str, &'static str, &'static str)],
}

const TEXT: &str = "String";
const MAYBE: &str = "Nullable(String)";
const WHOLE: &str = "Int64";

const CUSTOMER: (&str, &str, &str) = ("customer_id", TEXT, "Customer: dim_customer.customer_id");
const PRODUCT: (&str, &str, &str) = ("product_id", TEXT, "Product: dim_product.product_id");
const CREATED: (&str, &str, &str) = ("created_at", TEXT, "When it was created: `YYYY-MM-DD HH:MM:SS.sss`, UTC");
const CURRENCY: (&str, &str, &str) = ("currency", TEXT, "ISO 4217 code");

pub(in crate::emulator) const TABLES: [Definition; 8] = [
    Definition {
        name: "dim_customer",
        comment: "Customers",
        columns: &[
            ("customer_id", TEXT, "Paid's id"),
            ("external_customer_id", MAYBE, "Your own id"),
            ("name", TEXT, "Name"),
            ("status", TEXT, "active or churned"),
            ("default_currency", TEXT, "ISO 4217 code"),
            CREATED,
        ],
    },
    Definition {
        name: "dim_product",
        comment: "Products",
        columns: &[
            ("product_id", TEXT, "Paid's id"),
            ("external_product_id", MAYBE, "Your own id"),
            ("name", TEXT, "Name"),
            ("active", WHOLE, "1 if it can be sold, else 0"),
            CREATED,
        ],
    },
    Definition {
        name: "dim_order",
        comment: "Orders",
        columns: &[
            ("order_id", TEXT, "Paid's id"),
            CUSTOMER,
            ("name", TEXT, "Name"),
            ("creation_state", TEXT, "draft or active"),
            CURRENCY,
            ("start_date", TEXT, "Start: `YYYY-MM-DD HH:MM:SS.sss`, UTC"),
            ("end_date", MAYBE, "End"),
            CREATED,
        ],
    },
    Definition {
        name: "fact_signal",
        comment: "Signals",
        columns: &[
            ("signal_id", TEXT, "Paid's id"),
            ("signal_name", TEXT, "Event name"),
            CUSTOMER,
            PRODUCT,
            ("created_at", TEXT, "The signal's time: `YYYY-MM-DD HH:MM:SS.sss`, UTC"),
            ("ingested_at", TEXT, "When it arrived"),
            ("data", MAYBE, "Data as JSON: `data ->> '$.key'` reads a key"),
        ],
    },
    Definition {
        name: "fact_cost",
        comment: "Costs",
        columns: &[
            CUSTOMER,
            ("product_id", MAYBE, "Product: dim_product.product_id"),
            ("vendor", TEXT, "Vendor"),
            ("model", TEXT, "Model"),
            (
                "cost_amount",
                MAYBE,
                "Amount in the currency's smallest unit, a decimal as text: `decimal_sum` adds it exactly",
            ),
            ("currency", MAYBE, "ISO 4217 code"),
            ("created_at", TEXT, "The record's time: `YYYY-MM-DD HH:MM:SS.sss`, UTC"),
        ],
    },
    Definition {
        name: "fact_invoice",
        comment: "Invoices",
        columns: &[
            ("invoice_id", TEXT, "Paid's id"),
            ("order_id", TEXT, "Order: dim_order.order_id"),
            CUSTOMER,
            ("status", TEXT, "draft or posted"),
            ("payment_status", TEXT, "pending, paid, overdue or error"),
            CURRENCY,
            ("total_amount", WHOLE, "Total in the currency's smallest unit"),
            ("amount_paid", WHOLE, "What is paid of it"),
            ("start_date", TEXT, "Start of its period: `YYYY-MM-DD HH:MM:SS.sss`, UTC"),
            ("end_date", TEXT, "End of its period"),
            ("issue_date", TEXT, "When it is issued"),
            ("due_date", MAYBE, "When it is due"),
        ],
    },
    Definition {
        name: "fact_invoice_line",
        comment: "Lines of invoices",
        columns: &[
            ("invoice_line_id", TEXT, "Paid's id"),
            ("invoice_id", TEXT, "Invoice: fact_invoice.invoice_id"),
            ("order_id", TEXT, "Order: dim_order.order_id"),
            CUSTOMER,
            ("description", TEXT, "What is billed"),
            ("quantity", TEXT, "Quantity, a decimal as text"),
            ("total_amount", WHOLE, "Amount in the currency's smallest unit"),
            CURRENCY,
        ],
    },
    Definition {
        name: "fact_delivered_value",
        comment: "Value that signals delivered by the active value model: one row for each metric that a signal feeds",
        columns: &[
            ("signal_id", TEXT, "Signal: fact_signal.signal_id"),
            ("signal_name", TEXT, "Event name"),
            CUSTOMER,
            PRODUCT,
            ("value_metric", TEXT, "Slug of the metric"),
            ("quantity", TEXT, "Occurrences that the signal stands for, a decimal as text"),
            ("unit_value", TEXT, "Value in the metric's unit, a decimal as text"),
            ("monetary_amount", MAYBE, "Value in the currency's smallest unit, a decimal as text"),
            CURRENCY,
            ("created_at", TEXT, "The signal's time: `YYYY-MM-DD HH:MM:SS.sss`, UTC"),
        ],
    },
];
