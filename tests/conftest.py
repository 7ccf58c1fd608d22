"""What all tests need of the process that runs them."""

import signal


def pytest_configure() -> None:
    """Let the programs that tests interrupt hear it, also where the tests run in the background of a shell.

    A shell lets its background jobs ignore SIGINT, and a process hands that on to what it starts.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
