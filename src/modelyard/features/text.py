"""Free text as weights of its most widespread terms (TF-IDF): a vocabulary and a weight per term, and nothing else."""

import collections
import dataclasses
import functools
import itertools
import math
import re

import numpy as np
import numpy.typing as npt
import polars as pl

from modelyard.core import Record
from modelyard.features.values import categories_in, category_of

__all__ = ["TextEncoding", "fit_text", "terms_in"]

Matrix = npt.NDArray[np.float64]

MAX_CHARACTERS = 20_000
"""What of one text is read; so no request takes long."""

_MOST_TEXTS = 50_000
_FEWEST_TEXTS = 2
_MOST_SHARE = 0.9
_MOST_CELLS = 50_000_000
_FEWEST_TERMS = 50

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|[^\w\s]")


def terms_in(text: str) -> list[str]:
    """Words and pairs of neighbouring words, in lower case; a sign is a word too.

    In scripts that put no spaces between words (Chinese, Japanese, Thai, Lao, Burmese, Khmer) each character counts as
    a word, so that pairs of characters are terms. No list of words of any language is used.

    >>> terms_in("Win £100 NOW!")
    ['win', '£', '100', 'now', '!', 'win £', '£ 100', '100 now', 'now !']
    >>> terms_in("你好")
    ['你', '好', '你 好']
    """
    words = _TOKEN.findall(text[:MAX_CHARACTERS].lower())
    return words + [f"{first} {second}" for first, second in itertools.pairwise(words)]


@dataclasses.dataclass(frozen=True)
class TextEncoding(Record):
    """How much each known term says in a text, and how long the text is.

    A term that comes ``n`` times counts ``(1 + log n) · weight``; all together are divided by their Euclidean norm, so
    that long texts do not outshout short ones, and multiplied by ``norm`` (Salton and Buckley, 1988).

    Parameters
    ----------
    column
        Name of the column read.
    terms
        The vocabulary, most widespread first; other terms of a text are not seen.
    weights
        For each term its inverse document frequency, ``1 + log((1 + texts) / (1 + texts with the term))``.
    norm
        Length of the vector of terms.
    center, scale
        The length's feature is ``(log(1 + characters) - center) / scale``.
    indicator
        True adds a last feature that is 1 where the text is missing; a missing text is otherwise an empty one.
    """

    column: str
    terms: tuple[str, ...]
    weights: tuple[float, ...]
    norm: float = 1.0
    center: float = 0.0
    scale: float = 1.0
    indicator: bool = False

    def names(self) -> tuple[str, ...]:
        """Names of the features, in order."""
        return self._names

    def encode_series(self, series: pl.Series) -> Matrix:
        """Features of a column, shape (rows, ``len(names())``); a text that repeats is read once."""
        matrix = np.zeros((len(series), len(self.names())))
        known: dict[str | None, list[int]] = {}
        for row, text in enumerate(categories_in(series).to_list()):
            known.setdefault(text, []).append(row)
        for text, rows in known.items():
            places, values = self._sparse(text)
            for row in rows:
                matrix[row, places] = values
        return matrix

    def encode_value(self, value: object) -> tuple[float, ...]:
        """Features of one value, the same bits as in :meth:`encode_series`."""
        features = [0.0] * len(self._names)
        for place, feature in zip(*self._sparse(category_of(value)), strict=True):
            features[place] = feature
        return tuple(features)

    def _sparse(self, text: str | None) -> tuple[list[int], list[float]]:
        """The features that are not 0: their places and values."""
        places_of, weights = self._places, self.weights
        found = [place for term in terms_in(text or "") if (place := places_of.get(term)) is not None]
        counts = collections.Counter(found)
        places = list(counts)
        values = [(1.0 + math.log(count)) * weights[place] for place, count in counts.items()]
        length = math.sqrt(math.fsum(value * value for value in values))
        values = [value / length * self.norm for value in values]
        places.append(len(self.terms))
        values.append((math.log1p(len(text or "")) - self.center) / self.scale)
        if self.indicator and text is None:
            places.append(len(self.terms) + 1)
            values.append(1.0)
        return places, values

    @functools.cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    @functools.cached_property
    def _names(self) -> tuple[str, ...]:
        names = [f"{self.column}~{term}" for term in self.terms]
        names.append(f"{self.column} (length)")
        return (*names, f"{self.column} (missing)") if self.indicator else tuple(names)


def fit_text(name: str, texts: pl.Series, *, most_terms: int, norm: float, indicator: bool) -> TextEncoding:
    """The vocabulary of the training rows: the terms of most texts, at most ``most_terms``; ties by the term itself.

    A term must be in two texts or more, and in at most nine of ten. Vocabulary and weights are learnt from 50,000 texts
    at most, evenly chosen. So that a matrix keeps within 50 million numbers, a long table gets fewer terms, but 50.

    Parameters
    ----------
    texts
        The column as text.
    """
    present = texts.drop_nulls()
    step = -(-len(present) // _MOST_TEXTS) or 1
    chosen = present.gather_every(step).to_list()
    counts: collections.Counter[str] = collections.Counter()
    for text in chosen:
        counts.update(set(terms_in(text)))
    room = max(_FEWEST_TERMS, min(most_terms, _MOST_CELLS // max(len(texts), 1)))
    most = max(_MOST_SHARE * len(chosen), _FEWEST_TEXTS)
    kept = [(term, texts_with) for term, texts_with in counts.items() if _FEWEST_TEXTS <= texts_with <= most]
    kept = sorted(kept, key=lambda item: (-item[1], item[0]))[:room]
    weights = tuple(1.0 + math.log((1 + len(chosen)) / (1 + texts_with)) for _, texts_with in kept)
    return TextEncoding(name, tuple(term for term, _ in kept), weights, norm=norm, indicator=indicator)
