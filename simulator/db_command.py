"""The command `banked-simulator db`: looks after a database that keeps everything."""

from __future__ import annotations

import click

from simulator.cli import setting
from simulator.config import MEMORY, InvalidSetting, parse_store


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
