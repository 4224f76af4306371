import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def told_of(to, verbose_name, **options):
    """A key without a constraint: an entry outlives what it tells of."""
    return models.ForeignKey(
        db_constraint=False,
        null=True,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to=to,
        verbose_name=verbose_name,
        **options,
    )


class Migration(migrations.Migration):
    dependencies = [("members", "0012_card_changes_and_ticket_notes_stay")]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, verbose_name="时间")),
                (
                    "action",
                    models.CharField(
                        choices=[("insert", "新增"), ("update", "修改"), ("delete", "删除")],
                        max_length=6,
                        verbose_name="动作",
                    ),
                ),
                ("model", models.CharField(max_length=60, verbose_name="对象类型")),
                ("row_id", models.BigIntegerField(verbose_name="对象编号")),
                ("part", models.CharField(blank=True, max_length=40, verbose_name="关系")),
                ("title", models.CharField(blank=True, max_length=120, verbose_name="对象")),
                ("before", models.JSONField(null=True, verbose_name="变更前")),
                ("after", models.JSONField(null=True, verbose_name="变更后")),
                ("page", models.CharField(blank=True, max_length=200, verbose_name="页面或任务")),
                ("context", models.UUIDField(null=True, verbose_name="同一次操作")),
                ("channel", told_of("members.channel", "渠道", db_index=False)),
                ("member", told_of("members.member", "会员")),
                ("operator", told_of(settings.AUTH_USER_MODEL, "操作员")),
                ("org_unit", told_of("members.orgunit", "所属组织")),
            ],
            options={
                "verbose_name": "变更记录",
                "verbose_name_plural": "变更记录",
                "ordering": ("-id",),
                "indexes": [models.Index(fields=["model", "row_id"], name="audit_entry_by_row")],
            },
        ),
    ]
