"""The command `banked-simulator db`: looks after a database that keeps everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from simulator.cli import setting
from simulator.config import MEMORY, InvalidSetting, parse_store
from simulator.domain.clock import duration
from simulator.domain.errors import InvalidTime

if TYPE_CHECKING:
    from datetime import timedelta


def _database(_context: click.Context, _parameter: click.Parameter, url: str) -> str:
    try:
        if parse_store(url) == MEMORY:
            raise click.BadParameter("Memory is no database: sqlite:///FILE and postgresql://USER@HOST/DATABASE are.")
    except InvalidSetting as invalid:
        raise click.BadParameter(str(invalid)) from invalid
    return url


@click.group()
def db() -> None:
    """Look after the database that --store names."""


@db.command()
@setting("--store", required=True, callback=_database, metavar="URL", help="The database.")
def upgrade(store: str) -> None:
    """Give the database the tables that this simulator needs, or bring them up to date.

    That is safe to do again. A SQLite file is also upgraded by serving from it.
    """
    from simulator.bootstrap import upgrade_store  # noqa: PLC0415  costs start-up time

    try:
        revision = upgrade_store(store)
    except InvalidSetting as invalid:
        raise click.ClickException(str(invalid)) from invalid
    click.echo(f"The database has schema {revision}.")


def _duration(_context: click.Context, _parameter: click.Parameter, text: str) -> timedelta:
    try:
        return duration(text)
    except InvalidTime as invalid:
        raise click.BadParameter(str(invalid)) from invalid


@db.command()
@setting("--store", required=True, callback=_database, metavar="URL", help="The database.")
@click.option("--older-than", required=True, callback=_duration, metavar="DURATION", help="30d, or 12h.")
def prune(store: str, older_than: timedelta) -> None:
    """Forget payments that are older and over, with their refunds and messages, and older events.

    Servers may go on meanwhile.
    """
    from simulator.bootstrap import prune_store  # noqa: PLC0415  costs start-up time

    try:
        forgotten = prune_store(store, older_than)
    except InvalidSetting as invalid:
        raise click.ClickException(str(invalid)) from invalid
    counts = ", ".join(f"{kind} {count:,}" for kind, count in sorted(forgotten.items()))
    click.echo(f"Forgotten: {counts or 'nothing'}.")
