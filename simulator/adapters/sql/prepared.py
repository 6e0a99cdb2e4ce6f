"""Statements that are asked all the time: SQLAlchemy writes each once for a database, the driver alone runs it.

For SQLAlchemy to run one takes longer than for most databases to answer it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection
    from sqlalchemy.sql import ClauseElement

    from simulator.adapters.sql.codec import Row


class Prepared:
    """A statement with parameters by name; what fails is an error of the driver's."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._written: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def rows(self, connection: Connection, **parameters: Any) -> list[tuple[Any, ...]]:
        """Ask a question."""
        text, constants = self._on(connection)
        found = driver_of(connection).execute(text, {**constants, **parameters}).fetchall()
        return cast("list[tuple[Any, ...]]", found)

    def tell(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Change something for each of some rows."""
        text, _ = self._on(connection)
        if len(rows) == 1:
            driver_of(connection).execute(text, rows[0])
        else:
            driver_of(connection).cursor().executemany(text, rows)

    def _on(self, connection: Connection) -> tuple[str, Mapping[str, Any]]:
        """The text for a database, and the parameters that are always the same."""
        dialect = connection.dialect
        if dialect.name not in self._written:
            compiled = self._statement.compile(dialect=dialect)
            constants = {name: value for name, value in compiled.params.items() if value is not None}
            self._written[dialect.name] = str(compiled), constants
        return self._written[dialect.name]


def driver_of(connection: Connection) -> Any:
    """The driver's own connection."""
    return connection.connection.driver_connection
