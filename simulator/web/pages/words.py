"""How the pages write amounts and times: as people in Britain do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.domain.clock import iso
from simulator.domain.money import Currency, formatted

if TYPE_CHECKING:
    from datetime import datetime


def money(amount: int, currency: Currency) -> str:
    """`amount` minor units as `£1,234.56`."""
    return formatted(amount, currency)


def moment(instant: datetime) -> str:
    """A UTC instant as `23 Nov 2026, 14:05`."""
    return f"{instant.day} {instant:%b %Y, %H:%M}"


def exact(instant: datetime) -> str:
    """A UTC instant to the microsecond, for `<time datetime>`."""
    return iso(instant)
