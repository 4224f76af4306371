from config.celery import app


def test_every_scheduled_task_exists():
    app.loader.import_default_modules()
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} - set(app.tasks) == set()


def test_frequent_turns_do_not_pile_up():
    frequent = [entry for entry in app.conf.beat_schedule.values() if isinstance(entry["schedule"], int)]
    assert frequent
    assert all(entry["options"]["expires"] == entry["schedule"] for entry in frequent)
