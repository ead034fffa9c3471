"""`httpx.main`: the command line, which is imported when it is called."""

from __future__ import annotations

import sys
import typing


def main(*args: typing.Any, **kwargs: typing.Any) -> typing.Any:
    """Run the command `httpx`, with the arguments that `click.Command.main` takes: those of the process by default.

    Ends with `SystemExit`. Needs the extra `cli`, and says so where it is missing.
    """
    try:
        from ._cli.command import run
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("click", "rich"):
            raise
        print(f"The command line needs {missing}, which is not installed. Run: pip install 'httpx[cli]'", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)  # as later on
    return run(*args, **kwargs)


# `click.testing.CliRunner` knows a command by these.
main.main = main  # type: ignore[attr-defined]
main.name = "httpx"  # type: ignore[attr-defined]
