"""Reviews: what became of a model in a week or a month, on one page.

Takes: the monitoring report of the version in production, the prediction log, alerts, events.
Gives: a record and a page: traffic, versions, performance, drift, quality, alerts with their precision, incidents, events,
and what to do next.
Never: judges anew by rules of its own.
"""

from modelyard.monitoring.reviews.gathering import gather_review
from modelyard.monitoring.reviews.making import make_review
from modelyard.monitoring.reviews.page import review_page
from modelyard.monitoring.reviews.records import AlertTally, Review, Signal, Traffic

__all__ = ["AlertTally", "Review", "Signal", "Traffic", "gather_review", "make_review", "review_page"]
