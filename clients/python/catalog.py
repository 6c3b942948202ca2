"""What is sold: products, pricing and plans."""

import paid

from guide import fee, usage


def products(world):
    api = world.api.products
    world.expect("products", [each.external_id for each in api.list_products(limit=10).data], ["ai-sdr"])
    world.expect("product", api.get_product_by_id(world.sdr.id).name, "AI SDR")
    renamed = api.update_product_by_external_id("ai-sdr", description="Books meetings", metadata={"team": "growth"})
    world.expect("description", renamed.description, "Books meetings")
    found = api.get_product_by_external_id("ai-sdr")
    world.expect("metadata", found.metadata, {"team": "growth"})
    world.meetings = found.product_attributes[1].product_attribute_id


def pricing(world):
    api = world.api.pricing
    world.expect("pricing", [each.name for each in api.list_pricing(product_id=world.sdr.id).data], ["Platform", "Meetings"])
    point = paid.SimplePricePoint(currency="USD", unit_price=2_000, included_quantity=1)
    changed = paid.PricingInput_UsagePerUnit(event_name="meeting_booked", price_points=[point])
    api.update_pricing(world.meetings, pricing=changed)
    price = api.get_pricing(world.meetings).pricing
    world.expect("price", (price.pricing_type, price.price_points[0].unit_price), ("UsagePerUnit", 2_000))
    invoice = world.api.invoices.list_invoices(order_id=world.order.id).data[0]
    world.expect("an order keeps its prices", invoice.invoice_total, 54_500)


def plans(world):
    api = world.api.plans
    made = world.api.products.create_product(name="Support", external_id="support", active=True)
    attributes = [
        paid.ProductAttributeUpsert(name="Base", pricing=fee(10_000)),
        paid.ProductAttributeUpsert(name="Tickets", pricing=usage("ticket_resolved", 300)),
    ]
    support = world.api.products.update_product_by_id(made.id, product_attributes=attributes)
    base = support.product_attributes[0].product_attribute_id

    def at(unit_price):
        return [paid.PlanAttributeInput(product_attribute_id=base, pricing=fee(unit_price))]

    pro = api.create_plan(product_id=support.id, attributes=at(20_000), name="Pro", external_id="pro", is_default=True)
    max_ = api.create_plan(product_id=support.id, attributes=at(40_000), name="Max", external_id="max")
    world.expect("plans", api.list_plans(external_product_id="support").pagination.total, 2)
    world.expect("plan", api.get_plan_by_id(pro.id).attributes[0].pricing.price_points[0]["unitPrice"], 20_000)
    world.expect("name", api.update_plan_by_id(max_.id, name="Maximum").name, "Maximum")
    updated = api.update_plan_by_external_id("max", attributes=at(50_000))
    world.expect("new price", updated.attributes[0].pricing.price_points[0]["unitPrice"], 50_000)
    world.expect("by external id", api.get_plan_by_external_id("max").name, "Maximum")
    group = paid.PlanUpgradePathGroup(frequency="Monthly", plan_ids=[pro.id, max_.id])
    path = api.update_plan_upgrade_path(product_id=support.id, groups=[group])
    world.expect("upgrade path", [plan.upgrade_path_order for plan in path.data], [1, 2])
    world.support, world.pro = support, pro


STORIES = [products, pricing, plans]
