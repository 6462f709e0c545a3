"""Tables as bodies: the same scores as rows, in every form; bombs and broken bytes are refused."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.serving import ServingApp, read_predictions
from modelyard.serving.formats import RefusedRequestError
from modelyard.serving.tables import TableForm, TableLimits, read_body, write_body

Call = Callable[..., Any]
ROWS = 40
WIDE = TableLimits(1_000_000, 1 << 26)


@pytest.fixture
def table(row: dict[str, Any]) -> pl.DataFrame:
    """Rows of the contract that differ in one column, dates as dates."""
    rows = [{**row, "tenure": number} for number in range(ROWS)]
    return pl.DataFrame(rows, schema_overrides={"TotalCharges": pl.Float64}).with_columns(pl.col("since").str.to_date())


def read_answer(body: bytes, form: TableForm) -> pl.DataFrame:
    """The answer as any Arrow client reads it."""
    if form is TableForm.PARQUET:
        return pl.read_parquet(io.BytesIO(body))
    opened = pa.ipc.open_file if form is TableForm.ARROW_FILE else pa.ipc.open_stream
    return pl.DataFrame(pl.from_arrow(opened(pa.BufferReader(body)).read_all()))


@pytest.mark.parametrize("form", list(TableForm))
def test_a_table_scores_as_its_rows_do(
    form: TableForm, app: ServingApp, call: Call, table: pl.DataFrame, row: dict[str, Any]
) -> None:
    """The answer comes in the form of the body, with the scores that the rows get as JSON, and all is on record."""
    expected = call("POST", "/predict", [{**row, "tenure": number} for number in range(ROWS)]).json()["predictions"]
    response = call("POST", "/predict", write_body(table, form), content_type=form.value)
    answer = read_answer(response.body, form)
    logged = read_predictions(app.settings.log_folder)

    assert (response.status, response.headers["content-type"]) == (200, form.value)
    assert answer["prediction_score"].to_list() == [item["score"] for item in expected]
    assert answer["prediction_label"].to_list() == [item["label"] for item in expected]
    assert logged["id"].to_list()[ROWS:] == answer["prediction_id"].to_list()
    assert logged["feature.tenure"].to_list()[ROWS:] == list(range(ROWS))


def test_the_answer_is_what_is_accepted(call: Call, table: pl.DataFrame, row: dict[str, Any]) -> None:
    """JSON for a table and a table for JSON, where the caller says so; how sure it is, too."""
    body = write_body(table, TableForm.PARQUET)
    as_json = call("POST", "/predict", body, content_type=TableForm.PARQUET.value, accept="application/json")
    as_table = call("POST", "/predict?uncertainty=true", row, accept=f"{TableForm.ARROW_STREAM}, */*;q=0.1")
    answer = read_answer(as_table.body, TableForm.ARROW_STREAM)

    assert len(as_json.json()["predictions"]) == ROWS
    assert as_table.headers["content-type"] == TableForm.ARROW_STREAM.value
    assert answer.columns == [
        "prediction_id",
        "prediction_score",
        "prediction_label",
        "prediction_flags",
        "prediction_set",
    ]


@pytest.mark.parametrize("compression", ["lz4", "zstd"])
def test_other_writers_are_understood(compression: str, call: Call, table: pl.DataFrame) -> None:
    """Compressed Arrow of pyarrow, coded text, and columns that the contract does not name."""
    arrow = table.with_columns(
        pl.col("Contract").cast(pl.Categorical), pl.lit([[1, 2]]).first().alias("other")
    ).to_arrow()
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, arrow.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(arrow)
    parquet = io.BytesIO()
    pq.write_table(arrow, parquet, compression=compression)
    plain = call("POST", "/predict", write_body(table, TableForm.PARQUET), content_type=TableForm.PARQUET.value)
    expected = read_answer(plain.body, TableForm.PARQUET)["prediction_score"].to_list()

    for body, form in ((sink.getvalue(), TableForm.ARROW_STREAM), (parquet.getvalue(), TableForm.PARQUET)):
        response = call("POST", "/predict", body, content_type=form.value)
        assert response.status == 200, response.body
        assert read_answer(response.body, form)["prediction_score"].to_list() == expected


def test_the_contract_holds_for_tables(call: Call, table: pl.DataFrame) -> None:
    """Flags and refusals are those of rows; a refusal names row, field, got and expected."""
    strange = table.with_columns(pl.when(pl.col("tenure") == 3).then(900).otherwise(pl.col("tenure")).alias("tenure"))
    broken = table.with_columns(pl.when(pl.col("tenure") == 7).then(float("inf")).otherwise(1.0).alias("tenure"))
    kind = TableForm.PARQUET
    flagged = read_answer(call("POST", "/predict", write_body(strange, kind), content_type=kind.value).body, kind)
    refused = call("POST", "/predict", write_body(broken, kind), content_type=kind.value).json()
    absent = call("POST", "/predict", write_body(table.drop("tenure"), kind), content_type=kind.value).json()

    assert flagged["prediction_flags"].to_list() == [None] * 3 + ["tenure: range"] + [None] * (ROWS - 4)
    assert [(e["row"], e["field"], e["got"], e["rule"]) for e in refused["errors"]] == [
        (7, "tenure", "inf", "infinite")
    ]
    assert (absent["errors"][0]["field"], absent["errors"][0]["got"]) == ("tenure", "no such field")


def refusal(body: bytes, form: TableForm, limits: TableLimits) -> tuple[int, str]:
    """Status and kind of the refusal of a body whose wanted column is ``x``."""
    with pytest.raises(RefusedRequestError) as caught:
        read_body(body, form, {"x"}, limits)
    return caught.value.status, caught.value.kind


def parquet_of(values: Any, **options: Any) -> bytes:
    """A Parquet file with one column ``x``."""
    stream = io.BytesIO()
    pq.write_table(pa.table({"x": values}), stream, **options)
    return stream.getvalue()


def test_a_bomb_of_zeros_is_refused_before_it_goes_off() -> None:
    """Four million zeros in some kilobytes: too many bytes by their pages, whatever the footer says of them."""
    zeros = pa.array([0.0]).take(pa.array([0] * 1)).to_numpy().repeat(4_000_000)
    body = parquet_of(zeros, compression="zstd", use_dictionary=False)
    sink = io.BytesIO()
    arrow = pa.table({"x": zeros})
    with pa.ipc.new_stream(sink, arrow.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(arrow)
    limits = TableLimits(10_000_000, 1 << 24)

    assert len(body) < 50_000
    assert refusal(body, TableForm.PARQUET, limits) == (413, "table-too-large")
    assert refusal(sink.getvalue(), TableForm.ARROW_STREAM, limits) == (413, "table-too-large")


def test_many_rows_and_repeated_text_are_bombs_too() -> None:
    """Millions of equal values in runs, and a long text that is named many times, are refused by what they become."""
    runs = parquet_of(pa.array(["a"] * 200_000))
    text = parquet_of(pa.array(["x" * 100_000] * 5_000))
    sink = io.BytesIO()
    coded = pa.table({"x": pa.array(["x" * 100_000] * 5_000).dictionary_encode()})
    with pa.ipc.new_stream(sink, coded.schema) as writer:
        writer.write_table(coded)

    assert refusal(runs, TableForm.PARQUET, TableLimits(100_000, 1 << 30)) == (413, "table-too-large")
    assert len(text) < 200_000
    assert refusal(text, TableForm.PARQUET, WIDE) == (413, "table-too-large")
    assert refusal(sink.getvalue(), TableForm.ARROW_STREAM, WIDE) == (413, "table-too-large")


def test_columns_that_are_not_plain_are_refused() -> None:
    """Lists within a field, and an empty table, are 422."""
    assert refusal(parquet_of(pa.array([[1, 2], [3]])), TableForm.PARQUET, WIDE) == (422, "not-rows")
    assert refusal(parquet_of(pa.array([], pa.int64())), TableForm.PARQUET, WIDE) == (422, "not-rows")


def test_text_that_is_no_text_is_refused() -> None:
    """Bytes that are not UTF-8, plain or coded, are malformed and not a crash of the reader."""
    good = parquet_of(pa.array(["sense", "sense", "more"]), compression="none")
    coded = write_body(pl.DataFrame({"x": pl.Series(["sense", "more"], dtype=pl.Categorical)}), TableForm.ARROW_STREAM)

    assert refusal(good.replace(b"sense", b"sen\xffe"), TableForm.PARQUET, WIDE) == (400, "malformed-table")
    assert refusal(coded.replace(b"sense", b"sen\xffe"), TableForm.ARROW_STREAM, WIDE) == (400, "malformed-table")


@pytest.mark.parametrize("form", list(TableForm))
def test_broken_bytes_are_refused(form: TableForm) -> None:
    """Bytes exchanged, left out or cut off give a table or a refusal below 500, and never end the process."""
    good = write_body(pl.DataFrame({"x": [f"text {number % 7}" for number in range(200)]}), form)

    statuses: set[int] = set()

    @settings(max_examples=30, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.tuples(st.integers(0, len(good) - 1), st.integers(0, 255)), max_size=6),
        st.integers(0, len(good)),
    )
    def run(changes: list[tuple[int, int]], length: int) -> None:
        body = bytearray(good)
        for place, byte in changes:
            body[place] = byte
        try:
            frame = read_body(bytes(body[:length] if length % 2 else body), form, {"x"}, WIDE)
        except RefusedRequestError as error:
            statuses.add(error.status)
        else:
            statuses.add(200 if frame.height <= WIDE.rows else 500)

    run()

    assert statuses <= {200, 400, 413, 422}
    assert 400 in statuses


def test_limits_come_from_the_settings(app: ServingApp, call: Call, table: pl.DataFrame, tmp_path: Path) -> None:
    """A table of more rows than the settings allow is refused, and nothing is logged."""
    app.tables._limits = TableLimits(ROWS - 1, 1 << 20)
    response = call("POST", "/predict", write_body(table, TableForm.PARQUET), content_type=TableForm.PARQUET.value)

    assert response.status == 413
    assert response.json()["errors"][0]["expected"] == f"at most {ROWS - 1} rows"
    assert app.answering.predictions.records_written == 0
