"""Reading experts' answers: one column for each expert, or one row for each answer."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from modelyard.core import ConfigError, DataError, digest_json
from modelyard.data import read_table
from modelyard.data.schema import category_text
from modelyard.evaluation.experts.records import ExpertAnswers
from modelyard.problem import Problem, Task, did_you_mean

__all__ = ["check_answers", "read_answers", "together"]

_LONG = ("expert", "answer")


def read_answers(source: Path | str, problem: Problem) -> ExpertAnswers:
    """Read a table with the rows' id and either a column for each expert, or the columns ``expert`` and ``answer``.

    Cells without an answer are left out.

    Raises
    ------
    ConfigError
        If the project file declares no id, by which answers could be joined.
    DataError
        If the id column is absent, nobody answered, or somebody answered a row twice.
    """
    name = problem.data.id
    if name is None:
        raise ConfigError(
            "experts' answers are joined by the id of a row",
            where="data.id",
            got="none declared",
            cure="Declare the column that names a row under data.id, and train again",
        )
    table = read_table(source)
    if name not in table.columns:
        raise DataError(
            "a file of experts' answers needs the rows' id",
            where=str(source),
            got=", ".join(table.columns[:8]),
            cure=f"Name the column {name!r}, as the project file does",
        )
    long = _as_long(table, name).filter(pl.col("answer").is_not_null() & pl.col("row").is_not_null())
    if long.height == 0:
        raise DataError("no expert has answered any row", where=str(source), cure="Fill in at least one answer")
    twice = long.filter(long.select("row", "expert").is_duplicated()).unique(["row", "expert"])
    if twice.height:
        raise DataError(
            "an expert has answered a row twice",
            where=str(source),
            got=f"{twice['expert'][0]!r}, row {twice['row'][0]!r}",
            cure="Keep one answer of each expert for each row",
        )
    answers: dict[str, dict[str, str]] = {}
    for row, expert, answer in long.sort("expert", "row").iter_rows():
        answers.setdefault(expert, {})[row] = answer
    return ExpertAnswers(Path(str(source)).name, digest_json(answers), answers)


def _as_long(table: pl.DataFrame, name: str) -> pl.DataFrame:
    """One row for each answer, all as text."""
    others = [column for column in table.columns if column != name]
    if set(others) == set(_LONG):
        parts = [table.select(pl.col(name), "expert", "answer")]
    else:
        parts = [
            table.select(name, pl.lit(column).alias("expert"), pl.col(column).alias("answer")) for column in others
        ]
    texts = [
        pl.DataFrame(
            {
                "row": category_text(part[name]),
                "expert": category_text(part["expert"]),
                "answer": category_text(part["answer"]).str.strip_chars().replace("", None),
            },
            schema={"row": pl.String, "expert": pl.String, "answer": pl.String},
        )
        for part in parts
    ]
    return (
        pl.concat(texts) if texts else pl.DataFrame(schema={"row": pl.String, "expert": pl.String, "answer": pl.String})
    )


def check_answers(answers: ExpertAnswers, task: Task, classes: Sequence[str]) -> None:
    """Refuse answers that are no class, or no number, before any row is looked at.

    Raises
    ------
    DataError
        For the first such answer.
    """
    for expert, given in answers.answers.items():
        for row, answer in given.items():
            if task is not Task.REGRESSION and answer not in classes:
                raise _unusable(answers, expert, row, answer, did_you_mean(answer, classes))
            if task is Task.REGRESSION and not _is_number(answer):
                raise _unusable(answers, expert, row, answer, "Answer with a number, in the target's unit")


def _unusable(answers: ExpertAnswers, expert: str, row: str, answer: str, cure: str) -> DataError:
    return DataError(
        "an expert's answer is none that the target has",
        where=f"{answers.source}, {expert}, row {row}",
        got=repr(answer),
        cure=cure,
    )


def _is_number(answer: str) -> bool:
    try:
        return abs(float(answer)) < float("inf")
    except ValueError:
        return False


def together(answers: Mapping[str, Mapping[str, str]], task: Task) -> dict[str, str]:
    """What all experts say together: the commonest class, or the mean; rows on which they are split have no answer.

    >>> together({"a": {"1": "yes", "2": "no"}, "b": {"1": "yes", "2": "yes"}}, Task.BINARY)
    {'1': 'yes'}
    """
    rows = list(dict.fromkeys(row for given in answers.values() for row in given))
    found: dict[str, str] = {}
    for row in rows:
        said = [given[row] for given in answers.values() if row in given]
        if task is Task.REGRESSION:
            found[row] = str(sum(map(float, said)) / len(said))
            continue
        counts = {answer: said.count(answer) for answer in said}
        most = max(counts.values())
        if list(counts.values()).count(most) == 1:
            found[row] = next(answer for answer, count in counts.items() if count == most)
    return found
