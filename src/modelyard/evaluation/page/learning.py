"""Curves of training: the winner by the number of rows, and the trials by the parameter that matters most."""

from modelyard.problem import metric_spec
from modelyard.report import (
    Block,
    Details,
    Prose,
    Section,
    Series,
    Table,
    format_number,
    format_percent,
    format_range,
    line_chart,
)
from modelyard.training.curves import LearningCurve, ValidationCurve, WeightComparison
from modelyard.training.records import TrainingRun

__all__ = ["learning_section", "tuning_block", "weights_block"]


def learning_section(run: TrainingRun) -> Section | None:
    """The learning curve, its forecasts, and what it says about the fit."""
    curve = run.learning_curve
    if curve is None:
        return None
    blocks: list[Block] = []
    if curve.points:
        blocks = [_chart(curve, run.winner), Prose(curve.diagnosis), _forecasts(curve)]
    return Section("Would more data help?", tuple(blocks), curve.answer)


def _chart(curve: LearningCurve, winner: str) -> Block:
    points, title = curve.points, metric_spec(curve.metric).title
    rows = [point.rows for point in points]
    series = (
        Series(
            "rows held out",
            rows,
            [point.held for point in points],
            [point.held_low for point in points],
            [point.held_high for point in points],
        ),
        Series(
            "rows learnt from",
            rows,
            [point.train for point in points],
            [point.train_low for point in points],
            [point.train_high for point in points],
        ),
    )
    return line_chart(
        series, title=f"{winner} by the number of rows", x_label="rows learnt from", y_label=title
    ).with_caption(
        "Means over folds with 90 % intervals. Where the lines have met, more rows of this kind bring little."
    )


def _forecasts(curve: LearningCurve) -> Table:
    title = metric_spec(curve.metric).title
    rows = tuple(
        (
            f"{item.times} × {curve.rows:,}",
            format_number(item.score),
            format_number(item.gain),
            format_range(item.low, item.high),
        )
        for item in curve.forecasts
    )
    law = ""
    if curve.law is not None:
        _, drop, exponent = curve.law
        law = f" The fitted error falls with the rows to the power of -{exponent:.2f}; {format_number(drop)} of it can still go."
    caption = (
        f"An improvement of {format_number(curve.margin)} would matter: 2 % of the lead over the naive answer.{law}"
    )
    return Table(("training rows", title, "improvement", "90 % interval"), rows, caption, (1, 2, 3))


def tuning_block(curve: ValidationCurve) -> Details:
    """The trials of tuning by the parameter that matters most, folded."""
    trials = curve.trials
    series = [
        Series(
            "rows held out",
            range(len(trials)),
            [trial.score for trial in trials],
            [trial.score - trial.sd for trial in trials],
            [trial.score + trial.sd for trial in trials],
        )
    ]
    learnt = {place: trial.train for place, trial in enumerate(trials) if trial.train is not None}
    if learnt:
        series.append(Series("rows learnt from", list(learnt), list(learnt.values())))
    chart = line_chart(
        series,
        title=f"{curve.family} by {curve.parameter}",
        x_label=f"{curve.parameter}, in order of its values",
        y_label=metric_spec(curve.metric).title,
        x_names=[format_number(trial.value) for trial in trials],
    ).with_caption(
        "Each trial's mean ± standard deviation over folds. The other parameters moved too: this is what the trials show, "
        "not an experiment."
    )
    words = (Prose(curve.diagnosis),) if curve.diagnosis else ()
    return Details(f"Tuning: {curve.answer}", (chart, *words))


def weights_block(found: WeightComparison) -> Details:
    """Class weights, resampling and a moved threshold against none, folded."""
    rows = tuple(
        (
            item.name,
            "" if number == 0 else f"{format_number(item.gain)} ± {format_number(item.standard_error)}",
            format_number(item.ranking),
            "–" if item.mean_prediction is None else format_percent(item.mean_prediction),
            *map(format_number, (item.log_loss, item.log_loss_calibrated, item.f1, item.f1_moved)),
        )
        for number, item in enumerate(found.remedies)
    )
    shifted = "set back to the true share" if found.corrected else "which weights and resampling shift on purpose"
    end = (
        f"{found.won or 'None of them'} took the winner's place"
        if found.corrected
        else "A comparison only: none of these can win"
    )
    gain = f"gain in {metric_spec(found.metric).title}"
    decided = ("macro F1", "macro F1, decision moved") if found.watched else ("F1 at 0.5", "F1, threshold moved")
    columns = ("model", gain, "PR AUC", "says", "log loss", "calibrated", *decided)
    rare = f"The rarest class, {found.watched!r}," if found.watched else "The rarer class"
    says = "its mean probability" if found.watched else "the mean probability"
    caption = (
        f"{rare} has {format_percent(found.rare_share)} of the rows; *says* is {says} before calibration, "
        f"{shifted}. Gains are paired differences with their standard error, calibrated. "
        f"Means over folds; calibration and threshold are learnt on the other folds. {end}."
    )
    return Details(f"Imbalance: {found.answer}", (Table(columns, rows, caption, (1, 2, 3, 4, 5, 6, 7)),))
