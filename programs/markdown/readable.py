"""A whole Markdown text without what only a web page renders, for a program that renders the rest itself."""

from programs.markdown.blocks import MATH, Block, blocks
from programs.markdown.formulas import readable
from programs.markdown.inline import OPENING_SIGNS, Dialect, readable_paragraph


def readable_markdown(text: str, dialect: Dialect) -> str:
    """The text with formulas, HTML, task boxes and notes in forms that any Markdown shows; its code stays as it is."""
    if OPENING_SIGNS.search(text) is None:
        return text
    return "".join(_shown(text, block, dialect) for block in blocks(text))


def _shown(text: str, block: Block, dialect: Dialect) -> str:
    written = text[block.start : block.end]
    if block.kind == "code":
        return _formulas(text, block) or written
    if block.kind == "table":
        return "".join(readable_paragraph(line, dialect) for line in written.splitlines(keepends=True))
    return "\n\n".join(readable_paragraph(part, dialect) for part in written.split("\n\n"))


def _formulas(text: str, block: Block) -> str | None:
    """A block of formulas, each line in Unicode; None for other code, and where one of them is not readable so."""
    if block.language.lower() not in MATH or not block.closed:
        return None
    lines = [line for line in text[block.body : block.body_end].split("\n") if line.strip()]
    said = [readable(line.strip().strip("$")) for line in lines]
    return None if None in said or not said else f"```\n{chr(10).join(filter(None, said))}\n```\n"
