"""The fast lane: the request that most callers send, one plain row of JSON, answered without an application around it.

Takes: requests to ``/predict`` whose head and body have come, as the HTTP protocol sees them.
Gives: the same answers, records and figures as the application gives, in a fraction of its time.
Never: decides anything by itself. What is not plain (many rows, a refusal, a rollout, a trace) takes the ordinary road.
"""

from modelyard.serving.lane.lane import Lane
from modelyard.serving.lane.protocol import LaneProtocol

__all__ = ["Lane", "LaneProtocol"]
