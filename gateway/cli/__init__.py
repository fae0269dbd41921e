"""`qianjiang`: one file per command beside this one, each with a click command named `command`.

A command is imported when it is called and not before, so that `qianjiang serve` never loads what
belongs to the local city, and a mistake in one command leaves the others working.
"""

import ast
import pkgutil
from importlib import import_module
from importlib.resources import files
from typing import Any

import click

from gateway.errors import GatewayError


class Commands(click.Group):
    """The commands that exist as files here, and one plain line for what goes wrong in them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        found = (module.name for module in pkgutil.iter_modules(__path__))
        return sorted(name for name in found if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = import_module(f"gateway.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their files' first lines, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, _purpose(name)) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; what it raises in the gateway's own words is printed as such, with exit 1.

        So is the signal that ended it.
        """
        try:
            return super().invoke(ctx)
        except (GatewayError, OSError) as error:
            raise click.ClickException(str(error) or type(error).__name__) from error
        except KeyboardInterrupt as interrupt:
            raise click.ClickException(ended_by(interrupt)) from interrupt


def ended_by(interrupt: KeyboardInterrupt) -> str:
    """Which signal ended a command; one that says nothing was Ctrl-C."""
    return f"ended by {interrupt.args[0] if interrupt.args else 'SIGINT'}"


def _purpose(name: str) -> str:
    """What follows the colon in a command file's first line: "`qianjiang name`: its purpose"."""
    text = files(__name__).joinpath(f"{name}.py").read_text("utf-8")
    first = (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
    return first.partition(": ")[2].rstrip(".")


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="qianjiang-gateway", prog_name="qianjiang")
def main() -> None:
    """钱江分 scenario gateway: may this consenting citizen have this benefit, now?"""
