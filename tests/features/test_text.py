import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.data import Column, ColumnKind
from modelyard.features import (
    ConstantEncoding,
    EncodingStyle,
    TextEncoding,
    encode_row,
    encodings_from_json,
    encodings_to_json,
)
from modelyard.features.encoder import TableEncoder
from modelyard.features.fitting import MAX_TERMS_LINEAR, MAX_TERMS_TREE, fit_encoding
from modelyard.features.text import MAX_CHARACTERS, fit_text, terms_in

NOTE = Column("note", ColumnKind.TEXT, "String", nullable=True)
TEXTS = pl.Series("note", ["free entry now", "free call", "see you now", "see you", "Call me", "call ME"])
styles = st.sampled_from(EncodingStyle)


def fit(texts: pl.Series, style: EncodingStyle) -> object:
    """The encoding of a column of texts."""
    return fit_encoding(NOTE, texts, style)


def test_terms_follow_the_formula() -> None:
    """Weights and features as in the papers, worked out by hand; a term of one text alone is no term."""
    encoding = fit_text("note", TEXTS, most_terms=100, norm=1.0, indicator=False)
    weights = dict(zip(encoding.terms, encoding.weights, strict=True))
    features = dict(zip(encoding.names(), encoding.encode_value("Free, free CALL (nothing known)"), strict=True))
    free, call = (1 + math.log(2)) * weights["free"], weights["call"]

    assert set(encoding.terms) == {"call", "free", "me", "now", "see", "you", "call me", "see you"}
    assert encoding.terms[0] == "call"
    assert weights["call"] == pytest.approx(1 + math.log(7 / 4))
    assert features["note~free"] == pytest.approx(free / math.hypot(free, call))
    assert features["note~call"] == pytest.approx(call / math.hypot(free, call))
    assert features["note~now"] == 0.0
    assert features["note (length)"] == math.log1p(len("Free, free CALL (nothing known)"))


def test_the_vocabulary_is_capped_and_learnt_from_training_texts_alone() -> None:
    """The most widespread terms stay, fewer for trees; words that nearly all texts have are left out."""
    generator = np.random.default_rng(0)
    words = [f"word{number:04}" for number in range(3_000)]
    texts = pl.Series("note", ["the " + " ".join(generator.choice(words, 12)) for _ in range(3_000)])
    linear, tree = fit(texts, EncodingStyle.LINEAR), fit(texts, EncodingStyle.TREE)

    assert isinstance(linear, TextEncoding)
    assert isinstance(tree, TextEncoding)
    assert (len(linear.terms), len(tree.terms)) == (MAX_TERMS_LINEAR, MAX_TERMS_TREE)
    assert "the" not in linear.terms
    assert tree.terms == linear.terms[:MAX_TERMS_TREE]
    assert linear.weights == tuple(sorted(linear.weights))


def test_linear_models_get_a_vector_worth_ten_standardised_numbers() -> None:
    """The terms' squares add up to ten; the length has mean 0 and standard deviation 1."""
    encoding = fit(TEXTS, EncodingStyle.LINEAR)
    assert isinstance(encoding, TextEncoding)
    matrix = encoding.encode_series(TEXTS)

    assert (matrix[:, :-1] ** 2).sum(axis=1) == pytest.approx(np.full(6, 10.0))
    assert (matrix[:, -1].mean(), matrix[:, -1].std()) == (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))


def test_a_missing_text_is_empty_and_flagged() -> None:
    """Nothing is known of it but that it is missing."""
    encoding = fit(pl.Series("note", [*TEXTS, None]), EncodingStyle.TREE)
    assert isinstance(encoding, TextEncoding)

    assert encoding.encode_value(None) == (*[0.0] * (len(encoding.terms) + 1), 1.0)
    assert encoding.encode_value("") == (0.0,) * (len(encoding.terms) + 2)


def test_texts_that_tell_nothing_give_no_feature() -> None:
    """All the same, or none at all."""
    for texts in (["one text"] * 5, [None] * 5):
        assert isinstance(fit(pl.Series("note", texts, dtype=pl.String), EncodingStyle.LINEAR), ConstantEncoding)


def test_any_language_has_terms() -> None:
    """Words in any alphabet; characters where no spaces part the words; accents are kept."""
    assert terms_in("Привет, мир") == ["привет", ",", "мир", "привет ,", ", мир"]
    assert terms_in("東京タワーへ")[:3] == ["東", "京", "タ"]
    assert terms_in("L'été à Zürich 2024")[2:5] == ["été", "à", "zürich"]
    assert terms_in("") == []


def test_an_endless_text_is_read_up_to_a_bound() -> None:
    """A request of many megabytes costs no more than one of twenty thousand characters."""
    assert len(terms_in("a " * MAX_CHARACTERS)) == MAX_CHARACTERS - 1


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(
        st.one_of(st.none(), st.text(), st.sampled_from(["free call", "see you see YOU", "🙂 ﬁ İ ß"])), min_size=1
    ),
    style=styles,
)
def test_a_row_through_json_equals_the_table(texts: list[str | None], style: EncodingStyle) -> None:
    """Whatever is written, a request gives the bits of the table."""
    frame = pl.DataFrame({"note": pl.Series(texts, dtype=pl.String)})
    encoder = TableEncoder((NOTE,), style).fit(TEXTS.to_frame())
    served = encodings_from_json(encodings_to_json(encoder.encodings_))
    by_row = np.array([encode_row(served, {"note": text}) for text in texts])

    assert by_row.tobytes() == encoder.transform(frame).tobytes()
    assert not np.isnan(by_row).any()


@settings(max_examples=20, deadline=None)
@given(one=st.lists(st.text()), other=st.lists(st.text()), style=styles)
def test_held_out_texts_change_no_vocabulary(one: list[str], other: list[str], style: EncodingStyle) -> None:
    """F8 for text: only training rows are read."""
    states = []
    for held_out in (one, other):
        whole = pl.DataFrame({"note": pl.Series([*TEXTS, *held_out], dtype=pl.String)})
        states.append(TableEncoder((NOTE,), style).fit(whole.head(len(TEXTS))).encodings_)

    assert states[0] == states[1]
