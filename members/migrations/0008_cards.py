"""Cards."""

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0007_duplicates_and_merges"),
    ]

    operations = [
        migrations.CreateModel(
            name="CardBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("quantity", models.PositiveIntegerField(verbose_name="张数")),
                ("first", models.CharField(blank=True, max_length=30, verbose_name="起始卡号")),
                ("last", models.CharField(blank=True, max_length=30, verbose_name="结束卡号")),
                ("created_at", models.DateTimeField(verbose_name="制卡时间")),
                (
                    "job",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.job",
                        verbose_name="任务",
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
                    "org_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="发往组织",
                    ),
                ),
            ],
            options={
                "verbose_name": "制卡批次",
                "verbose_name_plural": "制卡批次",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="Card",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.CharField(max_length=30, unique=True, verbose_name="卡号")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("issued", "未激活"),
                            ("active", "正常"),
                            ("lost", "已挂失"),
                            ("frozen", "已冻结"),
                            ("expired", "已过期"),
                            ("replaced", "已换卡"),
                            ("closed", "已注销"),
                        ],
                        default="issued",
                        max_length=8,
                        verbose_name="状态",
                    ),
                ),
                ("deposit", models.PositiveBigIntegerField(default=0, verbose_name="已收押金（分）")),
                ("issued_at", models.DateTimeField(verbose_name="发卡时间")),
                ("activated_at", models.DateTimeField(blank=True, null=True, verbose_name="激活时间")),
                ("expires_at", models.DateTimeField(blank=True, null=True, verbose_name="到期时间")),
                (
                    "member",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="members.member",
                        verbose_name="持卡会员",
                    ),
                ),
                (
                    "org_unit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="发卡组织",
                    ),
                ),
                (
                    "principal",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards_granted",
                        to="members.member",
                        verbose_name="主卡会员",
                    ),
                ),
                (
                    "replaces",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="replaced_by",
                        to="members.card",
                        verbose_name="补换自",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="cards",
                        to="members.cardbatch",
                        verbose_name="制卡批次",
                    ),
                ),
            ],
            options={
                "verbose_name": "会员卡",
                "verbose_name_plural": "会员卡",
                "ordering": ("-id",),
                "permissions": (
                    ("issue_card", "可以制卡、发卡"),
                    ("block_card", "可以挂失、冻结卡"),
                    ("unblock_card", "可以解挂、解冻卡"),
                    ("replace_card", "可以补换卡、退卡"),
                ),
            },
        ),
        migrations.CreateModel(
            name="CardChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "verb",
                    models.CharField(
                        choices=[
                            ("issue", "发卡"),
                            ("activate", "激活"),
                            ("report_lost", "挂失"),
                            ("recover", "解挂"),
                            ("freeze", "冻结"),
                            ("unfreeze", "解冻"),
                            ("replace", "补换卡"),
                            ("renew", "续期"),
                            ("expire", "到期"),
                            ("close", "退卡"),
                            ("merge", "随会员合并"),
                        ],
                        max_length=12,
                        verbose_name="动作",
                    ),
                ),
                (
                    "from_state",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("issued", "未激活"),
                            ("active", "正常"),
                            ("lost", "已挂失"),
                            ("frozen", "已冻结"),
                            ("expired", "已过期"),
                            ("replaced", "已换卡"),
                            ("closed", "已注销"),
                        ],
                        max_length=8,
                        verbose_name="原状态",
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("issued", "未激活"),
                            ("active", "正常"),
                            ("lost", "已挂失"),
                            ("frozen", "已冻结"),
                            ("expired", "已过期"),
                            ("replaced", "已换卡"),
                            ("closed", "已注销"),
                        ],
                        max_length=8,
                        verbose_name="新状态",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="原因")),
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
                    "card",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="changes",
                        to="members.card",
                        verbose_name="会员卡",
                    ),
                ),
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
                    "operator",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="操作员",
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="门店",
                    ),
                ),
            ],
            options={
                "verbose_name": "卡状态记录",
                "verbose_name_plural": "卡状态记录",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="CardType",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="编码")),
                ("name", models.CharField(max_length=40, verbose_name="名称")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("personal", "个人卡"),
                            ("linked", "关联卡"),
                            ("group", "团体卡"),
                            ("supplementary", "附属卡"),
                        ],
                        default="personal",
                        max_length=13,
                        verbose_name="类型",
                    ),
                ),
                (
                    "prefix",
                    models.CharField(
                        blank=True,
                        max_length=10,
                        validators=[django.core.validators.RegexValidator("^\\d*$", "只能填写数字。")],
                        verbose_name="卡号前缀",
                    ),
                ),
                (
                    "length",
                    models.PositiveSmallIntegerField(
                        default=16,
                        validators=[
                            django.core.validators.MinValueValidator(6),
                            django.core.validators.MaxValueValidator(30),
                        ],
                        verbose_name="卡号总位数",
                    ),
                ),
                (
                    "has_check_digit",
                    models.BooleanField(default=True, help_text="Luhn 算法，与银行卡相同。", verbose_name="末位校验码"),
                ),
                ("next_serial", models.PositiveBigIntegerField(default=1, editable=False, verbose_name="下一个流水号")),
                (
                    "look",
                    models.CharField(
                        choices=[
                            ("green", "青绿"),
                            ("silver", "银"),
                            ("gold", "金"),
                            ("black", "黑钻"),
                            ("red", "红"),
                            ("blue", "蓝"),
                        ],
                        default="green",
                        max_length=8,
                        verbose_name="卡面",
                    ),
                ),
                (
                    "valid_days",
                    models.PositiveIntegerField(
                        default=0, help_text="自激活起；0 = 长期有效。", verbose_name="有效期（天）"
                    ),
                ),
                (
                    "deposit",
                    models.PositiveBigIntegerField(
                        default=0, help_text="发卡时收取，退卡时退回；0 = 无。", verbose_name="押金（分）"
                    ),
                ),
                (
                    "carries_tier",
                    models.SlugField(
                        blank=True,
                        help_text="等级编码：激活时授予持卡会员；空 = 不附带。",
                        max_length=40,
                        verbose_name="附带等级",
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
                "verbose_name": "卡类型",
                "verbose_name_plural": "卡类型",
            },
        ),
        migrations.AddField(
            model_name="cardbatch",
            name="card_type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="batches",
                to="members.cardtype",
                verbose_name="卡类型",
            ),
        ),
        migrations.AddField(
            model_name="card",
            name="card_type",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="cards",
                to="members.cardtype",
                verbose_name="卡类型",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardtype",
            constraint=models.UniqueConstraint(fields=("prefix", "length"), name="card_type_has_its_own_numbers"),
        ),
        migrations.AddConstraint(
            model_name="cardtype",
            constraint=models.CheckConstraint(
                condition=models.Q(("length__gte", 6), ("length__lte", 30)), name="card_type_length_is_sane"
            ),
        ),
        migrations.AddConstraint(
            model_name="cardbatch",
            constraint=models.CheckConstraint(
                condition=models.Q(("quantity__gt", 0)), name="card_batch_makes_some_cards"
            ),
        ),
        migrations.AddIndex(
            model_name="card",
            index=models.Index(
                condition=models.Q(("state__in", ("active", "frozen", "lost"))),
                fields=["expires_at"],
                name="card_to_expire",
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ("issued", "expired", "closed")),
                    models.Q(("activated_at__isnull", False), ("member__isnull", False)),
                    _connector="OR",
                ),
                name="card_in_use_has_a_holder",
            ),
        ),
        migrations.AddConstraint(
            model_name="card",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("principal", None),
                    ("member", None),
                    models.Q(("principal", models.F("member")), _negated=True),
                    _connector="OR",
                ),
                name="card_spends_for_another_or_for_its_holder",
            ),
        ),
    ]
