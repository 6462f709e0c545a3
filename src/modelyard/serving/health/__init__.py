"""Whether the model still answers as it was packaged.

Takes: the endpoint, whose golden rows are replayed while it serves.
Gives: what a replay found, as gauges and for whoever asks; a model that disagrees answers no longer, until it agrees again.
Never: works on the event loop, or more often than it may.
"""

from modelyard.serving.health.golden_watch import GoldenWatch, Replay, replayed

__all__ = ["GoldenWatch", "Replay", "replayed"]
