"""Models beside those of AutoGluon, FLAML, mljar-supervised and LightGBM's defaults: same rows, same seconds, two cores.

Each tool learns from the same 70 % of a table and is judged on the other 30 %, at the same budget; LightGBM's defaults know
none. Printed are the metric, the paired difference to ours with its standard error over the test rows, seconds, and the
milliseconds of one row; at the end mean ranks. Peers live in environments of their own under ``.cache/bench``, made on the
first run::

    python benchmarks/training/side_by_side.py --budget 60
    python benchmarks/training/side_by_side.py --budget 300 --tables churn adult --seeds 1 2

AutoGluon goes without fastai, whose torchvision has no build for this machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from tables import QUESTIONS, ROOT, Question, divided

from modelyard.training.metrics import score, score_weighted

CACHE = ROOT / ".cache" / "bench"
HERE = Path(__file__).parent
AUTOGLUON = (["torch==2.13.0"], ["autogluon.tabular[lightgbm,catboost,xgboost]==1.6.3", "torch==2.13.0"])
TOOLS: Mapping[str, tuple[str, tuple[list[str], ...]]] = {
    "modelyard": ("", ()),
    "AutoGluon, medium quality": ("autogluon-medium", AUTOGLUON),
    "AutoGluon, high quality": ("autogluon-high", AUTOGLUON),
    "FLAML": ("flaml", (["flaml[automl]", "pyarrow"],)),
    "mljar-supervised": ("mljar", (["mljar-supervised", "pyarrow"],)),
    "LightGBM defaults": ("lightgbm", (["flaml[automl]", "pyarrow"],)),
}
DRAWS = 300

Array = npt.NDArray[np.float64]


def main() -> None:
    """Compare all tools on all tables, and print a table in Markdown for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", nargs="+", default=list(QUESTIONS), choices=list(QUESTIONS))
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--budget", type=int, default=60, help="seconds")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="of the division into two parts")
    parser.add_argument(
        "--data", type=Path, help="a folder with tables that the project may not hold: ames_housing.parquet"
    )
    given = parser.parse_args()
    ranks: dict[str, list[float]] = {}
    for name in given.tables:
        for seed in given.seeds:
            parts = divided(name, seed, CACHE / "training", given.data)
            if parts is None:
                print(f"\n{name} is left out: {QUESTIONS[name].source} is neither in tests/data nor given by --data")
                continue
            found = dict(_measured(name, seed, given.budget, given.tools, parts))
            print("\n".join(_lines(f"{name}, seed {seed}", QUESTIONS[name], found)), flush=True)
            for tool, rank in _ranks(QUESTIONS[name], found).items():
                ranks.setdefault(tool, []).append(rank)
    print("\n| tool | mean rank | tables |\n|---|---:|---:|")
    for tool, each in sorted(ranks.items(), key=lambda item: statistics.fmean(item[1])):
        print(f"| {tool} | {statistics.fmean(each):.2f} | {len(each)} |")


class Found:
    """One tool on one table: its predictions of the test rows, or why there are none."""

    def __init__(self, question: Question, test: Path, predictions: Path, figures: Mapping[str, float]) -> None:
        frame, answers = pl.read_parquet(test), pl.read_parquet(predictions)
        self.figures = figures
        truth = frame[question.target]
        if question.kind == "regression":
            self.truth, self.answers = truth.to_numpy().astype(float), answers["answer"].to_numpy().astype(float)
            return
        classes = sorted(truth.cast(pl.String).unique().to_list())
        self.truth = np.searchsorted(classes, truth.cast(pl.String).to_list()).astype(float)
        columns = ["answer"] if question.kind == "binary" else classes
        wide = answers.select(columns).to_numpy().astype(float)
        self.answers = wide[:, 0] if question.kind == "binary" else wide


def _measured(
    name: str, seed: int, budget: int, tools: list[str], parts: tuple[Path, Path]
) -> Iterator[tuple[str, Found]]:
    """Every tool once, one after another; one that fails says so and is left out."""
    question, (train, test) = QUESTIONS[name], parts
    for tool in tools:
        out = CACHE / "training" / f"{name}-{seed}-{budget}-{tool.replace(' ', '_')}.parquet"
        common = [str(train), str(test), question.target, question.kind, str(budget), question.group or "-", str(out)]
        key, installs = TOOLS[tool]
        python = Path(sys.executable) if not key else _environment(key.split("-")[0], installs)
        script = [str(HERE / "ours.py")] if not key else [str(HERE / "peer.py"), key]
        done = subprocess.run([str(python), *script, *common], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{tool} failed on {name}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            continue
        yield tool, Found(question, test, out, json.loads(done.stdout.strip().splitlines()[-1]))


def _environment(name: str, installs: tuple[list[str], ...]) -> Path:
    """The Python of a peer's environment, made if it is not there."""
    name = "flaml" if name == "lightgbm" else name
    folder = CACHE / f"training-{name}"
    python = folder / "bin" / "python"
    if not (folder / ".made").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        for packages in installs:
            subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True, env=os.environ)
        (folder / ".made").touch()
    return python


def _lines(title: str, question: Question, found: Mapping[str, Found]) -> Iterator[str]:
    """One table in Markdown."""
    yield f"\n### {title}: {question.metric}\n"
    yield "| tool | test score | ours better by | ± standard error | training s | one row ms |\n|---|---:|---:|---:|---:|---:|"
    ours = found.get("modelyard")
    for tool, item in found.items():
        gain, error = ("", "") if ours is None or item is ours else _gain(question.metric, ours, item)
        figures = item.figures
        value = score(question.metric, item.truth, item.answers)
        yield (f"| {tool} | {value:.4f} | {gain} | {error} | {figures['train_s']:.0f} | {figures['row_ms']:.2f} |")


def _gain(metric: str, ours: Found, theirs: Found) -> tuple[str, str]:
    """By how much ours is better, and the standard error if other rows had been drawn."""
    sign = 1 if metric == "roc_auc" else -1
    weights = np.random.default_rng(0).poisson(1.0, (DRAWS, len(ours.truth))).astype(float)
    ones = np.ones((1, len(ours.truth)))
    one, many = (
        sign
        * (score_weighted(metric, ours.truth, ours.answers, w) - score_weighted(metric, ours.truth, theirs.answers, w))
        for w in (ones, weights)
    )
    return f"{one[0]:+.4f}", f"{many.std(ddof=1):.4f}"


def _ranks(question: Question, found: Mapping[str, Found]) -> dict[str, float]:
    """1 for the best."""
    sign = -1 if question.metric == "roc_auc" else 1
    order = sorted(found, key=lambda tool: sign * score(question.metric, found[tool].truth, found[tool].answers))
    return {tool: float(place) for place, tool in enumerate(order, 1)}


if __name__ == "__main__":
    main()
