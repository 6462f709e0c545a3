"""What the demo leaves behind."""

import dataclasses

from modelyard.core import Record

__all__ = ["DemoOutcome"]


@dataclasses.dataclass(frozen=True)
class DemoOutcome(Record):
    """Where things are when the curtain falls, and the figures that were seen.

    Parameters
    ----------
    project
        Folder of the demo project.
    report, card, monitoring
        Pages: the evaluation, the model card, the last monitoring report.
    metric, test_score
        The primary metric, and its value on the sealed test part.
    money
        What the model is worth, in one sentence.
    latency_p50_ms, latency_p99_ms
        Of single requests over HTTP, seen from the client.
    quiet_verdict, launch_verdict
        What monitoring said about a month like the training data, and about the month after the launch.
    challenger
        Version that waits for approval, or None if the champion stays.
    decision
        Why, in one sentence.
    seconds
        Time the demo took.
    """

    project: str
    report: str
    card: str
    monitoring: str
    metric: str
    test_score: float | None
    money: str
    latency_p50_ms: float
    latency_p99_ms: float
    quiet_verdict: str
    launch_verdict: str
    challenger: int | None
    decision: str
    seconds: float
