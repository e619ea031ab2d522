"""Processes that do one thing at the same moment, each with a store of its own on one database."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from llmgine.sessions import SessionStore, open_store

COUNT = 8
_PATIENCE = 15.0  # seconds that a process may say nothing

# What each process does: its store, its number from 0 on, and arguments. Must be a function of a module.
Job = Callable[..., Awaitable[Any]]


@dataclass
class _Failure:
    text: str


class Processes:
    """Eight processes, started when they are first needed."""

    def __init__(self) -> None:
        self._children: list[tuple[BaseProcess, Connection]] = []

    def run(self, url: str, job: Job, *arguments: object) -> list[Any]:
        """What each process returns, by its number; all of them begin when all have opened the database."""
        done = False
        try:
            self._start()
            self._tell((url, job, arguments))
            self._answers()
            self._tell("go")
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
            url, job, arguments = pipe.recv()
            try:
                asyncio.run(_do(pipe, number, url, job, arguments))
            except Exception as error:
                pipe.send(_Failure(f"process {number}: {type(error).__name__}: {error}"))


async def _do(pipe: Connection, number: int, url: str, job: Job, arguments: tuple[object, ...]) -> None:
    store: SessionStore = await open_store(url)
    try:
        pipe.send("ready")
        pipe.recv()
        pipe.send(await job(store, number, *arguments))
        pipe.recv()  # the store is open, and its owner alive, until all have done their work
    finally:
        await store.close()
    pipe.send("closed")
