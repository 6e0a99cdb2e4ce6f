"""What is asked of an open world all the time."""

from __future__ import annotations

from sqlalchemy import bindparam, select

from simulator.adapters.sql.codec import KINDS
from simulator.adapters.sql.prepared import Prepared
from simulator.adapters.sql.tables import events as _events
from simulator.adapters.sql.tables import things as _things
from simulator.adapters.sql.tables import timers as _timers
from simulator.domain.refunds import Refund

THING = Prepared(select(_things.c.merchant, _things.c.kind, _things.c.value).where(_things.c.id == bindparam("of")))
EVENT = Prepared(
    select(_events.c.value).where(_events.c.merchant == bindparam("merchant"), _events.c.number == bindparam("of"))
)
REFUNDS_OF_ONE = Prepared(
    select(_things.c.value)
    .where(_things.c.merchant == bindparam("merchant"), _things.c.kind == KINDS[Refund])
    .where(_things.c.parent == bindparam("of"))
    .order_by(_things.c.number)
)
DUE_FIRST = Prepared(
    select(_timers)
    .where(_timers.c.merchant == bindparam("merchant"))
    .order_by(_timers.c.due, _timers.c.id)
    .limit(bindparam("most"))
)
ALL = 2**62
"""No limit."""
