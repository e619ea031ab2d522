"""The image: what its files name is there, and its steps work, carried out without Docker."""

import asyncio
import json
import os
import re
import shutil
import signal
import sys
from pathlib import Path, PurePosixPath

import pytest

from programs.settings import ProgramSettings
from tests.deploy.files import compose, image
from tests.documents import PAGES, ROOT
from tests.processes import ending
from tests.programs.discord.process import address
from tests.programs.discord.test_health import free_port
from tests.waiting import computing, patience

IMAGE = image()
BOT = compose()["services"]["bot"]
DATA = IMAGE.one["WORKDIR"]
OF_PYTHON = {"PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED"}


def words(instruction: str) -> list[str]:
    """The words of an instruction in the form that starts no shell, so that signals arrive."""
    found: list[str] = json.loads(IMAGE.one[instruction].partition("CMD ")[2] or IMAGE.one[instruction])
    return found


def test_what_is_copied_is_there_and_is_enough() -> None:
    """Each source exists, is let through by .dockerignore, and both packages are among them."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in ignored if line.startswith("!")}

    assert "*" in ignored
    assert {source for source, _ in IMAGE.copies} == let_through
    assert let_through >= {"llmgine", "programs", "pyproject.toml", "requirements.lock"}
    assert all((ROOT / source).exists() for source in let_through)
    assert all(f"/{PurePosixPath(target).relative_to('/')}".startswith("/app") for _, target in IMAGE.copies)


def test_dependencies_are_a_layer_of_their_own() -> None:
    """They are those of the lock file with its hashes, and are installed before the program is copied."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    [install] = [step for step in IMAGE.runs if "pip install" in step]

    assert "--require-hashes -r /app/requirements.lock" in install
    assert text.index("COPY requirements.lock") < text.index(install) < text.index("COPY llmgine")
    assert "group" not in install


def test_the_python_is_the_one_that_is_tested() -> None:
    """The image has the oldest Python that the project supports, on which all tests run."""
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    assert oldest
    assert f"python:{oldest[1]}-slim" == IMAGE.base


def test_it_is_no_root_and_writes_only_to_the_volume() -> None:
    """The user is the one that is made, without a shell; data, logs and outbox are in the one volume, and last."""
    assert IMAGE.one["USER"] not in {"root", "0"}
    assert re.search(rf"useradd .*/nologin {IMAGE.one['USER']}\b", IMAGE.runs[0])
    assert f"--owner={IMAGE.one['USER']}" in IMAGE.runs[0]
    assert IMAGE.one["VOLUME"] == DATA
    assert [mount.partition(":")[2] for mount in BOT["volumes"]] == [DATA]
    assert BOT["read_only"] is True
    assert {mount.partition(":")[0] for mount in BOT["volumes"]} == set(compose()["volumes"])


def test_names_in_the_environment_are_settings() -> None:
    """What the image and compose.yaml set are settings of the bot, or of Python; none moves its files elsewhere."""
    given = {*IMAGE.env, *BOT["environment"]} - OF_PYTHON

    assert {name.lower() for name in given} <= set(ProgramSettings.model_fields)
    assert not given & {"DATABASE_URL", "LOG_DIR", "OUTBOX_DIR"}
    assert IMAGE.env["PYTHONPATH"] == "/app"


def test_running_answers_get_their_time() -> None:
    """Docker waits longer than the bot does before it kills it."""
    patient = int(BOT["stop_grace_period"].removesuffix("s"))

    assert patient >= ProgramSettings(_env_file=None).shutdown_grace + 20
    assert BOT["init"] is True


def test_the_playground_is_published_on_this_machine_only() -> None:
    """Under the port of its setting, inside and outside: its page accepts no other address."""
    port = ProgramSettings(_env_file=None).playground_port

    assert BOT["ports"] == [f"127.0.0.1:${{PLAYGROUND_PORT:-{port}}}:${{PLAYGROUND_PORT:-{port}}}"]


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "deploy/llmgine.service"])
def test_the_files_are_explained(name: str) -> None:
    """docs/running.md links to each of them."""
    assert f"](../{name})" in PAGES["docs/running.md"]


async def test_its_steps_work(tmp_path: Path) -> None:
    """Copied, started, asked for its health and stopped as the image does it: it answers and ends with 0.

    No engine builds an image here, so the dependencies are those of this environment.
    """
    app, volume = tmp_path / "app", tmp_path / "volume"
    volume.mkdir()
    for source, target in IMAGE.copies:
        into = tmp_path / target.lstrip("/")
        (into if target.endswith("/") else into.parent).mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(
            ROOT / source, into / Path(source).name if target.endswith("/") else into
        )
    environment = {
        **IMAGE.env,
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(app),
        "HEALTH_PORT": str(free_port()),
        "PLAYGROUND_PORT": "0",
        "PLAYGROUND_HOST": BOT["environment"]["PLAYGROUND_HOST"],
    }

    async def start(*command: str) -> asyncio.subprocess.Process:
        assert command[0] == "python"
        return await asyncio.create_subprocess_exec(
            *(sys.executable, *command[1:]),
            cwd=volume,
            env=environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    check = "import llmgine, programs.discord as p; print(llmgine.__file__, *p.__path__)"
    out, _ = await (await start("python", "-c", check)).communicate()
    assert [str(app) in path for path in out.decode().split()] == [True, True]
    async with ending(await start(*words("CMD"))) as process, patience("the bot", computing(process.pid)):
        await address(process)
        async with ending(await start(*words("HEALTHCHECK"))) as health:
            assert await health.wait() == 0
        process.send_signal(signal.SIGTERM)
        await process.communicate()

    assert process.returncode == 0
    assert {path.name for path in volume.iterdir()} == {"data", "logs"}
