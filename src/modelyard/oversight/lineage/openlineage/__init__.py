"""OpenLineage: the steps as run events of the open standard, for a catalogue such as Marquez or DataHub.

Takes: steps, and the books that they come from.
Gives: run events with facets, as JSON lines in a file or posted to an address.
Never: tells a cell of a row, a password, or anything of the sealed test part but its size and digest.
"""

from modelyard.oversight.lineage.openlineage.events import PRODUCER, run_events
from modelyard.oversight.lineage.openlineage.sending import Sent, post_events, write_events

__all__ = ["PRODUCER", "Sent", "post_events", "run_events", "write_events"]
