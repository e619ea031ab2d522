"""Mutations of the operator's own tools, which are code, and of the time that the model is told."""

from tests.mutations.mutation import Mutation

_TESTS = "tests/llmgine/tools/test_plugins.py"
_PLUGINS = "llmgine/tools/plugins.py"

MUTATIONS = (
    Mutation(
        "a folder of tools in which no data is written",
        _PLUGINS,
        "if target.is_relative_to(data):",
        "if False:",
        (f"{_TESTS}::test_a_folder_in_which_data_is_written_is_refused",),
    ),
    Mutation(
        "the tool that was decided on being the one that runs",
        "llmgine/engine/tool_calls.py",
        "if self._tool(round_.context, call) is not tool:",
        "if False:",
        ("tests/llmgine/engine/test_changing_tools.py::test_another_tool_of_the_same_name_does_not_run",),
    ),
    Mutation(
        "a folder of tools that nobody else can change",
        _PLUGINS,
        "if (path := changeable_by_others(target)) is not None:",
        "if (path := None) is not None:",
        (f"{_TESTS}::TestOthers::test_their_folder_is_refused",),
    ),
    Mutation(
        "folders above a folder of tools that nobody else can change",
        "llmgine/platforms.py",
        "for one in (path, *path.parents):",
        "for one in (path,):",
        (f"{_TESTS}::TestOthers::test_their_folder_is_refused",),
    ),
    Mutation(
        "files in a folder of tools that nobody else can change",
        _PLUGINS,
        'for one in (folder, *folder.rglob("*")):',
        "for one in (folder,):",
        (f"{_TESTS}::TestOthers::test_their_file_in_it_is_refused",),
    ),
    Mutation(
        "a folder of tools in which nothing compiled is kept",
        _PLUGINS,
        "sys.dont_write_bytecode, True",
        "sys.dont_write_bytecode, False",
        (f"{_TESTS}::test_loading_leaves_nothing_in_the_folder",),
    ),
    Mutation(
        "a file of tools that ends no program",
        _PLUGINS,
        "except (Exception, SystemExit) as error:",
        "except Exception as error:",
        (f"{_TESTS}::test_a_broken_file_is_told_and_the_rest_is_there",),
    ),
    Mutation(
        "the time in the zone of its author",
        "llmgine/sessions/operations/turns.py",
        "own_timezone or timezone",
        "timezone",
        ("tests/programs/discord/test_timezone.py::test_where_several_speak_each_has_their_own",),
    ),
)
