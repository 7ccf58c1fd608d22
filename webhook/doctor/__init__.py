"""Whether the installation works and, if not, why: one file a question."""
