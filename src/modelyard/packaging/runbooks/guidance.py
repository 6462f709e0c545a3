"""What to do about each kind of alert, in the order in which to do it."""

import dataclasses
from collections.abc import Mapping

__all__ = ["GUIDANCE", "Guidance"]


@dataclasses.dataclass(frozen=True)
class Guidance:
    """The words of one runbook.

    Parameters
    ----------
    title
        What the alert is about.
    meaning
        What it means that it opened, and what it does not mean.
    first
        What to look at, in order; commands in backticks.
    causes
        What it usually is.
    cures
        What to do about each.
    """

    title: str
    meaning: str
    first: tuple[str, ...]
    causes: tuple[str, ...]
    cures: tuple[str, ...]


_LOOK = "Open the page that `modelyard monitor` names. Read the likely cause before anything else."
_WIDTH = "`modelyard alerts` shows which columns are concerned, and since when."

GUIDANCE: Mapping[str, Guidance] = {
    "performance": Guidance(
        "The model performs worse",
        "The whole interval of the primary metric is worse than tolerated: this is not chance. Decisions cost more than they "
        "should, now.",
        (
            _LOOK,
            "Look for quality alerts of the same days: a broken pipeline explains a loss, and comes first.",
            "Look at what was deployed: `modelyard status`, `modelyard ledger`.",
        ),
        (
            "A column broke on its way here (broken pipeline).",
            "Inputs say something else about outcomes than they did (concept drift).",
            "Outcomes became more or less frequent (prior shift).",
            "Labels came late or only from some cases, so that the metric is of other rows.",
        ),
        (
            "Broken pipeline: have it mended. Never retrain on it.",
            'A loss that began with a deployment: `modelyard rollback --reason "..."`.',
            "Concept drift: `modelyard retrain --data NEW.csv`; the gates say whether it pays.",
            "Prior shift: recalibrate; retraining is not needed for it.",
        ),
    ),
    "drift": Guidance(
        "Inputs or scores moved",
        "Columns or scores are further from training than is harmless, in at least two of the last three windows. Whether "
        "that costs anything, only labels tell.",
        (
            _LOOK,
            _WIDTH,
            "Score first: if it did not move, decisions did not.",
            "Fetch labels of these days: `modelyard monitor --labels FILE`.",
        ),
        (
            "A campaign, a season, a new market: the world moved.",
            "A source changed its meaning, unit or spelling: look for quality alerts.",
            "The model is asked about cases for which it was not made.",
        ),
        (
            'Known and harmless: silence it with a reason: `modelyard alerts --silence KEY --for 30d --reason "..."`.',
            "With a loss: follow the runbook on performance.",
            "Without labels: have some rows labelled, `modelyard label export ROWS.csv`.",
        ),
    ),
    "quality": Guidance(
        "Data arrive broken",
        "Values are missing, new, respelled, frozen, out of range or in another unit. The model answers with confidence all "
        "the same.",
        (
            _WIDTH,
            _LOOK,
            "Ask the owner of the source what changed on the first day, or the day before.",
            "Look at single rows of the log, and at `/metrics`: flags and rejections by field.",
        ),
        (
            "A release of the source system.",
            "A join that finds nothing any more.",
            "A default that takes the place of a missing value.",
        ),
        (
            "Have the source mended; the alert ends by itself with the next clean windows.",
            "While it lasts: decide by hand, or by the rule that was used before the model.",
            "Never retrain on these rows: leave them out of the next training data.",
        ),
    ),
    "labels": Guidance(
        "Labels are odd",
        "Labels name predictions that nobody made, or contradict each other. Performance is judged on what is left.",
        ("Compare ids: those sent back must be those of the answers.", _LOOK),
        ("Two systems count differently.", "A batch of labels was sent twice, or to another environment."),
        ("Mend the sender; labels that are sent again under the right id count.",),
    ),
    "latency": Guidance(
        "Answers take longer",
        "Answers take at least twice as long as they used to. Callers may give up before they come.",
        (
            "Is it all requests, or those with many rows? `modelyard_request_duration_seconds` by route.",
            "Is the machine busy with something else, or out of memory?",
            "Does the disk of the prediction log keep up? `modelyard_log_pending_bytes`.",
        ),
        ("More requests than the servers were made for.", "A neighbour on the machine.", "A slower disk."),
        (
            "Add servers.",
            'After a deployment: `modelyard rollback --reason "..."`.',
            "Measure: `modelyard bench PACKAGE`.",
        ),
    ),
    "errors": Guidance(
        "Requests fail",
        "More requests than tolerated end in an error of ours (500). Others are refused for what they hold (422).",
        (
            "Read the server's log; each failure has an id.",
            "`modelyard_rejections_total` says which field is refused, and by which rule.",
            "Is the model verified? `modelyard_ready`, `modelyard_golden_ok`.",
        ),
        (
            "A caller sends something else since a release.",
            "The disk is full.",
            "The model no longer reproduces its golden rows.",
        ),
        (
            'After a deployment: `modelyard rollback --reason "..."`.',
            "A full disk: free some space; answers are refused until then.",
        ),
    ),
    "no_data": Guidance(
        "Nothing is there to judge",
        "The model is in production, and its log is empty. No data is not good news.",
        (
            "Is the server up? `modelyard_requests_total` must grow.",
            "Does the monitor read the log that the server writes?",
        ),
        ("Nobody asks the model.", "Logs are written somewhere else.", "The monitor does not run."),
        ("Set the server up again, or take the model out of production.",),
    ),
    "audit": Guidance(
        "New data have faults",
        "The audit of data that the model shall learn from found an error.",
        ("Open the page that `modelyard audit` names.",),
        ("A column that knows the answer.", "Rows that are there twice.", "Labels that contradict each other."),
        (
            'Mend the data, or acknowledge the finding with a reason: `modelyard audit --acknowledge ID --reason "..."`.',
        ),
    ),
    "retraining": Guidance(
        "A retraining wants somebody",
        "Either data stopped it before anything was trained, and the message names the gate; or a challenger passed all gates "
        "and waits for approval. The champion serves in both cases.",
        (
            "Read the message: gate and numbers, or version and improvement.",
            "All verdicts of the last retraining: `modelyard ledger`, and `decision.json` under `.modelyard/retraining`.",
            "Stopped: `modelyard monitor`, for what else is odd on the same days.",
        ),
        (
            "The source sends broken or other rows (gates contract and cause).",
            "New rows hold a new leak, or what the audit holds for one (gate audit).",
            "Labels were made of the predictions, or joined to the wrong ones (gate contamination).",
            "Nobody has looked at the challenger yet.",
        ),
        (
            "Have the data mended, then `modelyard retrain`. Do not raise the limits for it.",
            'A finding that may stay: `modelyard audit --acknowledge ID --reason "..."`.',
            'A challenger: read its card, then `modelyard approve VERSION --reason "..."` or `modelyard reject`.',
        ),
    ),
    "schedule": Guidance(
        "The schedule needs somebody",
        "A job that runs by itself fails again and again, an approval or a review expires, or an approved version waits. "
        "Nothing is said about the model's answers.",
        (
            "`modelyard tick --show` lists the jobs, what each last said, and when it is tried again.",
            "`modelyard ledger` has a row `schedule.failed` for each failure.",
        ),
        (
            "Something that the job needs is not there: a table, a disk, a permission, a server.",
            "A version was approved, and nobody has rolled it out.",
        ),
        (
            "Mend what the message says; the job is tried again by itself.",
            "What is not wanted is switched off: `schedule.<job>: off` in the project file.",
        ),
    ),
    "other": Guidance(
        "Something else",
        "A finding that has no page of its own.",
        (_WIDTH, _LOOK),
        ("Read the message; it names what was seen.",),
        ("Follow the action that the message names.",),
    ),
}
"""By kind, as ``modelyard.problem.sections.alerts.ALERT_KINDS`` names them."""
