"""Buttons, selects, text inputs and layout: their shapes, their limits and the ids Discord gives them."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from programs.playground.entities import Json
from programs.playground.errors import FormFault, invalid_form
from programs.playground.forms import Form, Path, WebUrl, in_discords_words

CustomId = Annotated[str, Field(min_length=1, max_length=100)]
MAX_ROWS = 5
MAX_V2 = 40
_CONTAINER = 17


class Part(Form):
    """What all components have."""

    id: int | None = Field(None, ge=0, le=2**31 - 1)


class ButtonEmoji(Form):
    """The emoji on a button or an option."""

    name: str | None = None
    id: str | None = None
    animated: bool | None = None


class Button(Part):
    """A button."""

    type: Literal[2]
    style: Literal[1, 2, 3, 4, 5, 6]
    label: str | None = Field(None, max_length=80)
    emoji: ButtonEmoji | None = None
    custom_id: CustomId | None = None
    url: WebUrl | None = Field(None, max_length=512)
    disabled: bool = False


class SelectOption(Part):
    """An option of a select."""

    label: str = Field(min_length=1, max_length=100)
    value: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=100)
    emoji: ButtonEmoji | None = None
    default: bool = False


class Select(Part):
    """What all kinds of select have."""

    custom_id: CustomId
    placeholder: str | None = Field(None, max_length=150)
    min_values: int = Field(1, ge=0, le=25)
    max_values: int = Field(1, ge=1, le=25)
    required: bool | None = None  # in a modal
    disabled: bool = False


class StringSelect(Select):
    """A select with options of the bot's own."""

    type: Literal[3]
    options: list[SelectOption] = Field(min_length=1, max_length=25)


class EntitySelect(Select):
    """A select of users, roles, mentionables or channels."""

    type: Literal[5, 6, 7, 8]
    channel_types: list[int] | None = None
    default_values: list[dict[str, Any]] | None = Field(None, max_length=25)


class TextInput(Part):
    """A line or a field of text in a modal."""

    type: Literal[4]
    custom_id: CustomId
    style: Literal[1, 2] = 1
    label: str | None = Field(None, max_length=45)
    placeholder: str | None = Field(None, max_length=100)
    value: str | None = Field(None, max_length=4000)
    min_length: int = Field(0, ge=0, le=4000)
    max_length: int = Field(4000, ge=1, le=4000)
    required: bool = True


class TextDisplay(Part):
    """A text between components."""

    type: Literal[10]
    content: str = Field(min_length=1, max_length=4000)


Inner = Annotated[Button | StringSelect | EntitySelect | TextInput, Field(discriminator="type")]


class ActionRow(Part):
    """A row of buttons, or of one select."""

    type: Literal[1]
    components: list[Inner] = Field(min_length=1, max_length=5)


class Label(Part):
    """A label around one input of a modal."""

    type: Literal[18]
    label: str = Field(min_length=1, max_length=45)
    description: str | None = Field(None, max_length=100)
    component: Inner


class Separator(Part):
    """Space between components, perhaps with a line."""

    type: Literal[14]
    divider: bool = True
    spacing: Literal[1, 2] = 1


class Media(Part):
    """A picture or a file, by its address."""

    url: WebUrl


class Thumbnail(Part):
    """A small picture beside a text."""

    type: Literal[11]
    media: Media
    description: str | None = Field(None, max_length=1024)
    spoiler: bool = False


class Section(Part):
    """Texts with a button or a picture beside them."""

    type: Literal[9]
    components: list[TextDisplay] = Field(min_length=1, max_length=3)
    accessory: Annotated[Button | Thumbnail, Field(discriminator="type")]


class GalleryItem(Part):
    """One picture of a gallery."""

    media: Media
    description: str | None = Field(None, max_length=1024)
    spoiler: bool = False


class Gallery(Part):
    """Up to ten pictures."""

    type: Literal[12]
    items: list[GalleryItem] = Field(min_length=1, max_length=10)


class File(Part):
    """A file that was uploaded with the message."""

    type: Literal[13]
    file: Media
    spoiler: bool = False


_Layout = ActionRow | TextDisplay | Section | Gallery | File | Separator


class Container(Part):
    """A box around the others."""

    type: Literal[17]
    accent_color: int | None = Field(None, ge=0, le=0xFFFFFF)
    spoiler: bool = False
    components: list[Annotated[_Layout, Field(discriminator="type")]] = Field(min_length=1, max_length=40)


_MESSAGE = TypeAdapter(list[Annotated[_Layout | Container, Field(discriminator="type")]])
_MODAL = TypeAdapter(list[Annotated[ActionRow | Label | TextDisplay, Field(discriminator="type")]])


def message_components(parts: list[Json], *, layout: bool) -> list[Json]:
    """The components of a message, checked, with an id each. `layout` is what the IS_COMPONENTS_V2 flag allows.

    Raises Discord's 50035.
    """
    read = _read(_MESSAGE, parts)
    faults: list[FormFault] = []
    if not layout:
        if len(parts) > MAX_ROWS:
            faults.append((("components",), "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {MAX_ROWS} in length."))
        for at, part in enumerate(read):
            if part["type"] != 1:
                faults.append((("components", at, "type"), "UNION_TYPE_CHOICES", "Value of field must be one of (1,)."))
    if len(list(every(read))) > MAX_V2:
        faults.append((("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"At most {MAX_V2} components."))
    faults += _rows(read)
    faults += _repeated(read)
    if faults:
        raise invalid_form(*faults)
    return _numbered(read)


def modal_components(parts: list[Json]) -> list[Json]:
    """The components of a modal, checked, with an id each. Raises Discord's 50035."""
    read = _read(_MODAL, parts)
    faults = _repeated(read)
    if not 1 <= len(read) <= MAX_ROWS:
        faults.append((("components",), "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {MAX_ROWS} in length."))
    if faults:
        raise invalid_form(*faults)
    return _numbered(read)


def _read(kind: TypeAdapter[Any], parts: list[Json]) -> list[Json]:
    try:
        return [part.model_dump(exclude_none=True) for part in kind.validate_python(parts)]
    except ValidationError as invalid:
        raise in_discords_words(invalid, place=lambda path: ("components", *_without_tags(path, parts))) from invalid


def _without_tags(path: Path, inside: Any) -> Iterator[int | str]:
    """A fault's place without the types by which pydantic chose among the components."""
    for step in path:
        if isinstance(inside, dict) and isinstance(step, int):
            continue  # dicts have no numbered keys, so this is a component's type
        yield step
        if isinstance(inside, list) and isinstance(step, int):
            inside = inside[step]
        else:
            inside = inside.get(step) if isinstance(inside, dict) else None


def every(parts: Iterable[Json]) -> Iterator[Json]:
    """All components, also those inside others."""
    for part in parts:
        yield part
        yield from every(part.get("components", ()))
        yield from every(inner for key in ("component", "accessory") if isinstance(inner := part.get(key), dict))


def _rows(parts: list[Json]) -> Iterator[FormFault]:
    path: Path
    for at, row in enumerate(parts):
        inside = row.get("components", ()) if row["type"] == 1 else ()
        if len(inside) > 1 and any(part["type"] != 2 for part in inside):  # a select needs the row for itself
            path = ("components", at, "components")
            yield path, "BASE_TYPE_BAD_LENGTH", "A select must be alone in its row."
        for place, part in enumerate(inside):
            if part["type"] == 2 and (part["style"] == 5) != ("url" in part):
                path = ("components", at, "components", place)
                yield path, "BUTTON_COMPONENT_INVALID_URL", "A link button, and no other, has a url."
            elif part["type"] == 2 and part["style"] < 5 and "custom_id" not in part:
                path = ("components", at, "components", place, "custom_id")
                yield path, "BASE_TYPE_REQUIRED", "This field is required"


def _repeated(parts: list[Json]) -> list[FormFault]:
    seen: set[str] = set()
    faults: list[FormFault] = []
    for part in every(parts):
        name = part.get("custom_id")
        if name in seen:
            words = "Component custom id cannot be duplicated"
            faults.append((("components",), "COMPONENT_CUSTOM_ID_DUPLICATED", words))
        if name is not None:
            seen.add(name)
    return faults


def _numbered(parts: list[Json]) -> list[Json]:
    taken = {part["id"] for part in every(parts) if part.get("id")}
    free = (number for number in range(1, 1_000) if number not in taken)
    for part in every(parts):
        if not part.get("id"):  # zero asks for one, as nothing does
            part["id"] = next(free)
        if part["type"] == _CONTAINER:
            part.setdefault("accent_color", None)
    return parts
