"""Deliveries: webhook messages on their way to their receivers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """One attempt of a delivery to `url`, which is to be made in a generation of the merchant's world."""

    merchant_key: str
    url: str
    delivery_id: str
    generation: int
