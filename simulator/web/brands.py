"""The banks as a payer picks from them: by brand, each with its logo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.providers import Provider

SEARCHABLE = 7
"""From how many banks on it takes a search to find one's own."""

_LOGOS = Path(__file__).parent / "static" / "banks"


@dataclass(frozen=True, slots=True)
class Brand:
    """Banks of one name; `logo` is a file under /assets."""

    name: str
    logo: str
    banks: tuple[Provider, ...]


def by_brand(banks: Iterable[Provider], search: str = "") -> list[Brand]:
    """The banks in whose name all words of `search` are, by brand, in the order in which the brands came first."""
    words = search.casefold().split()
    houses: dict[str, list[Provider]] = {}
    for bank in banks:
        if all(word in bank.name.casefold() for word in words):
            houses.setdefault(bank.brand, []).append(bank)
    return [Brand(name, logo(name), tuple(house)) for name, house in houses.items()]


@cache
def logo(brand: str) -> str:
    """The file under /assets with the drawn mark of a brand, or with that of any bank."""
    file = f"{slug(brand)}.svg"
    return f"banks/{file}" if (_LOGOS / file).is_file() else "banks/bank.svg"


def slug(name: str) -> str:
    """A name in lower case, with dashes for all but letters and digits."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")
