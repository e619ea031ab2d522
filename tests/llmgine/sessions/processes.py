"""Processes that do one thing at the same moment, each with a store of its own on one database."""

import asyncio
import contextlib
import multiprocessing
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from llmgine.sessions import SessionStore, open_store
from llmgine.sessions.store import LEASE_SECONDS

COUNT = 8
_PATIENCE = 120.0  # seconds that a process may say nothing: eight start at once, on whatever machine

# What each process does: its store, its number from 0 on, and arguments. Must be a function of a module.
Job = Callable[..., Awaitable[Any]]


@dataclass
class _Failure:
    text: str


@dataclass
class _Order:
    url: str
    lease_seconds: float
    job: Job
    arguments: tuple[object, ...]


class Processes:
    """Eight processes, started when they are first needed."""

    def __init__(self) -> None:
        self._children: list[tuple[BaseProcess, Connection]] = []

    def run(
        self, url: str, job: Job, *arguments: object, lease_seconds: float = LEASE_SECONDS, killed: int | None = None
    ) -> list[Any]:
        """What each process returns, by its number; all of them begin when all have opened the database.

        Args:
            url: The database.
            job: What they do.
            arguments: Further arguments of it.
            lease_seconds: How long one that is not heard of counts as alive, on PostgreSQL.
            killed: The number of the process that kills itself in its job. It returns nothing, and is gone.
        """
        done = False
        try:
            self._start()
            self._tell(_Order(url, lease_seconds, job, arguments))
            self._answers()
            self._tell("go")
            if killed is not None:
                self._bury(killed)
            results = self._answers()
            self._tell("close")
            self._answers()
            done = True
        finally:
            if not done:
                self.stop()
        return results

    def stop(self) -> None:
        """End the processes."""
        for process, pipe in self._children:
            pipe.close()
            process.kill()
            process.join()
            process.close()
        self._children = []

    def _bury(self, number: int) -> None:
        """Wait for the end of a process that is killed."""
        process, pipe = self._children.pop(number)
        process.join(_PATIENCE)
        assert process.exitcode == -signal.SIGKILL, f"{process.name} ended with {process.exitcode}"
        pipe.close()
        process.close()

    def _start(self) -> None:
        if self._children:
            return
        spawn = multiprocessing.get_context("spawn")
        for number in range(COUNT):
            ours, theirs = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(theirs, number), daemon=True)
            process.start()
            theirs.close()
            self._children.append((process, ours))

    def _tell(self, what: object) -> None:
        for _, pipe in self._children:
            pipe.send(what)

    def _answers(self) -> list[Any]:
        answers = []
        for process, pipe in self._children:
            assert pipe.poll(_PATIENCE), f"{process.name} has said nothing for {_PATIENCE} s"
            answers.append(pipe.recv())
        failed = [answer.text for answer in answers if isinstance(answer, _Failure)]
        assert not failed, "\n".join(failed)
        return answers


def _serve(pipe: Connection, number: int) -> None:
    with contextlib.suppress(EOFError, OSError):  # the tests have ended, in the middle of something or not
        while True:
            order = pipe.recv()
            try:
                asyncio.run(_do(pipe, number, order))
            except Exception as error:
                pipe.send(_Failure(f"process {number}: {type(error).__name__}: {error}"))


async def _do(pipe: Connection, number: int, order: _Order) -> None:
    store: SessionStore = await open_store(order.url, lease_seconds=order.lease_seconds)
    try:
        pipe.send("ready")
        await asyncio.to_thread(pipe.recv)
        pipe.send(await order.job(store, number, *order.arguments))
        # The store is open, and its owner alive, until all have done their work.
        await asyncio.to_thread(pipe.recv)
    finally:
        await store.close()
    pipe.send("closed")
