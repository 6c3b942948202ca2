"""The developer guide: product, customer, contact, order, activation, signals, invoice."""

import paid


def usage(event, unit_price, **more):
    point = paid.ProductSimplePricePoint(currency="USD", unit_price=unit_price, **more)
    return paid.ProductPricingInput_UsagePerUnit(event_name=event, price_points=[point])


def fee(unit_price, frequency="Monthly"):
    point = paid.ProductSimplePricePoint(currency="USD", unit_price=unit_price)
    return paid.ProductPricingInput_RecurringPerUnit(billing_frequency=frequency, price_points=[point])


def signal(event, customer, product, key=None, data=None, **more):
    return paid.Signal(
        event_name=event,
        customer=paid.CustomerByExternalId(external_customer_id=customer),
        attribution=paid.ProductByExternalId(external_product_id=product),
        **({"idempotency_key": key} if key else {}),
        **({"data": data} if data else {}),
        **more,
    )


def from_product_to_invoice(world):
    api = world.api
    product = api.products.create_product(name="AI SDR", external_id="ai-sdr", active=True)
    prices = [
        paid.ProductAttributeUpsert(name="Platform", pricing=fee(50_000)),
        paid.ProductAttributeUpsert(name="Meetings", pricing=usage("meeting_booked", 1_500, included_quantity=1)),
    ]
    priced = api.products.update_product_by_id(product.id, product_attributes=prices)
    world.expect("prices", [each.pricing.price_points[0].unit_price for each in priced.product_attributes], [50_000, 1_500])

    address = paid.CustomerBillingAddressInput(line1="1 Main St", city="Boston", zip_code="02101", country="US")
    customer = api.customers.create_customer(
        name="Acme", external_id="acme", email="pay@acme.example", default_currency="USD", billing_address=address
    )
    contact = api.contacts.create_contact(
        customer_id=customer.id, email="ada@acme.example", first_name="Ada", roles=["BILLING"], external_id="ada"
    )
    order = api.orders.create_order(
        customer_id=customer.id,
        name="Acme 2026",
        currency="USD",
        billing_contact_ids=[contact.id],
        payment_terms="NET 30",
        lines=[paid.CreateOrderLineRequest(product_id=product.id)],
    )
    world.expect("order before activation", order.creation_state, "draft")
    world.expect("order", api.orders.activate_order_by_id(order.id).creation_state, "active")

    sent = [signal("meeting_booked", "acme", "ai-sdr", f"meeting-{number}") for number in range(4)]
    taken = api.signals.create_signals(signals=sent)
    world.expect("signals", (taken.ingested, taken.duplicates, taken.failed), (4, 0, 0))
    again = api.signals.create_signals(signals=sent[:1])
    world.expect("the same signal", (again.ingested, again.duplicates), (0, 1))

    invoices = api.invoices.list_invoices(order_id=order.id)
    world.expect("invoices", invoices.pagination.total, 1)
    invoice = invoices.data[0]
    world.expect("invoice", (invoice.status, invoice.currency), ("draft", "USD"))
    world.expect("invoice's total: 500 and 3 meetings of 15", invoice.invoice_total, 54_500)
    lines = api.invoices.get_invoice_lines(invoice.id).data
    world.expect("lines", sorted(line.total_price_before_tax for line in lines), [4_500, 50_000])
    world.acme, world.ada, world.sdr, world.order = customer, contact, product, order


STORIES = [from_product_to_invoice]
