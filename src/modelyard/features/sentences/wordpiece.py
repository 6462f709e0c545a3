"""Text to word pieces, as BERT's uncased vocabulary cuts it (Devlin et al., 2019; Wu et al., 2016, section 4.1)."""

import functools
import unicodedata
from collections.abc import Iterator, Mapping

__all__ = ["pieces_of", "words_in"]

_LONGEST_WORD = 100
_ASCII_SIGNS = frozenset("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def words_in(text: str) -> list[str]:
    """Words and signs in lower case, without accents and control characters; each ideograph is a word.

    >>> words_in("Überraschung! £100")
    ['uberraschung', '!', '£100']
    """
    spaced = "".join(_spaced(character) for character in text)
    # Letter by letter: the whole text's lower() knows that a sigma ends a word, and the vocabulary does not.
    plain = "".join(c.lower() for c in unicodedata.normalize("NFD", spaced) if unicodedata.category(c) != "Mn")
    return [part for word in plain.split() for part in _cut_at_signs(word)]


def pieces_of(words: list[str], vocabulary: Mapping[str, int], unknown: int) -> Iterator[int]:
    """The numbers of the longest known pieces, from the left; a word with an unknown piece is unknown as a whole.

    >>> list(pieces_of(["unkind", "kind", "xx"], {"un": 1, "##kind": 2, "kind": 3}, 0))
    [1, 2, 3, 0]
    """
    for word in words:
        yield from _pieces(word, vocabulary, unknown)


def _pieces(word: str, vocabulary: Mapping[str, int], unknown: int) -> list[int]:
    if len(word) > _LONGEST_WORD:
        return [unknown]
    found: list[int] = []
    start = 0
    while start < len(word):
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            piece = vocabulary.get(mark + word[start:end])
            if piece is not None:
                found.append(piece)
                start = end
                break
        else:
            return [unknown]
    return found


@functools.lru_cache(maxsize=65_536)
def _spaced(character: str) -> str:
    """Nothing for a control character, a space for any space, an ideograph between spaces."""
    if character in "\t\n\r" or unicodedata.category(character) == "Zs":
        return " "
    if character in "\0\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co"):
        return ""
    if any(low <= ord(character) <= high for low, high in _IDEOGRAPHS):
        return f" {character} "
    return character


def _cut_at_signs(word: str) -> Iterator[str]:
    start = 0
    for place, character in enumerate(word):
        if _is_sign(character):
            if start < place:
                yield word[start:place]
            yield character
            start = place + 1
    if start < len(word):
        yield word[start:]


@functools.lru_cache(maxsize=65_536)
def _is_sign(character: str) -> bool:
    return character in _ASCII_SIGNS or unicodedata.category(character).startswith("P")
