"""What a merge leaves behind: an empty account that points its lockers on, and transactions of a kind of their own."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models

KINDS = [
    ("earn", "获取"),
    ("activate", "生效"),
    ("burn", "消耗"),
    ("capture", "扣除"),
    ("expire", "过期"),
    ("claw_back", "追回"),
    ("restore", "退回"),
    ("adjust", "调整"),
    ("cure", "抵欠"),
    ("merge", "合并转移"),
]


class Migration(migrations.Migration):
    atomic = False  # each step by itself: none keeps the others' locks while it reads the table

    dependencies = [("loyalty", "0004_find_by_card")]

    operations = [
        migrations.AddField(
            model_name="account",
            name="is_merged",
            field=models.BooleanField(db_default=False, default=False, editable=False, verbose_name="已并入"),
        ),
        migrations.AlterField(
            model_name="transaction",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=10, verbose_name="类型"),
        ),
        AddConstraintNotValid(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_merged", False), models.Q(("balance", 0), ("held", 0), ("pending", 0)), _connector="OR"
                ),
                name="account_merged_is_empty",
            ),
        ),
        ValidateConstraint(model_name="account", name="account_merged_is_empty"),
    ]
