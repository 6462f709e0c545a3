import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from modelyard import Project
from modelyard.cli.app import app
from modelyard.core import ConfigError, DataError
from modelyard.retraining.replay import Replay
from modelyard.retraining.replay.page import table_rows
from modelyard.store import load_record


def account(replay: Replay) -> dict[str, tuple[int, int]]:
    """Retrainings and promotions by policy."""
    return {result.policy.name: (result.retrainings, result.promotions) for result in replay.results}


def test_after_a_change_who_retrains_wins_it_back(project: Project, past: Any, tmp_path: Path) -> None:
    """Never loses; who retrains on a drift that retraining cures does so once or twice, and is recommended, in money too."""
    past(4200, change=0.4).write_parquet(tmp_path / "past.parquet")
    (tmp_path / "ours.yaml").write_text("drift: true\ncooldown: 7d\nwindow: {sliding: 14d}\n")
    asked = [str(tmp_path / "ours.yaml")]
    found, page = project.replays.run(tmp_path / "past.parquet", asked)
    never, default = found.results
    steps = default.steps
    promoted = next(place for place, step in enumerate(steps) if step.promoted)

    assert (never.policy.name, never.retrainings) == ("never", 0)
    assert default.retrainings in (1, 2)
    assert default.promotions >= 1
    assert default.gain is not None
    assert default.gain.low > 0
    assert default.money_gain is not None
    assert default.money_gain.low > 0
    assert default.gain_per_retraining == pytest.approx(default.gain.value / default.retrainings)
    assert found.recommended == "ours"
    assert f"over never with {default.retrainings} retraining" in found.recommendation
    assert steps[promoted].pulled
    assert [step.champion for step in steps[: promoted + 1]] == [1] * (promoted + 1)
    assert steps[promoted + 1].champion == 2
    assert all(step.pulled == () for step in never.steps)
    assert "ours: when retraining cures the cause of a drift" in page.read_text(encoding="utf-8")

    again, _ = project.replays.run(tmp_path / "past.parquet", asked)  # found again, not walked again
    rows = project.ledger().rows(action="policy.replayed")
    assert again == found
    assert [row.details["recommended"] for row in rows] == ["ours", "ours"]
    assert project.status().production is None
    assert project.workspace.pointer("run") is None
    assert load_record(Replay, page.parent, "replay", cure="") == found


def test_a_quiet_history_is_left_alone(project: Project, past: Any, tmp_path: Path) -> None:
    """Nothing changes, so drift retrains never, and never is recommended."""
    past(seed=4).write_parquet(tmp_path / "past.parquet")
    found, _ = project.replays.run(tmp_path / "past.parquet", ["drift"])

    assert account(found) == {"never": (0, 0), "drift": (0, 0)}
    assert found.recommended == "never"
    assert [len(result.steps) for result in found.results] == 2 * [8]
    assert [row[4] for row in table_rows(found)[1]] == ["–", "+0 (+0 to +0)"]


@pytest.mark.slow
def test_a_walk_knows_no_label_before_it_comes(project: Project, past: Any, tmp_path: Path) -> None:
    """With labels four weeks late the same change is met four weeks later, if at all."""
    past(change=0.5).write_parquet(tmp_path / "past.parquet")
    (tmp_path / "often.yaml").write_text("new_labels: 300\nwindow: {sliding: 7d}\n")
    at_once, _ = project.replays.run(tmp_path / "past.parquet", [str(tmp_path / "often.yaml")])
    late, _ = project.replays.run(tmp_path / "past.parquet", [str(tmp_path / "often.yaml")], label_delay="28d")
    first = [
        next(place for place, step in enumerate(found.results[1].steps) if step.pulled) for found in (at_once, late)
    ]

    assert first == [0, 4]
    assert at_once.results[1].policy.words == "after 300 new labels; the last 7 days"
    assert at_once.results[1].retrainings > late.results[1].retrainings


@pytest.mark.slow
def test_a_killed_replay_goes_on_by_policy(project: Project, past: Any, tmp_path: Path) -> None:
    """A walk that was finished is not made again; one that is lost is made again, step by step the same."""
    past().write_parquet(tmp_path / "past.parquet")
    project.replays.run(tmp_path / "past.parquet", ["monthly"])
    folder = project.workspace.folder("retraining", "replays")
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("walk-*/walk.json")}
    project.replays.run(tmp_path / "past.parquet", ["monthly", "weekly"])
    after = {path: path.stat().st_mtime_ns for path in folder.glob("walk-*/walk.json")}

    assert len(kept) == 2
    assert len(after) == 3
    assert kept.items() <= after.items()

    before, _ = project.replays.run(tmp_path / "past.parquet", ["monthly"])
    shutil.rmtree(folder)
    anew, _ = project.replays.run(tmp_path / "past.parquet", ["monthly"])
    assert [result.steps for result in anew.results] == [result.steps for result in before.results]
    assert anew.results[1].gain == before.results[1].gain


def test_what_cannot_be_replayed_is_refused(project: Project, past: Any, tmp_path: Path) -> None:
    """No time column, a counter in its place, too short a past, an unknown policy, a senseless start or length."""
    table, path = past(900), tmp_path / "past.parquet"
    table.write_parquet(path)
    timeless = Project.open(project.root, settings=("training.families=[linear]", "owner=grace", "data.time=null"))
    with pytest.raises(ConfigError, match="needs a time column"):
        timeless.replays.run(path)
    with pytest.raises(DataError, match="too short for a replay"):
        project.replays.run(path, start=0.1)
    with pytest.raises(ConfigError, match="no such policy"):
        project.replays.run(path, ["montly"])
    with pytest.raises(ConfigError, match="share of the rows, or a day"):
        project.replays.run(path, start="soon")
    with pytest.raises(ConfigError, match="no length of time"):
        project.replays.run(path, every="week")
    table.with_columns(pl.int_range(pl.len()).alias("at")).write_parquet(path)
    with pytest.raises(DataError, match="policies of retraining speak of days"):
        project.replays.run(path)
    table.drop("bought").write_parquet(path)
    with pytest.raises(DataError, match="'bought'"):
        project.replays.run(path)


@pytest.mark.slow
def test_the_command_says_which_policy_pays(
    project: Project, past: Any, settings: tuple[str, ...], tmp_path: Path
) -> None:
    """In the terminal the answer, the table and the page; as JSON the record."""
    past(change=0.3).write_parquet(tmp_path / "past.parquet")
    words = ["replay", "--data", str(tmp_path / "past.parquet"), "--policy", "monthly", "-p", str(project.root)]
    words += [word for setting in settings for word in ("--set", setting)]
    shown = CliRunner().invoke(app, words, env={"COLUMNS": "160"})
    record = CliRunner().invoke(app, [*words, "--json"])

    assert shown.exit_code == record.exit_code == 0
    assert "Policy monthly: +0." in shown.stdout
    assert "EUR over never" in shown.stdout
    assert "replay.html" in shown.stdout
    assert json.loads(record.stdout)["recommended"] == "monthly"
