"""The arrows of the design: who may import whom, and which module alone may know a library."""

import ast
import re
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
    ("errors",),
    ("messages", "settings"),
    ("turn_state",),
    ("observability",),
    ("bus", "tools", "providers", "sessions"),
    ("context",),
    ("engine",),
    ("bootstrap",),
)
HEIGHT = {part: height for height, parts in enumerate(LEVELS) for part in parts}

# What each program may import of the other programs. All may import llmgine, the playground aside.
PROGRAMS = {
    "tools": set[str](),
    "web": set[str](),
    "playground": {"web"},
    "logs": {"web"},
    "demo_texts": set[str](),
    "demo_model": {"demo_texts"},
    "application": {"tools", "demo_model"},
    "export": set[str](),
    "store": set[str](),
    "terminal": {"export", "application", "demo_model"},
    "function_chat": {"terminal", "application", "demo_model"},
    "discord": {"export", "application", "demo_model", "playground"},
    "bench": {"application", "demo_model", "tools", "playground", "discord"},
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
    "token_lock": "bot",
    "client": "client",
    "chores": "client",
    "connection": "client",
    "takeover": "client",
    "incoming": "incoming",
    "incoming.decision": "decision",
    "welcome": "incoming",
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
    "delivery.refusals": "refusals",
    "translation": "translation",
    "languages": "settings",
}
# What goes against these arrows today: who imports whom. The list may only shrink.
BOT_VIOLATIONS: set[tuple[str, str]] = set()

# A library that only these modules may know, so that replacing it is a change in one place.
ALONE = {
    "openai": ("llmgine.providers.openai", "programs.bench.turn_cost"),  # the bench stands beside the bare SDK
    "aiosqlite": ("llmgine.sessions.sqlite",),
    "sqlite3": ("llmgine.sessions.sqlite", "programs.store.sqlite_end"),
    "asyncpg": (
        "llmgine.sessions.postgres",
        "llmgine.sessions.postgres_address",
        "llmgine.sessions.leases",
        "programs.store.postgres_end",
    ),
    "discord": ("programs.discord",),
    "babel": ("programs.discord.translation",),
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

    upwards = {other for other in parts_imported(module, "llmgine") if HEIGHT[other] >= HEIGHT[part]}

    assert not upwards
    assert not [name for name in imports(module) if within(name, ("programs",))]


def test_every_part_has_its_place() -> None:
    """A new part of the library is drawn into the picture, and the picture shows none that is gone."""
    assert {name.split(".")[1] for name in MODULES if name.startswith("llmgine.")} == set(HEIGHT)


def test_importing_the_library_loads_nothing() -> None:
    """The package itself is a docstring: importing one part does not load the others."""
    assert list(imports("llmgine")) == []


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
