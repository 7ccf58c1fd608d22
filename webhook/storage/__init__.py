"""The only readers of storage: the PVC behind a volume, and who serves it."""
