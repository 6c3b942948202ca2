"""What is found in the data: analytics, custom views, states of customers and webhooks."""

import paid

BUNDLE = "<script>addEventListener('message', event => event.data.type === 'paid:data')</script>"
TICKETS = "SELECT count(*) AS tickets FROM fact_signal WHERE signal_name = 'ticket_resolved'"


def analytics(world):
    old, new = world.api.analytics_experimental, world.api.analytics
    for query in [new.execute_analytics_query, old.execute_experimental_analytics_query]:
        answer = query(query=TICKETS)
        world.expect("tickets", ([each.name for each in answer.columns], answer.rows), (["tickets"], [["2"]]))
    for schema in [new.get_analytics_schema, old.get_experimental_analytics_schema]:
        world.expect("tables", "fact_signal" in [view.name for view in schema().views], True)
    for metadata in [new.get_signals_metadata, old.get_experimental_signals_metadata]:
        found = metadata(signal_name="ticket_resolved").signals
        world.expect("signals", [(each.signal_name, [path.path for path in each.paths]) for each in found],
                     [("ticket_resolved", ["minutes"])])


def views(world):
    api = world.api.custom_views_experimental
    view = api.create_custom_view(
        name="Tickets", queries=[paid.CustomViewQuery(id="tickets", sql=TICKETS)], render_bundle=BUNDLE
    )
    id = view.display_id
    edit = paid.RenderBundleEdit(old_text="===", new_text="==")
    world.expect("updated", api.update_custom_view(id, name="Support", bundle_edits=[edit]).name, "Support")
    month = paid.UpdateCustomViewPeriodRequestPeriod(kind="relative", unit="month", amount=1)
    api.update_custom_view_period(id, period=month)
    detail = api.get_custom_view(id)
    world.expect("view", (detail.status, detail.period.amount, "event.data.type == " in detail.render_bundle), ("DRAFT", 1, True))
    world.expect("published", api.publish_custom_view(id).status, "PUBLISHED")
    world.expect("data", api.get_custom_view_data(id, customer_id=world.acme.id).data, {"tickets": [{"tickets": "2"}]})
    world.expect("token", bool(api.get_custom_view_embed_token(id, customer_id=world.acme.id).token), True)
    world.expect("views", [each.name for each in api.list_custom_views().views], ["Support"])


def states(world):
    api = world.api.customers
    state = api.get_customer_state_by_id(world.acme.id)
    world.expect("seats", (state.seats.total, state.seats.assigned), (5, 1))
    credits = api.get_customer_state_by_external_id("globex").credits.balances
    world.expect("credits", [each.balance for each in credits], [7])


def webhooks(world):
    api = world.api.webhooks
    world.expect("webhooks", len(api.list_webhooks().data), 11)
    updated = api.update_webhook("billing-invoice-paid", enabled=True, url="http://127.0.0.1:9/hook")
    world.expect("webhook", (updated.enabled, updated.url), (True, "http://127.0.0.1:9/hook"))
    secret = api.rotate_webhook_secret().signing_secret
    world.expect("secrets differ", secret == updated.signing_secret, False)
    # Nothing listens there.
    world.expect("test", api.test_webhook("billing-invoice-paid").success, False)


STORIES = [analytics, views, states, webhooks]
