"""Follow-ups, tickets and calls."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import members.personal_data


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0008_cards"),
    ]

    operations = [
        migrations.CreateModel(
            name="TicketType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="编码")),
                ("name", models.CharField(max_length=40, verbose_name="名称")),
                (
                    "hours",
                    models.PositiveSmallIntegerField(
                        default=48,
                        help_text="普通优先级；紧急为四分之一，高为一半，低为两倍。",
                        verbose_name="处理时限（小时）",
                    ),
                ),
                (
                    "is_for_members",
                    models.BooleanField(
                        default=True, help_text="会员在自己的页面上可以选择。", verbose_name="会员可选"
                    ),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
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
                "verbose_name": "工单类型",
                "verbose_name_plural": "工单类型",
            },
        ),
        migrations.CreateModel(
            name="Ticket",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=20, unique=True, verbose_name="工单号")),
                (
                    "priority",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "紧急"), (2, "高"), (3, "普通"), (4, "低")], default=3, verbose_name="优先级"
                    ),
                ),
                ("title", models.CharField(max_length=100, verbose_name="标题")),
                ("description", models.TextField(verbose_name="内容")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "新建"),
                            ("in_progress", "处理中"),
                            ("waiting", "等待会员回复"),
                            ("resolved", "已解决"),
                            ("closed", "已关闭"),
                        ],
                        default="new",
                        max_length=11,
                        verbose_name="状态",
                    ),
                ),
                ("created_at", models.DateTimeField(verbose_name="创建时间")),
                ("due_at", models.DateTimeField(verbose_name="处理期限")),
                ("resolved_at", models.DateTimeField(blank=True, null=True, verbose_name="解决时间")),
                ("closed_at", models.DateTimeField(blank=True, null=True, verbose_name="关闭时间")),
                (
                    "satisfaction",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(5),
                        ],
                        verbose_name="满意度",
                    ),
                ),
                ("satisfaction_note", models.CharField(blank=True, max_length=400, verbose_name="评价")),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="负责人",
                    ),
                ),
                (
                    "business",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="业态",
                    ),
                ),
                (
                    "channel",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.channel",
                        verbose_name="来源渠道",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="创建人",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="members.member",
                        verbose_name="会员",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="门店",
                    ),
                ),
                (
                    "type",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="tickets",
                        to="members.tickettype",
                        verbose_name="类型",
                    ),
                ),
            ],
            options={
                "verbose_name": "客服工单",
                "verbose_name_plural": "客服工单",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("phone", members.personal_data.EncryptedTextField(blank=True, null=True, verbose_name="来电号码")),
                ("phone_index", models.CharField(blank=True, editable=False, max_length=64)),
                ("last_four", models.CharField(blank=True, max_length=4, verbose_name="后四位")),
                ("reason", models.CharField(max_length=200, verbose_name="来电原因")),
                ("at", models.DateTimeField(verbose_name="时间")),
                (
                    "business",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="业态",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="calls",
                        to="members.member",
                        verbose_name="会员",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="接待人",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="门店",
                    ),
                ),
            ],
            options={
                "verbose_name": "来访来电",
                "verbose_name_plural": "来访来电",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("phone_index", ""), _negated=True),
                        fields=["phone_index"],
                        name="call_by_phone",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="FollowUp",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("plan", models.CharField(max_length=400, verbose_name="回访计划")),
                (
                    "medium",
                    models.CharField(
                        choices=[
                            ("phone", "电话"),
                            ("sms", "短信"),
                            ("wechat", "微信"),
                            ("visit", "面访"),
                            ("email", "邮件"),
                        ],
                        default="phone",
                        max_length=6,
                        verbose_name="方式",
                    ),
                ),
                ("due_on", models.DateField(verbose_name="计划日期")),
                (
                    "state",
                    models.CharField(
                        choices=[("open", "待回访"), ("done", "已回访"), ("cancelled", "已取消")],
                        default="open",
                        max_length=9,
                        verbose_name="状态",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("reached", "已联系"),
                            ("not_reached", "未接通"),
                            ("will_come", "有意到店"),
                            ("declined", "婉拒"),
                            ("complaint", "投诉"),
                        ],
                        max_length=12,
                        verbose_name="结果",
                    ),
                ),
                ("note", models.TextField(blank=True, verbose_name="回访记录")),
                ("done_at", models.DateTimeField(blank=True, null=True, verbose_name="完成时间")),
                ("created_at", models.DateTimeField(verbose_name="创建时间")),
                (
                    "after",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="next",
                        to="members.followup",
                        verbose_name="上次回访",
                    ),
                ),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="负责人",
                    ),
                ),
                (
                    "business",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="业态",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="创建人",
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
                        verbose_name="回访人",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="follow_ups",
                        to="members.member",
                        verbose_name="会员",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="门店",
                    ),
                ),
            ],
            options={
                "verbose_name": "回访",
                "verbose_name_plural": "回访",
                "ordering": ("-id",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["assigned_to", "due_on"], name="follow_up_to_do"
                    ),
                    models.Index(
                        condition=models.Q(("state", "open")), fields=["business", "due_on"], name="follow_up_open"
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(models.Q(("outcome", ""), _negated=True), ("done_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="follow_up_done_has_an_outcome",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TicketNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.TextField(verbose_name="内容")),
                ("is_internal", models.BooleanField(verbose_name="仅内部可见")),
                ("is_by_member", models.BooleanField(default=False, verbose_name="会员所写")),
                (
                    "from_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("new", "新建"),
                            ("in_progress", "处理中"),
                            ("waiting", "等待会员回复"),
                            ("resolved", "已解决"),
                            ("closed", "已关闭"),
                        ],
                        max_length=11,
                        verbose_name="原状态",
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("new", "新建"),
                            ("in_progress", "处理中"),
                            ("waiting", "等待会员回复"),
                            ("resolved", "已解决"),
                            ("closed", "已关闭"),
                        ],
                        max_length=11,
                        verbose_name="新状态",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
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
                    "ticket",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="members.ticket",
                        verbose_name="工单",
                    ),
                ),
            ],
            options={
                "verbose_name": "工单记录",
                "verbose_name_plural": "工单记录",
                "ordering": ("id",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("is_by_member", False), ("is_internal", False), _connector="OR"),
                        name="ticket_note_of_a_member_is_public",
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(
                condition=models.Q(("state__in", ("resolved", "closed")), _negated=True),
                fields=["business", "due_at"],
                name="ticket_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("satisfaction", None),
                    models.Q(("satisfaction__gte", 1), ("satisfaction__lte", 5)),
                    _connector="OR",
                ),
                name="ticket_satisfaction_is_one_to_five",
            ),
        ),
        migrations.AddConstraint(
            model_name="ticket",
            constraint=models.CheckConstraint(
                condition=models.Q(("satisfaction", None), ("state__in", ("resolved", "closed")), _connector="OR"),
                name="ticket_is_rated_at_its_end",
            ),
        ),
    ]
