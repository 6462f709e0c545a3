"""The plumbing of the REST interface.

Takes: ASGI messages.
Gives: bounded request bodies, answers, the table of routes with its OpenAPI document, and metrics.
Never: knows what a prediction is.
"""

from modelyard.serving.rest.line import Line
from modelyard.serving.rest.messages import (
    LEFT_OUT_HEADER,
    Answer,
    Request,
    answer_headers,
    json_answer,
    refusal_answer,
    text_answer,
)
from modelyard.serving.rest.metrics import METRICS_CONTENT_TYPE, ServingMetrics
from modelyard.serving.rest.routes import ROUTES, Match, Route, match_route

__all__ = [
    "LEFT_OUT_HEADER",
    "METRICS_CONTENT_TYPE",
    "ROUTES",
    "Answer",
    "Line",
    "Match",
    "Request",
    "Route",
    "ServingMetrics",
    "answer_headers",
    "json_answer",
    "match_route",
    "refusal_answer",
    "text_answer",
]
