"""What can go wrong.

LocalClusterError
 ├ BuildError     a program could not be built or found
 ├ StartError     the control plane did not come up
 └ KubectlError   a kubectl call ended with an error
"""


class LocalClusterError(Exception):
    """Base of every error that this package raises on purpose."""


class BuildError(LocalClusterError):
    """A program of the control plane could not be built; the message says what to do."""


class StartError(LocalClusterError):
    """The control plane did not come up; the message holds the end of the log."""


class KubectlError(LocalClusterError):
    """A kubectl call ended with an error; the message holds what kubectl wrote to stderr."""
