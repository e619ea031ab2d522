"""Mutations of what is installed: the wheel, the names of the package, the command lines."""

from tests.mutations.mutation import Mutation

_PACKAGING = "tests/test_packaging.py"
_COMMAND_LINE = "programs/command_line.py"

MUTATIONS = (
    Mutation(
        "the library being alone in the wheel",
        "pyproject.toml",
        'packages = ["llmgine"]',
        'packages = ["llmgine", "programs"]',
        (f"{_PACKAGING}::test_the_wheel_has_the_library_and_nothing_else",),
    ),
    Mutation(
        "public names being loaded when they are used",
        "llmgine/__init__.py",
        "__all__ = list(_HOME_OF)\n",
        "__all__ = list(_HOME_OF)\nimport llmgine.errors\n",
        ("tests/test_architecture.py::test_importing_the_library_loads_nothing",),
    ),
    Mutation(
        "defaults that every type checker sees",
        "llmgine/settings.py",
        "daily_tokens: int | None = Field(default=None, ",
        "daily_tokens: int | None = Field(None, ",
        (f"{_PACKAGING}::test_defaults_are_seen_without_a_plugin",),
    ),
    Mutation(
        "an extra being installed from this folder",
        "llmgine/observability/otel.py",
        "`uv sync --extra otel`",
        "`pip install llmgine[otel]`",
        (f"{_PACKAGING}::test_no_text_installs_by_name",),
    ),
    Mutation(
        "the version of every program",
        _COMMAND_LINE,
        '    parser.add_argument("--version",',
        '    parser.add_argument("--edition",',
        ("tests/programs/test_command_line.py::test_a_program_tells_its_version[programs.logs]",),
    ),
    Mutation(
        "the folder of a uv that is not on PATH",
        _COMMAND_LINE,
        "    if not Path(uv).is_relative_to(sys.prefix):\n",
        "    if True:\n",
        ("tests/programs/test_command_line.py::test_a_uv_that_is_not_on_path_is_named_with_its_folder",),
    ),
)
