"""A cluster with nodes, whose API server shows a client certificate to webhooks that ask for one."""

from tests.e2e_chart.conftest import site

__all__ = ["site"]
