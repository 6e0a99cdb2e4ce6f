"""marshmallow fields with the strictness, and the sentences, that the API wants."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from math import inf, isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from marshmallow import EXCLUDE, Schema, fields

from simulator.config import is_web_url
from simulator.domain.money import LARGEST_AMOUNT
from simulator.domain.ports import PAGE_LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from enum import StrEnum

    from simulator.domain.errors import Refusal

REQUIRED = "This field is required."
URL_LENGTH = 2048
_PLAUSIBLE_EMAIL = r"(?=.{3,254}$)[^@\s\x00-\x1f\x7f]{1,64}@[^@\s.\x00-\x1f\x7f]+(\.[^@\s.\x00-\x1f\x7f]+)+"
_UNENCODED_PLUS = re.compile(r" (\d\d:\d\d)$")
"""The offset of a time in a query string, whose plus sign was read as a space."""


def _sentences(**sentences: str) -> dict[str, Any]:
    """What a field says when it refuses a value, by what is wrong with it."""
    return {"required": REQUIRED, "null": "Must not be null.", "type": "Must be an object.", **sentences}


class InvalidRequest(Exception):
    """A request whose fields are malformed: marshmallow's messages, and what else the rules refuse about it."""

    def __init__(self, messages: Any, refusals: Sequence[Refusal] = ()) -> None:
        super().__init__(str(messages))
        self.messages = messages
        self.refusals = refusals


class Request(Schema):
    """What a caller sends; members that nobody knows are ignored (Q7)."""

    error_messages = _sentences()

    class Meta:
        """Ignore what is unknown."""

        unknown = EXCLUDE


class Answer(Schema):
    """What a caller gets, for the API's description: all its members are always there, but those in `optional`."""

    optional: ClassVar[frozenset[str]] = frozenset()

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        """Tell that a member is always there."""
        field_obj.required = field_name not in self.optional


class _Strict(fields.Field[Any]):
    """A field that checks what it reads while it reads it; marshmallow's own second step costs time."""

    default_error_messages = _sentences()

    def _validate(self, value: Any) -> None:
        """Find nothing left to do."""


class Text(_Strict, fields.String):
    """A string of 1 to `longest` characters or, with a `pattern`, one that all of it matches, as `rule` describes."""

    default_error_messages = _sentences(invalid="Must be a string.")

    def __init__(self, *, longest: int = 256, pattern: str = "", rule: str = "", **options: Any) -> None:
        self._longest = longest
        self._matches = re.compile(pattern).fullmatch if pattern else None
        limits = {"pattern": f"^(?:{pattern})$"} if pattern else {"minLength": 1, "maxLength": longest}
        metadata = limits | options.pop("metadata", {})
        rule = rule or f"Must have 1 to {longest} characters."
        super().__init__(error_messages={"rule": rule}, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not (self._matches(value) if self._matches else 0 < len(value) <= self._longest):
            raise self.make_error("rule")
        return value


class Choice(_Strict, fields.String):
    """One of the values of an enumeration, as its member."""

    default_error_messages = _sentences(invalid="Must be one of: {choices}.")

    def __init__(self, choices: type[StrEnum], **options: Any) -> None:
        self._members = {choice.value: choice for choice in choices}
        allowed = [*self._members, None] if options.get("allow_none") else [*self._members]
        super().__init__(metadata={"enum": allowed}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        if not isinstance(value, str) or value not in self._members:
            raise self.make_error("invalid", choices=", ".join(self._members))
        return self._members[value]


class WholeNumber(_Strict, fields.Integer):
    """A JSON number without a fraction from `least` to `most`; `400.0` is 400, `"400"` and `true` are refused (Q25)."""

    default_error_messages = _sentences(invalid="Must be a whole number.", range="Must be between {least} and {most}.")

    def __init__(self, *, least: int = 1, most: int = LARGEST_AMOUNT, **options: Any) -> None:
        self._least, self._most = least, most
        super().__init__(metadata={"minimum": least, "maximum": most}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> int:
        if not (type(value) is int or (type(value) is float and value.is_integer())):
            raise self.make_error("invalid")
        if not self._least <= value <= self._most:
            raise self.make_error("range", least=self._least, most=self._most)
        return int(value)


class Number(_Strict, fields.Float):
    """A JSON number, and nothing like it."""

    default_error_messages = _sentences(invalid="Must be a number.")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> float:
        if type(value) not in (int, float):
            raise self.make_error("invalid")
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if not isfinite(number):
            raise self.make_error("invalid")
        return number


class Members(fields.Dict):
    """An object whose members are any JSON, to be kept: their numbers are such as JSON can tell again."""

    default_error_messages = _sentences(invalid="Must be an object.", number="Must not have infinite numbers.")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        members: Any = super()._deserialize(value, attr, data, **options)  # type: ignore[no-untyped-call]  # marshmallow's
        try:
            json.dumps(members, allow_nan=False)
        except ValueError:
            raise self.make_error("number") from None
        return members


class Flag(_Strict, fields.Boolean):
    """`true` or `false`, and nothing like it."""

    default_error_messages = _sentences(invalid="Must be true or false.")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> bool:
        if type(value) is bool:
            return value
        raise self.make_error("invalid")


class Url(Text):
    """An absolute http or https URL of at most 2,048 characters."""

    default_error_messages = _sentences(url="Must be an http or https URL.")

    def __init__(self, **options: Any) -> None:
        super().__init__(longest=URL_LENGTH, metadata={"format": "uri"}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options)
        if text and not is_web_url(text):
            raise self.make_error("url")
        return text


class Reference(Text):
    """The words that go on the bank transaction: 1 to 18 letters, digits or spaces (facts 2.1)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern="[A-Za-z0-9 ]{1,18}", rule="Must be 1 to 18 letters, digits or spaces.", **options)


class Email(Text):
    """An e-mail address that may well exist."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=_PLAUSIBLE_EMAIL, rule="Must be an e-mail address.", **options)


class Instant(Text):
    """A time with its zone: ISO 8601, or Banked's own `2019-11-01 15:48:26 UTC`."""

    default_error_messages = _sentences(instant="Must be a time such as 2019-11-01T15:48:26Z.")

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **options)
        try:
            instant = datetime.fromisoformat(_UNENCODED_PLUS.sub(r"+\1", text.replace(" UTC", "+00:00")))
            if instant.tzinfo is not None:
                return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise self.make_error("instant")


class List(fields.List[Any]):
    """An array of `shortest` to `longest` things."""

    default_error_messages = _sentences(invalid="Must be an array.")

    def __init__(self, inner: fields.Field[Any], *, shortest: int = 1, longest: int = 100, **options: Any) -> None:
        self._lengths = range(shortest, longest + 1)
        metadata = {"minItems": shortest, "maxItems": longest}
        rule = f"Must have {shortest} to {longest} entries."
        super().__init__(inner, error_messages={"rule": rule}, metadata=metadata, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> list[Any]:
        if isinstance(value, list) and len(value) not in self._lengths:
            raise self.make_error("rule")
        return super()._deserialize(value, attr, data, **options)


class Object(fields.Nested):
    """An object with its own schema."""

    default_error_messages = _sentences()


def flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Slash paths and sentences from marshmallow's nested messages, one a field."""
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from flat(inner, path if name == "_schema" else f"{path}/{name}".lstrip("/"))
    else:
        yield path, " ".join(messages)


class ListQuery(Request):
    """How much of a list to answer."""

    limit = Text(pattern="0{0,999}[1-9][0-9]{0,999}", rule="Must be a whole number, 1 or more.")


def page_limit(data: dict[str, str]) -> int:
    """How many records the loaded `ListQuery` asks for; more than 100 is 100 (facts 2.4)."""
    return min(int(data.get("limit", PAGE_LIMIT)), PAGE_LIMIT)


def end_of_second(instant: datetime) -> datetime:
    """The last instant that Banked would print like `instant`, for it prints whole seconds."""
    return instant.replace(microsecond=0) + timedelta(microseconds=999_999)


def ruby_time(instant: datetime) -> str:
    """A UTC instant as Banked prints it: `2019-11-01 15:48:26 UTC` (facts 2.2)."""
    return instant.isoformat(" ", "seconds").removesuffix("+00:00") + " UTC"
