"""Ranks, bins, curves and products: what they are, row by row as in a table, and by which rule they come."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from modelyard.core import ConfigError
from modelyard.data import Column, ColumnKind, Roles
from modelyard.features import (
    BinsEncoding,
    CategoryEncoding,
    EncodingStyle,
    InteractionEncoding,
    LogEncoding,
    NumericEncoding,
    QuantileEncoding,
    SplineEncoding,
    catalogue,
    encode_row,
    encodings_from_json,
    encodings_to_json,
)
from modelyard.features.encoder import TableEncoder
from modelyard.features.fitting import fit_encoding
from modelyard.problem import FeaturePlan

Array = npt.NDArray[np.float64]
WORDS = ("standard", "robust", "minmax", "quantile", "log", "spline", "bins")
COLUMNS = (
    Column("a", ColumnKind.NUMERIC, "Float64", nullable=True),
    Column("b", ColumnKind.NUMERIC, "Float64", nullable=True),
)
NUMBER = COLUMNS[0]
numbers = st.one_of(st.none(), st.floats(), st.integers(-5, 5).map(float))


def fit(values: Any, style: EncodingStyle, word: str | None = None) -> Any:
    """The encoding of one column of numbers."""
    return fit_encoding(NUMBER, pl.Series("a", values, dtype=pl.Float64), style, transform=word)


@settings(max_examples=40, deadline=None)
@given(
    train=st.lists(st.tuples(numbers, numbers), min_size=2, max_size=30),
    new=st.lists(st.tuples(numbers, numbers), min_size=1, max_size=8),
    style=st.sampled_from(EncodingStyle),
    word=st.sampled_from(WORDS),
)
def test_a_row_through_json_equals_the_table(
    train: list[tuple[Any, Any]], new: list[tuple[Any, Any]], style: EncodingStyle, word: str
) -> None:
    """Every declared transformation, for every family: a served row has the bits of the table, and no made-up NaN."""
    plan = FeaturePlan.model_validate({"columns": {"a": word}, "interactions": [["a", "b"]], "selection": "none"})
    schema = {"a": pl.Float64, "b": pl.Float64}
    encoder = TableEncoder(COLUMNS, style, plan=plan).fit(pl.DataFrame(train, schema=schema, orient="row"))
    served = encodings_from_json(encodings_to_json(encoder.encodings_))
    table = encoder.transform(pl.DataFrame(new, schema=schema, orient="row"))

    by_row = [encode_row(served, {"a": first, "b": second}) for first, second in new]

    assert served == encoder.encodings_
    assert np.array(by_row, dtype=np.float64).reshape(table.shape).tobytes() == table.tobytes()
    if style is not EncodingStyle.TREE:
        assert not np.isnan(table).any()


def test_ranks_are_about_normal_whatever_the_shape() -> None:
    """A log-normal column becomes normal; order stays, what is beyond is the outermost, repeats share one score."""
    values = np.exp(np.random.default_rng(0).normal(0, 2, 5_000))
    encoding = fit(values, EncodingStyle.LINEAR, "quantile")
    ranked = encoding.encode_series(pl.Series(values))[:, 0]

    assert isinstance(encoding, QuantileEncoding)
    assert abs(ranked.mean()) < 0.02
    assert abs(ranked.std() - 1) < 0.03
    assert abs(((ranked - ranked.mean()) ** 3).mean()) < 0.1
    assert np.all(np.diff(ranked[np.argsort(values)]) >= 0)
    assert encoding.encode_value(1e9)[0] == pytest.approx(3.09, abs=0.01)
    assert encoding.encode_value(-5) == (encoding.scores[0],)
    repeated = fit([0.0] * 80 + [1.0] * 20, EncodingStyle.LINEAR, "quantile")
    # The zeros hold the ranks 0 to 0.8, their middle is 0.4; the ones those from 0.8, their middle is 0.9.
    assert repeated.encode_value(0)[0] == pytest.approx(-0.2533, abs=1e-4)
    assert repeated.encode_value(1)[0] == pytest.approx(1.2816, abs=1e-4)
    assert repeated.encode_value(0.5)[0] == pytest.approx((1.2816 - 0.2533) / 2, abs=1e-4)


def test_bins_hold_about_equal_numbers_of_rows() -> None:
    """A hundred values in ten bins; one feature each, a flag for gaps; trees get the place; repeats make fewer bins."""
    encoding = fit([None, *map(float, range(99))], EncodingStyle.LINEAR, "bins")
    features = encoding.encode_series(pl.Series("a", list(range(99)), dtype=pl.Float64))

    assert isinstance(encoding, BinsEncoding)
    assert features.sum(axis=1).tolist() == [1.0] * 99
    assert set(features.sum(axis=0)[:-1].tolist()) == {9.0, 10.0}
    assert encoding.encode_value(None) == (0.0,) * 10 + (1.0,)
    assert encoding.names()[0] == "a below 10"
    assert encoding.names()[1] == "a 10 to 20"
    assert encoding.names()[9:] == ("a from 89", "a (missing)")
    assert fit(range(100), EncodingStyle.TREE, "bins").encode_value(55.5) == (5.0,)
    assert math.isnan(fit(range(100), EncodingStyle.TREE, "bins").encode_value(None)[0])
    assert fit(range(100), EncodingStyle.FOREST, "bins").encode_value(None) == (-1.0,)
    assert fit([0.0] * 85 + [1.0] * 15, EncodingStyle.LINEAR, "bins").edges == (1.0,)


def test_a_curve_is_smooth_and_straight_at_its_ends() -> None:
    """A straight-line model on the terms follows a sine; beyond the range it goes straight on, by no new value."""
    values = np.random.default_rng(1).uniform(0, 3, 2_000)
    encoding = fit(values, EncodingStyle.LINEAR, "spline")

    def terms(at: Any) -> Array:
        features: Array = encoding.encode_series(pl.Series("a", at, dtype=pl.Float64))
        return features

    model = LinearRegression().fit(terms(values), np.sin(values))
    grid = np.linspace(0, 3, 50)
    assert isinstance(encoding, SplineEncoding)
    assert encoding.names() == ("a", "a (curve 1)", "a (curve 2)", "a (curve 3)")
    assert np.abs(model.predict(terms(grid)) - np.sin(grid)).max() < 0.03
    assert np.allclose(terms(values).mean(axis=0), 0, atol=1e-9)
    assert np.allclose(terms(values).std(axis=0), 1)
    outside = model.predict(terms([3.0, 4.0, 5.0, 6.0]))
    assert np.allclose(np.diff(outside, 2), 0, atol=1e-9)
    last_slope = (model.predict(terms([3.0]))[0] - model.predict(terms([2.999]))[0]) / 0.001
    assert outside[1] - outside[0] == pytest.approx(last_slope, rel=0.02)
    below = model.predict(terms([-2.0, -1.0, 0.0, 0.05]))
    assert below[1] - below[0] == pytest.approx(below[2] - below[1])
    assert isinstance(fit([0.0] * 95 + [1.0] * 5, EncodingStyle.LINEAR, "spline"), NumericEncoding)


def test_products_carry_an_interaction() -> None:
    """A target that is a product is out of reach of two columns, and within reach of their product."""
    generator = np.random.default_rng(2)
    frame = pl.DataFrame({"a": generator.normal(5, 2, 500), "b": generator.normal(-1, 3, 500)})
    target = ((frame["a"] - 5) * (frame["b"] + 1)).to_numpy()
    scores = []
    for pairs in ([], [["a", "b"]]):
        plan = FeaturePlan.model_validate({"interactions": pairs})
        encoder = TableEncoder(COLUMNS, EncodingStyle.LINEAR, plan=plan)
        matrix = encoder.fit_transform(frame)
        scores.append(LinearRegression().fit(matrix, target).score(matrix, target))

    assert scores[0] < 0.1
    assert scores[1] > 0.99
    encoding = encoder.encodings_[-1]
    assert isinstance(encoding, InteractionEncoding)
    assert encoding.names() == ("a × b",)
    assert encoder.sources()[-1] == ("a", "b")
    first, second = frame["a"].to_numpy(), frame["b"].to_numpy()
    expected = (np.median(first) - first.mean()) / first.std() * (7 - second.mean()) / second.std()
    assert encoding.encode_values(None, 7.0)[0] == pytest.approx(expected)


def test_scales_are_what_their_names_say() -> None:
    """Standard: mean and deviation; robust: median and quartiles; min-max: 0 to 1; log of negative numbers keeps signs."""
    values = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 100.0]
    standard, robust, minmax = (fit(values, EncodingStyle.DISTANCE, word) for word in ("standard", "robust", "minmax"))
    log = fit([-100.0, -1.0, 1.0, 100.0], EncodingStyle.LINEAR, "log")

    assert (standard.center, standard.scale) == (pytest.approx(np.mean(values)), pytest.approx(np.std(values)))
    assert (robust.center, robust.scale) == (4.0, pytest.approx(4 / 1.349))
    assert minmax.encode_series(pl.Series(values))[:, 0].tolist() == pytest.approx([value / 100 for value in values])
    assert isinstance(log, LogEncoding)
    assert log.encode_value(-100)[0] == -log.encode_value(100)[0]


def test_linear_models_get_curves_from_a_thousand_rows_on() -> None:
    """The rule: a thousand values, twenty of them different, and no logarithm; other families keep one scale."""
    many = np.random.default_rng(3).normal(size=1_000)
    skewed = np.exp(3 * many)

    assert isinstance(fit(many, EncodingStyle.LINEAR), SplineEncoding)
    assert isinstance(fit(many[:999], EncodingStyle.LINEAR), NumericEncoding)
    assert isinstance(fit(np.arange(1_000) % 19, EncodingStyle.LINEAR), NumericEncoding)
    assert isinstance(fit(skewed, EncodingStyle.LINEAR), LogEncoding)
    for style in (EncodingStyle.DISTANCE, EncodingStyle.NEURAL):
        plain = fit(skewed, style)
        assert (plain.center, plain.scale) == (pytest.approx(skewed.mean()), pytest.approx(skewed.std()))
    assert isinstance(fit(many**5, EncodingStyle.LINEAR), NumericEncoding)
    assert fit(many, EncodingStyle.TREE, "spline") == NumericEncoding("a")


def test_the_plan_of_nearest_neighbours() -> None:
    """No gaps, flags for what is often missing, one scale, and one feature for each level."""
    level = Column("level", ColumnKind.CATEGORY, "String", nullable=True)
    frame = pl.DataFrame({"a": [None, 1.0, 2.0, 3.0] * 10, "level": ["x", "y", "x", None] * 10})
    encoder = TableEncoder((NUMBER, level), EncodingStyle.DISTANCE).fit(frame)

    assert list(encoder.get_feature_names_out()) == ["a", "a (missing)", "level=x", "level=y", "level (missing)"]
    assert not np.isnan(encoder.transform(frame)).any()
    assert encoder.transform(frame)[0].tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]


def test_the_plan_of_neural_models_has_codes_to_embed() -> None:
    """Levels that repeat have codes from 0; the last code is that of rare, unseen and missing ones; none is NaN."""
    level = Column("level", ColumnKind.CATEGORY, "String", nullable=True)
    frame = pl.DataFrame({"a": [1.0, 2.0] * 4, "level": ["x", "x", "x", "y", "y", "z", None, None]})
    encoder = TableEncoder((NUMBER, level), EncodingStyle.NEURAL).fit(frame, np.arange(8.0))
    encoding = encoder.encodings_[1]

    assert isinstance(encoding, CategoryEncoding)
    assert encoder.transform(frame)[:, 1].tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert encoding.encode_value("never seen") == (2.0,)
    assert encoder.embeddings() == ((1, 3),)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"columns": {"aa": "log"}}, r"features\.columns: .* no feature; got 'aa'\. Did you mean 'a'"),
        ({"columns": {"level": "bins"}}, r"only numbers can be transformed.*'level', category"),
        ({"interactions": [["a", "level"]]}, r"features\.interactions: only numbers.*features\.py"),
    ],
)
def test_what_is_no_number_is_refused(declared: dict[str, Any], message: str) -> None:
    """A column that is no feature, or no number, is named with its key and the cure, before anything is learnt."""
    level = Column("level", ColumnKind.CATEGORY, "String", nullable=True)
    frame = pl.DataFrame({"a": [1.0, 2.0], "level": ["x", "y"]})

    with pytest.raises(ConfigError, match=message):
        TableEncoder((NUMBER, level), plan=FeaturePlan.model_validate(declared)).fit(frame)


@pytest.mark.parametrize("pairs", [[["a", "a"]], [["a", "b"], ["b", "a"]], [["a"]]])
def test_pairs_are_of_two_different_columns_once(pairs: list[list[str]]) -> None:
    """A column with itself, a pair that comes again, and half a pair are refused by the project file."""
    with pytest.raises(ValueError, match="interactions"):
        FeaturePlan.model_validate({"interactions": pairs})


def test_the_catalogue_tells_how_and_by_whom() -> None:
    """Each transformation in words with its fitted numbers; declared ones are the project file's."""
    frame = pl.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0) ** 2})
    roles = Roles("y", ("a", "b"), None, None, None, {})
    words = {"quantile": "rank among", "spline": "spline with knots at 2.45", "bins": "bins that begin at 5"}
    for word, said in words.items():
        plan = FeaturePlan.model_validate({"columns": {"a": word}, "interactions": [["a", "b"]]})
        encoder = TableEncoder(COLUMNS, EncodingStyle.LINEAR, plan=plan).fit(frame)
        first, second, pair = catalogue(encoder.encodings_, roles, plan=plan)[:3]

        assert said in first.transformation
        assert (first.added_by, second.added_by, pair.added_by) == ("project file", "modelyard", "project file")
        assert "(a minus 24.5) / 14.4309 times (b" in pair.transformation
