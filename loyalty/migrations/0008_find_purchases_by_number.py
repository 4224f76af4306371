"""Find a purchase by the number on its receipt, whatever the store. Built beside the running system."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("loyalty", "0007_audited_tables")]

    operations = [
        AddIndexConcurrently(
            model_name="purchase", index=models.Index(fields=["external_number"], name="purchase_by_number")
        ),
    ]
