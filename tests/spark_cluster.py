"""A Spark cluster of two workers on this machine, of which one can be lost: as `tests/test_spark.py` needs it."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

#: A machine each, as far as Spark knows; on the first are also the master and the driver. Linux answers to all of 127/8.
HOSTS = ("127.0.0.1", "127.0.0.2")
#: Runs a command and ends with it, or with whoever holds the other end of the pipe: killed or not, no test leaves a Java.
UNTIL_WE_END = '{ "$@"; kill -KILL 0; } & cat; kill -KILL 0'


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The URL of its master, and the process of each worker by host: the leader of a group in which its executors are."""

    master: str
    workers: dict[str, subprocess.Popen[bytes]]

    def freeze(self, host: str) -> None:
        """From now on a worker finishes nothing, and nobody is told."""
        os.killpg(self.workers[host].pid, signal.SIGSTOP)

    def kill(self, host: str) -> None:
        """A worker is gone, and all that it held in memory or was about to write."""
        os.killpg(self.workers[host].pid, signal.SIGKILL)
        self.workers[host].wait()


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A master and two workers of one core and 1 GB each; what they say stands in the folder. None outlives the block."""
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, host: str, *arguments: str, until: str) -> str:
        log = folder / f"{name}.log"
        spark_class = Path(str(importlib.util.find_spec("pyspark").origin)).parent / "bin" / "spark-class"
        command = [spark_class, f"org.apache.spark.deploy.{arguments[0]}", "--host", host]
        command += ["--port", "0", "--webui-port", "0", *arguments[1:]]
        with log.open("wb") as told:
            process = subprocess.Popen(
                ["sh", "-c", UNTIL_WE_END, "sh", *command],
                stdin=subprocess.PIPE,
                stdout=told,
                stderr=told,
                start_new_session=True,
                env=os.environ | {"SPARK_LOCAL_IP": host},
            )
        started.append(process)
        waited = Event()
        while (said := re.search(until, log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            waited.wait(0.1)
        return said[0]

    try:
        master = start("master", HOSTS[0], "master.Master", until=r"spark://127\.0\.0\.1:\d+")
        for host in HOSTS:
            resources = ("--cores", "1", "--memory", "1g", "--work-dir", str(folder / host))
            start(host, host, "worker.Worker", *resources, master, until="Successfully registered with master")
        yield Cluster(master=master, workers=dict(zip(HOSTS, started[1:], strict=True)))
    finally:
        for process in started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def losing(lost: Cluster, host: str, *, when: Callable[[], bool]) -> Iterator[None]:
    """A worker is killed over its work as soon as `when` holds, which has to come before the end of the block."""
    over = Event()
    killed = Event()

    def watch() -> None:
        while not when():
            if over.wait(0.1):
                return
        lost.freeze(host)
        while not running(host):
            if over.wait(0.1):
                return
        lost.kill(host)
        killed.set()

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
    assert killed.is_set(), f"{host} was not at work any more"


def running(host: str) -> int:
    """The tasks that a host was given and has not given back."""
    from pyspark import SparkContext

    context = SparkContext._active_spark_context
    executors = context._jsc.sc().statusTracker().getExecutorInfos()
    return sum(executor.numRunningTasks() for executor in executors if executor.host() == host)
