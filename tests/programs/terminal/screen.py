"""A small terminal: what stands on its screen, and above it, after the orders it was given."""

import re

_PART = re.compile(r"\x1b\[([0-?]*)([@-~])|([\x00-\x1f])|([^\x00-\x1f]+)")


class Screen:
    """Rows of text, of which the last `height` are on the screen: only there can the cursor go.

    It knows what our views use (colours, cursor up and down, erase a line or all below) and refuses anything else.
    """

    def __init__(self, width: int, height: int) -> None:
        self._width = width
        self._height = height
        self._rows = [""]
        self._row = self._column = 0

    @property
    def text(self) -> str:
        """All rows, also those that scrolled away, without spaces at their ends."""
        return "\n".join(row.rstrip() for row in self._rows)

    def write(self, output: str) -> None:
        """Obey."""
        for values, order, control, text in _PART.findall(output):
            if text:
                self._put(text)
            elif control:
                self._control(control)
            else:
                self._order(values, order)

    def _put(self, text: str) -> None:
        row = self._rows[self._row].ljust(self._column)
        self._rows[self._row] = row[: self._column] + text + row[self._column + len(text) :]
        self._column += len(text)
        assert self._column <= self._width, f"{text!r} is wider than the screen"

    def _control(self, control: str) -> None:
        assert control in "\r\n", f"{control!r} moves the cursor"
        self._column = 0
        if control == "\n":
            self._row += 1
            self._rows += [""] * (self._row + 1 - len(self._rows))

    def _order(self, values: str, order: str) -> None:
        if order == "A":
            self._row -= int(values or 1)
            assert self._row >= max(0, len(self._rows) - self._height), "the cursor left the screen"
        elif order == "K":
            self._rows[self._row] = ""
        else:
            assert order == "m" or (values == "?25" and order in "lh"), f"{values}{order} is not known here"
