"""Files for cron, systemd and GitHub: taken by the real tools where there are some, and each calls the tick."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.schedule.stage import problem_with
from typer.testing import CliRunner

from modelyard.cli.app import app
from modelyard.core import ConfigError
from modelyard.schedule.exporting import schedule_files

ODD = 'it\'s 100% $HOME "here" \\n'
"""A folder that shells, cron and systemd would each read otherwise."""

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing. Run: sudo apt-get install systemd"
)


@needs_systemd
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing in any of them, and reads the folder as it is called."""
    root = tmp_path / ODD
    files = schedule_files("systemd", problem_with(), root)
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    paths = [str(tmp_path / name) for name in files]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False, timeout=60
    )
    said = [line for line in (done.stdout + done.stderr).splitlines() if "modelyard-" in line]

    assert sorted(files) == ["modelyard-churn-watch.service", "modelyard-churn.service", "modelyard-churn.timer"]
    assert said == []
    assert f'"{sys.executable}" "-m" "modelyard" tick "--project"' in files["modelyard-churn.service"]
    assert r"it's 100%% $$HOME \"here\" \\n" in files["modelyard-churn.service"]
    assert "Persistent=true" in files["modelyard-churn.timer"]


@needs_systemd
def test_systemd_would_say_what_is_wrong(tmp_path: Path) -> None:
    """The check above can fail: a unit with a mistake is told."""
    (tmp_path / "modelyard-x.service").write_text("[Service]\nExecStart=nothing\nTypo=1\n", encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "modelyard-x.service")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "modelyard-x.service" in done.stdout + done.stderr


def test_cron_calls_the_tick_of_this_folder(tmp_path: Path) -> None:
    """As cron and then the shell read the line, the words are those that were meant."""
    (line,) = [
        line
        for line in schedule_files("cron", problem_with(), tmp_path / ODD)["churn.cron"].splitlines()
        if not line.startswith("#")
    ]
    *times, command = line.split(" ", 5)
    unescaped = re.sub(r"\\%", "%", command)

    assert times == ["*/5", "*", "*", "*", "*"]
    assert "%" not in re.sub(r"\\%", "", command)
    assert shlex.split(unescaped) == [sys.executable, "-m", "modelyard", "tick", "--project", str(tmp_path / ODD)]


def test_the_workflow_ticks_one_at_a_time(tmp_path: Path) -> None:
    """It is YAML, runs the tick last, and no two run at once."""
    (text,) = schedule_files("github", problem_with(), tmp_path).values()
    flow = yaml.safe_load(text)
    steps = flow["jobs"]["tick"]["steps"]

    assert flow["concurrency"] == {"group": "modelyard-churn", "cancel-in-progress": False}
    assert flow[True]["schedule"] == [{"cron": "*/15 * * * *"}]
    assert steps[-1]["run"] == "modelyard tick"
    assert steps[-1]["env"]["MODELYARD_TOKEN"] == "${{ secrets.MODELYARD_TOKEN }}"
    assert flow["permissions"] == {"contents": "read"}


def test_the_command_writes_them(tmp_path: Path) -> None:
    """By name of the caller, into a folder; another name is refused."""
    (tmp_path / "modelyard.yaml").write_text("name: demo\ndata: {source: r.csv, target: y}\n", encoding="utf-8")
    result = CliRunner().invoke(
        app, ["export", "systemd", "--to", str(tmp_path / "units"), "-p", str(tmp_path), "--json"]
    )
    paths = [Path(path).name for path in json.loads(result.stdout)["paths"]]
    with pytest.raises(ConfigError, match="there is no such caller"):
        schedule_files("crom", problem_with(), tmp_path)

    assert paths == ["modelyard-demo.service", "modelyard-demo.timer", "modelyard-demo-watch.service"]
    assert sorted(path.name for path in (tmp_path / "units").iterdir()) == sorted(paths)
