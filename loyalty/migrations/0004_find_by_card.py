"""Find what a card did. Built beside the running system: the tables are large."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("loyalty", "0003_cards")]

    operations = [
        AddIndexConcurrently(
            model_name="hold",
            index=models.Index(condition=models.Q(("card__isnull", False)), fields=["card"], name="hold_by_card"),
        ),
        AddIndexConcurrently(
            model_name="purchase",
            index=models.Index(
                condition=models.Q(("card__isnull", False)), fields=["card", "-at"], name="purchase_by_card"
            ),
        ),
        AddIndexConcurrently(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("card__isnull", False)), fields=["card", "-posted_at"], name="transaction_by_card"
            ),
        ),
    ]
