"""The backend that Django loads by name: connecting makes sure that there is a server."""

from typing import Any

from django.db.backends.postgresql import base

from config.embedded_postgres.server import Server


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        settings = self.settings_dict
        Server(settings["EMBEDDED_DATA"], durable=settings["EMBEDDED_DURABLE"]).join()
        return super().get_connection_params()
