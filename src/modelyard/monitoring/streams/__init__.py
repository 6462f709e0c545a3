"""Errors one by one, as labels arrive: a change shows before a window is full.

Takes: the errors of labelled rows in the order of their labels.
Gives: the moments at which the error rate changed, and the rate since.
Never: needs a window's length, a threshold or the rows themselves.
"""

from modelyard.monitoring.streams.adwin import Adwin
from modelyard.monitoring.streams.errors import ErrorStream, StreamChange, error_stream, stream_findings

__all__ = ["Adwin", "ErrorStream", "StreamChange", "error_stream", "stream_findings"]
