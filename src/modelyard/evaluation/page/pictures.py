"""The standard pictures of the task."""

from collections.abc import Mapping
from typing import Any

from modelyard.evaluation.page.answer import judged_rows
from modelyard.evaluation.page.boundary import boundary_blocks
from modelyard.evaluation.records import Evaluation
from modelyard.problem import Task
from modelyard.report import (
    Block,
    Details,
    Section,
    Series,
    format_number,
    histogram_chart,
    line_chart,
    scatter_chart,
)

__all__ = ["pictures_section"]


def pictures_section(evaluation: Evaluation) -> Section | None:
    """Calibration and ranking curves, or residuals."""
    if not evaluation.curves:
        return None
    if evaluation.task is Task.REGRESSION:
        blocks, lead = _regression(evaluation.curves), "Errors by size of the prediction, and how they are spread."
    elif evaluation.task is Task.MULTICLASS:
        blocks, lead = _multiclass(evaluation.curves), _calibration_lead(evaluation.curves)
    else:
        blocks, lead = _binary(evaluation.curves), _calibration_lead(evaluation.curves)
    drawn = f"{lead} Drawn on {judged_rows(evaluation)}."
    return Section("Can its numbers be trusted?", (*blocks, *boundary_blocks(evaluation)), drawn)


def _calibration_lead(curves: Mapping[str, Any]) -> str:
    error = curves["calibration"]["error"]
    return f"Predicted probabilities miss the observed shares by {format_number(round(error, 4))} on average."


def _binary(curves: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [_calibration(curves["calibration"], "observed share of positives")]
    histogram = curves["histogram"]
    blocks.append(
        histogram_chart(
            histogram["edges"], histogram["counts"], title="Scores by actual class", x_label="predicted probability"
        ).with_caption("The less the two overlap, the better the model tells them apart.")
    )
    folded: list[Block] = []
    if roc := curves.get("roc"):
        series = Series("winner", roc["false_positive_rate"], roc["true_positive_rate"])
        folded.append(
            line_chart(
                [series],
                title=f"ROC curve, area {format_number(roc['area'])}",
                x_label="share of negatives called positive",
                y_label="share of positives found",
                diagonal=True,
            ).with_caption("The diagonal is guessing.")
        )
    if curve := curves.get("pr"):
        folded.append(
            line_chart(
                [Series("winner", curve["recall"], curve["precision"])],
                title="Precision and recall",
                x_label="recall: share of positives found",
                y_label="precision",
                y_range=(0.0, 1.0),
                reference=curve["base_rate"],
            ).with_caption("The dashed line is the share of positives: the precision of guessing.")
        )
    if gain := curves.get("gain"):
        folded.append(
            line_chart(
                [Series("winner", gain["share_of_rows"], gain["share_of_positives"])],
                title="Gain",
                x_label="share of rows, highest scores first",
                y_label="share of all positives found",
                diagonal=True,
            ).with_caption("How many of the positives are reached by acting on a part of the rows.")
        )
    return [*blocks, Details("ROC, precision and recall, gain", tuple(folded))] if folded else blocks


def _calibration(points: Mapping[str, Any], y_label: str) -> Block:
    series = Series("observed", points["predicted"], points["observed"], points["low"], points["high"])
    return line_chart(
        [series], title="Calibration", x_label="predicted probability", y_label=y_label, diagonal=True
    ).with_caption("Ten bins of equal size with 95 % intervals; on the diagonal, a probability means what it says.")


def _multiclass(curves: Mapping[str, Any]) -> list[Block]:
    blocks: list[Block] = [_calibration(curves["calibration"], "share of right decisions")]
    known = {name: curve for name, curve in curves["roc"].items() if curve}
    if known:
        series = [
            Series(
                f"{name} ({format_number(curve['area'])})", curve["false_positive_rate"], curve["true_positive_rate"]
            )
            for name, curve in list(known.items())[:6]
        ]
        chart = line_chart(
            series,
            title="ROC curve of each class against the others",
            x_label="share of the others called so",
            y_label="share of the class found",
            diagonal=True,
        )
        blocks.append(Details("ROC curves by class", (chart.with_caption("Areas in brackets."),)))
    return blocks


def _regression(curves: Mapping[str, Any]) -> list[Block]:
    points, bins, histogram = curves["residuals"], curves["calibration"], curves["histogram"]
    return [
        scatter_chart(
            points["predicted"],
            points["actual"],
            title="Predicted and actual",
            x_label="predicted",
            y_label="actual",
            diagonal=True,
        ).with_caption("At most 200 rows; on the line the prediction is right."),
        line_chart(
            [Series("mean absolute error", bins["predicted"], bins["mean_absolute_error"])],
            title="Error by size of the prediction",
            x_label="predicted, mean of ten bins",
            y_label="mean absolute error",
        ).with_caption("Where the model is least to be relied on."),
        histogram_chart(
            histogram["edges"], histogram["counts"], title="Residuals", x_label="actual minus predicted"
        ).with_caption(
            "Centred on 0 if the model is neither too high nor too low; the outermost 1 % are in the end bins."
        ),
    ]
