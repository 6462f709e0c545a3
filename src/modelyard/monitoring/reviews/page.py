"""The review as a page: what to do first, then the figures."""

from collections.abc import Iterator

from modelyard.monitoring.reviews.records import Review
from modelyard.problem import Problem, metric_spec
from modelyard.report import (
    MARK,
    Block,
    Fact,
    Facts,
    Page,
    Prose,
    Section,
    Series,
    Table,
    format_number,
    format_percent,
    format_range,
    line_chart,
)

__all__ = ["review_page"]

_MOST_ROWS = 30


def review_page(review: Review, problem: Problem) -> Page:
    """The page; ``render_html`` or ``render_markdown`` make a file of it."""
    steps = "\n".join(f"- {step}" for step in review.steps) or "Nothing needs to be done."
    sections = [
        Section("What to do next", (Prose(steps), _facts(review))),
        Section("Traffic and versions", (_traffic(review),)),
        Section("Performance", tuple(_performance(review))),
        Section("Drift and data quality", tuple(_signals(review))),
        Section("Alerts", tuple(_alerts(review))),
        Section("Incidents", (Prose("\n".join(f"- {one}" for one in review.incidents) or "None."),)),
        Section("Events", (_events(review),)),
    ]
    owner = f"Owner: {problem.owner}. " if problem.owner else ""
    return Page(
        f"Review of {review.model}",
        f"{review.since:%Y-%m-%d} to {review.until:%Y-%m-%d}, version {review.version} in production",
        tuple(sections),
        f"{owner}Figures are those of monitoring and of the log of alerts; nothing is judged anew here.",
    )


def _facts(review: Review) -> Facts:
    """The time in figures."""
    rows = sum(one.rows for one in review.traffic)
    before = sum(one.before for one in review.traffic)
    tally = review.tally
    precision = tally.precision
    rated = tally.useful + tally.useless
    return Facts(
        (
            Fact("Verdict now", review.verdict.value.capitalize(), f"{review.windows} windows judged"),
            Fact("Predictions", f"{rows:,}", f"{before:,} in as long a time before"),
            Fact("Alerts opened", str(tally.opened), f"{tally.still_open} still open"),
            Fact(
                "Of use",
                "–" if precision is None else format_percent(precision),
                f"of {rated} rated, {tally.unrated} not rated",
            ),
        )
    )


def _traffic(review: Review) -> Table:
    rows = tuple((one.version, f"{one.rows:,}", f"{one.before:,}") for one in review.traffic)
    return Table(("Version", "Predictions", "In as long a time before"), rows, numeric=(1, 2))


def _performance(review: Review) -> Iterator[Block]:
    """The primary metric, with a mark at each event."""
    title = metric_spec(review.metric).title
    valued = [window for window in review.performance if window.value is not None]
    if not valued:
        yield Prose("No window of the time has labels that could be judged.")
        return
    names = [window.name for window in valued]
    for number, event in enumerate(review.events, start=1):
        place = next((index for index, window in enumerate(valued) if window.end >= event.at >= review.since), None)
        if place is not None:
            names[place] += ("" if MARK in names[place] else " ") + f"{MARK}{number}"
    nan = float("nan")
    series = Series(
        "live",
        [float(index) for index in range(len(valued))],
        [nan if window.value is None else window.value for window in valued],
        [nan if window.low is None else window.low for window in valued],
        [nan if window.high is None else window.high for window in valued],
    )
    reference = valued[-1].reference
    yield line_chart(
        [series], title=f"{title} by window", x_label="", y_label=title, reference=reference, x_names=names
    )
    last = valued[-1]
    lost = sum(window.alarm for window in valued)
    yield Prose(
        f"Latest: {format_number(last.value)} ({format_range(last.low, last.high)}); {lost} of {len(valued)} windows lost more "
        "than is tolerated, beyond doubt."
    )


def _signals(review: Review) -> Iterator[Block]:
    """Columns that moved or were broken."""
    if not review.drift and not review.quality:
        yield Prose("Nothing moved further than is harmless, and nothing was broken.")
        return
    rows = [
        (one.feature, "moved", f"{one.windows} of {review.windows}", f"PSI {format_number(one.worst)}")
        for one in review.drift
    ]
    rows += [
        (one.feature, one.what.replace("-", " "), f"{one.windows} of {review.windows}", format_percent(one.worst))
        for one in review.quality
    ]
    more = f", {len(rows) - _MOST_ROWS} more are in the record" if len(rows) > _MOST_ROWS else ""
    yield Table(("Column", "What", "Windows", "Worst"), tuple(rows[:_MOST_ROWS]), f"By how often it was seen{more}")


def _alerts(review: Review) -> Iterator[Block]:
    """Every alert of the time, how soon they were taken, and what is silenced."""
    tally = review.tally
    if review.alerts:
        rows = tuple(
            (
                f"{one.opened_at:%Y-%m-%d %H:%M}" if one.opened_at else "–",
                one.severity.value,
                one.key,
                one.title,
                one.phase.value,
                one.taken_by or "–",
                {True: "yes", False: "no", None: "–"}[one.useful],
            )
            for one in review.alerts
        )
        yield Table(("Opened", "Severity", "Key", "What", "State", "Taken by", "Of use"), rows)
    taken = (
        "nobody took one"
        if tally.taken_after_s is None
        else f"half were taken within {tally.taken_after_s / 3600:.1f} h"
    )
    yield Prose(f"{tally.opened} opened, {tally.ended} ended, {tally.still_open} are open; {taken}.")
    if tally.silences:
        yield Prose("\n".join(f"- silent: {one}" for one in tally.silences))


def _events(review: Review) -> Block:
    if not review.events:
        return Prose("None.")
    rows = tuple(
        (f"{MARK}{number}", f"{one.at:%Y-%m-%d %H:%M}", one.kind, one.title, one.actor)
        for number, one in enumerate(review.events, start=1)
    )
    return Table(("Mark", "At", "Kind", "What", "Who"), rows)
