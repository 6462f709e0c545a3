import datetime as dt

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import mean_squared_error, roc_auc_score

from modelyard.core import DataError
from modelyard.monitoring import PerformanceWindow, join_labels
from modelyard.monitoring.performance import judge_performance, tolerated_score
from modelyard.monitoring.windows import cut_windows
from modelyard.problem import Problem, declare_metrics

START = dt.datetime(2026, 11, 2, tzinfo=dt.UTC)
PREDICTIONS = pl.DataFrame({"id": ["a", "b", "c"], "score": [0.9, 0.2, 0.6]})


def _problem(task: str, metric: str, positive: str | None = None) -> Problem:
    data = {"source": "x.csv", "target": "y", "positive": positive}
    return Problem.model_validate({"task": task, "data": data, "metrics": {"primary": metric}})


def test_a_metric_of_ones_own_is_watched_like_the_others() -> None:
    """By its name, with its interval, against the package's value; here scikit-learn's own function."""
    own = {"path": "sklearn.metrics.max_error", "greater_is_better": False, "input": "value"}
    problem = Problem.model_validate(
        {
            "task": "regression",
            "data": {"source": "x.csv", "target": "y"},
            "metrics": {"primary": "worst", "custom": {"worst": own}},
        }
    )
    declare_metrics(problem.metrics.own(problem.task))
    truth = np.linspace(0, 10, 300)
    frame = pl.DataFrame({"truth": truth, "score": truth + np.where(np.arange(300) % 50 == 0, 3.0, 0.1)})
    quiet, loud = (_judge(frame, problem, reference=reference) for reference in (3.0, 1.0))

    assert quiet.value == pytest.approx(3.0)
    assert (quiet.alarm, loud.alarm) == (False, True)


def _judge(
    frame: pl.DataFrame, problem: Problem, *, reference: float | None, classes: tuple[str, ...] = ()
) -> PerformanceWindow:
    timed = frame.with_columns(at=pl.lit(START))
    window = cut_windows(timed, "batch", min_rows=10)[0]
    return judge_performance(window, problem, reference=reference, classes=classes)


def _binary(rows: int, noise: float) -> pl.DataFrame:
    generator = np.random.default_rng(4)
    score = generator.random(rows)
    truth = np.where(generator.random(rows) < np.where(generator.random(rows) < noise, 0.5, score), "Yes", "No")
    return pl.DataFrame({"score": score, "truth": truth, "label": truth})


def test_labels_are_joined_by_id_and_the_latest_counts() -> None:
    """Corrections win, unknown ids and empty rows are left out, and all of it is counted."""
    labels = pl.DataFrame(
        {
            "id": ["a", "b", "a", "x", "c", None, "b"],
            "label": ["No", "No", "Yes", "Yes", None, "Yes", "No"],
            "at": [START + dt.timedelta(hours=hour) for hour in (1, 1, 2, 1, 1, 1, 3)],
        }
    )
    joined, use = join_labels(PREDICTIONS, labels)

    assert joined.select("id", "truth").rows() == [("a", "Yes"), ("b", "No")]
    assert (use.received, use.used, use.empty) == (7, 2, 2)
    assert (use.repeated, use.conflicting, use.unknown_ids) == (2, 1, 1)
    assert use.coverage == pytest.approx(2 / 3)


def test_labels_without_times_count_in_their_order() -> None:
    """The last row of an id wins, and numbers are labels too."""
    joined, _ = join_labels(PREDICTIONS, pl.DataFrame({"id": ["a", "a"], "label": [1.0, 0.0]}))

    assert joined["truth"].to_list() == ["0"]


def test_only_unknown_ids() -> None:
    """Labels that fit nothing give no rows, and no error."""
    joined, use = join_labels(PREDICTIONS, pl.DataFrame({"id": ["x", "y"], "label": ["Yes", "No"]}))

    assert (joined.height, use.used, use.unknown_ids) == (0, 0, 2)


def test_a_label_table_without_labels_is_refused() -> None:
    """The error names the missing column."""
    with pytest.raises(DataError, match="no column 'label'"):
        join_labels(PREDICTIONS, pl.DataFrame({"id": ["a"]}))


def test_the_metric_is_that_of_the_rows() -> None:
    """The value is scikit-learn's, and the interval holds it."""
    frame = _binary(800, 0.2)
    judged = _judge(frame, _problem("binary", "roc_auc", "Yes"), reference=0.8)

    assert judged.value == pytest.approx(roc_auc_score(frame["truth"] == "Yes", frame["score"]))
    assert judged.value is not None
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low < judged.value < judged.high
    assert not judged.alarm


def test_a_real_loss_alarms_and_a_doubtful_one_does_not() -> None:
    """The whole interval has to be worse than tolerated; a value below with a wide interval is no alarm."""
    problem = _problem("binary", "roc_auc", "Yes")
    many, few = _judge(_binary(3_000, 0.9), problem, reference=0.8), _judge(_binary(20, 0.9), problem, reference=0.8)

    assert (many.alarm, few.alarm) == (True, False)
    assert few.value is not None
    assert few.high is not None
    assert few.tolerated is not None
    assert few.high > few.tolerated


def test_losses_alarm_upwards() -> None:
    """For an error metric, larger is worse."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=500)
    frame = pl.DataFrame({"score": truth + generator.normal(size=500), "truth": [str(value) for value in truth]})
    problem = _problem("regression", "rmse")
    judged = _judge(frame, problem, reference=0.5)

    assert judged.value == pytest.approx(mean_squared_error(truth, frame["score"]) ** 0.5)
    assert judged.alarm
    assert not _judge(frame, problem, reference=1.0).alarm
    assert not _judge(frame, problem, reference=None).alarm


def test_one_class_is_not_judged() -> None:
    """A window in which everybody stayed has no ranking; that is said."""
    frame = _binary(50, 0.0).with_columns(truth=pl.lit("No"))
    judged = _judge(frame, _problem("binary", "roc_auc", "Yes"), reference=0.8)

    assert (judged.value, judged.alarm, judged.note) == (None, False, "all labels are of one class")


def test_missing_scores_are_said() -> None:
    """A null score is not guessed."""
    frame = _binary(50, 0.0).with_columns(score=pl.lit(None, dtype=pl.Float64))

    assert _judge(frame, _problem("binary", "roc_auc", "Yes"), reference=0.8).note == "some predictions have no score"


def test_labels_that_are_no_class_are_left_out() -> None:
    """With the classes known, a foreign label is not taken for the negative class."""
    frame = _binary(100, 0.0).with_columns(truth=pl.when(pl.int_range(100) < 40).then(pl.lit("?")).otherwise("truth"))
    judged = _judge(frame, _problem("binary", "roc_auc", "Yes"), reference=0.8, classes=("No", "Yes"))

    assert judged.rows == 60


def test_labels_that_are_no_number_are_left_out() -> None:
    """Text where a number was wanted is not scored."""
    frame = pl.DataFrame({"score": [1.0] * 12, "truth": ["1", "n/a"] * 6})

    assert _judge(frame, _problem("regression", "mae"), reference=1.0).rows == 6


def test_several_classes_by_probabilities_or_by_labels() -> None:
    """Probabilities are used where the log has them; without them only label metrics are judged."""
    names = ("a", "b", "c")
    truth = np.random.default_rng(0).choice(names, 300)
    shares = [[0.8 if name == one else 0.1 for name in names] for one in truth]
    frame = pl.DataFrame({"truth": truth, "label": truth, "score": [0.8] * 300, "probabilities": shares})
    loss = _problem("multiclass", "log_loss")
    accuracy = _problem("multiclass", "accuracy")

    assert _judge(frame, loss, reference=0.3, classes=names).value == pytest.approx(-np.log(0.8))
    without = frame.drop("probabilities")
    assert _judge(without, accuracy, reference=0.9, classes=names).value == 1.0
    assert "no probabilities" in _judge(without, loss, reference=0.3, classes=names).note


def test_the_tolerated_score_is_worse_in_the_metrics_direction() -> None:
    """Five percent less of an AUC, five percent more of an error, and also less of a negative score."""
    assert tolerated_score("roc_auc", 0.8, 0.05) == pytest.approx(0.76)
    assert tolerated_score("rmse", 10.0, 0.05) == pytest.approx(10.5)
    assert tolerated_score("r2", -0.2, 0.05) == pytest.approx(-0.21)
