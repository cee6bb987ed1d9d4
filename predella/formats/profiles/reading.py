"""A profile out of its YAML file, with words for what is wrong in it."""

from typing import Annotated, Any, Literal, NoReturn

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from predella.errors import InvalidError
from predella.formats.bundle import Unit
from predella.formats.entry import TextKind
from predella.formats.fields import FIELDS
from predella.formats.profiles.profile import Profile, ProfileColumn

_MAX_BYTES = 100_000


class ProfileError(InvalidError):
    """A profile that nothing could be written with."""

    def __init__(self, name: str, reasons: list[str]) -> None:
        super().__init__(f"the profile {name!r} cannot be used: {'; '.join(reasons)}")
        self.name, self.reasons = name, reasons


def _known(field: str) -> str:
    if field not in FIELDS:
        raise ValueError(f"there is no field {field!r}; there are {', '.join(sorted(FIELDS))}")
    return field


def _writable(words: str) -> str:
    if "\x00" in words or any("\ud800" <= letter <= "\udfff" for letter in words):
        raise ValueError(f"{words!r} has letters that no file can hold")
    return words


_Words = Annotated[str, AfterValidator(_writable)]


class _Column(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: Annotated[str, AfterValidator(_known)] | None = None
    value: _Words | None = None
    withdrawn: _Words | None = None
    date: _Words | None = None
    language: str | None = None
    kind: TextKind | None = None
    single: bool = False
    each_language: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        return {"field": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _either(self) -> "_Column":
        if (self.field is None) == (self.value is None):
            raise ValueError("a column has either a field or a value")
        if self.language is not None and self.each_language:
            raise ValueError("a column has one language, or one for each_language")
        return self


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    about: str = ""
    row: Unit | None = None
    kinds: Annotated[list[TextKind], Field(min_length=1)] = list(TextKind)
    formulas: Literal["keep", "neutralise"] = "keep"
    bom: bool = False
    separators: list[Annotated[str, Field(min_length=1)]] = []
    columns: Annotated[dict[_Words, _Column], Field(min_length=1)]

    @model_validator(mode="after")
    def _says_all(self) -> "_File":
        held = {column.field for column in self.columns.values()}
        if missing := [field for field in ("text", "disclosure") if field not in held]:
            raise ValueError(f"no column holds the field {' or '.join(map(repr, missing))}")
        return self

    @property
    def unit(self) -> Unit:
        """What a row is: an object, where the text has a column for each language."""
        texts = (column for column in self.columns.values() if column.field == "text")
        apart = any(column.language or column.each_language for column in texts)
        return self.row or (Unit.OBJECT if apart else Unit.TEXT)


class _Strict(yaml.SafeLoader):
    """Refuses what YAML would quietly drop: a second column of the same name."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  (PyYAML's own)
        made = super().construct_mapping(node, deep=deep)
        if len(made) < len(node.value):
            raise yaml.MarkedYAMLError(None, None, "a name stands twice", node.start_mark)
        return made


def read(name: str, data: bytes) -> Profile:
    """Return the profile.

    Raises:
        ProfileError: it is no YAML, a field is unknown, or nothing tells who wrote the text.
    """
    file = _parsed(name, data)
    return Profile(
        name=name,
        columns=[
            ProfileColumn(header=header, **column.model_dump())
            for header, column in file.columns.items()
        ],
        formulas=file.formulas,
        bom=file.bom,
        separators=file.separators,
        UNIT=file.unit,
        KINDS=frozenset(file.kinds),
    )


def _parsed(name: str, data: bytes) -> _File:
    if len(data) > _MAX_BYTES:
        raise ProfileError(name, [f"it is larger than {_MAX_BYTES:,} bytes"])
    try:
        return _File.model_validate(yaml.load(data, _Strict))  # noqa: S506  (a SafeLoader)
    except ValidationError as error:
        raise ProfileError(name, list(map(_reason, error.errors()))) from error
    except (yaml.YAMLError, ValueError) as error:
        _refuse(name, error)
    except RecursionError as error:
        raise ProfileError(name, ["it is nested too deeply"]) from error


def _refuse(name: str, error: Exception) -> NoReturn:
    words = " ".join(str(error).split())
    raise ProfileError(name, [f"it cannot be read as YAML: {words}"]) from error


def _reason(error: ErrorDetails) -> str:
    place = ".".join(map(str, error["loc"]))
    words = error["msg"].removeprefix("Value error, ")
    return f"{place}: {words}" if place else words
