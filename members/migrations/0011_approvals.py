"""Maker and checker, and what roles demand."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("members", "0010_reminders"),
    ]

    operations = [
        migrations.CreateModel(
            name="RolePolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requires_totp", models.BooleanField(default=False, verbose_name="必须动态口令")),
                (
                    "export_rows",
                    models.PositiveIntegerField(
                        default=10000,
                        help_text="一次导出最多多少行；0 = 不许导出。一人有几个角色时取最大。",
                        verbose_name="导出行数上限",
                    ),
                ),
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="policy",
                        to="auth.group",
                        verbose_name="角色",
                    ),
                ),
            ],
            options={
                "verbose_name": "角色设置",
                "verbose_name_plural": "角色设置",
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verb", models.CharField(max_length=60, verbose_name="事项")),
                ("title", models.CharField(max_length=200, verbose_name="标题")),
                ("quantity", models.BigIntegerField(default=0, verbose_name="数量")),
                ("arguments", models.JSONField(default=dict)),
                ("before", models.JSONField(default=dict, verbose_name="变更前")),
                ("after", models.JSONField(default=dict, verbose_name="变更后")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="申请理由")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "待审批"),
                            ("approved", "已批准"),
                            ("rejected", "已驳回"),
                            ("withdrawn", "已撤回"),
                            ("expired", "已失效"),
                        ],
                        default="pending",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                ("asked_at", models.DateTimeField(verbose_name="申请时间")),
                ("expires_at", models.DateTimeField(verbose_name="失效时间")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="审批时间")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="审批意见")),
                ("answer", models.JSONField(blank=True, null=True, verbose_name="结果")),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="申请人",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="审批人",
                    ),
                ),
                (
                    "org_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="所属组织",
                    ),
                ),
            ],
            options={
                "verbose_name": "审批",
                "verbose_name_plural": "审批",
                "ordering": ("-id",),
                "permissions": (("decide_approval", "可以审批"),),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending")), fields=["expires_at"], name="approval_pending"
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("approved", "rejected")), _negated=True),
                            models.Q(
                                ("decided_by__isnull", False),
                                models.Q(("decided_by", models.F("asked_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="approval_is_decided_by_a_second_person",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ApprovalPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verb", models.CharField(max_length=60, verbose_name="事项")),
                (
                    "threshold",
                    models.PositiveBigIntegerField(
                        default=0,
                        help_text="达到或超过该数量需要第二人审批；0 = 一律审批。单位随事项：积分、行数、分。",
                        verbose_name="起批数量",
                    ),
                ),
                (
                    "hours",
                    models.PositiveSmallIntegerField(
                        default=72, help_text="逾期未批自动失效。", verbose_name="有效期（小时）"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                (
                    "org_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="适用组织",
                    ),
                ),
            ],
            options={
                "verbose_name": "审批设置",
                "verbose_name_plural": "审批设置",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("org_unit", "verb"), name="approval_policy_is_one_per_node_and_verb"
                    )
                ],
            },
        ),
    ]
