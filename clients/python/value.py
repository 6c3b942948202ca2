"""What signals are worth: signals and costs as they are read, value models, metrics and receipts."""

import datetime

import paid

from guide import signal


def signals_and_costs(world):
    api = world.api
    sent = [signal("ticket_resolved", "acme", "support", f"ticket-{at}", {"minutes": at}) for at in [30, 90]]
    world.expect("signals", api.signals.create_signals(signals=sent).ingested, 2)
    listed = api.signals.list_signals(signal_name="ticket_resolved", external_customer_id="acme").data
    world.expect("listed", sorted(each.data["minutes"] for each in listed), [30, 90])
    world.expect("signal", api.signals.get_signal_by_id(listed[0].id).external_product_id, "support")
    of = {
        "customer": paid.CustomerByExternalId(external_customer_id="acme"),
        "product": paid.ProductByExternalId(external_product_id="support"),
    }
    tokens = paid.TokenUsage(input_tokens=1_000, output_tokens=200)
    costs = [
        paid.Cost_Cost(amount=0.25, currency="USD", vendor="twilio", **of),
        paid.Cost_Usage(vendor="openai", model="gpt-4o", usage=tokens, **of),
    ]
    world.expect("costs", api.costs.create_costs(costs=costs).ingested, 2)


def models(world):
    api = world.api.value_models
    since = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    item = "ValueModelContentValueTypesItemCalculationTimelineItem"
    timeline, calculation, conversion, unit = (
        getattr(paid, f"{item}{part}")
        for part in ["", "Calculation", "CalculationMonetaryConversion", "CalculationUnitDurationUnit"]
    )
    hours = calculation(
        unit=unit(type="duration", duration_unit="hours"),
        monetary_conversion=conversion(expression="unit_value * 60", variables=[]),
        formula_ids=["saved"],
        signal_event_names=["ticket_resolved"],
        segment_table_ids=[],
        override_ids=[],
    )
    content = paid.ValueModelContent(
        currency="USD",
        value_types=[
            paid.ValueModelContentValueTypesItem(
                slug="hours", name="Hours saved", calculation_timeline=[timeline(effective_from=since, calculation=hours)]
            )
        ],
        formulas=[
            paid.ValueModelContentFormulasItem(
                id="saved",
                value_type_slug="hours",
                label="Saved",
                expression="minutes / 60",
                variables=[paid.ValueModelContentFormulasItemVariablesItem(id="minutes", label="Minutes")],
            )
        ],
        signals=[paid.ValueModelContentSignalsItem(event_name="ticket_resolved", label="Tickets", formula_id="saved")],
    )
    world.expect("first version", api.update_value_model(content=content).version, 1)
    world.expect("current", api.get_current_value_model().content.currency, "USD")
    world.expect("version 1", api.get_value_model_version(1).content.formulas[0].expression, "minutes / 60")
    world.expect("versions", api.list_value_model_versions().pagination.total, 1)
    world.expect("backfill", api.refresh_value_model_backfill().version, 1)


def metrics(world):
    api = world.api.value_metrics
    variable = paid.ValueMetricFormulaVariable(id="minutes", label="Minutes")
    made = api.create_value_metric(
        name="Minutes",
        unit=paid.ValueMetricUnit(type="duration", duration_unit="minutes"),
        formula=paid.ValueMetricFormula(expression="minutes", variables=[variable]),
        signal=paid.ValueMetricSignalBinding(event_name="ticket_resolved", defaults={"minutes": 20}),
        monetary_conversion=paid.ValueMetricMonetaryConversion(value_per_unit=0.5),
        expected_active_version=1,
    )
    world.expect("metric", (made.slug, made.version), ("minutes", 2))
    world.expect("metrics", [each.slug for each in api.list_value_metrics().data], ["hours", "minutes"])
    world.expect("renamed", api.update_value_metric("minutes", name="Time").version, 3)
    detail = api.get_value_metric("minutes")
    world.expect("detail", (detail.name, detail.unit.duration_unit), ("Time", "minutes"))
    world.expect("model", world.api.value_models.get_current_value_model().version, 3)
    world.expect("archived", api.archive_value_metric("minutes", expected_active_version=3).version, 4)
    world.expect("metrics left", [each.slug for each in api.list_value_metrics().data], ["hours"])


def receipts(world):
    api = world.api.value_receipts
    world.control.days_pass(1)
    end = datetime.datetime.fromisoformat(world.control.now()[:19] + "+00:00")
    period = {"start_date": end - datetime.timedelta(days=30), "end_date": end, "external_customer_id": "acme"}
    made = api.create_value_receipt(**period)
    receipt = api.get_value_receipt_by_id(made.id)
    # Two hours at 60, and 120 minutes at 0.5: an archived metric keeps what it delivered.
    world.expect("value", (receipt.total_delivered_value, receipt.currency), (180, "USD"))
    world.expect("synchronised", api.sync_value_receipt(**period).id, made.id)
    world.expect("refreshed", api.refresh_value_receipt(made.id).id, made.id)
    world.expect("sealed", api.seal_value_receipt(made.id).success, True)
    world.expect("published", api.publish_value_receipt(made.id).is_published, True)
    world.expect("unpublished", api.unpublish_value_receipt(made.id).is_published, False)
    world.expect("archived", api.archive_value_receipt(made.id).success, True)
    world.expect("receipts", api.list_value_receipts(external_customer_id="acme", archived="true").total, 1)
    world.expect("unarchived", api.unarchive_value_receipt(made.id).success, True)


STORIES = [signals_and_costs, models, metrics, receipts]
