"""A class graded on a Dask cluster over TLS, with workers that die."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from course_lib.grading import cluster, executor, watch
from tests import grading_course as course
from tests.grading_course import NAME

pytest_plugins = "tests.grading_support"

SIZE = 4
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Files of an authority, and of a certificate and key signed by it."""
    if not shutil.which("openssl"):
        pytest.fail("no openssl, with which certificates are made", pytrace=False)
    folder = tmp_path_factory.mktemp("tls")
    for line in (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority "
        "-keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=grader -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return tuple(folder / name for name in ("ca.pem", "cert.pem", "key.pem"))


@pytest.fixture(scope="module")
def address(certificates, tmp_path_factory):
    """A scheduler with two workers, each in a program of its own, that speak TLS only."""
    folder = tmp_path_factory.mktemp("cluster")
    names = ("--tls-ca-file", "--tls-cert", "--tls-key")
    tls = [str(part) for pair in zip(names, certificates, strict=True) for part in pair]
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(folder),
        "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",  # deaths, quickly found poison
        "DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True",
    }

    def start(*command):
        command = [sys.executable, "-m", "dask", *command, *tls]
        return subprocess.Popen(
            command, env=environment, cwd=folder, stderr=subprocess.PIPE, text=True
        )

    scheduler = start(
        *("scheduler", "--host", "127.0.0.1", "--port", "0", "--protocol", "tls"),
        *("--no-dashboard",),
    )
    address = said(scheduler, r"Scheduler at:\s+(tls://127\.0\.0\.1:\d+)")
    options = ("--nworkers", "2", "--nthreads", "1", "--no-dashboard")
    workers = start("worker", address, *options, "--local-directory", str(folder))
    workers.reader = threading.Thread(target=workers.stderr.read)
    workers.reader.start()
    yield address
    stop(workers)
    stop(scheduler)


def said(program, pattern):
    """The part of a program's messages that a pattern names; reads on so that it never blocks."""
    for line in program.stderr:
        if found := re.search(pattern, line):
            program.reader = threading.Thread(target=program.stderr.read)
            program.reader.start()
            return found.group(1)
    pytest.fail(f"{program.args} ended without saying {pattern}")


def stop(program):
    program.terminate()
    program.wait(30)
    if hasattr(program, "reader"):
        program.reader.join()
    program.stderr.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory, sandbox_kind):
    root = tmp_path_factory.mktemp("course")
    workspace = course.build(root / "work")
    course.hand_in(workspace, course.notebooks(workspace, SIZE))
    shutil.copytree(workspace.root, root / "fresh")
    executor.run(workspace, NAME, kind=sandbox_kind)
    return root / "fresh", course.snapshot(workspace)


@pytest.fixture
def fresh(template, tmp_path):
    shutil.copytree(template[0], tmp_path / "work")
    return course.Workspace(tmp_path / "work")


def workers():
    """Process numbers of the Dask workers (not their nannies), youngest last."""
    found = []
    for pid in watch.descendants(os.getpid()):
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if b"spawn_main" in line:
            found.append(pid)
    return sorted(found)


def bundles_on_workers(certificates):
    folder = certificates[0].parent.parent
    return [str(path) for path in folder.glob("cluster*/**/solution.py")]


class TestCluster:
    def test_gives_the_same_results_as_one_process(self, fresh, template, address, certificates):
        done = []
        summary = executor.run(
            *(fresh, NAME), dask=address, tls=certificates, progress=lambda *n: done.append(n)
        )
        assert (summary.graded, summary.infrastructure) == (SIZE, [])
        assert done == [(n, SIZE) for n in range(1, SIZE + 1)]
        assert course.snapshot(fresh) == template[1]
        again = executor.run(fresh, NAME, dask=address, tls=certificates)
        assert (again.graded, again.skipped) == (0, SIZE)
        assert bundles_on_workers(certificates) == []  # no solution stays there

    def test_a_worker_that_is_killed_loses_nothing(self, fresh, template, address, certificates):
        killed = []

        def kill_one(done, total):
            if done == 1:
                killed.append(workers()[0])
                os.kill(killed[0], signal.SIGKILL)

        summary = executor.run(fresh, NAME, dask=address, tls=certificates, progress=kill_one)
        assert killed and summary.graded == SIZE and not summary.infrastructure
        assert course.snapshot(fresh) == template[1]

    def test_a_stopped_run_goes_on(self, fresh, template, address, certificates):
        def stop(done, total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            executor.run(fresh, NAME, dask=address, tls=certificates, progress=stop)
        assert len(course.snapshot(fresh)) == 1 and bundles_on_workers(certificates) == []
        assert executor.run(fresh, NAME, dask=address, tls=certificates).graded == SIZE - 1
        assert course.snapshot(fresh) == template[1]

    def test_poison_is_found_and_the_others_are_graded(self, tmp_path, address, certificates):
        words = {"anna": "fine", "ben": "kill", "cleo": "good"}
        workspace = course.poisoned(tmp_path, words)
        summary = executor.run(workspace, NAME, dask=address, tls=certificates)
        ((student, line),) = summary.infrastructure
        assert student == "ben" and "KilledWorker" in line
        tables = map(json.loads, course.snapshot(workspace).values())
        marks = {table["student"]: table["points"] for table in tables}
        assert marks == {"anna": 5.0, "ben": None, "cleo": 5.0}

    def test_workers_that_cannot_grade(self, fresh, address, certificates, monkeypatch):
        monkeypatch.setattr(cluster.bundles, "pack", lambda folder: b"nothing")
        with pytest.raises(
            OSError, match=r"worker cannot grade this assignment: ValueError: .*not a packed"
        ):
            executor.run(fresh, NAME, dask=address, tls=certificates)
        assert course.snapshot(fresh) == {}

    def test_without_a_certificate_nobody_gets_in(self, address, monkeypatch):
        monkeypatch.setattr(cluster, "CONNECT_S", 2)
        plain = address.replace("tls", "tcp")
        with pytest.raises(OSError, match="no Dask scheduler answers at"):
            connect(plain)


def connect(address, tls=None):
    with cluster._connected(address, tls):
        pass


class TestAddresses:
    @pytest.mark.parametrize(
        "address, words",
        [
            ("tcp://10.0.0.7:8786", "whoever reaches this scheduler can run code"),
            ("10.0.0.7:8786", "whoever reaches this scheduler can run code"),
            ("tcp://grading.example.edu:8786", "whoever reaches this scheduler"),
            ("tls://grading.example.edu:8786", "needs the files of CA, certificate and key"),
            ("127.0.0.1", "not the address of a scheduler"),
            ("http://127.0.0.1:80", "not the address of a scheduler"),
            ("tls://127.0.0.1:port", "not the address of a scheduler"),
        ],
    )
    def test_refused(self, address, words):
        with pytest.raises(ValueError, match=words):
            connect(address)

    def test_certificates_and_no_tls(self, certificates):
        with pytest.raises(ValueError, match="must begin with tls://"):
            connect("tcp://127.0.0.1:8786", certificates)

    def test_missing_certificate_is_named(self, certificates, tmp_path):
        files = (*certificates[:2], tmp_path / "key.pem")
        with pytest.raises(ValueError, match=r"key\.pem: no such file"):
            connect("tls://127.0.0.1:8786", files)

    def test_nobody_there(self, monkeypatch):
        monkeypatch.setattr(cluster, "CONNECT_S", 1)
        with pytest.raises(OSError, match=r"no Dask scheduler answers at 127\.0\.0\.1:9: "):
            connect("127.0.0.1:9")

    def test_something_else_there(self, monkeypatch):
        """Whatever its bytes make of Dask's protocol: one line that names the address."""
        monkeypatch.setattr(cluster, "CONNECT_S", 3)
        with socket.create_server(("127.0.0.1", 0)) as server:
            address = f"127.0.0.1:{server.getsockname()[1]}"
            threading.Thread(target=answer_with_http, args=[server], daemon=True).start()
            with pytest.raises(OSError, match=f"no Dask scheduler answers at {address}: "):
                connect(address)


def answer_with_http(server):
    with contextlib.suppress(OSError):  # until it is closed
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" + bytes(100))


def test_a_scheduler_without_workers_is_not_waited_for_for_ever(fresh, monkeypatch, tmp_path):
    monkeypatch.setattr(cluster, "WORKERS_S", 1)
    command = "-m dask scheduler --host 127.0.0.1 --port 0 --no-dashboard".split()
    scheduler = subprocess.Popen(
        [sys.executable, *command], stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        address = said(scheduler, r"Scheduler at:\s+(tcp://127\.0\.0\.1:\d+)")
        before = time.monotonic()
        with pytest.raises(OSError, match="has no workers"):
            executor.run(fresh, NAME, dask=address)
        assert time.monotonic() - before < 30
    finally:
        stop(scheduler)
    assert course.snapshot(fresh) == {}
