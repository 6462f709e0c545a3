"""Expected directions are kept, broken or unclear, as planted."""

import dataclasses
import datetime as dt
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from modelyard.core import DataError, Severity
from modelyard.data import check_columns
from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.reasons import Expectation, Reasons
from modelyard.evaluation.reasons.expectations import check_expectations
from modelyard.evaluation.reasons.findings import reasons_findings
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem import Problem, Task
from modelyard.training.model import FittedModel

Array = npt.NDArray[np.float64]


@dataclasses.dataclass
class _Formula:
    """An estimator that is a formula of the first encoded column and the second."""

    formula: Callable[[Array, Array], Array]

    def predict(self, matrix: Array) -> Array:
        return self.formula(matrix[:, 0], matrix[:, -1])


def _verdict(
    formula: Callable[[Array, Array], Array], direction: str, frame: pl.DataFrame | None = None
) -> Expectation:
    generator = np.random.default_rng(0)
    if frame is None:
        frame = pl.DataFrame({"x": generator.random(400), "z": generator.random(400)})
    kinds = [ColumnKind.DATE if frame[name].dtype.is_temporal() else ColumnKind.NUMERIC for name in frame.columns]
    columns = tuple(Column(name, kind, "", nullable=False) for name, kind in zip(frame.columns, kinds, strict=True))
    encoder = TableEncoder(columns, EncodingStyle.TREE).fit(frame)
    model = FittedModel(encoder, _Formula(formula), "formula", Task.REGRESSION, (), ())
    rows = JudgedRows("validation", frame, np.zeros(frame.height), {WINNER: model.predict(frame)})
    (found,) = check_expectations({frame.columns[0]: direction}, model, rows, frame, seed=0)
    return found


@pytest.mark.parametrize(
    ("formula", "direction", "verdict"),
    [
        (lambda x, z: 3 * x + z, "increasing", "kept"),
        (lambda x, z: 3 * x + z, "decreasing", "broken"),
        (lambda x, z: -np.exp(x) + z, "decreasing", "kept"),
        (lambda x, z: z, "increasing", "unclear"),
        (lambda x, z: x * (z - 0.5), "increasing", "unclear"),
        (lambda x, z: np.abs(x - 0.4), "increasing", "broken"),
        (lambda x, z: np.abs(x - 0.08), "increasing", "kept"),
        (lambda x, z: np.floor(4 * x), "increasing", "kept"),
    ],
)
def test_planted_directions(formula: Callable[[Array, Array], Array], direction: str, verdict: str) -> None:
    """Straight, curved, stepped, bent, absent, and of both signs by turns."""
    assert _verdict(formula, direction).verdict == verdict


def test_the_numbers_behind_a_verdict() -> None:
    """The change is that from the 5th to the 95th percentile, and the stretch that breaks the expectation is named."""
    kept = _verdict(lambda x, z: 3 * x + z, "increasing")
    bent = _verdict(lambda x, z: np.abs(x - 0.5), "increasing")

    assert kept.change == pytest.approx(2.7, abs=0.1)
    assert kept.against == 0.0
    assert kept.rows == 300
    assert bent.against == pytest.approx(0.5, abs=0.1)
    assert bent.note.startswith("from 0.0")
    assert bent.note.endswith("it goes the other way")


def test_dates_and_whole_numbers_are_varied_in_their_own_type() -> None:
    """A date moves by days; a whole number stays whole."""
    days = [dt.date(2020, 1, 1) + dt.timedelta(days=day) for day in range(300)]
    dated = pl.DataFrame({"x": days, "z": np.arange(300.0) % 11})
    counted = pl.DataFrame({"x": np.arange(300) % 7, "z": np.arange(300.0) % 11})

    assert _verdict(lambda x, z: np.asarray(x) * 1.0, "increasing", counted).verdict == "kept"
    assert _verdict(lambda x, z: np.asarray(x) * 1.0, "increasing", counted).change == pytest.approx(6)
    assert _verdict(lambda x, z: 0 * x, "increasing", dated).verdict == "unclear"


def test_what_cannot_be_checked_says_why() -> None:
    """A column that the model does not read, and one that has a single value."""
    constant = pl.DataFrame({"x": np.ones(100), "z": np.arange(100.0)})
    single = _verdict(lambda x, z: z, "increasing", constant)
    columns = (Column("z", ColumnKind.NUMERIC, "", nullable=False),)
    encoder = TableEncoder(columns, EncodingStyle.TREE).fit(constant)
    model = FittedModel(encoder, _Formula(lambda x, z: x), "formula", Task.REGRESSION, (), ())
    rows = JudgedRows("validation", constant, np.zeros(100), {WINNER: np.zeros(100)})
    (absent,) = check_expectations({"x": "increasing"}, model, rows, constant, seed=0)

    assert (single.verdict, single.note) == ("unclear", "it hardly has two values in training")
    assert (absent.verdict, absent.note) == ("unclear", "the model does not read this column")


def test_broken_expectations_are_findings() -> None:
    """Broken is a warning with its numbers, unclear a note, kept nothing."""
    kept = Expectation("tenure", "decreasing", "kept", -0.3, -0.4, -0.2, 0.0, 300)
    broken = dataclasses.replace(kept, verdict="broken", change=0.3, low=0.2, high=0.4)
    unclear = dataclasses.replace(kept, verdict="unclear", note="what it moves is within noise")
    found = list(reasons_findings(Reasons(expectations=(kept, broken, unclear)), Task.BINARY))

    assert [(item.id, item.severity) for item in found] == [
        ("expectation-broken", Severity.WARNING),
        ("expectation-unclear", Severity.INFO),
    ]
    assert "expected to be decreasing with 'tenure'" in found[0].message
    assert "moves by +0.3 (0.2000 to 0.4000)" in found[0].message
    assert "within noise" in found[1].message


def test_expected_columns_must_be_there() -> None:
    """A name that the table lacks is refused with the nearest one; a direction of one's own is refused."""
    problem = Problem.model_validate({"data": {"source": "t", "target": "y"}, "expect": {"tenur": "decreasing"}})
    with pytest.raises(DataError, match="tenure"):
        check_columns(problem, ["tenure", "y"])
    with pytest.raises(ValueError, match="expect"):
        Problem.model_validate({"data": {"source": "t", "target": "y"}, "expect": {"tenure": "down"}})
