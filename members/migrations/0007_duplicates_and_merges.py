"""Members who are one person."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0006_attributes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Device",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("value_index", models.CharField(db_index=True, max_length=64)),
                ("seen_at", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="devices", to="members.member"
                    ),
                ),
            ],
            options={
                "verbose_name": "设备",
                "verbose_name_plural": "设备",
                "constraints": [models.UniqueConstraint(fields=("member", "value_index"), name="device_is_known_once")],
            },
        ),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("name_birthday", "姓名与生日相同"),
                                ("external", "业态会员号相同"),
                                ("device", "设备相同"),
                                ("email", "邮箱相同"),
                                ("phone", "登记了对方的手机号"),
                            ],
                            max_length=16,
                        ),
                        size=None,
                        verbose_name="理由",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待处理"), ("dismissed", "不是同一人"), ("merged", "已合并")],
                        default="open",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                ("found_at", models.DateTimeField(verbose_name="发现时间")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="处理时间")),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="处理人",
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="会员一",
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.member",
                        verbose_name="会员二",
                    ),
                ),
            ],
            options={
                "verbose_name": "疑似重复会员",
                "verbose_name_plural": "疑似重复会员",
                "ordering": ("-id",),
                "indexes": [models.Index(condition=models.Q(("state", "open")), fields=["-id"], name="duplicate_open")],
                "constraints": [
                    models.UniqueConstraint(fields=("first", "second"), name="duplicate_is_suspected_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first__lt", models.F("second"))), name="duplicate_is_of_two"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerIdentity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("phone", "手机号"),
                            ("email", "邮箱"),
                            ("wechat_openid", "微信 OpenID"),
                            ("wechat_unionid", "微信 UnionID"),
                            ("card", "卡号"),
                            ("external", "业态会员号"),
                            ("channel_user", "渠道用户号"),
                        ],
                        max_length=16,
                    ),
                ),
                ("value_index", models.CharField(max_length=64)),
                ("reason", models.CharField(choices=[("closed", "注销"), ("changed", "更换")], max_length=8)),
                ("left_at", models.DateTimeField()),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="former_identities",
                        to="members.member",
                    ),
                ),
            ],
            options={
                "verbose_name": "曾用标识",
                "verbose_name_plural": "曾用标识",
                "indexes": [models.Index(fields=["kind", "value_index"], name="former_identity_by_value")],
            },
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.CharField(max_length=200, verbose_name="原因")),
                ("merged_at", models.DateTimeField(verbose_name="合并时间")),
                ("undo_until", models.DateTimeField(help_text="此后撤销需要第二人审批。", verbose_name="可撤销至")),
                ("undone_at", models.DateTimeField(blank=True, null=True, verbose_name="撤销时间")),
                ("moved", models.JSONField(default=dict, verbose_name="转移内容")),
                (
                    "loser",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges_lost",
                        to="members.member",
                        verbose_name="并入会员",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="操作员",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="members.request"
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="撤销人",
                    ),
                ),
                (
                    "winner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="merges_won",
                        to="members.member",
                        verbose_name="保留会员",
                    ),
                ),
            ],
            options={
                "verbose_name": "会员合并",
                "verbose_name_plural": "会员合并",
                "ordering": ("-id",),
                "permissions": (("undo_merge", "可以撤销会员合并"),),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None)), fields=("loser",), name="member_is_merged_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("winner", models.F("loser")), _negated=True), name="merge_is_of_two"
                    ),
                ],
            },
        ),
    ]
