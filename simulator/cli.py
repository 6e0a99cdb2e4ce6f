"""The command `banked-simulator`."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator import __version__, serving
from simulator.config import (
    DEFAULT_PORT,
    ENVIRONMENT_PREFIX,
    MEMORY,
    InvalidSetting,
    MailServer,
    MerchantSetting,
    Settings,
    parse_public_url,
    parse_store,
    parse_text,
    parse_webhook,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class _Checked(click.ParamType[Any]):
    """A setting that `parse` reads and refuses with InvalidSetting."""

    def __init__(self, name: str, parse: Callable[[str], Any]) -> None:
        self.name = name
        self._parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._parse(value) if isinstance(value, str) else value
        except InvalidSetting as invalid:
            self.fail(str(invalid), param, ctx)


_EXAMPLES = """\b
Examples:
  banked-simulator
  banked-simulator --port 0 --seed demo --fixtures fixtures/demo.json
  banked-simulator exam http://127.0.0.1:3000/hooks --key my-signature-key
"""


_LATE = {"db": "simulator.db_command", "exam": "simulator.exam_command"}
"""The commands that are imported only when they are wanted, by name, with where they are."""


class _ServeByDefault(click.Group):
    """Without a command, `serve` is meant, and so are its flags."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all flags: those of `serve` can be given without it."""
        super().format_options(ctx, formatter)
        flags = [parameter.get_help_record(ctx) for parameter in serve.params]
        with formatter.section("Flags of serve, which needs no name"):
            formatter.write_dl([flag for flag in flags if flag is not None])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands."""
        return sorted([*super().list_commands(ctx), *_LATE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name."""
        if cmd_name not in _LATE:
            return super().get_command(ctx, cmd_name)
        command: click.Command = getattr(import_module(_LATE[cmd_name]), cmd_name)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0].startswith("-") and args[0] not in ("--help", "--version")):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


def setting(flag: str, *names: str, **options: Any) -> Callable[[Any], Any]:
    """Make an option with its twin in the environment."""
    return click.option(flag, *names, envvar=_twin(flag), show_envvar=True, **options)


def _twin(flag: str) -> str:
    return ENVIRONMENT_PREFIX + flag.removeprefix("--").replace("-", "_").upper()


@click.group(cls=_ServeByDefault, epilog=_EXAMPLES)
@click.version_option(__version__, prog_name="banked-simulator")
def main() -> None:
    """A local simulator of the Banked pay-by-bank API."""


@main.command()
@setting("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@setting(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="The port to listen on; 0 picks a free one.",
)
@setting(
    "--public-url",
    type=_Checked("url", parse_public_url),
    default="",
    help="What links in answers start with.  [default: where the server listens]",
)
@setting(
    "--fixtures",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON file of merchants and their bank accounts to start with.",
)
@setting(
    "--merchant",
    "merchants",
    multiple=True,
    type=_Checked("key:secret", MerchantSetting.parse),
    help="A merchant to start with; may be given again.",
)
@setting("--strict-keys", is_flag=True, help="Allow no merchants but those of --merchant and --fixtures.")
@setting(
    "--seed",
    type=_Checked("text", parse_text),
    help="What all ids and people follow from.  [default: another one each time]",
)
@setting(
    "--admin-token",
    type=_Checked("text", parse_text),
    help="What calls of /__admin must carry.  [default: none on the loopback address, else one that is made up]",
)
@setting(
    "--smtp",
    type=_Checked("host:port", MailServer.parse),
    help="A mail server to send e-mails by.  [default: they are only kept]",
)
@setting(
    "--webhook",
    "webhooks",
    multiple=True,
    type=_Checked("url", parse_webhook),
    help="Where every merchant is told of its payments; may be given again.",
)
@setting(
    "--store",
    type=_Checked("url", parse_store),
    default=MEMORY,
    show_default=True,
    help="Where everything is kept: memory, sqlite:///FILE, or postgresql://USER@HOST/DATABASE.",
)
@setting(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="How many processes serve; more than one need a database as --store.",
)
@setting(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    default="info",
    show_default=True,
    help="What to log; info has a line for each request.",
)
def serve(**options: Any) -> None:
    """Serve the API until SIGTERM or Ctrl-C."""
    _refuse_unknown_settings()
    settings = Settings(**{name: value for name, value in options.items() if value is not None})
    if settings.strict_keys and not (settings.merchants or settings.fixtures):
        raise click.UsageError("--strict-keys leaves nobody in: give --merchant or --fixtures as well.")
    if settings.workers > 1 and settings.store == MEMORY:
        raise click.UsageError(
            "--workers share what is kept in a database, and each would have a memory of its own: give --store as well."
        )
    if settings.webhooks:
        _check_webhooks(settings.webhooks)
    try:
        _check_store(settings)
        _check_fixtures(settings)
        settings, holder = serving.reserve(settings)
    except InvalidSetting as invalid:
        flag = invalid.flag or "--fixtures"
        raise click.BadParameter(str(invalid), param_hint=f"'{flag}' (env var: '{_twin(flag)}')") from invalid
    except serving.CannotListen as taken:
        raise click.ClickException(str(taken)) from taken
    with holder:
        serving.serve(settings)


def _refuse_unknown_settings() -> None:
    """Refuse an environment variable that looks like a setting and is none: it is misspelt."""
    known = {str(parameter.envvar) for parameter in serve.params if isinstance(parameter, click.Option)}
    unknown = sorted(name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX) and name not in known)
    if unknown:
        raise click.UsageError(f"There is no setting {', '.join(unknown)}; there are: {', '.join(sorted(known))}.")


def _check_webhooks(urls: Sequence[str]) -> None:
    """Refuse more webhooks than a merchant may have."""
    from simulator.domain.webhooks import URLS_PER_EVENT  # noqa: PLC0415  costs start-up time

    if len(set(urls)) > URLS_PER_EVENT:
        raise click.UsageError(f"--webhook can be given {URLS_PER_EVENT} times: no more URLs are told of one event.")


def _check_store(settings: Settings) -> None:
    """Open the database before anything is started, likewise."""
    if settings.store != MEMORY:
        from simulator.bootstrap import check_store  # noqa: PLC0415  costs start-up time

        check_store(settings.store)


def _check_fixtures(settings: Settings) -> None:
    """Read the fixtures before anything is started, for the worker could not refuse them as clearly."""
    if settings.fixtures is not None:
        from simulator.bootstrap import build_simulation  # noqa: PLC0415  costs start-up time

        build_simulation(replace(settings, store=MEMORY))
