"""Whether the installation does what it is for, and what keeps it from it: one short file a question."""
