"""Careless tool calls: repaired where the meaning is certain, else left as they came."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmgine.providers import tool_call_repair
from llmgine.providers.history_calls import refuse_constant
from llmgine.providers.tool_call_repair import repaired

OFFERED = ("calculate", "roll", "tools.list")
ARGUMENTS = '{"expression": "2+2"}'
OBJECTS = st.dictionaries(st.text(), st.integers() | st.text() | st.lists(st.text()), min_size=1)


def name_of(name: str) -> str:
    """The name that comes out, with arguments that need no repair."""
    [(repaired_name, arguments)] = repaired(name, ARGUMENTS, OFFERED)
    assert arguments == ARGUMENTS
    return repaired_name


def arguments_of(arguments: str) -> list[str]:
    """The arguments that come out, with a name that needs no repair."""
    calls = repaired("calculate", arguments, OFFERED)
    assert {name for name, _ in calls} == {"calculate"}
    return [each for _, each in calls]


class TestName:
    @pytest.mark.parametrize(
        "name",
        [
            "calculate",
            " calculate ",
            "\n\tcalculate\u00a0",
            "\u200bcalculate",
            "functions.calculate",
            "function.calculate",
            "tools.calculate",
            "tool.calculate",
            "default_api.calculate",
            "default_api:calculate",
            "Functions.calculate",
            " functions. calculate ",
            "calculate<|channel|>commentary",
            "calculate <|constrain|>json",
            "functions.calculate<|channel|>analysis",
        ],
    )
    def test_a_name_with_something_around_it_is_the_offered_tool(self, name: str) -> None:
        """Blanks, a namespace and channel markup are no part of a name."""
        assert name_of(name) == "calculate"

    @pytest.mark.parametrize(
        "name",
        [
            "",
            " ",
            "unknown",
            " unknown ",
            "functions.unknown",
            "functions.",
            "calculator",
            "my.calculate",
            "<|calculate",
        ],
    )
    def test_a_name_of_no_offered_tool_stays_as_it_is(self, name: str) -> None:
        """Whoever refuses it can say what the model wrote."""
        assert name_of(name) == name

    def test_a_prefix_that_belongs_to_the_name_stays(self) -> None:
        """An offered tool may itself be called like a namespace and a name."""
        assert name_of("tools.list") == "tools.list"
        assert name_of("functions.tools.list") == "tools.list"

    def test_without_tools_nothing_is_repaired(self) -> None:
        """There is no tool that could be meant."""
        assert repaired("functions.calculate", ARGUMENTS, ()) == [("functions.calculate", ARGUMENTS)]


class TestOneObject:
    @pytest.mark.parametrize(
        "arguments",
        [
            "{}",
            ARGUMENTS,
            ' {"a" :1}\n',
            '{"a": 1, "a": 2}',
            '{"a": "```"}',
            r'{"a": "{}{\"b\": 1}"}',
            '{"a": {}}',
            '{"text": "\u00a0\\ud83d"}',
        ],
    )
    def test_it_comes_back_byte_for_byte(self, arguments: str) -> None:
        """What needs no repair is not rewritten."""
        assert arguments_of(arguments) == [arguments]

    @given(OBJECTS, st.sampled_from([None, 0, 3]), st.booleans())
    def test_any_object_comes_back_byte_for_byte(
        self, value: dict[str, object], indent: int | None, escaped: bool
    ) -> None:
        """Whatever is in it, and however it is laid out."""
        text = json.dumps(value, indent=indent, ensure_ascii=escaped)

        assert arguments_of(text) == [text]

    @pytest.mark.parametrize("blank", ["", " ", "\n\t", "\u200b", '""', '" "', "```json\n```"])
    def test_blank_arguments_are_an_empty_object(self, blank: str) -> None:
        """Many models write nothing for a tool without arguments."""
        assert arguments_of(blank) == ["{}"]

    @given(OBJECTS, st.integers(1, 3))
    def test_an_encoded_object_is_decoded(self, value: dict[str, object], times: int) -> None:
        """JSON in a JSON string, up to three strings deep."""
        text = inner = json.dumps(value)
        for _ in range(times):
            text = json.dumps(text)

        assert arguments_of(text) == [inner]

    @pytest.mark.parametrize(
        "fenced",
        [
            f"```json\n{ARGUMENTS}\n```",
            f"```\n{ARGUMENTS}\n```",
            f"``` JSON\n{ARGUMENTS}```",
            f"```{ARGUMENTS}```",
            f"\n````json5\r\n{ARGUMENTS}\r\n````\n",
            f"```json\n{ARGUMENTS}",
            f"`{ARGUMENTS}`",
            f"```json\n{json.dumps(ARGUMENTS)}\n```",
            json.dumps(f"```json\n{ARGUMENTS}\n```"),
        ],
    )
    def test_a_code_fence_is_taken_off(self, fenced: str) -> None:
        """With any word behind it, without an end, and together with encoding."""
        assert arguments_of(fenced) == [ARGUMENTS]

    def test_half_a_character_is_dropped(self) -> None:
        """Decoding gives text that every store takes."""
        assert arguments_of(r'"{\"a\": \"\ud83d!\"}"') == ['{"a": "!"}']


class TestSeveralObjects:
    @pytest.mark.parametrize(
        "arguments",
        ["{}" + ARGUMENTS, "{} \n" + ARGUMENTS, "{ }{}" + ARGUMENTS, ARGUMENTS + "{}", json.dumps("{}" + ARGUMENTS)],
    )
    def test_an_empty_object_beside_the_real_one_is_left_out(self, arguments: str) -> None:
        """Some services send it as a first guess."""
        assert arguments_of(arguments) == [ARGUMENTS]

    def test_nothing_but_empty_objects_is_one_call(self) -> None:
        """The same guess twice."""
        assert arguments_of("{}{}") == ["{}"]

    @given(st.lists(OBJECTS.map(json.dumps), min_size=2, max_size=32), st.sampled_from(["", " ", "\n", "\r\n\t"]))
    def test_each_is_a_call(self, objects: list[str], between: str) -> None:
        """In their order, each byte for byte."""
        assert arguments_of(between.join(objects)) == objects

    def test_too_many_are_left_alone(self) -> None:
        """A model that repeats itself has no meaning that is certain."""
        assert len(arguments_of(ARGUMENTS * 32)) == 32
        assert arguments_of(ARGUMENTS * 33) == [ARGUMENTS * 33]
        assert arguments_of("{}" * 100 + ARGUMENTS) == ["{}" * 100 + ARGUMENTS]


class TestUncertain:
    @pytest.mark.parametrize(
        "arguments",
        [
            "2+2",
            "null",
            "7",
            "[1]",
            '"2+2"',
            "{'a': 1}",
            '{"a": 1',
            '{"a": 1}{"a":',
            '{"a": 1}, {"a": 2}',
            '[{"a": 1}]',
            '{"a": NaN}',
            '{"a": 1}{"a": Infinity}',
            '{"a": -Infinity}{}',
            f"Here: {ARGUMENTS}",
            f"{ARGUMENTS} done",
            f"{ARGUMENTS}[]",
            '"{\\"a\\": 1}" and more',
            json.dumps('{"a": 1'),
            "```json\n{'a': 1}\n```",
            json.dumps(json.dumps(json.dumps(json.dumps(json.dumps(ARGUMENTS))))),
        ],
    )
    def test_arguments_that_may_mean_anything_stay_as_they_are(self, arguments: str) -> None:
        """The tool layer refuses them, in words for the model."""
        assert arguments_of(arguments) == [arguments]

    @given(st.text(alphabet='{}[]":,`\\ an1\n'))
    def test_no_text_raises(self, arguments: str) -> None:
        """And at least one call comes out, with JSON objects or with what came."""
        calls = arguments_of(arguments)

        assert calls == [arguments] or all(isinstance(json.loads(each), dict) for each in calls)


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param('{"a": ' + "[" * 1_000_000, id="open brackets"),
        pytest.param('{"a": ' + "[" * 300_000 + "]" * 300_000 + "}", id="brackets"),
        pytest.param('{"a":' * 200_000, id="open objects"),
        pytest.param('"' + "\\" * 1_000_000, id="backslashes"),
        pytest.param("{}" * 500_000, id="empty objects"),
        pytest.param('{"a": 1}' * 125_000, id="objects"),
        pytest.param("{}" + " " * 1_000_000 + "x", id="blanks"),
        pytest.param("```json\n" * 125_000, id="fences"),
        pytest.param(json.dumps({"a": "x" * 1_000_000}), id="one object"),
        pytest.param(json.dumps({str(number): {"a": number} for number in range(50_000)}), id="many keys"),
    ],
)
def test_a_megabyte_is_handled_at_once(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No shape of it raises, and none is read more than a few times over."""
    decoder = _CountingDecoder()
    monkeypatch.setattr(tool_call_repair, "_DECODER", decoder)

    assert arguments_of(arguments) == [arguments]

    assert decoder.read <= 3 * len(arguments)


class _CountingDecoder(json.JSONDecoder):
    """The decoder of the repairs, which counts the characters that it reads."""

    def __init__(self) -> None:
        super().__init__(parse_constant=refuse_constant, object_pairs_hook=bool)
        self.read = 0

    def raw_decode(self, s: str, idx: int = 0) -> tuple[object, int]:
        end = len(s)
        try:
            value, end = super().raw_decode(s, idx)
        except json.JSONDecodeError as error:
            end = error.pos
            raise
        finally:
            self.read += end - idx
        return value, end
