"""What operators want to know of members."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0005_consents"),
    ]

    operations = [
        migrations.CreateModel(
            name="Attribute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "code",
                    models.CharField(
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "^[a-z][a-z0-9_]*$", "请用小写字母、数字和下划线，以字母开头。"
                            )
                        ],
                        verbose_name="编码",
                    ),
                ),
                ("name", models.CharField(max_length=40, verbose_name="名称")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "文本"),
                            ("number", "数字"),
                            ("date", "日期"),
                            ("choice", "单选"),
                            ("choices", "多选"),
                            ("boolean", "是否"),
                        ],
                        max_length=8,
                        verbose_name="类型",
                    ),
                ),
                (
                    "options",
                    models.JSONField(
                        blank=True, default=list, help_text="仅单选、多选：每行一个选项。", verbose_name="选项"
                    ),
                ),
                ("is_required", models.BooleanField(default=False, verbose_name="必填")),
                (
                    "is_searchable",
                    models.BooleanField(
                        default=False, help_text="会员列表的搜索框按整个内容匹配。", verbose_name="可搜索"
                    ),
                ),
                (
                    "is_sensitive",
                    models.BooleanField(
                        default=False, help_text="没有查看个人资料权限的操作员只看到 ***。", verbose_name="敏感"
                    ),
                ),
                ("pages", models.JSONField(blank=True, default=list, verbose_name="显示在")),
                ("help_text", models.CharField(blank=True, max_length=200, verbose_name="填写说明")),
                ("position", models.PositiveSmallIntegerField(default=100, verbose_name="顺序")),
                ("is_active", models.BooleanField(default=True, verbose_name="启用")),
                (
                    "org_unit",
                    models.ForeignKey(
                        help_text="集团，或一个业态：只有该业态能看到和填写。",
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="members.orgunit",
                        verbose_name="所属组织",
                    ),
                ),
            ],
            options={
                "verbose_name": "自定义属性",
                "verbose_name_plural": "自定义属性",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="AttributeValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(blank=True, max_length=400, null=True)),
                ("number", models.DecimalField(blank=True, decimal_places=6, max_digits=20, null=True)),
                ("day", models.DateField(blank=True, null=True)),
                (
                    "words",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, null=True, size=None
                    ),
                ),
                ("flag", models.BooleanField(blank=True, null=True)),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="更新时间")),
                (
                    "attribute",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="values",
                        to="members.attribute",
                        verbose_name="属性",
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="attribute_values",
                        to="members.member",
                        verbose_name="会员",
                    ),
                ),
            ],
            options={
                "verbose_name": "属性值",
                "verbose_name_plural": "属性值",
                "indexes": [
                    models.Index(
                        condition=models.Q(("text__isnull", False)), fields=["attribute", "text"], name="attribute_text"
                    ),
                    models.Index(
                        condition=models.Q(("number__isnull", False)),
                        fields=["attribute", "number"],
                        name="attribute_number",
                    ),
                    models.Index(
                        condition=models.Q(("day__isnull", False)), fields=["attribute", "day"], name="attribute_day"
                    ),
                    models.Index(
                        condition=models.Q(("flag__isnull", False)), fields=["attribute", "flag"], name="attribute_flag"
                    ),
                    django.contrib.postgres.indexes.GinIndex(fields=["words"], name="attribute_words"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("member", "attribute"), name="attribute_has_one_value_per_member"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("day", None),
                                ("flag", None),
                                ("number", None),
                                ("text__isnull", False),
                                ("words", None),
                            ),
                            models.Q(
                                ("day", None),
                                ("flag", None),
                                ("number__isnull", False),
                                ("text", None),
                                ("words", None),
                            ),
                            models.Q(
                                ("day__isnull", False),
                                ("flag", None),
                                ("number", None),
                                ("text", None),
                                ("words", None),
                            ),
                            models.Q(
                                ("day", None),
                                ("flag", None),
                                ("number", None),
                                ("text", None),
                                ("words__isnull", False),
                            ),
                            models.Q(
                                ("day", None),
                                ("flag__isnull", False),
                                ("number", None),
                                ("text", None),
                                ("words", None),
                            ),
                            _connector="OR",
                        ),
                        name="attribute_value_is_of_one_type",
                    ),
                ],
            },
        ),
    ]
