"""The `mattebox` command: a group whose sub-commands are imported only when they are called."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from importlib import import_module
from typing import Final

import click

from mattebox.cli.echo import echo
from mattebox.core.process import loading
from mattebox.models.errors import LicenceError, MatteboxError, UnknownNetworkError

# name: what `mattebox --help` says. The module is `mattebox.cli.NAME`, its click object `command`.
COMMANDS: Final[dict[str, str]] = {
    "cut": "Cut the subject out of photos.",
    "models": "List, fetch, verify and optimize the networks.",
    "gimp": "Put the plug-in into GIMP 3, take it away, or find out what is wrong.",
    "engine": "Keep networks loaded for the plug-in in GIMP.",
    "doctor": "Show what this computer offers, and whether it is used.",
    "watch": "Run hot folders until stopped.",
    "once": "Do all that waits in hot folders, then end.",
    "check": "Validate a configuration of hot folders.",
    "simulate": "Show which rule would take which file.",
    "status": "Show how hot folders are doing.",
    "retry": "Bring failed photos back.",
    "table": "Look at cutouts in a browser, decide and mend.",
    "approve": "Approve or reject cutouts in review.",
    "serve": "Serve cutouts over HTTP, as scripts of a cloud ask for them.",
    "service": "Run hot folders as a service of your session.",
    "cluster": "Run workers on many machines.",
}


class LazyGroup(click.Group):
    """A group that knows its sub-commands' names and help without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import `mattebox.cli.NAME` and return its `command`."""
        if cmd_name not in COMMANDS:
            return None
        with loading():
            command: click.Command = import_module(f"mattebox.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without loading any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where an unknown one is called."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from mattebox.core.settings.explain import nearest  # noqa: PLC0415 - only for the mistake

            raise click.UsageError(f"There is no command {args[0]!r}{nearest(args[0], COMMANDS)}", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mattebox", prog_name="mattebox")
@click.option("--debug", is_flag=True, help="Show tracebacks of errors.")
@click.pass_context
def app(context: click.Context, *, debug: bool) -> None:
    """Mattebox cuts subjects out of photographs, on this machine, offline."""
    context.obj = {"debug": debug}


def main() -> None:
    """Run the command line. Exit status: 0 all done, 1 something failed, 2 wrong use."""
    debug = "--debug" in sys.argv
    # --debug is understood wherever it stands, so that it can be added to the end of a failed command.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        status = app.main(["--debug", *arguments] if debug else arguments, standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    except MatteboxError as error:
        if debug:
            traceback.print_exc()
        echo(str(error), err=True)
        sys.exit(2 if isinstance(error, UnknownNetworkError | LicenceError) else 1)
    except BrokenPipeError:
        # The reader of a pipe went away (`mattebox models list | head`): nobody is left to tell.
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        echo(
            f"Mattebox met an error that it does not know ({type(error).__name__}); "
            "run the same command with --debug and report what it prints.",
            err=True,
        )
        sys.exit(1)


def run() -> None:
    """Run the command line as a process of its own: `mattebox cut` ends at once when its work is done.

    Its files are published and synced by then; taking the interpreter and the networks apart would last
    as long as writing a photo does.
    """
    try:
        main()
    except SystemExit as end:
        if "mattebox.cli.cut" not in sys.modules or not isinstance(end.code, int):
            raise
        with suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)
        raise


if __name__ == "__main__":
    run()
