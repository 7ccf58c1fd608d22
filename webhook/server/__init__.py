"""The server: gunicorn with TLS, one process and threads."""
