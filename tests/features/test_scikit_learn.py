"""The encoder passes scikit-learn's own suite for estimators, and takes what scikit-learn's users hand in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from modelyard.features import EncodingStyle
from modelyard.features.encoder import TableEncoder
from modelyard.problem import FeaturePlan

EXPECTED_FAILURES: dict[str, str] = {}
"""Check to reason, for checks that contradict the encoder's purpose."""


@parametrize_with_checks(
    [
        *(TableEncoder(style=style.value) for style in EncodingStyle),
        TableEncoder(style="linear", classes=2, plan=FeaturePlan(selection=3)),
    ],
    expected_failed_checks=lambda _: EXPECTED_FAILURES,
)
def test_the_suite_of_scikit_learn(estimator: Any, check: Callable[[Any], None]) -> None:
    """Every check of scikit-learn for transformers, for every family, and with selection."""
    check(estimator)


def test_arrays_lists_and_frames_give_one_matrix() -> None:
    """Numbers, texts and gaps from Polars, pandas, an array of objects and lists are read alike."""
    frame = pl.DataFrame({"x0": [1.0, 2.0, None, 4.0] * 5, "x1": ["a", "b", "a", None] * 5})
    expected = TableEncoder(style="linear").fit_transform(frame)
    handed = (frame.to_pandas(), frame.to_numpy(), [list(row) for row in frame.rows()])

    assert expected.shape == (20, 5)
    for given in handed:
        assert np.array_equal(TableEncoder(style="linear").fit_transform(given), expected)


def test_it_stands_in_a_column_transformer_before_a_model() -> None:
    """Cloned, cross-validated and named as part of a larger pipeline of pandas columns."""
    generator = np.random.default_rng(1)
    frame = pd.DataFrame({"number": generator.normal(size=120), "word": generator.choice(["a", "b"], 120)})
    target = ((frame["number"] > 0) ^ (frame["word"] == "a")).to_numpy()
    parts = ColumnTransformer([("all", TableEncoder(style="linear"), ["number", "word"])])
    pipeline = make_pipeline(parts, LogisticRegression())

    assert cross_val_score(pipeline, frame, target, cv=3).mean() > 0.4
    assert set(parts.fit(frame, target).get_feature_names_out()) == {"all__number", "all__word=a", "all__word=b"}


def test_other_columns_than_those_of_the_fit_are_refused() -> None:
    """Without declared columns the table must be that of the fit; with declared ones, others are ignored."""
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    fitted = TableEncoder().fit(frame)

    with pytest.raises(ValueError, match="feature names should match"):
        fitted.transform(frame[["b", "a"]])
    with pytest.raises(ValueError, match="0 sample"):
        TableEncoder().fit(frame.head(0))
    declared = TableEncoder(fitted.columns_).fit(pl.from_pandas(frame))
    assert declared.transform(pl.DataFrame({"b": ["y"], "c": [0], "a": [2.0]})).tolist() == [[2.0, 0.0, 1.0]]
