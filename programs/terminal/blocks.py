"""How much of a growing Markdown text is finished."""

from markdown_it import MarkdownIt

_parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def finished(text: str) -> int:
    """How many characters of `text` are whole blocks that later text cannot change.

    The last block may still grow (a list, a code block, a paragraph that becomes a heading), and so may a line that
    has not ended.
    """
    lines = text[: text.rfind("\n") + 1]
    starts = [token.map[0] for token in _parser.parse(lines) if token.level == 0 and token.map and token.nesting >= 0]
    if not starts:
        return 0
    return sum(len(line) + 1 for line in lines.split("\n")[: starts[-1]])
