"""Django's PostgreSQL backend on a server of our own, for when DATABASE_URL is unset.

The first process that connects starts the server, the others join it, and when the last one ends, however it
ends, the server stops. See docs/decisions/0001-embedded-postgresql.md.
"""

from pathlib import Path

from config.folders import socket_folder


def embedded_database(data: Path, *, durable: bool = True) -> dict[str, object]:
    """An entry of DATABASES. Without `durable` a crash may lose the cluster: for tests."""
    return {
        "ENGINE": "config.embedded_postgres",
        "NAME": "postgres",  # initdb's own database: a second one would only add a step
        "USER": "postgres",
        "HOST": str(socket_folder(data)),
        "EMBEDDED_DATA": data,
        "EMBEDDED_DURABLE": durable,
    }
