"""The text of DOCX, XLSX and PPTX documents. What is in the archive says which it is; macros are never looked at."""

import importlib
import io
import re
import zipfile

from programs.files.found import Found, Problem, ProblemError
from programs.files.isolated import Limits
from programs.files.limits import MAX_PARTS, MAX_UNPACKED

_TYPES = "[Content_Types].xml"
_MOST_TYPES = 2**20  # bytes of the list of the parts
_OOXML = "application/vnd.openxmlformats-officedocument."
# What the type of a document's main part has in it, the document's own type, its name, and its reader.
_DOCUMENTS = (
    (r"wordprocessingml\.(?:document|template)\.main|ms-word\.\w+\.macroEnabled", "wordprocessingml.document", "DOCX"),
    (r"spreadsheetml\.(?:sheet|template)\.main|ms-excel\.\w+\.macroEnabled", "spreadsheetml.sheet", "XLSX"),
    (
        r"presentationml\.(?:presentation|template|slideshow)\.main|ms-powerpoint\.\w+\.macroEnabled",
        "presentationml.presentation",
        "PPTX",
    ),
)
_READERS = {"DOCX": "programs.files.docx_text", "XLSX": "programs.files.xlsx_text", "PPTX": "programs.files.pptx_text"}
_OLD = {"WordDocument": "DOC", "Workbook": "XLS", "Book": "XLS", "PowerPoint Document": "PPT"}


def read(data: bytes, limits: Limits) -> Found:
    """A document that is an archive.

    Raises:
        ProblemError: It is no document, protected by a password, damaged, or there is nothing to read.
    """
    if not data.startswith(b"PK"):
        raise ProblemError(*_old(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            media_type, name, macros = _known(archive)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ProblemError(Problem.BROKEN) from error
    try:
        texts = importlib.import_module(_READERS[name])
        text, cut = texts.read(data, limits.characters)
    except ImportError as error:
        raise ProblemError(Problem.NO_READERS, media_type, name) from error
    except MemoryError:
        raise
    except Exception as error:  # of libraries that read the bytes of a stranger, nobody knows which
        raise ProblemError(Problem.BROKEN, media_type, name) from error
    problem = None if text else Problem.NO_TEXT
    return Found(media_type=media_type, name=name, text=text or None, cut=cut, macros=macros, problem=problem)


def _known(archive: zipfile.ZipFile) -> tuple[str, str, bool]:
    """What an archive is: its type, its name, and whether it has macros.

    Raises:
        ProblemError: It is nothing that is read.
    """
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise ProblemError(Problem.UNPACKED)
    if any(part.flag_bits & 1 for part in parts):
        raise ProblemError(Problem.ENCRYPTED)
    names = archive.NameToInfo
    if _TYPES not in names:
        raise ProblemError(*_other(archive))
    with archive.open(_TYPES) as file:
        types = file.read(_MOST_TYPES).decode("utf-8", "replace")
    for pattern, kind, name in _DOCUMENTS:
        if re.search(pattern, types):
            return _OOXML + kind, name, "macroEnabled" in types or any(one.endswith("vbaProject.bin") for one in names)
    raise ProblemError(Problem.ARCHIVE)


def _other(archive: zipfile.ZipFile) -> tuple[Problem, str, str]:
    """What an archive is that is none of Office's."""
    if "mimetype" in archive.NameToInfo:
        with archive.open("mimetype") as file:
            media_type = file.read(100).decode("ascii", "replace").strip()
        if media_type == "application/epub+zip":
            return Problem.OTHER_DOCUMENT, media_type, "EPUB"
        if media_type.startswith("application/vnd.oasis.opendocument."):
            return Problem.OTHER_DOCUMENT, media_type, "OpenDocument"
    if any(name.startswith("Index/") and name.endswith(".iwa") for name in archive.NameToInfo):
        return Problem.OTHER_DOCUMENT, "application/x-iwork", "iWork"
    return Problem.ARCHIVE, "application/zip", "zip"


def _old(data: bytes) -> tuple[Problem, str, str]:
    """What a file of the old Office is: it names its parts in UTF-16."""
    if "EncryptedPackage".encode("utf-16-le") in data:
        return Problem.ENCRYPTED, "application/x-ole-storage", ""
    for part, name in _OLD.items():
        if part.encode("utf-16-le") + b"\0\0" in data:
            return Problem.OLD_OFFICE, "application/x-ole-storage", name
    return Problem.OLD_OFFICE, "application/x-ole-storage", ""
