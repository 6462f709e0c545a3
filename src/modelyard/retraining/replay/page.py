"""A replay as a page: the answer, the table, and each policy over time with its retrainings."""

from collections.abc import Iterator

from modelyard.problem import metric_spec
from modelyard.report import (
    MARK,
    Block,
    Details,
    Page,
    Prose,
    Section,
    Series,
    Table,
    format_number,
    interval_chart,
    line_chart,
)
from modelyard.retraining.replay.records import PolicyResult, Replay, Step

__all__ = ["COLUMNS", "replay_page", "table_rows"]

COLUMNS = ("policy", "metric", "over never", "by retraining", "retrainings", "promotions", "rows fitted", "seconds")
"""Of the table of policies; with costs ``money over never`` stands after the metric's columns."""

_MONEY = "money over never"
_MONEY_PLACE = 4
_MOST_STEPS = 200


def replay_page(replay: Replay) -> Page:
    """The page; ``render_html`` or ``render_markdown`` make a file of it."""
    sections = [
        Section("What to do", (Prose(f"**{replay.recommendation}**"), _table(replay))),
        Section("Over time", tuple(_over_time(replay)), _LEAD),
        Section("When and why", tuple(_steps(result) for result in replay.results if result.policy.retrains)),
    ]
    days, delay = replay.period_s / 86_400, replay.label_delay_s / 86_400
    return Page(
        f"Replay of {replay.model}",
        f"{replay.since:%Y-%m-%d} to {replay.until:%Y-%m-%d}, {replay.rows:,} rows after the first {replay.rows_first:,}",
        tuple(sections),
        f"Every model is {replay.family}, {replay.configuration}, without a search. Periods of {days:g} days; labels come after "
        f"{delay:g} days. Intervals are bootstrapped over periods.",
    )


_LEAD = (
    "A line stands where a challenger took over. Between two retrainings nothing but the world changes, so a line that falls "
    "alone shows what it costs to wait."
)


def table_rows(replay: Replay) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Headings and rows of the table of policies, for the page and for the terminal."""
    paid = any(result.money is not None for result in replay.results)
    heads = list(COLUMNS)
    rows = [list(_row(result)) for result in replay.results]
    if paid:
        heads.insert(_MONEY_PLACE, f"{_MONEY} ({replay.currency})")
        for row, result in zip(rows, replay.results, strict=True):
            gain = result.money_gain
            row.insert(
                _MONEY_PLACE, "–" if gain is None else f"{gain.value:+,.0f} ({gain.low:+,.0f} to {gain.high:+,.0f})"
            )
    return tuple(heads), tuple(tuple(row) for row in rows)


def _row(result: PolicyResult) -> Iterator[str]:
    gain, each = result.gain, result.gain_per_retraining
    yield result.policy.name
    yield f"{format_number(result.value)} ({format_number(result.low)} to {format_number(result.high)})"
    yield "–" if gain is None else f"{gain.value:+.4f} ({gain.low:+.4f} to {gain.high:+.4f})"
    yield "–" if each is None else f"{each:+.5f}"
    yield str(result.retrainings)
    yield str(result.promotions)
    yield f"{result.rows_fitted:,}"
    yield f"{result.seconds:.1f}"


def _table(replay: Replay) -> Table:
    heads, rows = table_rows(replay)
    words = "; ".join(f"{result.policy.name}: {result.policy.words}" for result in replay.results)
    title = metric_spec(replay.metric).title
    return Table(heads, rows, f"Metric: {title}. {words}.", numeric=tuple(range(1, len(heads))))


def _over_time(replay: Replay) -> Iterator[Block]:
    title = metric_spec(replay.metric).title
    never = next(result for result in replay.results if not result.policy.retrains)
    measured = [result for result in replay.results if result.value is not None]
    if measured:
        ends = [[result.value or 0, result.low or 0, result.high or 0] for result in measured]
        values, lows, highs = zip(*ends, strict=True)
        names = [result.policy.name for result in measured]
        yield interval_chart(names, values, lows, highs, title=f"{title} over the whole replay")
    for result in replay.results:
        if result.policy.retrains:
            yield _chart(result, never, title)


def _chart(result: PolicyResult, never: PolicyResult, title: str) -> Block:
    """One policy beside never, period by period."""
    places = [float(place) for place in range(len(result.steps))]
    names = [f"{step.start:%Y-%m-%d}{MARK + str(step.champion + 1) if step.promoted else ''}" for step in result.steps]
    lines = [Series(one.policy.name, places, [_value(step) for step in one.steps]) for one in (result, never)]
    return line_chart(
        lines, title=f"{result.policy.name}: {title} by period", x_label="period", y_label=title, x_names=names
    )


def _value(step: Step) -> float:
    return float("nan") if step.value is None else step.value


def _steps(result: PolicyResult) -> Details:
    """The retrainings of a policy, each with what pulled it and what the gates said."""
    tried = [step for step in result.steps if step.retrained]
    rows = tuple(
        (f"{step.end:%Y-%m-%d}", " ".join(step.pulled), "took over" if step.promoted else "champion stayed", step.said)
        for step in tried[:_MOST_STEPS]
    )
    more = f" The first {_MOST_STEPS} are shown." if len(tried) > _MOST_STEPS else ""
    count = f"{len(tried)} retraining" + ("" if len(tried) == 1 else "s")
    table = Table(("end of period", "pulled", "outcome", "the gates"), rows, f"{result.policy.words}.{more}")
    return Details(f"{result.policy.name}: {count}, {result.promotions} promoted", (table,))
