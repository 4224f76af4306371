"""Rules that name trades hold at the stores of these trades only."""

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


def trades():
    return ArrayField(
        base_field=models.CharField(max_length=40),
        blank=True,
        default=list,
        help_text="只对这些业种的门店生效；空 = 全部。",
        size=None,
        verbose_name="业种",
    )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0005_merging")]

    operations = [
        migrations.AddField(model_name="burnrule", name="trades", field=trades()),
        migrations.AddField(model_name="earnrule", name="trades", field=trades()),
    ]
