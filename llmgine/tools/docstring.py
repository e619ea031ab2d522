"""What a tool's docstring tells the model: what the tool does, and what each argument means."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from docstring_parser import DocstringReturns, DocstringStyle, ParseError, parse
from docstring_parser.common import DocstringExample


@dataclass(frozen=True, slots=True)
class Description:
    """A docstring taken apart: `text` without the arguments, and a description for each argument that has one."""

    text: str
    arguments: dict[str, str]


def describe(function: Callable[..., object], name: str) -> Description:
    """Read the Google-style docstring of `function`; `name` is for the errors.

    What the function raises is left out: it tells the model nothing it could use before calling.

    Raises:
        ValueError: There is no docstring, it says nothing but arguments, or it cannot be read.
    """
    docstring = inspect.getdoc(function)
    if not docstring:
        raise ValueError(f"tool {name!r} has no docstring: the model needs a sentence that says what it does")
    try:
        parsed = parse(docstring, style=DocstringStyle.GOOGLE)
    except ParseError as exc:
        raise ValueError(f"the docstring of tool {name!r} is not in Google style: {exc}") from exc
    if not parsed.description:
        raise ValueError(f"the docstring of tool {name!r} does not begin with what the tool does")
    useful = [part for part in parsed.meta if isinstance(part, DocstringReturns | DocstringExample)]
    sections = [f"{part.args[0].capitalize()}: {part.description}" for part in useful if part.description]
    arguments = {param.arg_name: param.description or "" for param in parsed.params}
    return Description("\n\n".join([parsed.description, *sections]), arguments)
