"""Images as models take them: the first frame, upright, small enough, and nothing else that was in the file."""

import base64
import io
from typing import Any, cast

from PIL import Image, ImageFile, ImageOps

from programs.files.found import Found, Problem, ProblemError
from programs.files.isolated import Limits
from programs.files.limits import MAX_PIXELS, MAX_SIDE

Image.MAX_IMAGE_PIXELS = None  # `_open` looks at the size itself, before anything is unpacked

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "ICO", "AVIF")
_QUALITIES = (90, 80, 65)
_SMALLER = 0.7
_TRIES = 12
_SCALABLE = {"L", "RGB", "RGBA", "CMYK", "YCbCr", "LA"}
_WIDE = {"I", "I;16", "I;16B", "I;16L", "F"}  # more than 8 bits of grey
_LOSSY = {"JPEG", "MPO", "WEBP", "AVIF"}
_NO_ANIMATION = {"ICO", "TIFF", "MPO"}  # what has several images for other reasons: sizes, pages, a depth map


def read(data: bytes, limits: Limits) -> Found:
    """An image.

    Raises:
        ProblemError: It is damaged, or too large to be unpacked.
    """
    image = _open(data)
    several = bool(getattr(image, "is_animated", False))
    first_frame = several and image.format not in _NO_ANIMATION
    first_page = several and image.format == "TIFF"
    if first_frame:
        image.seek(0)
    lossy = image.format in _LOSSY
    part = _load(image)
    return Found(
        images=[as_url(image, limits.image_bytes, lossy=lossy)],
        first_frame=first_frame,
        first_page=first_page,
        part=part,
    )


def as_url(image: Image.Image, most: int, *, lossy: bool, turn: int = 0) -> str:
    """An image as a data URL of at most so many bytes.

    It is made of the pixels alone: a place, a camera, a name or a comment in the file is not in it.

    Args:
        image: The image, loaded.
        most: Bytes of the data URL.
        lossy: Whether it comes from a format that loses a little, as photos do.
        turn: Degrees that it is turned by, clockwise.

    Raises:
        ProblemError: It cannot be made so small.
    """
    if max(image.size) > MAX_SIDE:  # before anything else, which would need the memory of all its pixels again
        image = image if image.mode in _SCALABLE else image.convert(_mode(image))
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    upright = _plain(ImageOps.exif_transpose(image).rotate(-turn, expand=True))
    for _ in range(_TRIES):
        for kind, options in _encodings(upright, lossy=lossy):
            url = _encoded(upright, kind, options)
            if len(url) <= most:
                return url
        smaller = (max(1, int(side * _SMALLER)) for side in upright.size)
        upright = upright.resize(tuple(smaller), Image.Resampling.LANCZOS)
    raise ProblemError(Problem.PIXELS)


def _open(data: bytes) -> Image.Image:
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (OSError, SyntaxError, ValueError) as error:
        raise ProblemError(Problem.BROKEN) from error
    if image.format == "JPEG":
        image.draft(None, (MAX_SIDE, MAX_SIDE))  # a large one is unpacked to a half, a quarter or an eighth
    if image.width * image.height > MAX_PIXELS:
        raise ProblemError(Problem.PIXELS)
    return image


def _load(image: Image.Image) -> bool:
    """Unpack it; gives whether it is damaged, so that only a part of it is there.

    Raises:
        ProblemError: Nothing of it is.
    """
    try:
        image.load()
    except (OSError, SyntaxError, ValueError, EOFError, IndexError):
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            image.load()
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError) as error:
            raise ProblemError(Problem.BROKEN) from error
        if _is_one_colour(image):
            raise ProblemError(Problem.BROKEN) from None
        return True
    return False


def _is_one_colour(image: Image.Image) -> bool:
    """Whether nothing can be seen on an image."""
    extrema: Any = image.convert("RGB").getextrema()
    return all(low == high for low, high in extrema)


def _mode(image: Image.Image) -> str:
    """The mode that has all that can be seen of an image."""
    if image.mode in _WIDE:
        return image.mode
    return "RGBA" if image.has_transparency_data else "L" if image.mode in {"1", "L"} else "RGB"


def _plain(image: Image.Image) -> Image.Image:
    """The pixels alone, in a mode that every format has."""
    if image.mode == "F":  # of any range
        low, high = cast("tuple[float, float]", image.getextrema())
        image = image.point(lambda value: value * (255 / ((high - low) or 1)) - low * (255 / ((high - low) or 1)))
        image = image.convert("L")
    elif image.mode in _WIDE:
        image = ImageOps.autocontrast(image.convert("F").point(lambda value: value / 256).convert("L"))
    plain = image.convert(_mode(image))
    if plain.mode == "RGBA" and plain.getchannel("A").getextrema() == (255, 255):
        plain = plain.convert("RGB")
    plain.info.clear()
    return plain


def _encodings(image: Image.Image, *, lossy: bool) -> list[tuple[str, dict[str, Any]]]:
    """How it is written, the best first."""
    jpeg: list[tuple[str, dict[str, Any]]] = [("jpeg", {"quality": quality}) for quality in _QUALITIES]
    if lossy and image.mode != "RGBA":
        return jpeg
    return [("png", {}), *jpeg[1:]]


def _encoded(image: Image.Image, kind: str, options: dict[str, Any]) -> str:
    if kind == "jpeg" and image.mode == "RGBA":  # on white, as a page is
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image).convert("RGB")
    written = io.BytesIO()
    image.save(written, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(written.getvalue()).decode()}"
