"""Events beside the figures: what happened outside, and what was done to the model.

Takes: what people note, and the ledger's rows of deployments, rollouts and retrainings.
Gives: events in order, and a monitoring page with them on every time axis.
Never: says that an event is the cause of anything.
"""

from modelyard.monitoring.events.book import Event, note_event, parse_moment, read_events
from modelyard.monitoring.events.marking import marked, with_events

__all__ = ["Event", "marked", "note_event", "parse_moment", "read_events", "with_events"]
