//! The products of a catalogue as the seed of an emulator.

use paid_catalog::Catalog;
use serde_json::{Value, json};

use super::differences::{name_of, shown_name};
use super::error::AccountError;
use super::prices::{in_full, to_attribute};

/// What [`EmulatorBuilder::seed`](crate::emulator::EmulatorBuilder::seed) takes: the catalogue's products with their prices.
///
/// Prices in credits name a currency of an account, which a new emulator does not have: it refuses such a seed, with the place.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let catalog = paid::account::Catalog::parse(
///     r#"
///     [products.sdr.prices."Meetings"]
///     pricing_type = "UsagePerUnit"
///     event_name = "meeting_booked"
///     price = { USD = "1.50" }
///     "#,
/// )?;
/// let seed = paid::account::seed(&catalog)?;
/// assert_eq!(seed["products"][0]["externalId"], "sdr");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the catalogue says something that cannot be sent: each problem a line.
pub fn seed(catalog: &Catalog) -> Result<Value, AccountError> {
    let (mut products, mut problems) = (Vec::new(), Vec::new());
    for (external_id, product) in &catalog.products {
        let mut attributes = Vec::new();
        for (key, price) in &product.prices {
            let mut settings = in_full(price);
            // The id is that of another account.
            settings.remove("id");
            let name = name_of(key, price);
            match to_attribute(name, price, &settings, None) {
                Ok(attribute) => attributes.push(attribute),
                Err(problem) => problems.push(format!("the price `{name}` of product {external_id}: {problem}")),
            }
        }
        let mut body = json!({ "name": shown_name(external_id, product), "externalId": external_id,
            "active": product.active, "productAttributes": attributes });
        if let Some(text) = &product.description {
            body["description"] = json!(text);
        }
        products.push(body);
    }
    if problems.is_empty() {
        Ok(json!({ "products": products }))
    } else {
        Err(AccountError::Catalogue(problems.join("\n")))
    }
}
