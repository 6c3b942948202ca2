"""Orders, seats, invoices, payments, checkouts, credits and amendments."""

import paid

from guide import fee, signal, usage


def orders(world):
    api = world.api.orders
    draft = api.create_order(customer_id=world.globex.id, currency="USD", name="Draft")
    world.expect("renamed", api.update_order_by_id(draft.id, name="Renamed", external_id="globex-1").name, "Renamed")
    world.expect("orders", api.list_orders(external_customer_id="globex").pagination.total, 1)
    world.expect("by external id", [each.id for each in api.list_orders(external_id="globex-1").data], [draft.id])
    api.delete_order_by_id(draft.id)
    world.expect("after deletion", api.list_orders(external_customer_id="globex").pagination.total, 0)
    world.expect("order", api.get_order_by_id(world.order.id).name, "Acme 2026")
    lines = api.get_order_lines(world.order.id).data
    world.expect("lines", [(line.product_id, line.line_type) for line in lines], [(world.sdr.id, "STANDARD")])


def seats(world):
    api = world.api
    product = api.products.create_product(name="Copilot", external_id="copilot", active=True)
    point = paid.ProductSimplePricePoint(currency="USD", unit_price=2_500)
    price = paid.ProductPricingInput_SeatBasedPerUnit(billing_frequency="Monthly", price_points=[point])
    api.products.update_product_by_id(
        product.id, product_attributes=[paid.ProductAttributeUpsert(name="Seats", pricing=price)]
    )
    # An order's own price of an attribute, and its number of seats.
    attribute = paid.CreateOrderLineAttributeRequest(name="Seats", quantity=3, pricing=order_seats(2_500))
    line = paid.CreateOrderLineRequest(product_id=product.id, attributes=[attribute])
    order = api.orders.create_order(customer_id=world.acme.id, currency="USD", lines=[line], creation_state="active")
    invoice = api.invoices.list_invoices(order_id=order.id).data[0]
    world.expect("three seats of 25", invoice.invoice_total, 7_500)
    listed = api.orders.list_order_seats(order.id).data
    world.expect("seats", [seat.status for seat in listed], ["unassigned"] * 3)
    taken = api.orders.update_order_seat_assignment(order.id, listed[0].id, user_external_id="user-1")
    world.expect("assigned", (taken.status, taken.assignee.external_id), ("assigned", "user-1"))
    moved = paid.orders.BatchSeatAssignmentsRequestAssignmentsItem
    swap = [moved(seat_id=listed[0].id, user_external_id=None), moved(seat_id=listed[1].id, user_external_id="user-1")]
    batch = api.orders.batch_order_seat_assignments(order.id, assignments=swap)
    world.expect("moved", sorted((seat.id, seat.status) for seat in batch.data),
                 sorted([(listed[0].id, "unassigned"), (listed[1].id, "assigned")]))
    world.expect("assigned seats", len(api.orders.list_order_seats(order.id, status="assigned").data), 1)
    world.seats = order


def order_seats(unit_price):
    return paid.CreateOrderLineAttributeRequestPricing(
        charge_type="seatBased",
        pricing_model="perUnit",
        billing_frequency="monthly",
        price_points=paid.CreateOrderLineAttributeRequestPricingPricePoints(currency="USD", unit_price=unit_price),
    )


def invoices(world):
    api = world.api.invoices
    invoice = api.list_invoices(order_id=world.order.id, status="draft").data[0]
    noted = api.update_invoice_by_id(invoice.id, metadata={"po": "7"})
    world.expect("metadata", noted.metadata, {"po": "7"})
    world.control.post(f"/invoices/{invoice.id}/post")
    posted = api.get_invoice_by_id(invoice.id)
    world.expect("posted", (posted.status, posted.amount_due, posted.amount_paid), ("posted", 54_500, 0))
    world.expect("due 30 days later", (posted.due_date - posted.issue_date).days, 30)
    world.invoice = posted


def payments(world):
    api = world.api
    payment = api.payments.create_payment(
        amount=60_000, currency="USD", payment_type="bankTransfer", external_customer_id="acme"
    )
    world.expect("payment", (payment.amount, payment.balance), (60_000, 60_000))
    line = max(api.invoices.get_invoice_lines(world.invoice.id).data, key=lambda line: line.total_price_before_tax)
    share = paid.PaymentAllocationInput(invoice_line_id=line.id, amount=50_000, currency="USD")
    made = api.payment_allocations.create_payment_allocation(payment_id=payment.id, allocations=[share])
    world.expect("allocated", [each.amount for each in made.data], [50_000])
    listed = api.payment_allocations.list_payment_allocations(payment_id=payment.id).data
    world.expect("allocations", [each.invoice_id for each in listed], [world.invoice.id])
    world.expect("balance", api.payments.get_payment(payment.id).balance, 10_000)
    part = api.invoices.get_invoice_by_id(world.invoice.id)
    world.expect("partly paid", (part.payment_status, part.amount_remaining), ("partiallyPaid", 4_500))
    world.control.post(f"/invoices/{world.invoice.id}/pay")
    whole = api.invoices.get_invoice_by_id(world.invoice.id)
    world.expect("paid", (whole.payment_status, whole.amount_paid, whole.amount_due), ("paid", 54_500, 0))
    amounts = [each.amount for each in api.payments.list_payments(external_customer_id="acme").data]
    world.expect("payments", sorted(amounts), [4_500, 60_000])


def payment_methods(world):
    api = world.api.payment_methods
    for token in ["ctoken_1", "ctoken_2"]:
        setup = api.create_payment_method(confirmation_token=token, external_customer_id="acme")
        world.expect("setup", setup.setup_intent.status, "succeeded")
    first, second = api.list_payment_methods(external_customer_id="acme").data
    world.expect("cards", (first.card.last4, second.card.last4), ("4242", "4242"))
    other = second if first.is_default else first
    world.expect("default", api.update_default_payment_method(other.id).is_default, True)
    world.expect("one default", sum(each.is_default for each in api.list_payment_methods(customer_id=world.acme.id).data), 1)
    world.expect("method", api.get_payment_method(other.id).customer_id, world.acme.id)
    api.delete_payment_method(other.id)
    world.expect("methods left", api.list_payment_methods(customer_id=world.acme.id).pagination.total, 1)


def checkouts(world):
    api = world.api.checkouts
    offer = paid.CheckoutProductInput(id=world.support.id, plans=[paid.CheckoutPlanInput(id=world.pro.id, features=["SLA"])])
    made = api.create_checkout(
        products=[offer], success_url="https://app.example/ok", external_customer_id="globex", single_use=True
    )
    world.control.post(f"/checkouts/{made.id}/complete")
    done = api.get_checkout(made.id)
    world.expect("checkout", (done.status, done.selected_product is None), ("completed", False))
    invoice = world.api.invoices.list_invoices(order_id=done.order_id).data
    world.expect("its invoice", [(each.invoice_total, each.payment_status) for each in invoice], [(20_000, "paid")])
    other = api.create_checkout(products=[offer], success_url="https://app.example/ok")
    api.archive_checkout(other.id)
    world.expect("archived", [each.id for each in api.list_checkouts(status="archived").data], [other.id])


def credits(world):
    api = world.api
    currency = api.credits.create_credit_currency(name="Tokens", key="tokens")
    world.expect("status", api.credits.update_credit_currency_by_id(currency.id, description="AI tokens").status, "active")
    world.expect("currencies", [each.key for each in api.credits.list_credit_currencies().data], ["tokens"])
    product = api.products.create_product(name="Chat", external_id="chat", active=True)
    price = paid.ProductPricingInput_UsagePrepaidCredits(
        event_name="message_sent", credits_currency_id=currency.id, credit_cost=2
    )
    api.products.update_product_by_id(
        product.id, product_attributes=[paid.ProductAttributeUpsert(name="Messages", pricing=price)]
    )
    line = paid.CreateOrderLineRequest(product_id=product.id)
    api.orders.create_order(customer_id=world.globex.id, currency="USD", lines=[line], creation_state="active")

    unit = paid.CustomerUnitAttribution(external_customer_unit_id="rnd")
    message = signal("message_sent", "globex", "chat", customer_unit=unit)
    world.expect("signals", api.signals.create_signals(signals=[message] * 3).ingested, 3)
    owed = api.customers.list_customer_pending_credit_consumption(world.globex.id).data
    world.expect("pending", [each.credits for each in owed], [2, 2, 2])
    grant = api.customers.grant_customer_credits(world.globex.id, credit_currency_key="tokens", amount=10)
    world.expect("grant", (grant.created, grant.grant.amount), (True, 10))
    api.customers.grant_customer_credits_by_external_id("globex", credit_currency_key="tokens", amount=5)
    none = api.customers.list_customer_pending_credit_consumption_by_external_id("globex")
    world.expect("nothing is pending", none.pagination.total, 0)
    api.signals.create_signals(signals=[message])
    balance = api.customers.get_customer_credit_balances(world.globex.id).data[0]
    world.expect("balance", (balance.available, balance.used, balance.total), (7, 8, 15))
    same = api.customers.get_customer_credit_balances_by_external_id("globex").data[0]
    world.expect("balance by external id", same.available, 7)
    spent = api.credits.list_credit_transactions(external_customer_id="globex", type="spend").data
    world.expect("spends", [float(each.amount) for each in spent], [-2.0] * 4)


def caps(world):
    api = world.api.customers
    currency = world.api.credits.list_credit_currencies().data[0].id
    cap = api.set_customer_unit_cap(world.globex.id, "rnd", amount=100, credits_currency_id=currency)
    world.expect("cap", (cap.policy.amount, cap.policy.frequency), (100, "MONTHLY"))
    shown = api.get_customer_unit_cap(world.globex.id, "rnd", credits_currency_id=currency)
    world.expect("used of the cap", (shown.current_period.used, shown.current_period.remaining), (8, 92))
    api.set_customer_unit_cap_by_external_id("globex", "rnd", amount=50, credits_currency_id=currency)
    shown = api.get_customer_unit_cap_by_external_id("globex", "rnd", credits_currency_id=currency)
    world.expect("new cap", shown.policy.amount, 50)
    ended = api.end_customer_unit_cap(world.globex.id, "rnd", credits_currency_id=currency)
    world.expect("both versions ended", ended.ended_versions, 2)
    api.set_customer_unit_cap(world.globex.id, "rnd", amount=20, credits_currency_id=currency)
    again = api.end_customer_unit_cap_by_external_id("globex", "rnd", credits_currency_id=currency)
    world.expect("ended again", again.ended_versions, 1)


def amendments(world):
    api = world.api.amendments
    options = api.get_order_amendment_options(world.seats.id)
    world.expect("amendable", (options.amendable, options.currency), (True, "USD"))
    attribute = options.lines[0].attributes[0].order_line_attribute_id
    intents = [paid.UnifiedAmendmentIntent_UpdateQuantity(order_line_attribute_id=attribute, new_quantity=5)]
    version = int(options.order_version)
    plan = api.preview_order_amendment(world.seats.id, order_version=version, intents=intents)
    money = sum(effect.amount_minor for effect in plan.money_effects)
    before = world.api.invoices.list_invoices(order_id=world.seats.id).data[0].invoice_total
    done = api.execute_order_amendment(
        world.seats.id, order_version=version, intents=intents, plan_hash=plan.plan_hash
    )
    world.expect("executed as planned", done.plan.plan_hash, plan.plan_hash)
    after = world.api.invoices.list_invoices(order_id=world.seats.id).data[0].invoice_total
    world.expect("two more seats", (money > 0, after - before), (True, money))
    world.expect("seats", world.api.orders.list_order_seats(world.seats.id).pagination.total, 5)


def next_month(world):
    world.control.days_pass(31)
    invoices = world.api.invoices.list_invoices(order_id=world.order.id).data
    world.expect("invoices after a month", sorted(each.invoice_total for each in invoices), [50_000, 54_500])


STORIES = [orders, seats, invoices, payments, payment_methods, checkouts, credits, caps, amendments, next_month]
