"""Selection: what is chosen, by which rule, how stable it is, and that no held-out row has a say."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from modelyard.data import Column, ColumnKind, Roles, infer_schema
from modelyard.features import (
    EncodingStyle,
    LeftOutEncoding,
    catalogue,
    encode_row,
    encodings_from_json,
    encodings_to_json,
)
from modelyard.features.encoder import TableEncoder
from modelyard.features.selection import Selection, column_cap, selection_report, stability
from modelyard.features.selection.judges import LinearJudge
from modelyard.problem import FeaturePlan

Array = npt.NDArray[np.float64]
ROWS, NOISE = 240, 30


def wide(rows: int = ROWS, seed: int = 0) -> tuple[pl.DataFrame, Array]:
    """Two columns that make the answer, a category that helps, and thirty that tell nothing."""
    generator = np.random.default_rng(seed)
    frame = pl.DataFrame({f"noise_{place}": generator.normal(size=rows) for place in range(NOISE)}).with_columns(
        pl.Series("slope", generator.normal(size=rows)),
        pl.Series("step", generator.normal(size=rows)),
        pl.Series("colour", generator.choice(["red", "green", "blue"], rows)),
    )
    score = 2 * frame["slope"].to_numpy() + 3 * (frame["step"].to_numpy() > 0.5) + (frame["colour"] == "red").to_numpy()
    return frame, (score > np.median(score)).astype(np.float64)


def encoder(frame: pl.DataFrame, style: EncodingStyle, selection: str | int = "auto") -> TableEncoder:
    """An encoder for two classes with a declared selection."""
    plan = FeaturePlan.model_validate({"selection": selection})
    return TableEncoder(infer_schema(frame).columns, style, classes=2, plan=plan)


@pytest.mark.parametrize("style", list(EncodingStyle))
def test_what_makes_the_answer_is_chosen_first(style: EncodingStyle) -> None:
    """Planted columns lead for every family; the features of the others are gone, row by row and in tables."""
    frame, target = wide()
    fitted = encoder(frame, style, 3)
    matrix = fitted.fit_transform(frame, target)

    assert fitted.selection_ is not None
    assert set(fitted.selection_.chosen[:2]) == {"slope", "step"}
    assert len(fitted.selection_.chosen) <= 3
    assert sorted(fitted.selection_.costs, reverse=True) == list(fitted.selection_.costs)
    assert matrix.shape == (ROWS, len(fitted.get_feature_names_out()))
    assert np.array_equal(matrix, fitted.transform(frame), equal_nan=True)
    left = [item for item in fitted.encodings_ if isinstance(item, LeftOutEncoding)]
    assert len(left) == NOISE + 3 - len(fitted.selection_.chosen)


def test_served_rows_equal_the_table() -> None:
    """Encodings with columns left out go through JSON, and a row gives the bits of the table."""
    frame, target = wide()
    fitted = encoder(frame, EncodingStyle.LINEAR, 3).fit(frame, target)
    served = encodings_from_json(encodings_to_json(fitted.encodings_))

    assert served == fitted.encodings_
    by_row = np.array([encode_row(served, row) for row in frame.head(5).to_dicts()])
    assert by_row.tobytes() == fitted.transform(frame.head(5)).tobytes()
    assert len(encode_row(served, {"slope": 1.0, "step": 2.0, "colour": "red"})) == by_row.shape[1]


def test_fit_and_fit_transform_choose_alike() -> None:
    """A second fit, and ``fit`` instead of ``fit_transform``, give the same state."""
    frame, target = wide()
    one, other = encoder(frame, EncodingStyle.LINEAR), encoder(frame, EncodingStyle.LINEAR)
    one.fit(frame, target)
    other.fit_transform(frame, target)

    assert one.encodings_ == other.encodings_
    assert one.selection_ == other.selection_


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(1, 10_000))
def test_held_out_rows_change_no_selection(seed: int) -> None:
    """Whatever rows are held out, and whatever their answers are, the training rows alone choose."""
    frame, target = wide(120)
    generator = np.random.default_rng(seed)
    held, answers = wide(60, seed)[0], generator.integers(0, 2, 60)
    whole, truth = pl.concat([frame, held]), np.concatenate([target, answers])
    train = np.arange(120)

    alone = encoder(frame, EncodingStyle.LINEAR).fit(frame, target)
    among = encoder(frame, EncodingStyle.LINEAR).fit(whole[train], truth[train])
    among.transform(held)

    assert among.selection_ == alone.selection_
    assert among.encodings_ == alone.encodings_


def test_auto_cuts_only_where_columns_are_many_for_the_rows() -> None:
    """Few columns, many rows, trees, or no target to judge by: nothing is left out by itself."""
    frame, target = wide()
    narrow = frame.select("slope", "step", "colour")

    assert encoder(frame, EncodingStyle.LINEAR).fit(frame, target).selection_ is not None
    assert encoder(frame, EncodingStyle.TREE).fit(frame, target).selection_ is None
    assert encoder(frame, EncodingStyle.FOREST).fit(frame, target).selection_ is None
    assert encoder(frame, EncodingStyle.LINEAR, "none").fit(frame, target).selection_ is None
    assert encoder(narrow, EncodingStyle.LINEAR).fit(narrow, target).selection_ is None
    assert encoder(frame, EncodingStyle.LINEAR).fit(frame).selection_ is None
    assert (
        TableEncoder(infer_schema(frame).columns, EncodingStyle.LINEAR, classes=2).fit(frame, target).selection_ is None
    )


def test_auto_keeps_all_columns_where_each_of_them_tells_something() -> None:
    """Forty columns of equal worth for two hundred rows: the rule would leave ten, and the judge errs less with all.

    A number is a cap all the same, and with thirty columns of noise among them they are cut.
    """
    generator = np.random.default_rng(7)
    matrix = generator.normal(size=(200, 40))
    frame = pl.DataFrame({f"pixel_{place}": matrix[:, place] for place in range(40)})
    target = (matrix.sum(axis=1) > 0).astype(np.float64)

    assert column_cap("auto", target, columns=40, classes=2, adds_up=True) == 10
    kept = encoder(frame, EncodingStyle.LINEAR).fit(frame, target)
    assert kept.selection_ is None
    assert kept.transform(frame).shape == (200, 40)
    assert np.array_equal(kept.transform(frame), encoder(frame, EncodingStyle.LINEAR).fit_transform(frame, target))
    capped = encoder(frame, EncodingStyle.LINEAR, 10).fit(frame, target)
    assert capped.selection_ is not None
    assert len(capped.selection_.chosen) == 10
    noisy, answer = wide()
    assert encoder(noisy, EncodingStyle.LINEAR).fit(noisy, answer).selection_ is not None


def test_the_rule_of_auto_in_numbers() -> None:
    """One column for ten rows of the rarer class is still borne; beyond, one for twenty stays, and ten at least."""
    target = np.array([0.0] * 9_000 + [1.0] * 1_000)

    def cap(rows: Array, columns: int, classes: int = 2) -> int | None:
        return column_cap("auto", rows, columns=columns, classes=classes, adds_up=True)

    assert cap(target, 100) is None
    assert cap(target, 101) == 50
    assert cap(target[-1_050:], 21) == 10
    assert cap(target[-1_050:], 20) is None
    assert cap(np.arange(400.0), 41, classes=0) == 20
    assert cap(np.arange(400.0) % 40, 40, classes=40) is None
    assert cap(np.arange(400.0) % 40, 41, classes=40) == 20
    assert column_cap(7, target, columns=7, classes=2, adds_up=False) is None
    assert column_cap(7, target, columns=8, classes=2, adds_up=False) == 7


def test_many_classes_and_columns_are_judged_in_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of many classes are dear to mend; two classes and few columns are judged to the end."""
    steps: list[int] = []
    fit = LogisticRegression.fit

    def counted(model: LogisticRegression, *given: Any) -> Any:
        steps.append(model.max_iter)
        return fit(model.set_params(max_iter=1), *given)

    monkeypatch.setattr(LogisticRegression, "fit", counted)
    random = np.random.default_rng(0)
    for columns, classes in ((20, 2), (300, 30), (2_000, 60)):
        LinearJudge(classes).fit(random.normal(size=(300, columns)), np.arange(300.0) % classes)

    assert steps == [300, 300, 27]


def test_pure_noise_keeps_at_least_one_column() -> None:
    """Where nothing tells anything, the best of nothing stays, so that there is something to learn from."""
    generator = np.random.default_rng(4)
    frame = pl.DataFrame({f"n{place}": generator.normal(size=80) for place in range(25)})
    fitted = encoder(frame, EncodingStyle.LINEAR, 5).fit(frame, generator.integers(0, 2, 80))

    assert fitted.selection_ is not None
    assert 1 <= len(fitted.selection_.chosen) <= 5


def test_numbers_and_several_classes_are_judged_too() -> None:
    """The same columns lead if the target is a number, or one of three classes."""
    frame, _ = wide()
    number = frame["slope"].to_numpy() * 3 + frame["step"].to_numpy()
    classes = np.digitize(number, np.quantile(number, [0.33, 0.67])).astype(np.float64)
    plan = FeaturePlan(selection=2)
    for style in (EncodingStyle.LINEAR, EncodingStyle.TREE):
        for target, known in ((number, 0), (classes, 3)):
            fitted = TableEncoder(infer_schema(frame).columns, style, classes=known, plan=plan).fit(frame, target)
            assert fitted.selection_ is not None
            assert fitted.selection_.chosen[0] == "slope"


def test_stability_agrees_with_the_paper() -> None:
    """1 for equal choices, about 0 for choices by lot, and the value of the formula worked out by hand."""
    names = [f"c{place}" for place in range(100)]
    generator = np.random.default_rng(0)
    by_lot = stability([list(generator.choice(names, 20, replace=False)) for _ in range(200)], names)
    by_hand = stability([["a", "b"], ["a", "c"]], ["a", "b", "c", "d"])

    assert by_lot is not None
    assert by_hand is not None
    assert abs(by_lot.value) < 0.02
    assert by_lot.low < 0 < by_lot.high
    # p = (1, .5, .5, 0), s² = 2·p(1-p) = (0, .5, .5, 0), mean .25; k/d = .5, by lot .25
    assert by_hand.value == pytest.approx(0.0)
    assert stability([["a"]], ["a", "b"]) is None
    assert stability([["a", "b"], ["a", "b"]], ["a", "b"]) is None


def test_the_interval_covers_the_truth() -> None:
    """Choices of known chances: about 95 in 100 intervals hold the stability that those chances have."""
    chances = np.array([0.95] * 5 + [0.3] * 5 + [0.05] * 20)
    names = [str(place) for place in range(len(chances))]
    mean = chances.mean()
    truth = 1 - (chances * (1 - chances)).mean() / (mean * (1 - mean))
    generator, covered = np.random.default_rng(1), 0
    for _ in range(200):
        held = generator.random((30, len(chances))) < chances
        found = stability([[names[place] for place in np.flatnonzero(row)] for row in held], names)
        covered += found is not None and found.low <= truth <= found.high

    assert 0.88 <= covered / 200 <= 0.99


def test_the_report_and_the_catalogue_tell_what_was_left_out() -> None:
    """Kept and left out, how often each was chosen, and the sentence; the catalogue repeats it at each column."""
    names = ("a", "b", "c")
    folds = (Selection(2, names, ("a", "b"), (1.0, 0.5)), Selection(2, names, ("a", "c"), (1.0, 0.5)))
    report = selection_report(folds, Selection(2, names, ("a", "b"), (1.0, 0.5)))

    assert report is not None
    assert (report.kept, report.left_out, report.times) == (("a", "b"), ("c",), {"a": 2, "b": 1, "c": 1})
    assert report.sentence.startswith("2 of 3 columns kept (at most 2); stability over 2 folds")
    assert selection_report(folds, None) is None
    column = Column("c", ColumnKind.NUMERIC, "Float64", nullable=False)
    entry = catalogue(
        (LeftOutEncoding(column.name, ("c",), "left out: not among the 2"),),
        Roles("y", ("a", "b", "c"), None, None, None, {}),
        selection=report,
    )[0]
    assert (entry.kind, entry.features) == ("left out", ())
    assert entry.because == "left out: not among the 2; chosen in 1 of 2 folds"
