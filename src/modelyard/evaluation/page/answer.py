"""Good enough, by which number, against what; why this winner; what it is worth."""

import math

from modelyard.core import Severity
from modelyard.evaluation.money import format_amount
from modelyard.evaluation.page.choice import choice_blocks
from modelyard.evaluation.page.learning import tuning_block, weights_block
from modelyard.evaluation.records import Evaluation, MetricValue, SystemScores
from modelyard.evaluation.systems import EXISTING, NAIVE, WINNER
from modelyard.features import SelectionReport
from modelyard.problem import Problem, metric_spec
from modelyard.report import (
    Block,
    Details,
    Fact,
    Facts,
    Prose,
    Section,
    Table,
    format_number,
    format_range,
    interval_chart,
)
from modelyard.training.records import TrainingRun

__all__ = ["answer_section", "compact_interval", "judged_rows", "winner_section", "worth_section"]

_NAMES = {WINNER: "winner", NAIVE: "naive answer", EXISTING: "existing system"}


def judged_rows(evaluation: Evaluation) -> str:
    """Which rows the figures rest on, in words."""
    account = evaluation.account
    if evaluation.measured_on == "test":
        return f"{account.test_rows:,} sealed test rows"
    if evaluation.measured_on == "validation":
        return f"{account.validation_rows:,} validation rows"
    return "held-out training rows"


def answer_section(evaluation: Evaluation, problem: Problem) -> Section:
    """One sentence, the key figures, and every metric of every system."""
    blocks: list[Block] = [Facts(_facts(evaluation, problem)), _systems_chart(evaluation), _metrics_table(evaluation)]
    if evaluation.comparisons:
        blocks.append(Details("The winner against each of the others, row by row", (_comparisons(evaluation),)))
    if evaluation.test and evaluation.validation:
        blocks.append(
            Details("The same figures on validation rows", (_table(evaluation.validation, "Validation rows"),))
        )
    return Section("Is it good enough?", tuple(blocks), answer_sentence(evaluation))


def answer_sentence(evaluation: Evaluation) -> str:
    """The answer, the number it rests on, and what that is against."""
    primary = _primary(evaluation, WINNER)
    title = metric_spec(evaluation.metric).title
    figure = f"{title} is {_with_interval(primary)} on {judged_rows(evaluation)}"
    against = " and ".join(
        f"{format_number(value.value)} for the {_NAMES[name]}"
        for name in (NAIVE, EXISTING)
        if (value := _primary(evaluation, name)) is not None and value.value is not None
    )
    figure = f"{figure}, against {against}" if against else figure
    errors = [finding for finding in evaluation.findings if finding.severity is Severity.ERROR]
    if errors:
        return f"**No.** {errors[0].message} ({figure}.)"
    if not evaluation.test:
        return f"**So it seems, but the test part is still sealed.** {figure}."
    return f"**Yes, by what was asked for.** {figure}."


def _primary(evaluation: Evaluation, system: str) -> MetricValue | None:
    scores = evaluation.scores_of(system)
    return scores.metric(evaluation.metric) if scores else None


def _with_interval(value: MetricValue | None) -> str:
    if value is None or value.value is None:
        return format_number(None)
    if value.low is None:
        return format_number(value.value)
    return f"{format_number(value.value)} ({format_range(value.low, value.high)})"


def compact_interval(value: float | None, low: float | None, high: float | None) -> str:
    """A figure with its interval in few characters, for tables.

    >>> compact_interval(0.85493, 0.8268, 0.87671), compact_interval(71.23, 68.1, None)
    ('0.855 (0.827–0.877)', '71.2')
    """
    if value is None or not math.isfinite(value):
        return format_number(None)
    size = max(abs(end) for end in (value, low, high) if end is not None)
    decimals = 3 if size < 10 else 1 if size < 1000 else 0
    if low is None or high is None:
        return f"{value:,.{decimals}f}"
    dash = "–" if low >= 0 else " to "
    return f"{value:,.{decimals}f} ({low:,.{decimals}f}{dash}{high:,.{decimals}f})"


def _facts(evaluation: Evaluation, problem: Problem) -> tuple[Fact, ...]:
    primary = _primary(evaluation, WINNER)
    interval = f"{100 * (evaluation.confidence if evaluation.test else 0.95):.4g} % interval "
    facts = [
        Fact(
            metric_spec(evaluation.metric).title,
            format_number(primary.value if primary else None),
            interval + format_range(primary.low, primary.high) if primary else "",
        )
    ]
    facts.extend(
        Fact(
            f"gain over the {_NAMES[comparison.against]}",
            f"{comparison.difference:+.3g}",
            f"{metric_spec(comparison.metric).title}, {format_range(comparison.low, comparison.high)}",
        )
        for comparison in evaluation.comparisons
    )
    if evaluation.money is not None and evaluation.money.per_year is not None:
        amount = format_amount(evaluation.money.per_year, evaluation.money.currency)
        facts.append(Fact("a year", amount, f"against {evaluation.money.against}"))
    if evaluation.threshold is not None:
        facts.append(Fact("threshold", f"{evaluation.threshold.value:.3f}", _threshold_note(evaluation)))
    if problem.metrics.guardrails:
        kept = sum(guardrail.met for guardrail in evaluation.guardrails)
        bounds = "; ".join(f"{metric_spec(item.metric).title} {item.bound}" for item in evaluation.guardrails)
        facts.append(Fact("guardrails kept", f"{kept} of {len(evaluation.guardrails)}", bounds))
    facts.append(Fact("test part opened", _times(evaluation.openings), judged_rows(evaluation)))
    return tuple(facts)


def _times(openings: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(openings, f"{openings} times")


def _threshold_note(evaluation: Evaluation) -> str:
    choice = evaluation.threshold
    if choice is None:
        return ""
    return "from the costs" if choice.objective == "value" else f"best {metric_spec(choice.objective).title}"


def _systems_chart(evaluation: Evaluation) -> Block:
    """The primary metric of all systems, the winner stressed."""
    systems = [(scores, scores.metric(evaluation.metric)) for scores in reversed(evaluation.measured)]
    known = [(scores.name, value) for scores, value in systems if value is not None and value.value is not None]
    title = metric_spec(evaluation.metric).title
    naive = next((value.value for name, value in known if name == NAIVE), None)
    return interval_chart(
        [f"winner: {evaluation.winner}" if name == WINNER else _NAMES[name] for name, _ in known],
        [_number(value.value) for _, value in known],
        [_number(value.low) for _, value in known],
        [_number(value.high) for _, value in known],
        title=f"{title} on {judged_rows(evaluation)}",
        reference=naive,
        highlight=0,
    ).with_caption(
        f"Dots are figures, lines their bootstrap intervals. {'More' if _rises(evaluation) else 'Less'} is better; the "
        "dashed line is the naive answer."
    )


def _comparisons(evaluation: Evaluation) -> Table:
    """Each paired difference by the bootstrap, and by a formula where there is one."""
    rows = []
    for item in evaluation.comparisons:
        what = f"{_NAMES.get(item.against, item.against)}, {metric_spec(item.metric).title}"
        gain = compact_interval(item.difference, item.low, item.high)
        rows.append((what, "paired bootstrap", gain, _chance(item.p_value), item.verdict))
        rows += [
            (what, test.name, compact_interval(test.difference, test.low, test.high), _chance(test.p_value), test.note)
            for test in item.tests
        ]
    caption = "Gains are improvements, whichever way the metric goes; chance is two-sided, of no difference at all."
    return Table(("against, by", "test", "gain", "chance", "says"), tuple(rows), caption, (2, 3))


def _chance(p_value: float | None) -> str:
    return format_number(None if p_value is None else float(f"{p_value:.2g}"))


def _rises(evaluation: Evaluation) -> bool:
    return metric_spec(evaluation.metric).greater_is_better


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _metrics_table(evaluation: Evaluation) -> Block:
    cut = "; labels are decided at the threshold" if evaluation.threshold is not None else ""
    return _table(evaluation.measured, f"Every metric on {judged_rows(evaluation)}{cut}.")


def _table(systems: tuple[SystemScores, ...], caption: str) -> Table:
    ordered = tuple(reversed(systems))
    rows = []
    for metric in ordered[0].metrics:
        arrow = "↑" if metric.greater_is_better else "↓"
        title = metric_spec(metric.name).title.split(" (")[0]
        values = (system.metric(metric.name) for system in ordered)
        cells = (compact_interval(value.value, value.low, value.high) if value else "" for value in values)
        rows.append((f"{title}\u00a0{arrow}", *cells))
    names = tuple(_NAMES[system.name] for system in ordered)
    return Table(("metric", *names), tuple(rows), caption, tuple(range(1, len(names) + 1)))


def winner_section(evaluation: Evaluation, run: TrainingRun) -> Section:
    """The leaderboard of the folds, with the baselines among the candidates."""
    spec = metric_spec(run.metric)
    done = [candidate for candidate in run.candidates if candidate.mean is not None]
    done.sort(key=lambda candidate: (candidate.mean or 0.0) * (-1 if spec.greater_is_better else 1))
    names = [candidate.name for candidate in done]
    means = [candidate.mean or 0.0 for candidate in done]
    spreads = [candidate.sd or 0.0 for candidate in done]
    chart = interval_chart(
        names,
        means,
        [mean - sd for mean, sd in zip(means, spreads, strict=True)],
        [mean + sd for mean, sd in zip(means, spreads, strict=True)],
        title=f"{spec.title} over {run.folds} folds, mean ± standard deviation",
        highlight=names.index(run.winner) if run.winner in names else None,
    )
    rows = tuple(
        (
            candidate.name,
            str(candidate.role),
            format_number(candidate.mean),
            format_number(candidate.sd),
            format_number(round(candidate.fit_seconds, 2)),
            format_number(candidate.predict_ms),
        )
        for candidate in done
    )
    table = Table(("candidate", "role", spec.title, "± sd", "fit, s", "one row, ms"), rows, numeric=(2, 3, 4, 5))
    failed = [item for item in run.candidates if item.mean is None]
    lost = "\n".join(f"- `{item.name}`: {item.error or item.status}" for item in failed)
    blocks: list[Block] = [chart, Details("All candidates with times", (table,))]
    if failed:
        blocks.append(Prose(f"Not in the race:\n\n{lost}"))
    blocks += choice_blocks(run)
    if run.validation_curve is not None:
        blocks.append(tuning_block(run.validation_curve))
    if run.weights is not None:
        blocks.append(weights_block(run.weights))
    if run.selection is not None:
        blocks.append(_selection_block(run.selection))
    return Section(f"Why {evaluation.winner}?", tuple(blocks), run.why)


def _selection_block(selection: SelectionReport) -> Block:
    """Which columns the winner does without, and how often each was chosen."""
    kept = set(selection.kept)
    rows = tuple(
        (name, "kept" if name in kept else "left out", f"{times} of {selection.folds}")
        for name, times in sorted(selection.times.items(), key=lambda item: (item[0] not in kept, -item[1]))
    )
    return Details(f"Selection: {selection.sentence}", (Table(("column", "final model", "folds"), rows),))


def worth_section(evaluation: Evaluation, problem: Problem) -> Section | None:
    """Money against today's process, and the threshold with what other thresholds would give."""
    money, choice = evaluation.money, evaluation.threshold
    if money is None and choice is None:
        return None
    blocks: list[Block] = []
    if choice is not None:
        interval = f"Held-out rows pin the best threshold down to {format_range(choice.low, choice.high)}."
        blocks.append(Prose(f"**Threshold {choice.value:.3f}.** {choice.reason} {interval}"))
        blocks.append(_alternatives(evaluation, problem))
    if money is None:
        lead = "No prices are declared under `costs`, so nobody can say what the model is worth."
    else:
        lead = f"{money.sentence} (On {judged_rows(evaluation)}.)"
    return Section("What is it worth?", tuple(blocks), lead)


def _alternatives(evaluation: Evaluation, problem: Problem) -> Table:
    choice = evaluation.threshold
    if choice is None:
        return Table((), ())
    if choice.objective == "value":
        column, caption = (
            f"{choice.currency} per case",
            "What other thresholds would give on the rows it was chosen on.",
        )
    else:
        column = metric_spec(choice.objective).title
        caption = f"{column} at other thresholds, on the rows it was chosen on."
    volume = problem.costs.volume_per_year if choice.objective == "value" else None
    rows = tuple(
        (
            item.name,
            format_number(None) if item.threshold is None else f"{item.threshold:.3f}",
            format_number(item.value),
            *(() if volume is None else (format_amount(item.value * volume, choice.currency or ""),)),
        )
        for item in choice.alternatives
    )
    columns = ("decision", "threshold", column, *(() if volume is None else ("a year",)))
    return Table(columns, rows, caption, tuple(range(1, len(columns))))
