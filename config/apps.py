from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        """Install what lower floors call without knowing who answers.

        The tables stand in config/events.py (event type → reactions) and config/vocabulary.py
        (what rule trees may speak of). They name models, which are loaded only after this module: hence the
        imports here, the only ones inside a function.
        """
        from config import event_words, events, imports, panels, steps, vocabulary

        vocabulary.install()
        events.install()
        event_words.install()
        panels.install()
        steps.install()
        imports.install()
