"""What a person sees: every command's view, on one small project from its table to a challenger."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import ModelyardError

ROWS = 1_000


@dataclasses.dataclass(frozen=True)
class Terminal:
    """A terminal of 200 columns in the folder of one project."""

    root: Path

    def __call__(self, *words: str, token: str | None = None) -> tuple[int, str]:
        """Exit code and text of a command; a refusal's sentence as the text."""
        project = [] if words[0] == "new" else ["--project", str(self.root), "--env", "quick"]
        environment = {"COLUMNS": "200", "MODELYARD_TOKEN": token}
        result = CliRunner().invoke(app, [*words, *project], env=environment)
        if isinstance(result.exception, ModelyardError):
            return int(result.exception.exit_code), result.exception.sentence
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory, data_folder: Path) -> Terminal:
    """A terminal with a new project on 1,000 churn rows; the rest is the new table."""
    home = tmp_path_factory.mktemp("terminal")
    rows = pl.read_parquet(data_folder / "telco_churn.parquet").sample(2 * ROWS, seed=3, shuffle=True)
    rows.head(ROWS).write_parquet(home / "churn.parquet")
    rows.tail(ROWS).write_parquet(home / "new.parquet")
    rows.head(ROWS).select("customerID", ada="Churn").write_csv(home / "experts.csv")
    seen = Terminal(home / "churn")
    code, text = seen("new", str(home / "churn"), "--data", str(home / "churn.parquet"), "--target", "Churn")
    assert code == 0
    assert "Project churn is ready." in text
    quick = {
        "owner": "ada",
        "costs": {"volume_per_year": 1_000, "true_positive": 100, "false_positive": -20},
        "monitoring": {"window": "batch"},
        "training": {"families": ["linear"], "tuning_rounds": 0, "folds": 3, "workers": 1, "unit_minutes": None},
    }
    (seen.root / "modelyard.quick.yaml").write_text(json.dumps(quick), encoding="utf-8")
    return seen


def test_the_life_in_a_terminal(terminal: Terminal) -> None:
    """Each view says what was done, shows the figure that matters, and names the next step."""
    home = terminal.root.parent
    for words, code, *expected in _life(home):
        found, text = terminal(*words)
        assert found == code, text
        for part in expected:
            assert part in text, text

    token = re.findall(
        r"^my_[\w-]{43}$", terminal("token", "grace", "--role", "approver", "--role", "operator")[1], re.MULTILINE
    )
    assert len(token) == 1
    for words, code, *expected in _release(home):
        found, text = terminal(*words, token=token[0])
        assert found == code, text
        for part in expected:
            assert part in text, text
    assert "approver, operator" in terminal("token")[1]
    assert "1 token of grace made void" in terminal("token", "grace", "--revoke")[1]
    assert "0 valid tokens" in terminal("token")[1]


def _life(home: Path) -> Iterator[tuple[list[str], int, *tuple[str, ...]]]:
    """Commands, exit codes, and what must be seen; as the author, who is the user of this machine."""
    yield ["check"], 0, "The question can be asked.", "binary, target Churn", "150 test rows, opened 0 times"
    yield ["explain", "config"], 0, "owner", "ada", "modelyard.quick.yaml"
    yield ["audit"], 0, "Audit: 0 errors, ", "customerID: The column names rows", "→ modelyard train"
    yield ["sync"], 0, "0 runs sent to local."
    yield ["train"], 0, "Winner: linear", "It beats the naive baseline", "★", "→ modelyard evaluate"
    yield ["evaluate"], 0, "linear: ROC AUC 0.", "validation rows", "Saves ", " EUR a year", "threshold"
    beside = "ada 1.0000, winner 0."
    yield ["evaluate", "--experts", str(home / "experts.csv")], 0, "against experts", beside, "150 rows of validation"
    yield ["evaluate", "--open-test", "it is finished"], 0, "test rows, opening number 1", "→ modelyard package"
    yield ["package"], 0, "Package churn 1", "parity", "proved", "→ modelyard register"
    yield ["register"], 0, "Version 1 of churn is registered.", "Somebody else: modelyard approve 1"
    yield ["approve", "1", "--reason", "mine"], 3, "nobody approves their own model"
    yield ["promote", "1"], 4, "waits for approval"
    yield ["status"], 0, "nothing yet", "version 1", "verified", '→ modelyard approve 1 --reason "..."'


def _release(home: Path) -> Iterator[tuple[list[str], int, *tuple[str, ...]]]:
    """The same as somebody else, who may approve and operate."""
    new = str(home / "new.parquet")
    yield ["approve", "1", "--reason", "good"], 0, "is approved", "→ modelyard promote 1"
    yield ["promote", "1"], 0, "Version 1 of churn is in production.", "→ modelyard serve"
    yield ["score", new, str(home / "scores.csv")], 0, "1,000 of 1,000 rows scored", "scores.csv"
    yield ["monitor", "--data", new], 0, "Monitoring: quiet", "1 window judged, 1,000 predictions"
    yield ["ledger", "show"], 0, "version.promoted", "grace", "version.approved"
    yield ["ledger", "verify"], 0, "The chain of", "holds."
    yield ["status"], 0, "production", "version 1"
