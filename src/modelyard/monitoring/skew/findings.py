"""From differences to findings for people."""

from collections.abc import Iterator, Sequence

from modelyard.core import Finding, Severity, worst_severity
from modelyard.monitoring.records import Verdict
from modelyard.monitoring.skew.records import ColumnSkew, Pattern, ScoreSkew, TableMatch
from modelyard.report import format_number, format_percent

__all__ = ["skew_findings", "verdict_of"]

_TOLERATED = 0.01
_LARGE = 0.1
_FEW_MATCHED = 0.5
_ROW = "R5"

_IDS = {
    Pattern.NONE: "skew-values",
    Pattern.MISSING: "skew-missing",
    Pattern.FILLED: "skew-filled",
    Pattern.SPELLING: "skew-spelling",
    Pattern.CONSTANT: "skew-one-value",
    Pattern.UNIT: "skew-unit",
}
_WORDS = {
    Pattern.NONE: "is another value than in the table in {share} of {rows} requests",
    Pattern.MISSING: "is missing in requests where the table has a value: {share} of {rows} differ",
    Pattern.FILLED: "has a value in requests where the table has none: {share} of {rows} differ",
    Pattern.SPELLING: "is spelled otherwise than in the table: {share} of {rows} requests differ",
    Pattern.CONSTANT: "is one and the same where the table's values vary ({detail}): {share} of {rows} requests differ",
    Pattern.UNIT: "looks like another unit ({detail}): {share} of {rows} requests differ",
}


def skew_findings(scores: Sequence[ScoreSkew], match: TableMatch, columns: Sequence[ColumnSkew]) -> tuple[Finding, ...]:
    """What a person should know.

    Answers are the same or not, so one that differs is an error. Values may change between a request and the table, so a
    column is worth a warning once certainly more than 1 % differ, and an error from 10 % on, or where all of it looks like
    another unit.
    """
    found = [_score_finding(one) for one in scores if one.differing]
    found += [finding for one in columns if (finding := _column_finding(one)) is not None]
    return (*found, *_said(scores, match))


def verdict_of(scores: Sequence[ScoreSkew], match: TableMatch, findings: Sequence[Finding]) -> Verdict:
    """Alarm for an error, watch for a warning; nothing compared is no success."""
    worst = worst_severity(findings)
    if worst is Severity.ERROR:
        return Verdict.ALARM
    if not match.matched and all(one.not_compared for one in scores):
        return Verdict.NO_DATA
    return Verdict.WATCH if worst is Severity.WARNING else Verdict.QUIET


def _score_finding(one: ScoreSkew) -> Finding:
    largest = "no number" if one.largest is None else format_number(one.largest)
    decided = f", {one.decisions:,} with another decision" if one.decisions else ""
    message = (
        f"{one.differing:,} of {one.rows:,} logged answers are not what the {one.by} gives for the same row{decided}; the "
        f"largest difference is {largest}, {one.tolerance:g} is allowed."
    )
    is_package = one.by == "package"
    why = (
        "What was answered is not what was tested and approved."
        if is_package
        else "The model that answers is not the one that was trained and measured."
    )
    action = (
        f"Run: modelyard trace {one.examples[0]}" if one.examples else "Look at single answers with modelyard trace"
    )
    action += (
        "; compare the server's libraries with the package's requirements.txt."
        if is_package
        else "; compare this machine's libraries with those of the run, then package again."
    )
    return Finding("skew-scores", Severity.ERROR, one.by, message, why, action, one.to_dict(), _ROW)


def _column_finding(one: ColumnSkew) -> Finding | None:
    """None as long as it is not certain that more than what is tolerated differs."""
    if one.at_least <= _TOLERATED:
        return None
    is_large = one.at_least > _LARGE or one.pattern is Pattern.UNIT
    words = _WORDS[one.pattern].format(share=format_percent(one.share), rows=f"{one.rows:,}", detail=one.detail)
    pair = one.examples[0]
    message = f"`{one.column}` {words}, such as {pair[1]} where the table has {pair[0]}."
    if one.unseen:
        message += f" Training never saw the value of {one.unseen:,} of them."
    return Finding(
        _IDS[one.pattern],
        Severity.ERROR if is_large else Severity.WARNING,
        one.column,
        message,
        "The model learnt from the table's values and is asked with others, so its measured figures do not hold for them.",
        f"Compare how the caller and the table make `{one.column}`, and mend the caller; retraining would only hide it.",
        {**one.to_dict(), "share": one.share},
        _ROW,
    )


def _said(scores: Sequence[ScoreSkew], match: TableMatch) -> Iterator[Finding]:
    """What was not compared, or hardly."""
    for one in scores:
        if one.not_compared:
            message = f"Answers were not compared with the {one.by}: {one.not_compared}"
            why = "Whether it would have answered the same is not known."
            action = "Keep the run and the columns of the model, as they came, where this command runs."
            yield Finding("skew-not-compared", Severity.INFO, one.by, message.rstrip(".") + ".", why, action, row=_ROW)
    if match.not_compared:
        message = f"Values were not compared with a table: {match.not_compared}."
        why = "Whether requests carry what training would have is not known."
        action = "Log the row's id (log.also), or give a table with the ids of answers: modelyard skew --data TABLE"
        yield Finding("skew-not-compared", Severity.INFO, "table", message, why, action, row=_ROW)
    asked = match.matched + match.unmatched
    if asked and match.matched < _FEW_MATCHED * asked:
        message = f"Only {match.matched:,} of {asked:,} requests have a row in {match.table} by `{match.key}`."
        why = "What has no row there was not compared."
        action = "Give a table that holds the entities of the requests: modelyard skew --data TABLE"
        yield Finding("skew-unmatched", Severity.WARNING, "table", message, why, action, match.to_dict(), _ROW)
