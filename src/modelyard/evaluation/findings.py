"""What a reader must not miss: bounds broken, gains not shown, weak segments, and figures that flatter."""

import itertools
from collections.abc import Iterator

from modelyard.core import Finding, Severity
from modelyard.evaluation.conformal import region_findings
from modelyard.evaluation.experts.findings import expert_findings
from modelyard.evaluation.periods import trend_findings
from modelyard.evaluation.quantiles import quantile_findings
from modelyard.evaluation.reasons.findings import reasons_findings
from modelyard.evaluation.records import Evaluation, MetricValue, SegmentScore
from modelyard.evaluation.systems import NAIVE, WINNER
from modelyard.problem import Task, metric_spec
from modelyard.report import format_number
from modelyard.training.records import TrainingRun

__all__ = ["evaluation_findings", "run_findings"]

_CALIBRATION_GAP = 0.03
_CALIBRATION_BINS = 3
_FOUR_FIFTHS = 0.8
_RATE_GAP = 0.1
_CHANCE = 0.05
_FEW_ROWS = 50
_FEW_POSITIVES = 20
_FEW_UNITS = 20
_IMBALANCED, _RARE = 0.2, 0.05
_DOMINANT_SHARE = 0.8
_TOO_GOOD = 0.999
_TURNED_BY_ONE_FIELD, _TURNED_BY_NOISE = 0.2, 0.1
_RANKING = "; but ranking within one segment is harder than across all."


def evaluation_findings(evaluation: Evaluation, *, time: str | None = None) -> tuple[Finding, ...]:
    """All findings about ``evaluation``, in the order in which a reader should take them.

    Parameters
    ----------
    time
        The declared time column, which may well dominate: hours and seasons are no leak.
    """
    checks = (
        _guardrails,
        _baselines,
        _metric,
        _money,
        _perfect,
        _gap,
        _calibration,
        _segments,
        _slices,
        _fairness,
        _robustness,
        _beside,
        _account,
    )
    found = itertools.chain.from_iterable(check(evaluation) for check in checks)
    regions = region_findings(evaluation.regions, evaluation.measured_on)
    quantiles = quantile_findings(evaluation.quantiles, evaluation.measured_on)
    return (*found, *regions, *quantiles, *trend_findings(evaluation.stability), *_dominance(evaluation, time))


def run_findings(run: TrainingRun) -> Iterator[Finding]:
    """What the making of the winner says about it: whether its score hangs on the fold, or on the seed of fitting."""
    folds, seeds = run.by_fold, run.seeds
    if folds is not None and folds.unstable:
        yield Finding(
            "unstable-by-fold",
            Severity.WARNING,
            folds.winner,
            folds.sentence,
            "What it scores on average it may not score on the next rows: some of them it knows much better than others.",
            "Look at the folds' rows: groups or times that were not declared, a few extreme values, or segments to report apart.",
            {"chance": folds.chance, "beyond": folds.beyond},
            "T3",
        )
    if seeds is None or not seeds.unstable:
        return
    mended = seeds.averaged > 1
    yield Finding(
        "unstable-by-seed",
        Severity.INFO if mended else Severity.WARNING,
        seeds.winner,
        seeds.sentence,
        "A model that another seed makes another one gives other answers to the same rows after each retraining.",
        "The mean of several seeds is used; keep training.seeds as it is."
        if mended
        else "Set training.seeds to 5 or more, choose a steadier family, or bring more rows.",
        {"by_seed": seeds.by_seed, "by_fold": seeds.by_fold, "seeds": len(seeds.scores), "averaged": seeds.averaged},
        "T3",
    )


def _winner(evaluation: Evaluation, metric: str) -> MetricValue | None:
    scores = evaluation.scores_of(WINNER)
    return scores.metric(metric) if scores else None


def _guardrails(evaluation: Evaluation) -> Iterator[Finding]:
    for guardrail in evaluation.guardrails:
        title = metric_spec(guardrail.metric).title
        shown = f"{title} is {format_number(guardrail.value)} on {evaluation.measured_on}"
        evidence = {"value": guardrail.value, "bound": guardrail.bound}
        if not guardrail.met:
            yield Finding(
                "guardrail-not-met",
                Severity.ERROR,
                guardrail.metric,
                f"{shown}; the project file asks for {guardrail.bound}.",
                "A guardrail is a promise to those who use the model.",
                "Improve the model, or change the bound in the project file and record why.",
                evidence,
                "P3",
            )
        elif _straddles(_winner(evaluation, guardrail.metric), guardrail.limit):
            yield Finding(
                "guardrail-uncertain",
                Severity.INFO,
                guardrail.metric,
                f"{shown} and keeps {guardrail.bound}, but its interval reaches beyond the bound.",
                "On other rows of the same kind the bound may be broken.",
                "Bring more rows for a sharper figure, or keep watching it in production.",
                evidence,
                "P3",
            )


def _straddles(metric: MetricValue | None, limit: float) -> bool:
    return (
        metric is not None and metric.low is not None and metric.high is not None and metric.low < limit < metric.high
    )


def _baselines(evaluation: Evaluation) -> Iterator[Finding]:
    for comparison in evaluation.comparisons:
        if comparison.verdict == "better":
            continue
        title = metric_spec(comparison.metric).title
        naive = comparison.against == NAIVE
        severity = Severity.ERROR if naive or comparison.verdict == "worse" else Severity.WARNING
        yield Finding(
            "not-better-than-naive" if naive else "not-better-than-existing",
            severity,
            comparison.metric,
            f"{title} of the winner is {format_number(comparison.challenger)}, of the {comparison.against} "
            f"{'answer ' if naive else ''}{format_number(comparison.champion)}; the difference of "
            f"{format_number(comparison.difference)} ({format_number(comparison.low)} to "
            f"{format_number(comparison.high)}) is {'a loss' if comparison.verdict == 'worse' else 'within noise'}.",
            "A model that does not beat what is there already costs more than it brings.",
            "Look for columns that say more about the target, or for more rows; do not deploy this model."
            if severity is Severity.ERROR
            else "Decide whether other reasons speak for the model, or bring more rows.",
            {"low": comparison.low, "high": comparison.high, "p_value": comparison.p_value, "rows": comparison.rows},
            "P5" if naive else "E11",
        )


def _metric(evaluation: Evaluation) -> Iterator[Finding]:
    """A primary metric that looks good whatever the model does (P4)."""
    if not evaluation.confusion:
        return
    sizes = [sum(row) for row in evaluation.confusion]
    rarest, most = min(sizes) / max(sum(sizes), 1), max(sizes) / max(sum(sizes), 1)
    if evaluation.metric == "accuracy" and rarest < _IMBALANCED:
        seen, better = f"calling every row the most frequent class reaches an accuracy of {most:.1%}", "mcc or log_loss"
    elif evaluation.metric == "roc_auc" and evaluation.task is Task.BINARY and rarest < _RARE:
        seen, better = f"only {rarest:.1%} of the rows are of the rarer class", "pr_auc"
    else:
        return
    yield Finding(
        "metric-hides-the-problem",
        Severity.WARNING,
        evaluation.metric,
        f"The primary metric is {metric_spec(evaluation.metric).title}, and {seen}.",
        "A high figure says little about the rare class that is asked for.",
        f"Set metrics.primary to {better}, or add it as a guardrail.",
        {"rarest_share": rarest, "largest_share": most},
        "P4",
    )


def _money(evaluation: Evaluation) -> Iterator[Finding]:
    money = evaluation.money
    if money is None or money.per_case_low > 0:
        return
    worse = money.per_case_high < 0
    yield Finding(
        "costs-money" if worse else "gain-not-shown",
        Severity.ERROR if worse else Severity.WARNING,
        "costs",
        money.sentence,
        "The model is meant to pay.",
        "Check the prices under costs; if they are right, the model must become better before it is worth its upkeep.",
        {"per_case": money.per_case, "low": money.per_case_low, "high": money.per_case_high},
        "P6",
    )


def _perfect(evaluation: Evaluation) -> Iterator[Finding]:
    """A figure without a fault: a leak, or rows too few to show a mistake."""
    primary = _winner(evaluation, evaluation.metric)
    if primary is None or primary.value is None or not primary.greater_is_better or primary.value < _TOO_GOOD:
        return
    yield Finding(
        "too-good-to-be-true",
        Severity.WARNING,
        evaluation.metric,
        f"{metric_spec(evaluation.metric).title} is {format_number(primary.value)} on {evaluation.measured_on}.",
        "Hardly any real question has so clear an answer, and intervals cannot show mistakes that did not occur yet.",
        "Look for columns that know the answer, and for rows of one case on both sides of the split.",
        {"value": primary.value},
        "D9",
    )


def _gap(evaluation: Evaluation) -> Iterator[Finding]:
    """Test figures outside what validation led to expect."""
    before = next((scores for scores in evaluation.validation if scores.name == WINNER), None)
    old = before.metric(evaluation.metric) if before else None
    new = _winner(evaluation, evaluation.metric)
    if not evaluation.test or old is None or new is None or None in (old.value, old.low, old.high, new.value):
        return
    sign = 1 if old.greater_is_better else -1
    expected = old.low if old.greater_is_better else old.high
    if sign * ((new.value or 0.0) - (expected or 0.0)) >= 0:
        return
    yield Finding(
        "validation-test-gap",
        Severity.WARNING,
        evaluation.metric,
        f"{metric_spec(evaluation.metric).title} is {format_number(new.value)} on test, outside the validation interval "
        f"{format_number(old.low)} to {format_number(old.high)}.",
        "Either validation flattered the model, or the test rows differ from the others.",
        "Believe the test figure; compare the parts by time and by group for what changed.",
        {"validation": old.value, "test": new.value, "validation_low": old.low, "validation_high": old.high},
        "E12",
    )


def _calibration(evaluation: Evaluation) -> Iterator[Finding]:
    points = evaluation.curves.get("calibration")
    if not evaluation.task.is_classification or not points:
        return
    outside = sum(
        not low <= predicted <= high
        for predicted, low, high in zip(points["predicted"], points["low"], points["high"], strict=True)
    )
    if points["error"] < _CALIBRATION_GAP or outside < _CALIBRATION_BINS:
        return
    mean = sum(p * n for p, n in zip(points["predicted"], points["rows"], strict=True)) / sum(points["rows"])
    seen = sum(p * n for p, n in zip(points["observed"], points["rows"], strict=True)) / sum(points["rows"])
    yield Finding(
        "calibration-off",
        Severity.WARNING,
        evaluation.winner,
        f"Predicted probabilities miss the observed shares by {points['error']:.3f} on average; {outside} of "
        f"{len(points['rows'])} bins lie outside chance (mean predicted {mean:.3f}, observed {seen:.3f}).",
        "Thresholds from costs, and anybody who reads a score as a probability, rely on them.",
        "Use the scores for ranking only, or recalibrate them on recent rows.",
        {"error": points["error"], "bins_outside": outside, "mean_predicted": mean, "mean_observed": seen},
        "E3",
    )


def _segments(evaluation: Evaluation) -> Iterator[Finding]:
    """Segments whose whole interval is worse than the whole interval of all rows; none whose figure is chance."""
    overall = _winner(evaluation, evaluation.metric)
    if overall is None or overall.low is None or overall.high is None:
        return
    for segment in evaluation.segments:
        if segment.note or segment.low is None or segment.high is None:
            continue
        worse = segment.high < overall.low if overall.greater_is_better else segment.low > overall.high
        if worse:
            yield _weak_segment(segment, overall, evaluation.measured_on)


def _weak_segment(segment: SegmentScore, overall: MetricValue, part: str) -> Finding:
    return Finding(
        "weak-segment",
        Severity.WARNING,
        segment.column,
        f"{metric_spec(segment.metric).title} is {format_number(segment.score)} ({format_number(segment.low)} to "
        f"{format_number(segment.high)}) where {segment.column} is {segment.value} ({segment.rows:,} rows of {part}), "
        f"against {format_number(overall.value)} overall.",
        f"An average hides whom the model serves badly{_RANKING if 'auc' in segment.metric else '.'}",
        "Look at the mistakes there; bring more such rows, or columns that matter to them, or exclude them from use.",
        {"value": segment.value, "rows": segment.rows, "score": segment.score, "overall": overall.value},
        "E5",
    )


def _slices(evaluation: Evaluation) -> Iterator[Finding]:
    """One finding for the search, however many slices it found; those of the segments' columns are judged there."""
    search = evaluation.weak_slices
    segments = {(segment.column,) for segment in evaluation.segments}
    weak = [part for part in search.slices if part.columns not in segments] if search else []
    if search is None or not weak:
        return
    worst, more = weak[0], len(weak) - 1
    others = f" {more} more slice{'s are' if more > 1 else ' is'} weak." if more else ""
    yield Finding(
        "weak-slice",
        Severity.WARNING,
        worst.name,
        f"{metric_spec(search.metric).title} is {format_number(worst.score)} ({format_number(worst.low)} to "
        f"{format_number(worst.high)}) where {worst.name} ({worst.rows:,} rows of {search.part}), against "
        f"{format_number(search.score)} overall; chance, searched over {search.searched:,} slices: "
        f"{worst.p_value:.2g}.{others}",
        f"No segment shows these rows, and the average hides them{_RANKING if 'auc' in search.metric else '.'}",
        "Look at the mistakes there; declare the columns under segments to keep watching them on fresh rows.",
        {"rows": worst.rows, "score": worst.score, "overall": search.score, "p_value": worst.p_value},
        "E5",
    )


def _fairness(evaluation: Evaluation) -> Iterator[Finding]:
    """Protected groups that are selected, or recognised, much more rarely than others."""
    protected = [item for item in evaluation.segments if item.protected and item.rows >= _FEW_ROWS]
    chances = {(gap.column, gap.rate): gap.p_value for gap in evaluation.fairness}
    for column, items in itertools.groupby(protected, key=lambda item: item.column):
        groups = list(items)
        selected = [(group.selection_rate, group.value) for group in groups if group.selection_rate is not None]
        if len(selected) > 1 and min(selected)[0] < _FOUR_FIFTHS * max(selected)[0]:
            ends, chance = (min(selected), max(selected)), chances.get((column, "selection"))
            yield _unequal(column, "selection-rate-gap", "share called positive", ends, chance)
        for name, title, enough in (
            ("true_positive_rate", "share of real positives found", _positives),
            ("false_positive_rate", "share of real negatives called positive", _negatives),
        ):
            measured = [group for group in groups if getattr(group, name) is not None]  # binary tasks only
            rates = [(getattr(group, name), group.value) for group in measured if enough(group) >= _FEW_POSITIVES]
            if len(rates) > 1 and max(rates)[0] - min(rates)[0] > _RATE_GAP:
                chance = chances.get((column, name.removesuffix("_rate").replace("_", " ")))
                yield _unequal(column, name.replace("_", "-") + "-gap", title, (min(rates), max(rates)), chance)


def _positives(group: SegmentScore) -> float:
    return group.rows * (group.base_rate or 0.0)


def _negatives(group: SegmentScore) -> float:
    return group.rows * (1 - (group.base_rate or 0.0))


def _unequal(
    column: str, name: str, title: str, ends: tuple[tuple[float, str], tuple[float, str]], chance: float | None
) -> Finding:
    """A gap between two groups; a note only if groups dealt out at random are as far apart in one of twenty cases."""
    least, most = ends
    maybe_chance = chance is not None and chance > _CHANCE
    caveat = f"; with groups of this size it may be chance ({chance:.2f})" if maybe_chance else ""
    return Finding(
        name,
        Severity.INFO if maybe_chance else Severity.WARNING,
        column,
        f"The {title} is {least[0]:.1%} where {column} is {least[1]}, and {most[0]:.1%} where it is {most[1]}{caveat}.",
        "The column is declared as protected: differences may be unlawful, or may have a good reason.",
        "Find out which, and record the decision and its reason; the figures go to the card.",
        {
            "lowest": least[0],
            "lowest_value": least[1],
            "highest": most[0],
            "highest_value": most[1],
            **({} if chance is None else {"chance": chance}),
        },
        "E5",
    )


def _robustness(evaluation: Evaluation) -> Iterator[Finding]:
    """Columns without which many decisions turn, and decisions that noise turns."""
    tried = evaluation.robustness.disturbances if evaluation.robustness else ()
    what = "decisions" if evaluation.task.is_classification else "predictions"
    missing = [item for item in tried if item.kind == "missing" and (item.turned or 0.0) > _TURNED_BY_ONE_FIELD]
    if missing:
        missing.sort(key=lambda item: -(item.turned or 0.0))
        shares = ", ".join(f"{item.feature!r} {item.turned:.0%}" for item in missing[:5])
        more = f", and {len(missing) - 5} more columns" if len(missing) > 5 else ""
        yield Finding(
            "turned-by-a-missing-field",
            Severity.WARNING,
            missing[0].feature,
            f"A single missing field turns more than {_TURNED_BY_ONE_FIELD:.0%} of the {what}: {shares}{more}.",
            "A broken form or feed would change what is decided, without an error.",
            "Set `nullable: false` for these columns under data.contract, so that rows without them are rejected.",
            {item.feature: item.turned for item in missing},
            "E9",
        )
    for item in tried:
        if item.kind == "noise" and not item.feature and (item.turned or 0.0) > _TURNED_BY_NOISE:
            yield Finding(
                "turned-by-noise",
                Severity.WARNING,
                evaluation.winner,
                f"Noise of a tenth of their spread in all numbers turns {item.turned:.0%} of the {what}.",
                "Small errors of measurement decide, not the case itself.",
                "Prefer a smoother model, or measure the columns that matter more exactly.",
                {"turned": item.turned, "change": item.change},
                "E9",
            )


def _beside(evaluation: Evaluation) -> Iterator[Finding]:
    """The winner beside experts, other explanations, other models, and what was expected."""
    yield from expert_findings(evaluation.experts)
    yield from reasons_findings(evaluation.reasons, evaluation.task)


def _dominance(evaluation: Evaluation, time: str | None) -> Iterator[Finding]:
    helpful = [item for item in evaluation.importance if item.drop > 0]
    total = sum(item.drop for item in helpful)
    few = len(evaluation.importance) < 3 or not total
    if few or helpful[0].drop < _DOMINANT_SHARE * total or helpful[0].feature == time:
        return
    share = helpful[0].drop / total
    yield Finding(
        "dominant-column",
        Severity.WARNING,
        helpful[0].feature,
        f"Column {helpful[0].feature!r} alone carries {share:.0%} of the model's use of its columns.",
        "A single column that explains nearly everything often knows the answer from the future.",
        "Make sure that its value is known, and final, when the prediction is asked for; else exclude it.",
        {"share": share, "drop": helpful[0].drop},
        "D9",
    )


def _account(evaluation: Evaluation) -> Iterator[Finding]:
    account = evaluation.account
    if account.independent_units is not None and account.independent_units < _FEW_UNITS:
        yield Finding(
            "few-independent-units",
            Severity.WARNING,
            evaluation.measured_on,
            f"The figures rest on only {account.independent_units} independent groups or stretches of time.",
            "Rows of one group resemble each other; intervals from so few are too narrow.",
            "Bring rows of more groups, or a longer time.",
            {"units": account.independent_units},
            "E1",
        )
    if account.left_out:
        yield Finding(
            "unseen-class",
            Severity.ERROR,
            evaluation.measured_on,
            f"{account.left_out:,} rows are of classes that the model has never seen; no figure counts them.",
            "The model is wrong on every such row in production.",
            "Bring training rows of these classes, or merge them into others.",
            {"rows": account.left_out},
            "D3",
        )
    if evaluation.openings > 1:
        yield Finding(
            "test-opened-again",
            Severity.WARNING,
            "test",
            f"The sealed test part was opened {evaluation.openings} times; the intervals are widened to a confidence of "
            f"{evaluation.confidence:.2%}.",
            "Every look invites choices that fit these very rows.",
            "Stop tuning by these figures; seal fresh rows for the next decision.",
            {"openings": evaluation.openings, "confidence": evaluation.confidence},
            "D4",
        )
