"""Sentences become vectors: the same alone and in a batch, of one known encoder, without a network."""

import importlib.util
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.small_encoder import PACKAGE, WIDTH, WORDS, forget, small_encoder

from modelyard.core import IntegrityError, MissingExtraError
from modelyard.data import Column, ColumnKind
from modelyard.features import EncodingStyle, SentenceEncoding, encode_row, encodings_from_json, encodings_to_json
from modelyard.features.encoder import TableEncoder
from modelyard.features.sentences import fit_sentences, pretrained, sentence_model
from modelyard.features.sentences.wordpiece import pieces_of, words_in
from modelyard.problem import FeaturePlan

REAL = importlib.util.find_spec(PACKAGE) is not None


@pytest.fixture
def encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small encoder is the installed one."""
    monkeypatch.syspath_prepend(str(small_encoder(tmp_path / "site")))
    forget()
    yield tmp_path / "site" / PACKAGE / "model"
    forget()


def test_words_and_pieces() -> None:
    """Lower case, no accents, signs and ideographs alone; the longest piece first, and unknown words as a whole."""
    known = {word: place for place, word in enumerate(WORDS)}

    assert words_in("Würde\u00ad \tWINNER!你  ΣΑΣ") == ["wurde", "winner", "!", "你", "σασ"]
    assert list(pieces_of(["winner", "wins", "home", "x" * 101], known, 1)) == [4, 5, 1, 6, 1]


def test_a_text_has_one_vector(encoder: Path) -> None:
    """Of the norm asked for; it depends on the order of words, not on the rows beside it; a gap is 0."""
    encoding = fit_sentences("text", linear=True)
    texts = ["win home", "home win", None, "win home", "WIN  home", ""]

    matrix = encoding.encode_series(pl.Series(texts))

    assert (encoding.version, encoding.width, encoding.norm) == ("0.0.7", WIDTH, 10.0)
    assert encoding.names()[:2] == ("text[0]", "text[1]")
    assert np.linalg.norm(matrix, axis=1) == pytest.approx([10, 10, 0, 10, 10, 10], abs=1e-4)
    assert (matrix[0] == matrix[3]).all()
    assert (matrix[0] == matrix[4]).all()
    assert np.abs(matrix[0] - matrix[1]).max() > 0.01
    assert np.abs(matrix / 10 - np.round(matrix / 10, 6)).max() < 1e-7


@given(texts=st.lists(st.none() | st.text(max_size=30), max_size=8))
@settings(max_examples=25, deadline=None)
def test_one_row_is_the_batch(texts: list[str | None], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Bit for bit, for any text at all, also after JSON."""
    folder = tmp_path_factory.getbasetemp() / "small"
    if not folder.exists():
        small_encoder(folder)
    model = pretrained.SentenceModel(folder / PACKAGE / "model", name="small", version="1")
    encoding = SentenceEncoding("text", "small", "1", model.digest, WIDTH)
    again = encodings_from_json(json.loads(json.dumps(encodings_to_json([encoding]))))[0]
    for one in (encoding, again):
        one.__dict__["_model"] = model

    matrix = encoding.encode_series(pl.Series("text", texts, dtype=pl.String))

    assert again == encoding
    assert [tuple(row) for row in matrix] == [again.encode_value(text) for text in texts]


def test_long_texts_are_read_to_their_256th_piece(encoder: Path) -> None:
    """So no request takes long; what comes after changes nothing."""
    encoding = fit_sentences("text", linear=False)

    assert encoding.encode_value("win " * 254) == encoding.encode_value("win " * 254 + "home " * 9_000)
    assert encoding.encode_value("win " * 253) != encoding.encode_value("win " * 254)


def test_a_text_is_worked_out_once(encoder: Path) -> None:
    """Folds and families ask again; the answer is remembered by content."""
    frame = pl.DataFrame({"text": ["win now", "home now", "win home", "win now"] * 5})
    column = Column("text", ColumnKind.TEXT, "String", nullable=False)
    for style in EncodingStyle:
        TableEncoder((column,), style, plan=FeaturePlan(selection="none", sentences=("text",))).fit_transform(frame)

    assert sentence_model().vector.cache_info().misses == 3


def test_beside_terms_in_the_table_encoder(encoder: Path) -> None:
    """Terms and length first, then the vector; a row gives what the table gives."""
    frame = pl.DataFrame({"text": ["win now", "home now", "win home", None] * 5})
    fitted = TableEncoder(
        (Column("text", ColumnKind.TEXT, "String", nullable=True),),
        plan=FeaturePlan(selection="none", sentences=("text",)),
    ).fit(frame)

    matrix = fitted.transform(frame)

    assert list(fitted.get_feature_names_out())[-WIDTH:] == [f"text[{place}]" for place in range(WIDTH)]
    assert fitted.sources() == (("text",), ("text",))
    assert encode_row(fitted.encodings_, {"text": "home now"}) == matrix[1].tolist()


def test_another_encoder_is_refused(encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model remembers the digest of what read its texts."""
    encoding = fit_sentences("text", linear=False)
    monkeypatch.syspath_prepend(str(small_encoder(tmp_path / "other", seed=2)))
    forget()

    with pytest.raises(IntegrityError, match=r"not the one that the model was trained with.*version 0\.0\.7"):
        encoding.encode_value("win")


@pytest.mark.parametrize("spoil", [lambda raw: raw[:4], lambda raw: raw[:300], lambda raw: raw[:-40]])
def test_weights_that_are_cut_short(encoder: Path, spoil: Callable[[bytes], bytes]) -> None:
    """A damaged file is one sentence."""
    path = encoder / "model.safetensors"
    path.write_bytes(spoil(path.read_bytes()))

    with pytest.raises(IntegrityError, match="the weights cannot be read"):
        sentence_model()


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is fetched: the sentence says what to install."""
    monkeypatch.setattr(pretrained, "_PACKAGE", "there_is_no_such_package")
    sentence_model.cache_clear()

    with pytest.raises(MissingExtraError, match=r"reading sentences needs .*modelyard\[text\]"):
        fit_sentences("text", linear=False)
    sentence_model.cache_clear()


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="scripts/install text")
@pytest.mark.parametrize(
    ("text", "first", "total"),
    [
        ("Win £100 NOW! Txt WIN to 80082", [-0.000483, 0.055344, -0.005344, -0.013156], 0.223877),
        ("I'll be home by six, mum.", [0.035209, -0.078453, 0.041279, -0.008106], 0.768812),
        ("Überraschung: 你好 naïve", [-0.028467, 0.078983, 0.051955, 0.019522], -0.192692),
    ],
)
def test_the_real_encoder_gives_the_published_vectors(text: str, first: list[float], total: float) -> None:
    """As sentence-transformers 6.2 with PyTorch 2.13 in 64 bits gives them, once, on another installation."""
    encoding = fit_sentences("text", linear=False)

    vector = encoding.encode_value(text)

    assert (encoding.encoder, encoding.version, encoding.width) == ("all-MiniLM-L6-v2", "0.1.0", 384)
    assert list(vector[:4]) == pytest.approx(first, abs=1e-6)
    assert sum(vector) == pytest.approx(total, abs=1e-4)
