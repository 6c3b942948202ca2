"""Signals of a traced scope, which the client's tracing sends over the API and, as the guide has it, in spans."""

import warnings

from paid.tracing import cost_attributed_signal, initialize_tracing, paid_tracing, signal
from paid.tracing.tracing import get_paid_tracer_provider


def signals_of_a_scope(world):
    initialize_tracing("paid_emulator", collector_endpoint=world.control.collector)
    with paid_tracing("acme", external_product_id="ai-sdr"):
        taken = cost_attributed_signal("lead_found", {"score": 7}, "lead-1", base_url_override=world.base_url)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            signal("email_written", data={"words": 120})
    get_paid_tracer_provider().force_flush()
    world.expect("signal", taken.ingested, 1)
    for name, key, expected in [("lead_found", "score", 7), ("email_written", "words", 120)]:
        found = world.api.signals.list_signals(signal_name=name, external_customer_id="acme").data
        world.expect(name, [(each.external_product_id, each.data[key]) for each in found], [("ai-sdr", expected)])


STORIES = [signals_of_a_scope]
