"""Reminders."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0009_care"),
    ]

    operations = [
        migrations.CreateModel(
            name="ImportantDate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40, verbose_name="名称")),
                (
                    "day",
                    models.DateField(help_text="每年同月同日提醒；2 月 29 日在平年提前到 28 日。", verbose_name="日期"),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="创建时间")),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="important_dates",
                        to="members.member",
                        verbose_name="会员",
                    ),
                ),
            ],
            options={
                "verbose_name": "纪念日",
                "verbose_name_plural": "纪念日",
                "constraints": [
                    models.UniqueConstraint(fields=("member", "name"), name="important_date_has_one_name_per_member")
                ],
            },
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("birthday", "生日"),
                            ("anniversary", "纪念日"),
                            ("after_purchase", "消费后关怀"),
                            ("usual_overdue", "惯常消费逾期"),
                            ("silence", "久未消费"),
                            ("card_expiry", "卡到期"),
                            ("points_expiry", "积分到期"),
                        ],
                        max_length=14,
                        verbose_name="类型",
                    ),
                ),
                ("key", models.CharField(max_length=60)),
                ("due_on", models.DateField(verbose_name="日期")),
                ("text", models.CharField(blank=True, max_length=200, verbose_name="说明")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待处理"), ("done", "已处理"), ("dismissed", "已忽略")],
                        default="open",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="创建时间")),
                ("sent", models.CharField(blank=True, max_length=20, verbose_name="发送")),
                ("sent_at", models.DateTimeField(blank=True, null=True, verbose_name="发送时间")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="处理时间")),
                (
                    "business",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="业态",
                    ),
                ),
                (
                    "done_by",
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
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminders",
                        to="members.member",
                        verbose_name="会员",
                    ),
                ),
            ],
            options={
                "verbose_name": "提醒",
                "verbose_name_plural": "提醒",
                "ordering": ("due_on", "id"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["business", "due_on"], name="reminder_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("member", "business", "kind", "key"), name="reminder_is_made_once_for_its_occasion"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ReminderSetting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("birthday", "生日"),
                            ("anniversary", "纪念日"),
                            ("after_purchase", "消费后关怀"),
                            ("usual_overdue", "惯常消费逾期"),
                            ("silence", "久未消费"),
                            ("card_expiry", "卡到期"),
                            ("points_expiry", "积分到期"),
                        ],
                        max_length=14,
                        verbose_name="类型",
                    ),
                ),
                (
                    "days",
                    models.PositiveSmallIntegerField(
                        default=7,
                        help_text="生日、纪念日、到期：提前几天；消费后：几天之后；久未消费：多少天没有消费；惯常消费：超过平时间隔几天。",
                        verbose_name="天数",
                    ),
                ),
                (
                    "sends_message",
                    models.BooleanField(
                        default=False, help_text="仅发给同意接收营销信息的会员。", verbose_name="发送给会员"
                    ),
                ),
                (
                    "message",
                    models.CharField(
                        blank=True,
                        help_text="可用 {name}（称呼）、{business}、{date}。",
                        max_length=200,
                        verbose_name="短信内容",
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                (
                    "org_unit",
                    models.ForeignKey(
                        limit_choices_to={"kind": "business"},
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="业态",
                    ),
                ),
            ],
            options={
                "verbose_name": "提醒设置",
                "verbose_name_plural": "提醒设置",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("org_unit", "kind"), name="reminder_setting_is_one_per_business_and_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sends_message", False), models.Q(("message", ""), _negated=True), _connector="OR"
                        ),
                        name="reminder_that_is_sent_has_a_text",
                    ),
                ],
            },
        ),
    ]
