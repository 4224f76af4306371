"""Each index costs every enrolment: those on channel and operator, and those that a longer one begins with, go."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the one new index is built beside the writers

    dependencies = [
        ("members", "0020_find_members_not_active"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="identity",
            index=models.Index(fields=["last_four"], name="identity_by_last_four"),
        ),
        migrations.AlterField(
            model_name="event",
            name="business",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.orgunit",
                verbose_name="业态",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="member",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="events",
                to="members.member",
                verbose_name="会员",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="operator",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="操作员",
            ),
        ),
        migrations.AlterField(
            model_name="identity",
            name="channel",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.channel",
                verbose_name="来源渠道",
            ),
        ),
        migrations.AlterField(
            model_name="identity",
            name="last_four",
            field=models.CharField(blank=True, max_length=4, verbose_name="后四位"),
        ),
        migrations.AlterField(
            model_name="member",
            name="registered_channel",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.channel",
                verbose_name="注册渠道",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="business",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="memberships",
                to="members.orgunit",
                verbose_name="业态",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="channel",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="members.channel",
                verbose_name="来源渠道",
            ),
        ),
        migrations.AlterField(
            model_name="membership",
            name="operator",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="操作员",
            ),
        ),
    ]
