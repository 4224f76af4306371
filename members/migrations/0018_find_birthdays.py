"""Find members by the day of their birthday. Built beside the running system: the table is large."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import ExtractDay, ExtractMonth


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("members", "0017_reminders_by_day")]

    operations = [
        AddIndexConcurrently(
            model_name="member",
            index=models.Index(
                ExtractMonth("birthday"),
                ExtractDay("birthday"),
                condition=models.Q(birthday__isnull=False),
                name="member_by_birthday",
            ),
        ),
    ]
