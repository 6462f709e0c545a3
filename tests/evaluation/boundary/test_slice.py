"""The decision boundary: a slice along two columns that is the model's own, and says what it holds still."""

import dataclasses
import datetime as dt
import re
from typing import Any

import polars as pl
import pytest

from modelyard.evaluation import Boundary, Evaluation, Importance
from modelyard.evaluation.boundary.slice import decision_boundary, typical_row
from modelyard.evaluation.page.boundary import boundary_blocks
from modelyard.evaluation.page.pictures import pictures_section
from modelyard.evaluation.systems import WINNER, JudgedRows
from modelyard.report import Details, Figure, Prose

HELPFUL = (Importance("Contract", 0.3, 0.1), Importance("tenure", 0.2, 0.1), Importance("MonthlyCharges", 0.1, 0.1))


def _rows(sample: Any, model: Any, threshold: float = 0.4) -> JudgedRows:
    return JudgedRows("validation", sample.frame, sample.truth, {WINNER: model.predict(sample.frame)}, threshold)


def _slice(sample: Any, fit: Any, importance: tuple[Importance, ...] = HELPFUL) -> tuple[Boundary | None, Any]:
    model = fit("lightgbm", sample)
    return decision_boundary(model, _rows(sample, model), sample.frame, importance, seed=0), model


def test_the_slice_is_the_model_s_own(churn: Any, fit: Any) -> None:
    """At any place of the grid stands what the model says of the typical row with these two values."""
    boundary, model = _slice(churn, fit)

    assert boundary is not None
    assert boundary.features == ("tenure", "MonthlyCharges")
    assert boundary.threshold == 0.4
    assert (len(boundary.across), len(boundary.up)) == (32, 32)
    row = typical_row(churn.frame).with_columns(
        pl.lit(boundary.across[5]).cast(churn.frame["tenure"].dtype).alias("tenure"),
        pl.lit(boundary.up[20]).alias("MonthlyCharges"),
    )
    assert boundary.scores[20][5] == pytest.approx(float(model.predict(row)[0]), abs=1e-4)


def test_what_is_held_is_named(churn: Any, fit: Any) -> None:
    """All other columns of the model stand there with their typical values, on the page too."""
    boundary, _ = _slice(churn, fit)

    assert boundary is not None
    assert boundary.held[0].feature == "Contract"
    assert {item.feature: item.value for item in boundary.held} == {
        "Contract": "Month-to-month",
        "InternetService": "Fiber optic",
        "PaymentMethod": "Electronic check",
        "SeniorCitizen": "0",
    }


def test_how_far_the_slice_speaks_for_the_model_is_measured(churn: Any, fit: Any) -> None:
    """Contracts matter, and are held at one: so the slice decides some points as the model does not, and says how many."""
    boundary, model = _slice(churn, fit)

    assert boundary is not None
    assert (boundary.rows, boundary.part) == (400, "validation")
    assert 360 <= len(boundary.points) <= 400
    assert 0.5 < boundary.agreement < 0.95

    alone = dataclasses.replace(churn, frame=churn.frame.with_columns(pl.lit("Month-to-month").alias("Contract")))
    others = ("InternetService", "PaymentMethod", "SeniorCitizen")
    typical = typical_row(churn.frame)
    still = alone.frame.with_columns(pl.lit(typical[name][0]).alias(name) for name in others)
    same = decision_boundary(model, _rows(dataclasses.replace(churn, frame=still), model), churn.frame, HELPFUL, seed=0)
    assert same is not None
    assert same.agreement == 1


def test_points_are_rows_with_their_true_class(churn: Any, fit: Any) -> None:
    """Each point is a row of the part within the grid; rows with a gap are none."""
    known = set(zip(churn.frame["tenure"], churn.frame["MonthlyCharges"], churn.truth.astype(int), strict=True))
    holes = churn.frame.with_columns(pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.col("tenure")).alias("tenure"))
    boundary, _ = _slice(churn, fit)
    half, _ = _slice(dataclasses.replace(churn, frame=holes), fit)

    assert boundary is not None
    assert half is not None
    assert set(boundary.points) <= known
    assert {truth for _, _, truth in boundary.points} == {0, 1}
    assert len(half.points) < 0.6 * len(boundary.points)


def test_several_classes_have_the_decided_one(plans: Any, fit: Any, churn_evaluation: Evaluation) -> None:
    """Of three classes the grid holds codes, there is no threshold, and the shades name the class."""
    model = fit("lightgbm", plans)
    boundary = decision_boundary(model, _rows(plans, model), plans.frame, HELPFUL[1:], seed=0)

    assert boundary is not None
    assert boundary.threshold is None
    assert {score for row in boundary.scores for score in row} <= {0.0, 1.0, 2.0}
    asked = dataclasses.replace(churn_evaluation, boundary=boundary, classes=plans.classes)
    picture = boundary_blocks(asked)[1]
    assert isinstance(picture, Figure)
    assert "<title>Two year</title>" in picture.svg
    assert 'class="edge"' not in picture.svg


def test_without_two_numbers_that_help_there_is_none(churn: Any, charges: Any, fit: Any) -> None:
    """No picture of values, of one numeric column, of one that does not help, or of a code with two values."""
    harmless = (HELPFUL[1], Importance("MonthlyCharges", 0.0, 0.1))
    coded = (HELPFUL[1], Importance("SeniorCitizen", 0.1, 0.1))

    assert _slice(charges, fit, (Importance("tenure", 0.2, 0.1), Importance("a", 0.1, 0.1)))[0] is None
    assert _slice(churn, fit, HELPFUL[:2])[0] is None
    assert _slice(churn, fit, harmless)[0] is None
    assert _slice(churn, fit, coded)[0] is None


def test_whole_numbers_stay_whole(churn: Any, fit: Any) -> None:
    """A count of months is drawn at whole months."""
    whole = dataclasses.replace(churn, frame=churn.frame.with_columns(pl.col("tenure").cast(pl.Int64)))
    boundary, _ = _slice(whole, fit)

    assert boundary is not None
    assert all(value == round(value) for value in boundary.across)


def test_typical_values() -> None:
    """The middle of numbers and dates, the commonest word, a gap where most are missing; types stay."""
    frame = pl.DataFrame(
        {
            "number": [5, 1, 3, 2],
            "day": [dt.date(2024, 1, 3), dt.date(2024, 1, 1), dt.date(2024, 1, 2), None],
            "word": ["b", "a", "b", "a"],
            "gap": [None, None, None, 1.5],
            "flag": [True, True, False, None],
        }
    )
    typical = typical_row(frame)

    assert typical.schema == frame.schema
    assert typical.row(0) == (2, dt.date(2024, 1, 2), "a", None, True)


def test_the_evaluation_draws_it(churn_evaluation: Evaluation) -> None:
    """The picture stands beside the others; it is drawn without the opened test part, and survives JSON."""
    boundary = churn_evaluation.boundary
    section = pictures_section(churn_evaluation)

    assert boundary is not None
    assert boundary.part == "validation"
    assert section is not None
    assert any(isinstance(block, Figure) and "Decision boundary" in block.svg for block in section.blocks)
    assert Boundary.from_dict(boundary.to_dict()) == boundary


def test_the_page_says_what_is_held(churn: Any, fit: Any, churn_evaluation: Evaluation) -> None:
    """The words name the held columns and the agreement; the picture names classes, and is small."""
    boundary, _ = _slice(churn, fit)
    assert boundary is not None
    prose, picture, *_ = boundary_blocks(dataclasses.replace(churn_evaluation, boundary=boundary))

    assert isinstance(prose, Prose)
    assert isinstance(picture, Figure)
    assert "**All other columns are held at typical values** (Contract at Month-to-month; " in prose.text
    assert "are decided as their place in the picture says" in prose.text
    assert 'data-name="Yes"' in picture.svg
    assert "probability of Yes: 0.3500 to 0.4000" in picture.svg
    assert 'class="edge"' in picture.svg
    assert len(picture.svg) < 150_000
    assert boundary_blocks(dataclasses.replace(churn_evaluation, boundary=None)) == ()


def test_many_held_columns_are_folded(churn_evaluation: Evaluation) -> None:
    """Four are named in the sentence; the table has all."""
    assert churn_evaluation.boundary is not None
    blocks = boundary_blocks(churn_evaluation)

    assert len(churn_evaluation.boundary.held) > 4
    assert isinstance(blocks[0], Prose)
    assert "; and " in blocks[0].text
    assert isinstance(blocks[2], Details)


def test_shades_follow_decisions(churn_evaluation: Evaluation) -> None:
    """Where the probability is far from the threshold the shade is strong; each side has the colour of its class."""
    scores = ((0.0, 0.39), (0.41, 1.0))
    base = churn_evaluation.boundary
    assert base is not None
    small = dataclasses.replace(base, across=(0.0, 1.0), up=(0.0, 1.0), scores=scores, threshold=0.4)
    picture = boundary_blocks(dataclasses.replace(churn_evaluation, boundary=small))[1]

    assert isinstance(picture, Figure)
    assert re.findall(r'class="(f\d) tile" fill-opacity="([\d.]+)"', picture.svg) == [
        ("f1", "0.40"),
        ("f1", "0.08"),
        ("f2", "0.08"),
        ("f2", "0.40"),
    ]
