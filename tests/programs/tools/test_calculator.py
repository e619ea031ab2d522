"""The calculator agrees with Python, and refuses at once what it should not do."""

import contextlib
import math
import time
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmgine.errors import ToolError
from llmgine.messages.chat_messages import ToolCall
from llmgine.tools.tool import Tool
from llmgine.tools.tool_manager import ToolManager
from programs.tools.calculator import MAX_BITS, calculate
from tests.cpu import moment

# Milliseconds for one example: far above what any takes, far below what an unbounded power would.
in_time = settings(deadline=2_000)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("24*7", "168"),
        (" ( 3 + 4 ) ^ 2 ", "49"),
        ("2**3**2", "512"),
        ("-2**2", "-4"),
        ("2**-1", "0.5"),
        ("+-+5", "-5"),
        ("7 // -2", "-4"),
        ("-7 % 3", "2"),
        ("6/3", "2"),
        ("0.1 + 0.2", "0.3"),
        ("1/3", "0.333333333333333"),
        ("1e3 + .5", "1000.5"),
        ("1_000 * 1_000", "1000000"),
        ("0 * -1.0", "0"),
        ("1 +\n2", "3"),
        ("10**400 / 10**399", "10"),
        ("2**0.5", "1.4142135623731"),
        ("1e20", "1e+20"),
        ("0**0", "1"),
        ("1**" + "9" * 400, "1"),
        ("2**4095 - 2**4095 + 3", "3"),
        ("+".join(["1"] * 250), "250"),
        ("-" * 499 + "1", "-1"),
        ("(" * 50 + "1" + ")" * 50, "1"),
    ],
)
def test_arithmetic(expression: str, value: str) -> None:
    """Python's operators and precedence, with ^ as power; long but flat expressions are fine."""
    assert calculate(expression) == value


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("9**9**9", "too large"),
        ("2**4000000", "too large"),
        ("2**4096", "too large"),
        ("(-9)**9**9", "too large"),
        ("0*9**9**9", "too large"),
        ("2**2048 * 2**2048", "too large"),
        ("10**400 * 1.5", "too large"),
        ("10**400 / 3", "too large"),
        ("1e999", "too large"),
        ("1e308 * 10", "too large"),
        ("10.0**400", "too large"),
        ("1e308*10 - 1e308*10", "too large"),
        ("1+" * 5_000 + "1", "10001 characters, at most 500"),
        ("(" * 51 + "1" + ")" * 51, "nested more than 50 deep"),
        ("(" * 500, "nested more than 50 deep"),
        ("1/0", "divides by zero"),
        ("5 % 0", "divides by zero"),
        ("5 // 0.0", "divides by zero"),
        ("0 ** -1", "divides by zero"),
        ("(-2) ** 0.5", "no real value"),
        ("", "is empty"),
        ("   ", "is empty"),
        ("1 +", "not a complete arithmetic expression"),
        ("1 2", "not a complete arithmetic expression"),
        ("(1", "not a complete arithmetic expression"),
        ("1)", "not a complete arithmetic expression"),
        ("()", "is not arithmetic"),
        ("007", "not a complete arithmetic expression"),
        ("pi", "'pi' is a name"),
        ("sqrt(2)", "'sqrt' is a name"),
        ("__import__('os')", "'__import__' is a name"),
        ("1if 1else 2", "'if' is a name"),
        ("lambda: 1", "'lambda' is a name"),
        ("0x1F", "'x1F' is a name"),
        ("1j", "'j' is a name"),
        ("nan", "'nan' is a name"),
        ("(1).real", "'.real' is an attribute"),
        ("2(3+4)", "write the *"),
        ("(1)(2)", "write the *"),
        ("'a' * 9", "begins a text"),
        ('"a"', "begins a text"),
        ("1 < 2", "'<' compares"),
        ("1 == 2", "'==' compares"),
        ("x := 1", "'x' is a name"),
        ("1,000", "',' is not allowed: write numbers without it"),
        ("1 << 99", "'<' compares"),
        ("~1", "'~' is not allowed"),
        ("[1]", "'[' is not allowed"),
        ("3!", "'!' is not allowed"),
        ("1 # 2", "'#' is not allowed"),
        ("\uff11+1", "is not allowed"),
        ("1\\\n+1", "is not allowed"),
        ("1\0", "is not allowed"),
        ("\ud800", "is not allowed"),
    ],
)
def test_what_is_refused(expression: str, told: str) -> None:
    """Each refusal is immediate, by a bound known beforehand, and says what the model can do differently."""
    started = time.thread_time()

    with pytest.raises(ToolError) as refused:
        calculate(expression)

    assert told in str(refused.value)
    assert len(str(refused.value)) < 300
    assert time.thread_time() - started < 100 * moment()


def combined(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    return st.builds("({} {} {})".format, children, signs, children) | st.builds("-{}".format, children)


def python_says(expression: str) -> float | None:
    """The value in Python; None where it has no real one."""
    try:
        value = eval(expression, {"__builtins__": {}})  # noqa: S307  of digits and operators made here, as the measure
    except (ZeroDivisionError, OverflowError):
        return None
    return value if isinstance(value, int | float) else None


def assert_agrees(expression: str) -> None:
    expected = python_says(expression)
    if expected is None:
        with pytest.raises(ToolError):
            calculate(expression)
    elif isinstance(expected, int):
        assert calculate(expression) == str(expected)
    else:
        assert math.isclose(float(calculate(expression)), expected, rel_tol=1e-14)


numbers = st.integers(0, 99).map(str) | st.decimals("0", "99", places=2).map(str)


@in_time
@given(st.recursive(numbers, combined, max_leaves=8))
def test_it_agrees_with_python(expression: str) -> None:
    """It has a value exactly where Python has a real one, and the same, whole numbers to the last digit."""
    assert_agrees(expression)


@in_time
@given(numbers, st.integers(-20, 20).map(str) | st.decimals("-3", "3", places=1).map(str), st.sampled_from("+-"))
def test_powers_agree_with_python(base: str, exponent: str, sign: str) -> None:
    """Negative bases, negative and fractional exponents, with and without parentheses."""
    assert_agrees(f"({sign}{base}) ** {exponent}")
    assert_agrees(f"{sign}{base} ** ({exponent})")


@in_time
@given(st.integers(), st.integers(), st.integers(min_value=1))
def test_whole_numbers_are_exact(left: int, right: int, divisor: int) -> None:
    """Of any size: no rounding to a float on the way."""
    exact = Fraction(left) * right - divisor

    assert calculate(f"{left} * {right} - {divisor}") == str(exact)
    assert calculate(f"({left}) // {divisor}") == str(left // divisor)


@in_time
@given(st.text(max_size=600) | st.text("0123456789+-*/%^(). e", max_size=500))
def test_any_text_gives_a_number_or_a_tool_error(text: str) -> None:
    """Never another exception, a warning, a crash or a number beyond the bound."""
    try:
        value = calculate(text)
    except ToolError:
        return

    assert math.isfinite(float(Fraction(value)) if len(value) < 300 else 0.0)
    assert len(value) <= MAX_BITS


@in_time
@given(st.lists(st.sampled_from(["9", "2", "99999", "0.5", "1e300", "**", "^", "*", "-", "(", ")"]), max_size=200))
def test_towers_of_powers_are_never_slow(pieces: list[str]) -> None:
    """The size is known before the power is calculated, however powers are piled up."""
    with contextlib.suppress(ToolError):
        calculate("".join(pieces))


async def test_as_a_tool() -> None:
    """The error's text reaches the model; trying again does no harm."""
    manager = ToolManager([Tool.from_function(calculate, idempotent=True)])

    right = await manager.run(ToolCall(name="calculate", arguments='{"expression": "24*7"}'))
    wrong = await manager.run(ToolCall(name="calculate", arguments='{"expression": "9**9**9"}'))

    assert (right.ok, right.content) == (True, "168")
    assert not wrong.ok
    assert "too large" in wrong.content
