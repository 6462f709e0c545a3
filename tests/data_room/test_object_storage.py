import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.data_room.servers import free_port, s3_server

from modelyard.core import DataError, MissingExtraError
from modelyard.data import open_source, read_source
from modelyard.data.readers.object_storage import ObjectStorageReader

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None]})


def parquet(frame: pl.DataFrame) -> bytes:
    """The frame as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """An S3-compatible server."""
    with s3_server() as address:
        yield address


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of a server with the bucket ``yard``; logins come from the environment, as they do for users."""
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up-too",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket="yard")
    return client


@pytest.mark.parametrize(
    ("name", "content"),
    [("t.parquet", parquet(FRAME)), ("t.csv", b"a,b\n1,x\n2,\n"), ("t.jsonl", b'{"a": 1, "b": "x"}\n{"a": 2}\n')],
)
def test_objects_are_read_in_every_format(bucket: Any, name: str, content: bytes) -> None:
    """An object is fetched, and read by the reader of its format."""
    bucket.put_object(Bucket="yard", Key=name, Body=content)

    assert read_source(f"s3://yard/{name}").frame.equals(FRAME)


@pytest.mark.parametrize(("name", "content"), [("t.parquet", parquet(FRAME)), ("t.csv", b"a,b\n1,x\n2,\n")])
def test_objects_wait_in_files(bucket: Any, tmp_path: Path, name: str, content: bytes) -> None:
    """With a scratch folder an object is copied there, and read as a local file is; an error names its address."""
    bucket.put_object(Bucket="yard", Key=name, Body=content)
    bucket.put_object(Bucket="yard", Key="broken.parquet", Body=b"PAR1 not")
    table = open_source(f"s3://yard/{name}", scratch=tmp_path / "scratch").table

    assert table.frame().equals(FRAME)
    assert [path.suffix for path in (tmp_path / "scratch" / "objects").iterdir()] == [Path(name).suffix]
    with pytest.raises(DataError, match=r"s3://yard/broken\.parquet"):
        open_source("s3://yard/broken.parquet", scratch=tmp_path / "scratch")


def test_a_prefix_is_a_folder_of_parts(bucket: Any) -> None:
    """All parts below a prefix are one table, with the partitions that their names hold."""
    for year in (2024, 2025):
        bucket.put_object(Bucket="yard", Key=f"sales/year={year}/part.parquet", Body=parquet(FRAME))
    bucket.put_object(Bucket="yard", Key="sales/_SUCCESS", Body=b"")

    table = read_source("s3://yard/sales")

    assert table.frame.rows() == [(1, "x", 2024), (2, None, 2024), (1, "x", 2025), (2, None, 2025)]
    assert table.notes == ("2 parts were read in the order of their names; folders give the columns 'year'",)


def test_what_is_not_there_or_cut_short(bucket: Any) -> None:
    """An absent object, an absent bucket, half a file and a prefix without tables have a sentence each."""
    bucket.put_object(Bucket="yard", Key="half.parquet", Body=parquet(FRAME)[:-20])
    bucket.put_object(Bucket="yard", Key="papers/readme.md", Body=b"hello")

    for address, sentence in {
        "s3://yard/none.csv": "there is no such object",
        "s3://nobodys-bucket/none.csv": "there is no such object",
        "s3://yard/half.parquet": "the Parquet file is damaged; got cut short",
        "s3://yard/papers": "the folder holds no table",
    }.items():
        with pytest.raises(DataError, match=sentence) as caught:
            read_source(address)
        assert caught.value.cure


def test_an_object_that_changes_while_it_is_read(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of an object that was replaced in the meantime are thrown away."""
    bucket.put_object(Bucket="yard", Key="moving.csv", Body=b"a,b\n1,x\n")
    reading = ObjectStorageReader.read

    def slow(self: ObjectStorageReader, source: Any) -> Any:
        raw = reading(self, source)
        bucket.put_object(Bucket="yard", Key="moving.csv", Body=b"a,b\n1,x\n2,y\n")
        return raw

    monkeypatch.setattr(ObjectStorageReader, "read", slow)
    with pytest.raises(DataError, match="the source changed while it was read"):
        read_source("s3://yard/moving.csv")


def test_logins_and_servers_that_are_missing(bucket: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a login the sentence says where one is looked for; without a server it says that."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(DataError, match=r"the object cannot be read; got Could not connect"):
        read_source("s3://yard/t.csv")

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"the login is missing.*Set AWS_ACCESS_KEY_ID"):
        read_source("s3://yard/t.csv")


@pytest.mark.parametrize(("scheme", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs")])
def test_a_missing_package_names_its_extra(scheme: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the vendor's package, the sentence says what to install."""
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(MissingExtraError, match=rf"needs the package '{package}'.*modelyard\[object-storage\]"):
        read_source(f"{scheme}://yard/t.csv")


def test_an_unknown_scheme_is_named() -> None:
    """A scheme that nobody reads is refused with the nearest that somebody reads."""
    with pytest.raises(DataError, match=r"this kind of address is not known; got s3n://\. Did you mean 's3"):
        read_source("s3n://yard/t.csv")
