"""The text of XLSX workbooks: each sheet as a table, with the values that its formulas had."""

import datetime as dt
import io
from collections.abc import Iterator
from itertools import islice
from typing import Any

from openpyxl import load_workbook

from programs.files.found import collected, table
from programs.files.limits import MAX_PAGES, MAX_ROWS

_MOST_COLUMNS = 200


def read(data: bytes, most: int) -> tuple[str, bool]:
    """At most so many characters of the text, and whether there is more."""
    book: Any = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    return collected(_sheets(book), most, between="\n")


def _sheets(book: Any) -> Iterator[str]:
    for sheet in book.worksheets[:MAX_PAGES]:
        sheet.reset_dimensions()  # a sheet may say that it is a million columns wide
        hidden = " (hidden)" if sheet.sheet_state != "visible" else ""
        title = f"## {sheet.title}{hidden}"
        rows = islice(filter(any, map(_row, sheet.iter_rows(values_only=True))), MAX_ROWS)
        yield title
        if first := next(rows, None):
            yield from table([first]).split("\n")
        for row in rows:
            yield table([row]).partition("\n")[0]


def _row(cells: tuple[Any, ...]) -> list[str]:
    return [_cell(one) for one in cells[:_MOST_COLUMNS]]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.datetime) and value.time() == dt.time():
        return value.date().isoformat()
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value)
