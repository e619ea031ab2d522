"""The process that reads one file: which reader takes it, and what becomes of a reader that fails.

It runs in a process of its own, with limits; see `llmgine.tools.isolation`.
Whatever a file does to a reader ends there.
"""

import importlib
from dataclasses import dataclass

from programs.files.found import Found, Problem, ProblemError
from programs.files.kinds import HTML, OLE, PDF, ZIP

_READERS = {
    PDF.media_type: "programs.files.pdf",
    ZIP.media_type: "programs.files.office",
    OLE.media_type: "programs.files.office",
    HTML.media_type: "programs.files.html",
}
_IMAGES = "programs.files.images"


@dataclass(frozen=True)
class Limits:
    """How much is made of a file: characters of text, images, and bytes of each image as it is sent.

    With the `address` of a web page, only its main text is read.
    """

    characters: int
    images: int
    image_bytes: int
    address: str = ""


def read_file(
    data: bytes, *, media_type: str, characters: int, images: int, image_bytes: int, address: str = ""
) -> str:
    """Read a file.

    Args:
        data: Its bytes.
        media_type: What it begins like.
        characters: How many of its text.
        images: How many images, for pages that are scanned.
        image_bytes: How many bytes each image may have as it is sent.
        address: Where a web page is from, of which only the main text is read; "" for a file.

    Returns:
        A `Found`, as JSON.
    """
    limits = Limits(characters, images, image_bytes, address)
    try:
        reader = importlib.import_module(_READERS.get(media_type, _IMAGES))
        found: Found = reader.read(data, limits)
    except ImportError:
        found = Found(problem=Problem.NO_READERS)
    except ProblemError as error:
        found = error.found
    except MemoryError:
        raise
    except Exception:  # of libraries that read the bytes of a stranger, nobody knows which
        found = Found(problem=Problem.BROKEN)
    return found.as_json()
