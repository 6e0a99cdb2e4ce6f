"""What has changed in a merchant's world, and the database has not been told of yet."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, bindparam, delete, insert, update

from simulator.adapters.sql.prepared import Prepared
from simulator.adapters.sql.tables import calls, events, things, timers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from simulator.adapters.sql.codec import Row

_KEYS: Mapping[Table, str] = {things: "id", events: "number", timers: "id", calls: "id"}
"""By what the rows of one merchant are told apart."""

_CHANGING: Mapping[Table, tuple[str, ...]] = {
    things: ("state", "claim", "value"),
    events: ("kind", "subject", "webhook_event", "value"),
    calls: ("expires", "claim", "value"),
}
"""What of a row may change."""


def _is_it(table: Table) -> Any:
    return (table.c.merchant == bindparam("in_merchant")) & (table.c[_KEYS[table]] == bindparam("with_key"))


_INSERT = {table: Prepared(insert(table)) for table in _KEYS}
_DELETE = {table: Prepared(delete(table).where(_is_it(table))) for table in _KEYS}
_UPDATE = {
    table: Prepared(update(table).where(_is_it(table)).values({each: bindparam(f"to_{each}") for each in columns}))
    for table, columns in _CHANGING.items()
}


class Pending:
    """The rows of the `merchant`th merchant to be deleted, inserted and updated, in that order."""

    def __init__(self, merchant: int) -> None:
        self._merchant = merchant
        self._deleted: defaultdict[Table, set[Any]] = defaultdict(set)
        self._inserted: defaultdict[Table, dict[Any, Row]] = defaultdict(dict)
        self._updated: defaultdict[Table, dict[Any, Row]] = defaultdict(dict)

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self._deleted or self._inserted or self._updated)

    def insert(self, table: Table, row: Row) -> None:
        """Add a row."""
        self._inserted[table][row[_KEYS[table]]] = {**row, "merchant": self._merchant}

    def update(self, table: Table, row: Row) -> None:
        """Change a row that there is, or is to be."""
        self._change(table, row[_KEYS[table]], {column: row[column] for column in _CHANGING[table]})

    def _change(self, table: Table, key: Any, changed: Row) -> None:
        if key in self._inserted[table]:
            self._inserted[table][key].update(changed)
        else:
            self._updated[table][key] = changed

    def delete(self, table: Table, key: Any) -> None:
        """Take a row away, if there is one or is to be."""
        self._updated[table].pop(key, None)
        if self._inserted[table].pop(key, None) is None:
            self._deleted[table].add(key)

    def absorb(self, later: Pending) -> None:
        """Add what has changed after this."""
        for table, keys in later._deleted.items():
            for key in keys:
                self.delete(table, key)
        for table, rows in later._inserted.items():
            for row in rows.values():
                self.insert(table, row)
        for table, rows in later._updated.items():
            for key, row in rows.items():
                self._change(table, key, row)

    def write(self, connection: Connection) -> None:
        """Tell the database; an error of integrity when somebody was faster to give one of the ids."""
        for table, keys in self._deleted.items():
            if keys:
                _DELETE[table].tell(connection, [self._named(key) for key in keys])
        for table, rows in self._inserted.items():
            if rows:
                _INSERT[table].tell(connection, list(rows.values()))
        for table, rows in self._updated.items():
            if rows:
                changes = [{**self._named(key), **_to(row)} for key, row in rows.items()]
                _UPDATE[table].tell(connection, changes)

    def _named(self, key: Any) -> Row:
        return {"in_merchant": self._merchant, "with_key": key}


def _to(row: Row) -> Row:
    return {f"to_{column}": value for column, value in row.items()}
