import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.data import Column, ColumnKind
from modelyard.features import CategoryEncoding, EncodingStyle, TargetEncoding, encode_row
from modelyard.features.encoder import TableEncoder
from modelyard.features.fitting import fit_encoding

SHOP = Column("shop", ColumnKind.CATEGORY, "String", nullable=True)
ROWS = 4_000
SHOPS = 400


def shops(seed: int = 0) -> pl.DataFrame:
    """Four hundred shops in four thousand rows, by chance."""
    drawn = np.random.default_rng(seed).integers(0, SHOPS, ROWS)
    return pl.DataFrame({"shop": [f"shop {number:03}" for number in drawn]})


def told(frame: pl.DataFrame, seed: int = 1) -> np.ndarray:
    """A target of which each shop has its own mean."""
    means = {name: place / 100 for place, name in enumerate(frame["shop"].unique().sort().to_list())}
    noise = np.random.default_rng(seed).normal(size=frame.height)
    return np.array([means[name] for name in frame["shop"].to_list()]) + noise


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Pearson's."""
    return float(np.corrcoef(one, other)[0, 1])


def fitted(frame: pl.DataFrame, target: np.ndarray) -> TargetEncoding:
    """The encoding of the shops, not standardised."""
    encoding = fit_encoding(SHOP, frame["shop"], EncodingStyle.TREE, target=target[:, np.newaxis])
    assert isinstance(encoding, TargetEncoding)
    return encoding


def test_means_are_drawn_towards_the_overall_mean() -> None:
    """The shrunk mean follows Micci-Barreca's formula with the variances of the analysis of variance."""
    frame, target = shops(), told(shops())
    encoding = fitted(frame, target)
    groups = [target[(frame["shop"] == level).to_numpy()] for level in encoding.levels]
    sizes = np.array([len(group) for group in groups])
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (ROWS - len(groups))
    explained = sum(len(group) * (group.mean() - target.mean()) ** 2 for group in groups) / (len(groups) - 1)
    between = (explained - within) / ((ROWS - (sizes**2).sum() / ROWS) / (len(groups) - 1))
    weights = sizes / (sizes + within / between)
    expected = weights * np.array([group.mean() for group in groups]) + (1 - weights) * target.mean()

    assert np.array(encoding.means)[:, 0] == pytest.approx(expected)
    assert encoding.other[0] == pytest.approx(target.mean())
    assert encoding.encode_value("a new shop") == encoding.encode_value(None) == encoding.other


def test_levels_that_tell_nothing_are_not_believed() -> None:
    """Where the means differ by no more than chance, the target stays out, whatever the seed."""
    rejected = 0
    for seed in range(10):
        noise = np.random.default_rng(100 + seed).normal(size=(ROWS, 1))
        encoding = fit_encoding(SHOP, shops(seed)["shop"], EncodingStyle.TREE, target=noise)
        rejected += isinstance(encoding, CategoryEncoding)
        if isinstance(encoding, TargetEncoding):
            assert np.ptp(np.array(encoding.means)) < 0.5

    assert rejected >= 3


def test_training_never_sees_a_mean_that_holds_its_own_answer() -> None:
    """On a planted weak signal, full means flatter training by far; cross-fitted ones do no better than on new rows."""
    frame = shops()
    signal = dict(zip(frame["shop"].unique().sort(), np.random.default_rng(3).normal(size=SHOPS) * 0.3, strict=False))
    drawn = np.random.default_rng(4)
    target = np.array([signal[name] for name in frame["shop"]]) + drawn.normal(size=ROWS)
    encoder = TableEncoder((SHOP,), EncodingStyle.TREE)
    learnt = correlation(encoder.fit_transform(frame, target)[:, 0], target)
    flattered = correlation(encoder.transform(frame)[:, 0], target)
    again = np.array([signal[name] for name in frame["shop"]]) + drawn.normal(size=ROWS)
    new = correlation(encoder.transform(frame)[:, 0], again)

    assert flattered > new + 0.1
    assert 0.05 < learnt < new + 0.03


def test_later_rows_get_the_means_of_all_training_rows() -> None:
    """``transform`` after ``fit_transform`` equals ``transform`` after ``fit``."""
    frame, target = shops(), told(shops())
    one = TableEncoder((SHOP,), EncodingStyle.LINEAR)
    one.fit_transform(frame, target)
    other = TableEncoder((SHOP,), EncodingStyle.LINEAR).fit(frame, target)

    assert one.encodings_ == other.encodings_
    assert one.transform(frame).tobytes() == other.transform(frame).tobytes()
    assert one.transform(frame).mean() == pytest.approx(0.0, abs=1e-9)
    assert one.transform(frame).std() == pytest.approx(1.0)


def test_own_answer_changes_no_own_feature() -> None:
    """Changing one row's target leaves that row's deviation as it was, and moves other rows of its shop."""
    frame, target = shops(), told(shops())
    changed = target.copy()
    changed[7] += 50.0
    encoders = [TableEncoder((SHOP,), EncodingStyle.TREE) for _ in range(2)]
    before, after = (
        encoder.fit_transform(frame, y)[:, 0] - y.mean() for encoder, y in zip(encoders, (target, changed), strict=True)
    )
    same = (frame["shop"] == frame["shop"][7]).to_numpy()

    assert after[7] == pytest.approx(before[7], abs=1e-9)
    assert np.abs(after[same] - before[same]).max() > 0.1


def test_rows_of_one_group_stay_together() -> None:
    """Where every shop lies in one group, no row learns anything about its shop in training."""
    frame = shops().with_columns(pl.col("shop").alias("owner"))
    encoder = TableEncoder((SHOP,), EncodingStyle.TREE, group="owner")
    target = told(frame)

    assert encoder.fit_transform(frame, target)[:, 0] == pytest.approx(np.full(ROWS, target.mean()))


def test_several_classes_give_their_shares() -> None:
    """Three classes are three features, which add up to 1."""
    frame = shops()
    codes = np.clip((told(frame) + 0.5) // 1.5, 0, 2)
    encoder = TableEncoder((SHOP,), EncodingStyle.TREE, classes=3)
    matrix = encoder.fit_transform(frame, codes)

    assert matrix.shape == (ROWS, 3)
    assert next(iter(encoder.get_feature_names_out())) == "shop (share of class 1)"
    assert len(TableEncoder((SHOP,), classes=11).fit(frame, codes).get_feature_names_out()) == 1


@settings(max_examples=20, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.sampled_from(["shop 001", "shop 002", "new", "", "7"])), min_size=1),
    style=st.sampled_from([style for style in EncodingStyle if style is not EncodingStyle.NEURAL]),
)
def test_a_row_equals_the_table(values: list[str | None], style: EncodingStyle) -> None:
    """The same bits for known, unseen and missing levels; neural models embed codes instead."""
    encoder = TableEncoder((SHOP,), style).fit(shops(), told(shops()))
    table = encoder.transform(pl.DataFrame({"shop": pl.Series(values, dtype=pl.String)}))
    by_row = np.array([encode_row(encoder.encodings_, {"shop": value}) for value in values])

    assert isinstance(encoder.encodings_[0], TargetEncoding)
    assert by_row.tobytes() == table.tobytes()
