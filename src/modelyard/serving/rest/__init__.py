"""The plumbing of the REST interface.

Takes: ASGI messages.
Gives: bounded request bodies, answers, the table of routes with its OpenAPI document, and metrics.
Never: knows what a prediction is.
"""

from modelyard.serving.rest.line import Line
from modelyard.serving.rest.messages import Answer, Request, json_answer, text_answer
from modelyard.serving.rest.metrics import METRICS_CONTENT_TYPE, ServingMetrics
from modelyard.serving.rest.routes import ROUTES, Match, Route, match_route

__all__ = [
    "METRICS_CONTENT_TYPE",
    "ROUTES",
    "Answer",
    "Line",
    "Match",
    "Request",
    "Route",
    "ServingMetrics",
    "json_answer",
    "match_route",
    "text_answer",
]
