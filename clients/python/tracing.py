"""A signal of a traced scope, which the client's tracing sends over the API."""

from paid.tracing import cost_attributed_signal, initialize_tracing, paid_tracing


def signals_of_a_scope(world):
    initialize_tracing("paid_emulator", collector_endpoint=world.control.collector)
    with paid_tracing("acme", external_product_id="ai-sdr"):
        taken = cost_attributed_signal("lead_found", {"score": 7}, "lead-1", base_url_override=world.base_url)
    world.expect("signal", taken.ingested, 1)
    found = world.api.signals.list_signals(signal_name="lead_found", external_customer_id="acme").data
    world.expect("lead_found", [(each.external_product_id, each.data["score"]) for each in found], [("ai-sdr", 7)])


STORIES = [signals_of_a_scope]
