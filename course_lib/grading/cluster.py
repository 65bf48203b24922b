"""Grades on a Dask cluster: one submission is one task, and nothing is kept on the workers.

Every worker, also one that joins later or is started again, gets the bundle as a plugin; a task
carries the notebook's bytes and brings the result back. Whoever reaches a Dask scheduler can run
code on its workers, so one that is not on this machine must speak TLS.
"""

import collections
import contextlib
import ipaddress
import json
import queue
import secrets
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import dask
from distributed import Client, Security, WorkerPlugin, get_worker
from distributed.scheduler import KilledWorker

from course_lib.grading import bundle as bundles
from course_lib.grading import executor, sandbox
from course_lib.grading.processes import SLACK_S

CONNECT_S = 20
WORKERS_S = 60  # without a single worker; a cluster may just be starting them again
AHEAD = 2  # tasks sent for each thread of a worker, so that none waits for the next one
# A notebook of 20 MB in a task is meant.
SETTINGS = {"distributed.admin.large-graph-warning-threshold": "1 GB"}


class _Grading(WorkerPlugin):
    """The bundle on a worker."""

    def __init__(self, packed, kind, secret):
        self.name = f"grading-{secrets.token_hex(8)}"  # of this run alone
        self.packed, self.kind, self.secret = packed, kind, secret

    def setup(self, worker):
        self.lock = threading.Lock()  # checks and solution are not made for several threads
        self.chosen = sandbox.choose(self.kind)
        self.folder = tempfile.TemporaryDirectory(dir=worker.local_directory)
        self.bundle = bundles.unpack(self.packed, Path(self.folder.name, "bundle"))

    def teardown(self, worker):
        self.folder.cleanup()

    def grade(self, data, task):
        with self.lock:
            return executor.grade_bytes(data, task, self.bundle, self.chosen, self.secret)


def _grade(plugin, data, task):
    """Runs on a worker."""
    return json.dumps(get_worker().plugins[plugin].grade(data, executor.Task(*task)))


def grade(tasks, address, tls, folder, kind, secret, total_s):
    """Yield each task with its result, in the order in which they are done.

    Parameters
    ----------
    tasks : sequence of executor.Task
    address : str
        Of the scheduler: ``tcp://127.0.0.1:8786`` or ``tls://HOST:8786``.
    tls : tuple of path or None
        Files of the authority's certificate, ours and its key.
    folder : path
        The bundle.
    kind : str or None
        Of the sandbox; by default each worker takes the first that works there.
    secret : bytes
    total_s : float
        What one submission may take.

    Yields
    ------
    task : executor.Task
    result : dict or str
        A text says what went wrong by the machine's fault.

    Raises
    ------
    ValueError
        If the address or a file of ``tls`` is wrong.
    OSError
        If scheduler or workers are out of reach, or a worker cannot grade.
    """
    plugin = _Grading(bundles.pack(folder), kind, secret)
    with dask.config.set(SETTINGS), _connected(address, tls) as client:
        _wait_for_workers(client, address)
        try:
            _register(client, plugin)
            batch = _Batch(client, plugin.name, 2 * (total_s + SLACK_S))
            try:
                yield from batch.results(tasks)
            finally:
                client.cancel(list(batch.running))
        finally:
            with contextlib.suppress(Exception):  # the scheduler may be gone
                client.unregister_worker_plugin(plugin.name)


class _Batch:
    """Tasks on their way; ``running`` maps futures to a task and its deadline."""

    def __init__(self, client, plugin, seconds):
        self.client, self.plugin, self.seconds = client, plugin, seconds
        self.running, self.done = {}, queue.SimpleQueue()

    def results(self, tasks):
        waiting, suspects, tried = collections.deque(tasks), collections.deque(), set()
        while waiting or suspects or self.running:
            room = AHEAD * self.threads()
            while waiting and len(self.running) < room:
                yield from self.send(waiting.popleft())
            if suspects and not waiting and not self.running:
                yield from self.send(suspects.popleft())  # alone, so that only it can be to blame
            for task, result in self.next():
                if isinstance(result, KilledWorker) and task not in tried:
                    tried.add(task)
                    suspects.append(task)
                elif isinstance(result, BaseException):
                    yield task, " ".join(f"{type(result).__name__}: {result}".split())
                else:
                    yield task, json.loads(result)

    def threads(self):
        """Threads of all workers; waits a while for workers that are started again."""
        end = time.monotonic() + WORKERS_S
        while time.monotonic() < end:
            threads = sum(self.client.nthreads().values())
            if threads:
                return threads
            time.sleep(0.2)
        raise OSError(f"no Dask worker for {WORKERS_S} s; what was graded stays, run again")

    def send(self, task):
        """Send a task; yields it if its file cannot be read."""
        try:
            data = Path(task.path).read_bytes()
        except OSError as error:
            yield task, f"{task.path}: {error.strerror}"
            return
        parts = (task.student, task.hash, str(task.path))
        future = self.client.submit(_grade, self.plugin, data, parts, pure=False)
        self.running[future] = task, time.monotonic() + self.seconds
        future.add_done_callback(self.done.put)

    def next(self):
        """Wait a moment for a result; yields task and JSON or exception, perhaps none."""
        try:
            future = self.done.get(timeout=1)
        except queue.Empty:
            if self.client.status != "running":
                raise OSError(
                    "the Dask scheduler is gone; what was graded stays, run again"
                ) from None
            for future, (task, deadline) in list(self.running.items()):
                if time.monotonic() > deadline:
                    del self.running[future]
                    future.cancel(force=True)
                    yield task, TimeoutError(f"no result in {self.seconds:g} s")
            return
        task, _ = self.running.pop(future, (None, None))
        if task is not None:  # not one that was given up
            yield task, (future.exception() or future.result())


@contextlib.contextmanager
def _connected(address, tls):
    security = None
    if tls:
        for file in tls:
            if not Path(file).is_file():
                raise ValueError(f"{file}: no such file; TLS needs CA, certificate and key")
        names = ("tls_ca_file", "tls_client_cert", "tls_client_key")
        files = dict(zip(names, map(str, tls), strict=True))
        security = Security(require_encryption=True, **files)
    _check_address(address, tls)
    try:
        client = Client(address, security=security, timeout=CONNECT_S, set_as_default=False)
    except Exception as error:  # what speaks another protocol ends in all kinds of errors
        line = " ".join(f"{error}".split())
        raise OSError(f"no Dask scheduler answers at {address}: {line}") from error
    try:
        yield client
    finally:
        client.close()


def _check_address(address, tls):
    """Refuse what would let others on the network run code on the workers."""
    url = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        complete = url.scheme in ("tcp", "tls") and url.hostname and url.port
    except ValueError:  # the port is no number
        complete = False
    if not complete:
        raise ValueError(f"{address}: not the address of a scheduler, like tls://HOST:8786")
    if url.scheme == "tls" and not tls:
        raise ValueError(f"{address}: needs the files of CA, certificate and key for TLS")
    if url.scheme == "tcp" and tls:
        raise ValueError(f"{address}: with certificates the address must begin with tls://")
    if url.scheme == "tcp" and not _is_loopback(url.hostname):
        raise ValueError(
            f"{address}: without TLS whoever reaches this scheduler can run code on its workers "
            "and read the solutions; use tls:// with certificates, or a scheduler on 127.0.0.1"
        )


def _is_loopback(host):
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _wait_for_workers(client, address):
    try:
        client.wait_for_workers(1, timeout=WORKERS_S)
    except TimeoutError as error:
        raise OSError(f"the Dask scheduler at {address} has no workers") from error


def _register(client, plugin):
    """Hand the bundle to all workers, also to those that join later."""
    try:
        client.register_plugin(plugin)
    except Exception as error:  # other packages, another Python, no sandbox
        line = " ".join(f"{type(error).__name__}: {error}".split())
        raise OSError(f"a Dask worker cannot grade this assignment: {line}") from error
