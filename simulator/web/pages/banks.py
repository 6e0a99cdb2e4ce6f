"""The banks as a payer picks from them: by brand, each with its logo, for the currency of the payment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.domain.money import Currency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator.domain.providers import Provider

SEARCHABLE = 7
"""From how many banks on it takes a search to find one's own."""

_LOGOS = Path(__file__).parents[1] / "static" / "banks"
_OUR_OWN = re.compile("Mock Bank( AU| EU)?")
_ABROAD = {"Mock Bank AU": Currency.AUD, "Mock Bank EU": Currency.EUR}


@dataclass(frozen=True, slots=True)
class Brand:
    """Banks of one name; `logo` is a file under /assets."""

    name: str
    logo: str
    banks: tuple[Provider, ...]


def for_currency(providers: Iterable[Provider], currency: Currency) -> list[Provider]:
    """Those of the banks that pay in `currency`; all when none does, for then the tester wants to see what happens."""
    everybody = list(providers)
    return [bank for bank in everybody if _pays_in(bank, currency)] or everybody


def by_brand(banks: Iterable[Provider], search: str = "") -> list[Brand]:
    """The banks in whose name all words of `search` are, by brand, in the order in which the brands came first."""
    words = search.casefold().split()
    found = [bank for bank in banks if all(word in bank.name.casefold() for word in words)]
    names = list(dict.fromkeys(map(brand_of, found)))
    grouped = groupby(sorted(found, key=lambda bank: names.index(brand_of(bank))), key=brand_of)
    return [Brand(name, logo(name), tuple(group)) for name, group in grouped]


def brand_of(bank: Provider) -> str:
    """The name under which a bank is known, with all others of its house."""
    ours = _OUR_OWN.match(bank.name)
    return ours[0] if ours else bank.name


@cache
def logo(brand: str) -> str:
    """The file under /assets with the drawn mark of a brand, or with that of any bank."""
    file = f"{slug(brand)}.svg"
    return f"banks/{file}" if (_LOGOS / file).is_file() else "banks/bank.svg"


def slug(name: str) -> str:
    """A name in lower case, with dashes for all but letters and digits."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")


def _pays_in(bank: Provider, currency: Currency) -> bool:
    brand = brand_of(bank)
    return _ABROAD[brand] is currency if brand in _ABROAD else currency not in _ABROAD.values()
