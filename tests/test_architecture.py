"""The arrows of the design: who may import whom, and which module alone may know a library."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("llmgine", "programs")
    for path in sorted((ROOT / folder).rglob("*.py"))
}

# The picture, from its foot. A part imports what lies below it, and parts of one level do not know each other.
# `errors` is the leaf under all: everybody may raise what everybody may catch.
LEVELS: tuple[tuple[str, ...], ...] = (
    ("errors", "platforms"),
    ("messages", "settings"),
    ("turn_state",),
    ("observability",),
    ("bus", "tools", "providers", "sessions"),
    ("context", "mcp"),
    ("engine",),
    ("bootstrap",),
)
HEIGHT = {part: height for height, parts in enumerate(LEVELS) for part in parts}
TOP = len(LEVELS)

# What each program may import of the other programs. All may import llmgine, the playground aside.
PROGRAMS = {
    "settings": set[str](),
    "exit_codes": set[str](),
    "command_line": set[str](),
    "guarded_http": set[str](),
    "shown_arguments": set[str](),
    "tools": {"guarded_http", "files"},
    "web": set[str](),
    "playground": {"command_line", "web"},
    "logs": {"command_line", "settings", "web", "exit_codes"},
    "demo_texts": set[str](),
    "demo_model": {"demo_texts"},
    "application": {"settings", "tools", "demo_model"},
    "export": set[str](),
    "person_export": {"export"},
    "files": {"audio_content"},
    "audio_content": set[str](),
    "markdown": set[str](),
    "store": {"command_line", "exit_codes"},
    "mcp": {"command_line", "exit_codes", "settings"},
    "backup": {"command_line", "exit_codes", "settings"},
    "terminal": {
        "command_line",
        "settings",
        "exit_codes",
        "export",
        "audio_content",
        "files",
        "application",
        "demo_model",
        "shown_arguments",
        "markdown",
    },
    "function_chat": {"terminal", "application", "demo_model"},
    "discord": {
        "command_line",
        "settings",
        "export",
        "person_export",
        "audio_content",
        "files",
        "application",
        "demo_model",
        "guarded_http",
        "shown_arguments",
        "playground",
        "web",
        "exit_codes",
        "markdown",
    },
    "bench": {
        "command_line",
        "settings",
        "application",
        "demo_model",
        "tools",
        "playground",
        "discord",
        "guarded_http",
    },
}

# The same inside the bot, from its foot. A family imports what lies below it; families of one level do not know each
# other. `BOT_FAMILIES` says what belongs to each today; the longest name that fits a module decides.
BOT_LEVELS: tuple[tuple[str, ...], ...] = (
    # Leaves: everybody names places and components, knows how a part is stored, and may catch what Discord refuses.
    ("ids", "bodies", "refusals", "translation"),
    ("settings",),  # they hold at places
    ("permissions",),  # who is answered is a setting, and who may make a setting is a permission
    ("component layout", "Discord calls"),  # the limiter of requests is part of the calls
    ("delivery", "decision"),  # what is answered is said in one place, for what comes in and for /why
    ("incoming", "slash", "component handlers"),
    ("client",),
    ("bot",),
)
BOT_HEIGHT = {family: height for height, families in enumerate(BOT_LEVELS) for family in families}
BOT_FAMILIES = {
    "bot": "bot",
    "start_errors": "bot",
    "start_lines": "bot",
    "health": "bot",
    "health_server": "bot",
    "token_lock": "bot",
    "client": "client",
    "chores": "client",
    "connection": "client",
    "connection_status": "client",
    "takeover": "client",
    "incoming": "incoming",
    "incoming.decision": "decision",
    "welcome": "incoming",
    "context_note": "incoming",
    "unserved": "incoming",
    "slash": "slash",
    "components": "component handlers",
    "components.retirement": "delivery",
    "components.button_layout": "component layout",
    "components.views": "Discord calls",
    "components.registry": "permissions",
    "components.button_press": "permissions",
    "components.gates": "permissions",
    "components.custom_ids": "ids",
    "replies": "Discord calls",
    "delivery": "delivery",
    "delivery.bodies": "bodies",
    "delivery.splitting": "bodies",
    "delivery.safe_text": "bodies",
    "delivery.discord_markdown": "bodies",
    "delivery.costs": "bodies",
    "delivery.spans": "bodies",
    "delivery.atoms": "bodies",
    "delivery.lengths": "bodies",
    "status_reactions": "delivery",
    "thread_names": "delivery",
    "delivery.poster": "Discord calls",
    "delivery.message_arguments": "Discord calls",
    "rate_limiter": "Discord calls",
    "breaker": "Discord calls",
    "discord_time": "Discord calls",
    "permissions": "permissions",
    "channel_settings": "settings",
    "setting_specs": "settings",
    "ids": "ids",
    "component_texts": "ids",
    "marks": "ids",
    "mentions": "ids",
    "visibility": "ids",
    "message_parts": "ids",
    "delivery.refusals": "refusals",
    "translation": "translation",
    "languages": "settings",
}
# What goes against these arrows today: who imports whom. The list may only shrink.
BOT_VIOLATIONS: set[tuple[str, str]] = set()

# A library that only these modules may know, so that replacing it is a change in one place.
ALONE = {
    # The bench stands beside the bare SDK.
    "openai": ("llmgine.providers.openai", "llmgine.providers.transcription", "programs.bench.turn_cost"),
    "filelock": ("llmgine.platforms", "programs.playground.storage"),
    "aiosqlite": ("llmgine.sessions.sqlite",),
    "sqlite3": (
        "llmgine.sessions.sqlite",
        "llmgine.sessions.sqlite_copies",
        "llmgine.sessions.sqlite_restore",
        "programs.store.sqlite_end",
    ),
    "asyncpg": (
        "llmgine.sessions.postgres",
        "llmgine.sessions.postgres_address",
        "llmgine.sessions.leases",
        "programs.store.postgres_end",
    ),
    "discord": ("programs.discord",),
    "babel": ("programs.discord.translation",),
    "genai_prices": ("llmgine.providers.price_table",),
    "mcp": ("llmgine.mcp",),
    "prometheus_client": ("llmgine.observability.prometheus",),
    "opentelemetry": ("llmgine.observability.otel",),
}


def imports(module: str) -> Iterator[str]:
    """The full names of what a module imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def parts_imported(module: str, top: str) -> set[str]:
    """The parts of `top` that a module imports, its own aside."""
    names = (name.split(".") for name in imports(module))
    own = module.split(".")[1:2]
    return {name[1] for name in names if name[0] == top and len(name) > 1} - set(own if module.startswith(top) else ())


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("llmgine.")])
def test_the_library_imports_only_downwards(module: str) -> None:
    """A part knows what lies below it, nothing beside or above it, and no program."""
    part = module.split(".")[1]

    # What can be imported from `llmgine` itself is for those who use the library: it is above all its parts.
    upwards = {other for other in parts_imported(module, "llmgine") if HEIGHT.get(other, TOP) >= HEIGHT[part]}

    assert not upwards
    assert not [name for name in imports(module) if within(name, ("programs",))]


def test_every_part_has_its_place() -> None:
    """A new part of the library is drawn into the picture, and the picture shows none that is gone."""
    assert {name.split(".")[1] for name in MODULES if name.startswith("llmgine.")} == set(HEIGHT)


@pytest.mark.parametrize(
    ("statement", "loaded"),
    [
        ("import llmgine", {"llmgine"}),
        ("import llmgine; llmgine.__all__, dir(llmgine)", {"llmgine"}),
        ("from llmgine import ToolError", {"llmgine", "llmgine.errors"}),
    ],
)
def test_importing_the_library_loads_nothing(statement: str, loaded: set[str]) -> None:
    """The package itself loads no part and no library; a name that is imported from it loads its own part alone."""
    show = f"import sys; before = {{*sys.modules}}; {statement}; print(*sys.modules.keys() - before)"
    done = subprocess.run([sys.executable, "-c", show], cwd=ROOT, capture_output=True, text=True, check=True)

    new = set(done.stdout.split())
    assert {name for name in new if within(name, ("llmgine",))} == loaded
    assert {name.partition(".")[0] for name in new} - {"llmgine"} <= sys.stdlib_module_names


@pytest.mark.smoke
def test_every_module_can_be_imported() -> None:
    """All of the library and of the programs is imported, without a warning but those that the suite knows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    filters = project["tool"]["pytest"]["ini_options"]["filterwarnings"]
    warnings = [word for one in filters for word in ("-W", one)]
    run = f"import importlib; [importlib.import_module(name) for name in {[*MODULES]}]"
    done = subprocess.run([sys.executable, *warnings, "-c", run], cwd=ROOT, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_docstring_is_the_map() -> None:
    """It names every part, those that know others above those they know."""
    named = re.findall(
        r"^    (\w+)  ", ast.get_docstring(ast.parse(MODULES["llmgine"].read_text())) or "", re.MULTILINE
    )

    assert named == sorted(named, key=lambda part: -HEIGHT[part])
    assert set(named) == set(HEIGHT)


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("programs.")])
def test_programs_know_each_other_only_as_drawn(module: str) -> None:
    """The terminal knows nothing of Discord, the tools know no program, and so on; a new program is drawn first."""
    assert parts_imported(module, "programs") <= PROGRAMS[module.split(".")[1]]


@pytest.mark.parametrize("module", [name for name in MODULES if within(name, ("programs.playground",))])
def test_the_playground_stands_alone(module: str) -> None:
    """It is for any bot: it imports nothing of the library."""
    assert not [name for name in imports(module) if within(name, ("llmgine",))]


def family_of(module: str) -> str:
    """The family of a module of the bot, which is named without `programs.discord.`."""
    return BOT_FAMILIES[max((name for name in BOT_FAMILIES if within(module, (name,))), key=len)]


def bot_imports() -> Iterator[tuple[str, str]]:
    """Which module of the bot imports which other one, both named without `programs.discord.`."""
    package = "programs.discord."
    for module in MODULES:
        for name in imports(module) if module.startswith(package) else ():
            imported = name if name in MODULES else name.rpartition(".")[0]
            if imported.startswith(package):
                yield module.removeprefix(package), imported.removeprefix(package)


def test_the_bot_imports_only_downwards() -> None:
    """A family of the bot knows what lies below it, but for what is listed; what is listed no longer than it is so."""
    found = {
        (module, imported)
        for module, imported in bot_imports()
        if family_of(module) != family_of(imported) and BOT_HEIGHT[family_of(imported)] >= BOT_HEIGHT[family_of(module)]
    }

    assert sorted(found - BOT_VIOLATIONS) == [], "new imports against the arrows"
    assert sorted(BOT_VIOLATIONS - found) == [], "gone: take them off the list"


def test_every_module_of_the_bot_has_its_family() -> None:
    """A new module is drawn into the picture, and the picture names no module and no family that is gone."""
    modules = {name.removeprefix("programs.discord.") for name in MODULES if name.startswith("programs.discord.")}

    assert [module for module in sorted(modules) if not any(within(module, (name,)) for name in BOT_FAMILIES)] == []
    assert [name for name in BOT_FAMILIES if name not in modules] == []
    assert set(BOT_FAMILIES.values()) == set(BOT_HEIGHT)


@pytest.mark.parametrize("library", ALONE)
def test_a_library_is_known_in_one_place(library: str) -> None:
    """Only its own module imports it, at the top or within a function."""
    knowing = {module for module in MODULES for name in imports(module) if within(name, (library,))}

    assert knowing
    assert [module for module in sorted(knowing) if not within(module, ALONE[library])] == []


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("llmgine.")])
def test_only_programs_read_the_environment(module: str) -> None:
    """The library is told what it needs: no module of it looks at os.environ, and none loads the settings."""
    tree = ast.parse(MODULES[module].read_text(encoding="utf-8"))
    reads = [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "load_settings"}
    ]

    assert not reads
    assert not [
        name for name in imports(module) if name in {"os.environ", "os.getenv"} or name.endswith("load_settings")
    ]


def test_the_documents_draw_the_same_picture() -> None:
    """What people read is what is held here: a line of the picture is a level, from the top down."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = page.partition("```text\nprograms\n")[2].partition("```")[0]
    drawn = [{part.strip() for part in line.split("·")} for line in picture.splitlines()]

    assert drawn == [set(level) for level in reversed(LEVELS)]
