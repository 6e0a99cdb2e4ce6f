"""Faults on the wire: how a tester describes one, and how it is shown."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, fields

from simulator.domain.faults import (
    LARGEST_PADDING,
    LONGEST_LATENCY,
    LONGEST_SHIFT,
    Effect,
    Fault,
    Match,
    SignatureTwist,
)
from simulator.web.schemas.fields import (
    REQUIRED,
    Answer,
    Choice,
    Flag,
    List,
    Members,
    Number,
    Object,
    Text,
    WholeNumber,
)
from simulator.web.schemas.testers import Command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from simulator.domain.faults import Preset

_ONE_DAY = 86_400
_SPOILERS = ("drop", "truncate", "malformed", "lost_response")


class Status(WholeNumber):
    """The status of an error."""

    def __init__(self, **options: Any) -> None:
        super().__init__(most=599, **options)
        self.metadata = {"minimum": 400, "maximum": 599}

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> int:
        status = super()._deserialize(value, attr, data, **options)
        if status < 400:
            raise ValidationError("Must be the status of an error, 400 to 599.")
        return status


class Probability(Number):
    """How likely something is: more than 0, and at most 1."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"exclusiveMinimum": 0, "maximum": 1}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **options: Any) -> float:
        probability = super()._deserialize(value, attr, data, **options)
        if not 0 < probability <= 1:
            raise ValidationError("Must be more than 0, and at most 1.")
        return probability


class Latency(fields.Field[Any]):
    """Seconds: a number, or the least and the most of them."""

    default_error_messages = {  # noqa: RUF012  marshmallow's way
        "null": "Must not be null.",
        "invalid": f"Must be seconds from 0 to {LONGEST_LATENCY}, or the least and the most of them: [1, 3].",
    }

    def __init__(self, **options: Any) -> None:
        number = {"type": "number", "minimum": 0, "maximum": LONGEST_LATENCY}
        pair = {"type": "array", "items": number, "minItems": 2, "maxItems": 2}
        super().__init__(metadata={"oneOf": [number, pair]}, **options)

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002  marshmallow decides what a field is called with
        data: Mapping[str, Any] | None,  # noqa: ARG002  likewise
        **options: Any,  # noqa: ARG002  likewise
    ) -> tuple[float, float]:
        ends = value if isinstance(value, list) else [value, value]
        if len(ends) != 2 or any(type(end) not in (int, float) for end in ends):
            raise self.make_error("invalid")
        if not 0 <= ends[0] <= ends[1] <= LONGEST_LATENCY:
            raise self.make_error("invalid")
        return float(ends[0]), float(ends[1])


class FieldValues(Members):
    """Any JSON values by slash path."""

    def __init__(self, **options: Any) -> None:
        super().__init__(keys=Text(), values=fields.Raw(allow_none=True), **options)


class NewMatch(Command):
    """Which calls: `path` may have `*` for any characters; `body` is values by slash path.

    With `webhook`, which messages instead: those of this event, `*` for any characters, to the URL `path`.
    """

    method = Text(pattern="GET|HEAD|POST|PUT|PATCH|DELETE", rule="Must be a method such as POST.")
    path = Text(pattern="([/*]|https?:).{0,255}", rule="Must be a path such as /v2/payment_sessions or /v2/*.")
    body = FieldValues()
    webhook = Text(pattern="[a-z_*]{1,64}", rule="Must be an event such as payment_sent, payment_* or *.")


class NewEffect(Command):
    """What becomes of a call or a message: at least one of these; latency, retry_after and timestamp are seconds."""

    status = Status()
    retry_after = WholeNumber(most=_ONE_DAY)
    latency = Latency()
    drop = Flag()
    truncate = Flag()
    malformed = Flag()
    lost_response = Flag()
    reorder = Flag()
    duplicate = Flag()
    signature = Choice(SignatureTwist)
    timestamp = WholeNumber(least=-LONGEST_SHIFT, most=LONGEST_SHIFT)
    content_type = Text(pattern="[ -~]{1,128}", rule="Must be 1 to 128 ASCII characters.")
    extra_fields = Flag()
    event = Text()
    padding = WholeNumber(most=LARGEST_PADDING)


class NewFault(Command):
    """A fault, or what is to be different from a preset."""

    preset = Text()
    name = Text(pattern="[A-Za-z0-9_.-]{1,64}", rule="Must be 1 to 64 letters, digits, dots, dashes or underscores.")
    match = Object(NewMatch)
    effect = Object(NewEffect)
    times = WholeNumber(most=1_000_000, allow_none=True)
    probability = Probability()


class NewFaults(Command):
    """All the faults that a merchant is to have, the first to be tried first."""

    faults = List(Object(NewFault), shortest=0, required=True)


class MatchView(Answer):
    """Which calls, as `fault_view` shows it, for the API description."""

    method = fields.String(allow_none=True)
    path = fields.String()
    body = fields.Dict()
    webhook = fields.String(allow_none=True)


class EffectView(Answer):
    """What becomes of them, as `fault_view` shows it, for the API description."""

    status = fields.Integer(allow_none=True)
    retry_after = fields.Integer(allow_none=True)
    latency = fields.List(fields.Float())
    drop = fields.Boolean()
    truncate = fields.Boolean()
    malformed = fields.Boolean()
    lost_response = fields.Boolean()
    reorder = fields.Boolean()
    duplicate = fields.Boolean()
    signature = fields.String(allow_none=True)
    timestamp = fields.Integer()
    content_type = fields.String(allow_none=True)
    extra_fields = fields.Boolean()
    event = fields.String(allow_none=True)
    padding = fields.Integer()


class FaultView(Answer):
    """What `fault_view` shows, for the API description."""

    id = fields.UUID()
    name = fields.String(allow_none=True)
    match = fields.Nested(MatchView)
    effect = fields.Nested(EffectView)
    times = fields.Integer(allow_none=True)
    probability = fields.Float()


class FaultsView(Answer):
    """A list of faults."""

    faults = fields.List(fields.Nested(FaultView))


class PresetView(FaultView):
    """What `preset_view` shows, for the API description."""

    description = fields.String()

    class Meta:
        """A preset is nobody's fault yet."""

        exclude = ("id",)


class PresetsView(Answer):
    """A list of presets."""

    presets = fields.List(fields.Nested(PresetView))


_new_fault, _new_faults = NewFault(), NewFaults()


def new_fault(body: Mapping[str, Any], presets: Mapping[str, Preset]) -> Fault:
    """The fault that `POST …/faults` describes; ValidationError when it is none."""
    return _fault(_new_fault.load(body), presets)


def new_faults(body: Mapping[str, Any], presets: Mapping[str, Preset]) -> list[Fault]:
    """The faults that `PUT …/faults` describes; ValidationError when one is none."""
    faults = []
    for number, data in enumerate(_new_faults.load(body)["faults"]):
        try:
            faults.append(_fault(data, presets))
        except ValidationError as broken:
            raise ValidationError({"faults": {number: broken.messages}}) from None
    return faults


def _fault(data: dict[str, Any], presets: Mapping[str, Preset]) -> Fault:
    """The fault that is described by what a `NewFault` has loaded."""
    preset = data.pop("preset", None)
    if preset is not None and preset not in presets:
        raise ValidationError({"preset": [f"There is no preset {preset[:64]!r}; there are: {', '.join(presets)}."]})
    if preset is None and "effect" not in data:
        raise ValidationError({"effect": [REQUIRED]})
    if "effect" in data:
        data["effect"] = _effect(data["effect"])
    if "match" in data:
        data["match"] = Match(**data["match"])
    fault = replace(presets[preset].fault, **data) if preset is not None else Fault(**data)
    if fault.misplaced:
        kind = "a call" if fault.match.webhook is not None else "a message to a webhook: match one by webhook"
        raise ValidationError({"effect": {name: [f"Can only be done to {kind}."] for name in fault.misplaced}})
    return fault


def _effect(data: dict[str, Any]) -> Effect:
    """What a `NewEffect` has loaded, if it is one and makes sense."""
    effect = Effect(**data)
    spoiler, *others = [name for name in _SPOILERS if data.get(name)] or [""]
    wrong = dict.fromkeys(others, f"Must not be together with {spoiler}.")
    if effect == Effect():
        wrong["_schema"] = "Must do something."
    if effect.status is not None and (effect.drop or effect.lost_response):
        wrong["status"] = f"Must not be together with {spoiler}, which answers nothing."
    if effect.status is None and effect.retry_after is not None:
        wrong["retry_after"] = "Must be together with a status."
    if wrong:
        raise ValidationError({"effect": {name: [sentence] for name, sentence in wrong.items()}})
    return effect


def fault_view(fault: Fault) -> dict[str, object]:
    """A fault as it is shown."""
    return {"id": fault.id, **_rule_view(fault)}


def faults_view(faults: Iterable[Fault]) -> dict[str, object]:
    """Faults as they are shown."""
    return {"faults": [fault_view(fault) for fault in faults]}


def presets_view(presets: Iterable[Preset]) -> dict[str, object]:
    """Presets as they are shown."""
    return {"presets": [{**_rule_view(preset.fault), "description": preset.description} for preset in presets]}


def _rule_view(fault: Fault) -> dict[str, object]:
    match, effect = fault.match, fault.effect
    return {
        "name": fault.name or None,
        "match": {"method": match.method, "path": match.path, "body": match.body, "webhook": match.webhook},
        "effect": asdict(effect),
        "times": fault.times,
        "probability": fault.probability,
    }
