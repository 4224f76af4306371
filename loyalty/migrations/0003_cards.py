"""Cards: what they may spend, and with which one it was spent."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("loyalty", "0002_insert_only"),
        ("members", "0011_approvals"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CardAllowance",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "asset",
                    models.CharField(
                        choices=[("points", "积分"), ("balance", "储值")], max_length=8, verbose_name="资产"
                    ),
                ),
                (
                    "per_use",
                    models.PositiveBigIntegerField(
                        default=0, help_text="积分，或分；0 = 不限。", verbose_name="单次上限"
                    ),
                ),
                (
                    "per_day",
                    models.PositiveBigIntegerField(
                        default=0, help_text="积分，或分；0 = 不限。", verbose_name="每日上限"
                    ),
                ),
            ],
            options={
                "verbose_name": "卡可用资产",
                "verbose_name_plural": "卡可用资产",
            },
        ),
        migrations.CreateModel(
            name="CardLimit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "asset",
                    models.CharField(
                        choices=[("points", "积分"), ("balance", "储值")], max_length=8, verbose_name="资产"
                    ),
                ),
                (
                    "per_use",
                    models.PositiveBigIntegerField(
                        default=0, help_text="积分，或分；0 = 不限。", verbose_name="单次上限"
                    ),
                ),
                (
                    "per_day",
                    models.PositiveBigIntegerField(
                        default=0, help_text="积分，或分；0 = 不限。", verbose_name="每日上限"
                    ),
                ),
            ],
            options={
                "verbose_name": "卡限额",
                "verbose_name_plural": "卡限额",
            },
        ),
        migrations.AddField(
            model_name="hold",
            name="card",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.card",
                verbose_name="会员卡",
            ),
        ),
        migrations.AddField(
            model_name="purchase",
            name="card",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="purchases",
                to="members.card",
                verbose_name="会员卡",
            ),
        ),
        migrations.AddField(
            model_name="transaction",
            name="card",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="transactions",
                to="members.card",
                verbose_name="会员卡",
            ),
        ),
        migrations.AddField(
            model_name="cardallowance",
            name="card_type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="allowances",
                to="members.cardtype",
                verbose_name="卡类型",
            ),
        ),
        migrations.AddField(
            model_name="cardlimit",
            name="card",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="limits",
                to="members.card",
                verbose_name="会员卡",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardallowance",
            constraint=models.UniqueConstraint(
                fields=("card_type", "asset"), name="card_allowance_is_one_per_type_and_asset"
            ),
        ),
        migrations.AddConstraint(
            model_name="cardlimit",
            constraint=models.UniqueConstraint(fields=("card", "asset"), name="card_limit_is_one_per_card_and_asset"),
        ),
    ]
