"""The command ``migratability``, also ``kubectl migratability``."""
