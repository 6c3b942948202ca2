//! The output for people: the invoice as a table, and the run in numbers.

use std::time::Duration;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use paid::types::{Invoice, InvoiceLine};
use paid::{Decimal, Stats};

/// Prints the report.
pub(crate) fn print((invoice, lines): &(Invoice, Vec<InvoiceLine>), sent: &Stats, took: Duration) {
    let number = invoice.display_number.as_deref().unwrap_or(invoice.id.as_str());
    println!("\nInvoice {number} ({})", invoice.status);
    println!("{}", table(invoice, lines));
    println!(
        "\n{} signals accepted, {} already known, {} refused; {} invoice lines; {:.1} s",
        sent.delivered - sent.duplicates,
        sent.duplicates,
        sent.rejected,
        lines.len(),
        took.as_secs_f64()
    );
}

fn table(invoice: &Invoice, lines: &[InvoiceLine]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["Description", "Quantity", "Amount"]);
    for line in lines {
        table.add_row([
            line.description.clone(),
            line.quantity.to_string(),
            money(line.total_price_before_tax, &line.currency),
        ]);
    }
    table.add_row(["Total".to_owned(), String::new(), money(invoice.invoice_total, &invoice.currency)]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Formats an amount in the smallest unit, such as cents, in major units.
fn money(cents: Decimal, currency: &str) -> String {
    format!("{:.2} {currency}", cents / Decimal::ONE_HUNDRED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cents_are_shown_as_dollars() {
        assert_eq!(money(65_400.into(), "USD"), "654.00 USD");
        assert_eq!(money(Decimal::new(105, 1), "USD"), "0.10 USD");
        assert_eq!(money((-7).into(), "USD"), "-0.07 USD");
    }
}
