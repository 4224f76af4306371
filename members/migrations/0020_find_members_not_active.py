"""Find the few members who are frozen, closed or merged. Built beside the running system: the table is large."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("members", "0019_imports_of_every_kind")]

    operations = [
        AddIndexConcurrently(
            model_name="member",
            index=models.Index(
                fields=["status", "-id"],
                condition=models.Q(("status", "active"), _negated=True),
                name="member_not_active",
            ),
        ),
    ]
