"""Map errors to exit codes; a message to a person is one line on stderr."""

import sys
from collections.abc import Callable

from dvidpc.errors import ConfigError, DvidpcError


def exit_code(run: Callable[[], int]) -> int:
    """Run a command and return its exit code; an error of ours is one line on stderr."""
    try:
        return run()
    except ConfigError as error:
        return _complain(error, 2)
    except DvidpcError as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 130


def _complain(error: DvidpcError, code: int) -> int:
    sys.stderr.write(f"dvidpc: {error}\n")
    return code
