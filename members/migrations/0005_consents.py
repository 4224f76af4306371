"""What members agree to."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0004_trades_and_closed_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("terms", "会员章程"),
                            ("marketing", "营销信息"),
                            ("sharing", "向该业态提供个人信息"),
                            ("profiling", "个性化推荐"),
                        ],
                        max_length=10,
                        verbose_name="用途",
                    ),
                ),
                (
                    "medium",
                    models.CharField(
                        choices=[
                            ("any", "全部方式"),
                            ("sms", "短信"),
                            ("email", "邮件"),
                            ("wechat", "微信"),
                            ("push", "应用推送"),
                            ("phone", "电话"),
                        ],
                        default="any",
                        max_length=8,
                        verbose_name="方式",
                    ),
                ),
                ("version", models.CharField(max_length=20, verbose_name="版本")),
                ("given_at", models.DateTimeField(verbose_name="同意时间")),
                ("withdrawn_at", models.DateTimeField(blank=True, null=True, verbose_name="撤回时间")),
                ("evidence", models.JSONField(default=dict, verbose_name="凭证")),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="渠道",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="consents",
                        to="members.member",
                        verbose_name="会员",
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
                    "receiver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="接收方",
                    ),
                ),
            ],
            options={
                "verbose_name": "同意记录",
                "verbose_name_plural": "同意记录",
                "ordering": ("-id",),
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("withdrawn_at", None)),
                        fields=("member", "receiver", "purpose", "medium"),
                        name="consent_is_in_force_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("withdrawn_at", None), ("withdrawn_at__gte", models.F("given_at")), _connector="OR"
                        ),
                        name="consent_is_withdrawn_after_it_was_given",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentText",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("terms", "会员章程"),
                            ("marketing", "营销信息"),
                            ("sharing", "向该业态提供个人信息"),
                            ("profiling", "个性化推荐"),
                        ],
                        max_length=10,
                        verbose_name="用途",
                    ),
                ),
                ("version", models.CharField(max_length=20, verbose_name="版本")),
                ("text", models.TextField(verbose_name="内容")),
                ("starts_at", models.DateTimeField(verbose_name="生效时间")),
                (
                    "receiver",
                    models.ForeignKey(
                        help_text="集团，或一个业态。",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="接收方",
                    ),
                ),
            ],
            options={
                "verbose_name": "同意书",
                "verbose_name_plural": "同意书",
                "ordering": ("purpose", "-starts_at"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("receiver", "purpose", "version"),
                        name="consent_text_version_is_unique_per_receiver_and_purpose",
                    )
                ],
            },
        ),
    ]
