"""What a server's tool gave, as a text for the model and files for people."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable
from typing import Any

from mcp.types import AudioContent, BlobResourceContents, EmbeddedResource, ImageContent, ResourceLink, TextContent

from llmgine.messages.text import clean_text, shorten
from llmgine.messages.visible_text import visible_text
from llmgine.tools.file_secrets import without_secrets
from llmgine.tools.files import MOST_BYTES, MOST_FILES, File, ToolOutput

_LONGEST = 200_000  # characters of a text; the model is shown less


def output(content: Iterable[Any], structured: Any, redact: Callable[[str], str]) -> ToolOutput:
    """The result of a call: its texts, the structured result where these do not say it, and its images as files.

    Files that are more than a call may give are left out, and the text says so.
    """
    texts: list[str] = []
    files: list[File] = []
    left_out = 0
    for block in content:
        file = _file(block, redact)
        if file is None:
            texts.append(_text(block))
        elif len(files) < MOST_FILES and sum(len(one.data) for one in files) + len(file.data) <= MOST_BYTES:
            files.append(file)
        else:
            left_out += 1
    if structured is not None and not _says(texts, structured):
        texts.append(json.dumps(structured, ensure_ascii=False))
    if left_out:
        texts.append(f"[{left_out} files are left out: they are too many or too large]")
    text = redact(visible_text(clean_text("\n\n".join(filter(None, texts))[:_LONGEST])))
    return ToolOutput(text or None, files)


def _says(texts: list[str], structured: Any) -> bool:
    """Whether a text is the structured result, as servers repeat it for older clients; `result` may be left out."""
    wrapped = isinstance(structured, dict) and [*structured] == ["result"]
    values = [structured, structured["result"]] if wrapped else [structured]
    return any(value in (text, _read(text)) for text in texts for value in values)


def _read(text: str) -> Any:
    """What the text is as JSON; itself where it is none."""
    try:
        return json.loads(text) if len(text) <= _LONGEST else text
    except (ValueError, RecursionError):
        return text


def _file(block: Any, redact: Callable[[str], str]) -> File | None:
    """The file that a block is, without secrets; None for one that is a text, or has no data that can be read."""
    if isinstance(block, ImageContent | AudioContent):
        return _decoded(block.type, block.data, block.mime_type, redact)
    if isinstance(block, EmbeddedResource) and isinstance(block.resource, BlobResourceContents):
        resource = block.resource
        return _decoded(str(resource.uri).rpartition("/")[2], resource.blob, resource.mime_type or "", redact)
    return None


def _decoded(name: str, data: str, media_type: str, redact: Callable[[str], str]) -> File | None:
    try:
        content = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return None
    return File(redact(name) or "file", without_secrets(content, redact), media_type) if content else None


def _text(block: Any) -> str:
    if isinstance(block, TextContent):
        return block.text
    if isinstance(block, ResourceLink):
        return f"{block.title or block.name}: {block.uri}"
    if isinstance(block, EmbeddedResource) and not isinstance(block.resource, BlobResourceContents):
        return block.resource.text
    return f"[{shorten(getattr(block, 'type', 'something'), 40)} that cannot be read]"
