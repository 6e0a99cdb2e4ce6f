"""Snapshots on the wire: a merchant's contents as JSON, member by member what the domain calls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields as fields_of
from dataclasses import is_dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate

from simulator.domain.clock import iso
from simulator.domain.contents import Contents
from simulator.domain.ids import client_key_of, token_of, uuid_of
from simulator.domain.merchants import Merchant
from simulator.web.schemas.fields import REQUIRED, Flag, Members, Number, Object, Request, Text, WholeNumber

FORMAT = 1
"""Which form of snapshots this is; another whenever one of the classes below changes."""

_OWN = {"secret": "", "application_id": "", "generation": 0}
"""What is the merchant's own, wherever its world comes from, and in no snapshot."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Words(Text):
    """Any string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=r"(?s:.*)", **options)


class _Instant(_Words):
    """A UTC instant, to the microsecond."""

    default_error_messages = {"instant": "Must be a time such as 2026-11-23T12:00:00.000000Z."}  # noqa: RUF012  marshmallow's way

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> Any:
        return iso(value) if value is not None else None

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        try:
            instant = datetime.fromisoformat(super()._deserialize(value, attr, data, **options))
        except ValueError:
            raise self.make_error("instant") from None
        if instant.tzinfo != UTC:
            raise self.make_error("instant")
        return instant


class _Bytes(_Words):
    """UTF-8 as a string."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> Any:
        return value.decode()

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        return super()._deserialize(value, attr, data, **options).encode()


class _Many(fields.List[Any]):
    """A tuple, as long as it likes."""

    default_error_messages = {"invalid": "Must be an array."}  # noqa: RUF012  marshmallow's way

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **options))


_SIMPLE: Mapping[Any, Callable[..., fields.Field[Any]]] = {
    str: _Words,
    int: partial(WholeNumber, least=0),
    float: Number,
    bool: Flag,
    datetime: _Instant,
    bytes: _Bytes,
    Any: fields.Raw,
    object: fields.Raw,
}


class _Part(Schema):
    """An object that has all the members of a dataclass, and no others."""

    error_messages = {**Request.error_messages, "unknown": "There is no such member in a snapshot."}  # noqa: RUF012  marshmallow's way

    class Meta:
        """Refuse what is unknown."""

        unknown = RAISE


@cache
def _schema(kind: type) -> type[Schema]:
    """The schema of a dataclass, all its members in their order, but for the merchant's own."""
    given = _OWN if kind is Merchant else {}
    hints = get_type_hints(kind)
    members = {each.name: _field(hints[each.name]) for each in fields_of(kind) if each.name not in given}

    def make(_: Schema, data: dict[str, Any], **__: Any) -> Any:
        return kind(**data, **given)

    return type(f"{kind.__name__}InSnapshot", (_Part,), {**members, "make": post_load(make)})


def _field(hint: Any, *, nullable: bool = False) -> fields.Field[Any]:
    """The field for values of a type that the domain uses."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is UnionType:
        [hint] = [each for each in arguments if each is not NoneType]
        return _field(hint, nullable=True)
    make: Callable[..., fields.Field[Any]]
    if origin is tuple and arguments[-1] is Ellipsis:
        make = partial(_Many, _field(arguments[0]))
    elif origin is tuple:
        make = partial(fields.Tuple, [_field(each) for each in arguments])
    elif origin is Mapping:
        make = partial(Members, keys=_Words(), values=_field(arguments[1], nullable=arguments[1] is not int))
    elif is_dataclass(hint) and isinstance(hint, type):
        make = partial(Object, _schema(hint))
    elif isinstance(hint, type) and issubclass(hint, Enum):
        make = partial(fields.Enum, hint, by_value=True)
    else:
        make = _SIMPLE[hint]
    field = make(required=True, allow_none=nullable)
    field.error_messages.update(required=REQUIRED, null="Must not be null.")
    return field


class SnapshotView(_schema(Contents)):  # type: ignore[misc]  # made of what the domain's contents are made of
    """A merchant's contents, and which form of snapshot this is."""

    format = fields.Integer(required=True, validate=validate.Equal(FORMAT))


_parts = _schema(Contents)()


def snapshot_view(contents: Contents) -> dict[str, Any]:
    """Everything in a merchant's world, the same to the byte as long as it is the same."""
    return {"format": FORMAT, **_parts.dump(contents)}


def contents_for(merchant_key: str, snapshot: dict[str, Any]) -> Contents:
    """What a snapshot contains, to be put in the world of the merchant with this key.

    Everything in another merchant's snapshot gets an id of its own, because ids are unique; the same one every time.
    ValidationError when the snapshot is of another format, or damaged.
    """
    if snapshot.get("format") != FORMAT:
        sentence = f"This simulator reads snapshots of format {FORMAT}, and no others."
        raise ValidationError({"format": [sentence]})
    parts = {name: value for name, value in snapshot.items() if name != "format"}
    contents: Contents = _parts.load(parts)
    if contents.merchant.key != merchant_key:
        contents = _parts.load(_renamed(parts, _new_names(merchant_key, contents)))
    return contents


def _new_names(merchant_key: str, contents: Contents) -> dict[str, str]:
    """What the things in another merchant's snapshot are called at the merchant with this key."""
    merchant = contents.merchant
    things = (contents.payment_sessions, contents.refunds, contents.emails, contents.deliveries, contents.inbox)
    settings = (merchant.accounts, merchant.faults, merchant.webhooks)
    ids = {thing.id for some in (*things, *settings) for thing in some}
    ids |= set(_UUID.findall(" ".join(event.subject or "" for event in contents.events)))  # also what is gone
    names = {id_: uuid_of("snapshot", merchant_key, id_) for id_ in ids}
    names |= {key.id: uuid_of("snapshot", merchant_key, key.id) for key in contents.client_keys}
    names |= {key.token: client_key_of("snapshot", merchant_key, key.token) for key in contents.client_keys}
    return names | {token.id: token_of("snapshot", merchant_key, token.id) for token in contents.tokens}


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A JSON value in which things have new names, wherever they are named."""
    match value:
        case str():
            return names.get(value) or _UUID.sub(lambda found: names.get(found[0], found[0]), value)
        case list():
            return [_renamed(each, names) for each in value]
        case dict():
            return {member: _renamed(each, names) for member, each in value.items()}
    return value
