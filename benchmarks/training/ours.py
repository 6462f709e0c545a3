"""modelyard on one question: by its commands, as a user would, in a folder of its own. Prints one line of JSON."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl


def main() -> None:
    """Arguments: train.parquet test.parquet target kind budget-in-seconds group-or-dash predictions.parquet."""
    train, test, target, kind, budget, group, out = sys.argv[1:8]
    command = [str(Path(sys.executable).parent / "modelyard")]
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "model"
        run([*command, "new", "model", "--data", train, "--target", target], folder)
        settings = [f"--set=task={kind}", *([f"--set=data.group={group}"] if group != "-" else [])]
        if kind == "binary":
            settings.append(f"--set=data.positive={json.dumps(last_class(train, target))}")
        start = time.perf_counter()
        given = ["--train", train, "--test", test, "--budget", f"{budget}s", "--accept", "a benchmark"]
        run([*command, "train", "--project", str(project), *given, *settings, "--json"], folder)
        spent = time.perf_counter() - start
        run([*command, "score", "--project", str(project), test, f"{folder}/scores.parquet", *settings], folder)
        scores = pl.read_parquet(f"{folder}/scores.parquet")
        record = newest(project)
        answers(scores, kind).write_parquet(out)
        row_ms = one_row(project, pl.read_parquet(test).drop(target))
    print(json.dumps({"train_s": spent, "row_ms": row_ms, "winner": record["winner"], "search_s": record["seconds"]}))


def run(command: list[str], folder: str) -> None:
    """One command, which must end well."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def last_class(train: str, target: str) -> str:
    """The class whose probability is asked for: the last in alphabetical order, whatever tool answers."""
    return str(pl.read_parquet(train)[target].drop_nulls().cast(pl.String).max())


def newest(project: Path) -> dict[str, object]:
    """The record of the run."""
    (path,) = (project / ".modelyard" / "runs").glob("*/run.json")
    record: dict[str, object] = json.loads(path.read_text())["record"]
    return record


def answers(scores: pl.DataFrame, kind: str) -> pl.DataFrame:
    """One column of values or of the positive class's probability, or a column for each class."""
    if kind != "multiclass":
        return scores.select(pl.col("prediction_score").alias("answer"))
    named = [name for name in scores.columns if name.startswith("prediction_probability.")]
    return scores.select(pl.col(name).alias(name.removeprefix("prediction_probability.")) for name in named)


def one_row(project: Path, rows: pl.DataFrame) -> float:
    """Median milliseconds for one row, from its values to its score."""
    from modelyard.data import load_split
    from modelyard.packaging.unsealed import unsealed_scorer
    from modelyard.project import Project
    from modelyard.training.run import load_run

    opened = Project.open(project)
    run_id = opened.workspace.pointer("run")
    stored = load_run(str(run_id), opened.workspace)
    split = load_split(stored.record.split_id, opened.workspace)
    from modelyard.data import settled

    scorer = unsealed_scorer(stored, split, settled(opened.problem, stored.record.task, stored.record.classes))
    spent = []
    for row in rows.head(200).iter_rows(named=True):
        start = time.perf_counter()
        scorer.score_rows([row])
        spent.append(time.perf_counter() - start)
    return float(np.median(spent)) * 1e3


if __name__ == "__main__":
    main()
