"""Tests of the Helm chart and of the image."""
