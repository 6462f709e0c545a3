"""The bodies that the server understands and gives.

Takes: the JSON of a request, or predictions.
Gives: rows by column name, and the bodies of answers; refusals as problem documents (RFC 9457).
Never: scores, logs, or lets the text of an exception out.
"""

from modelyard.serving.formats.answers import (
    Flag,
    Prediction,
    invocation_answer,
    offered_outputs,
    open_inference_outputs,
)
from modelyard.serving.formats.binary_tensors import LENGTH_HEADER, fill_tensors, pack_tensors, split_body
from modelyard.serving.formats.decoding import decode_json
from modelyard.serving.formats.feedback import FeedbackRecord, parse_feedback
from modelyard.serving.formats.invocations import INVOCATION_FORMS, parse_invocation
from modelyard.serving.formats.open_inference import DATATYPES, parse_inference, requested_outputs
from modelyard.serving.formats.problems import FieldError, RefusedRequestError, problem_document
from modelyard.serving.formats.rows import ParsedRows, Row, parse_rows
from modelyard.serving.formats.uncertainty import wants_uncertainty

__all__ = [
    "DATATYPES",
    "INVOCATION_FORMS",
    "LENGTH_HEADER",
    "FeedbackRecord",
    "FieldError",
    "Flag",
    "ParsedRows",
    "Prediction",
    "RefusedRequestError",
    "Row",
    "decode_json",
    "fill_tensors",
    "invocation_answer",
    "offered_outputs",
    "open_inference_outputs",
    "pack_tensors",
    "parse_feedback",
    "parse_inference",
    "parse_invocation",
    "parse_rows",
    "problem_document",
    "requested_outputs",
    "split_body",
    "wants_uncertainty",
]
