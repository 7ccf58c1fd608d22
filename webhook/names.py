"""The names that users and other programs know this webhook by."""

DOMAIN = "migratability.io"
CONFIGURATION = "migratability"
"""Name of both webhook configurations: it sorts before KubeVirt's ``virt-api-mutator``, so we see the user's object."""
