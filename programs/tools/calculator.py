"""The calculator: arithmetic on numbers by a parser and a list of what is allowed, never by `eval`."""

import ast
import math
import operator
import re
from collections.abc import Callable

from llmgine.errors import ToolError
from llmgine.messages.text import shorten

MAX_LENGTH = 500
MAX_DEPTH = 50
MAX_BITS = 4096  # some 1,200 digits

Number = int | float

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)
      | (?P<operator>\*\*|//|[-+*/%^()])
      | (?P<attribute>\.\s*[^\W\d]\w*)
      | (?P<name>[^\W\d]\w*)
      | (?P<text>["'`])
      | (?P<comparison>[<>=]=?|!=)
      | (?P<comma>,)
      | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)

_REFUSALS = {
    "attribute": "{} is an attribute, and there are only numbers here",
    "name": "{} is a name: there are no variables, functions or constants here; write its value, and x**0.5 for a root",
    "text": "{} begins a text, and there are only numbers here",
    "comparison": "{} compares or assigns, and there is only arithmetic here",
    "comma": "{} is not allowed: write numbers without it, 1000 and 0.5",
    "other": "{} is not allowed: there are only numbers, + - * / // % ** and parentheses",
}

_UNARY: dict[type[ast.unaryop], Callable[[Number], Number]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}


def calculate(expression: str) -> str:
    """Calculate the value of an arithmetic expression exactly, or to 15 digits when it has fractions.

    It knows + - * / and parentheses, // (division rounded down), % (remainder) and ** (power), also written ^.

    Args:
        expression: Numbers and operators only, for example (3 + 4) ** 2 / 7. At most 500 characters.
    """
    source = _source(expression)
    try:
        tree = ast.parse(source, mode="eval")
    except (SyntaxError, ValueError) as exc:
        raise ToolError(f"{_quoted(expression)} is not a complete arithmetic expression") from exc
    except (RecursionError, MemoryError) as exc:
        raise ToolError("the expression is nested too deeply: calculate it in parts") from exc
    try:
        return _written(_value(tree.body))
    except ZeroDivisionError as exc:
        raise ToolError("this divides by zero") from exc
    except OverflowError as exc:
        raise ToolError("a number on the way is too large for a calculation with fractions") from exc


def _source(expression: str) -> str:
    """The expression as Python source that holds numbers, operators and parentheses, and nothing else.

    Looking at characters first means that the parser never sees what could make it warn or run deep.
    """
    if len(expression) > MAX_LENGTH:
        raise ToolError(
            f"the expression has {len(expression)} characters, at most {MAX_LENGTH} are allowed: calculate it in parts"
        )
    pieces: list[str] = []
    depth = 0
    for match in _TOKEN.finditer(expression):
        kind, piece = str(match.lastgroup), match.group()
        if refusal := _REFUSALS.get(kind):
            raise ToolError(refusal.format(_quoted(piece)))
        depth += {"(": 1, ")": -1}.get(piece, 0)
        if depth > MAX_DEPTH:
            raise ToolError(f"the parentheses are nested more than {MAX_DEPTH} deep: calculate it in parts")
        if kind != "space":
            pieces.append("**" if piece == "^" else piece)
    if not pieces:
        raise ToolError("the expression is empty: write for example 24 * 7")
    return " ".join(pieces)


def _value(root: ast.expr) -> Number:
    """The value of the tree, found without recursion, because 1+1+1+… is a tree 250 deep."""
    todo, order = [root], list[ast.expr]()
    while todo:
        node = todo.pop()
        order.append(node)
        todo.extend(_operands(node))
    values: list[Number] = []
    for node in reversed(order):  # operands come before what they are operands of
        if isinstance(node, ast.Constant):
            values.append(_bounded(node.value))
        elif isinstance(node, ast.UnaryOp):
            values.append(_UNARY[type(node.op)](values.pop()))
        elif isinstance(node, ast.BinOp):
            left, right = values[-2:]
            values[-2:] = [_bounded(_OPERATORS[type(node.op)](left, right))]
    return values[0]


def _operands(node: ast.expr) -> list[ast.expr]:
    """What has to be known before this node; refuses every kind of node that is not arithmetic."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return []
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return [node.operand]
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return [node.left, node.right]
    if isinstance(node, ast.Call):
        raise ToolError("a number before parentheses is a call: write the *, as in 2 * (3 + 4)")
    raise ToolError(f"{type(node).__name__} is not arithmetic: there are only numbers, + - * / // % ** and parentheses")


def _bounded(value: object) -> Number:
    """The value of one step, if it is a number that can be gone on with."""
    if isinstance(value, int):
        _refuse_beyond(value.bit_length())
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, complex):
        raise ToolError("a negative number to the power of a fraction has no real value")
    raise ToolError("a number on the way is too large for a calculation with fractions")


def _refuse_beyond(bits: int) -> None:
    if bits > MAX_BITS:
        raise ToolError(f"a number on the way has more than {MAX_BITS} bits, which is too large")


def _multiply(left: Number, right: Number) -> Number:
    if isinstance(left, int) and isinstance(right, int):
        _refuse_beyond(left.bit_length() + right.bit_length() - 1)
    return left * right


def _power(base: Number, exponent: Number) -> object:
    """The power, its size known before it is calculated: 9**9**9 would take hours and all memory."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        # A base of n bits is at least 2**(n-1), so its power has more than (n-1) * exponent bits.
        _refuse_beyond((base.bit_length() - 1) * exponent + 1)
    result: object = base**exponent
    return result


_OPERATORS: dict[type[ast.operator], Callable[[Number, Number], object]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: _multiply,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}


def _written(value: Number) -> str:
    """Whole numbers in full; others to 15 digits, so that 0.1 + 0.2 is 0.3 and not 0.30000000000000004."""
    return str(value) if isinstance(value, int) else f"{value + 0.0:.15g}"  # + 0.0 turns -0.0 into 0


def _quoted(text: str) -> str:
    return repr(shorten(text, 40))
