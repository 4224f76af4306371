"""Trades of stores, closed members, and results of jobs."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0003_unlogged_import_rows"),
    ]

    operations = [
        migrations.CreateModel(
            name="Trade",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.SlugField(max_length=40, unique=True, verbose_name="编码")),
                ("name", models.CharField(max_length=40, verbose_name="名称")),
            ],
            options={
                "verbose_name": "业种",
                "verbose_name_plural": "业种",
                "ordering": ("code",),
            },
        ),
        migrations.AlterModelOptions(
            name="member",
            options={
                "ordering": ("-id",),
                "permissions": (
                    ("import_members", "可以导入会员"),
                    ("view_personal_data", "可以查看未脱敏的会员资料"),
                    ("freeze_member", "可以冻结、解冻会员"),
                    ("close_member", "可以注销会员"),
                    ("merge_members", "可以合并会员"),
                    ("export_members", "可以导出列表"),
                    ("export_personal_data", "可以导出未脱敏的资料"),
                ),
                "verbose_name": "会员",
                "verbose_name_plural": "会员",
            },
        ),
        migrations.AddField(
            model_name="job",
            name="result_file",
            field=models.FileField(blank=True, upload_to="jobs/", verbose_name="结果文件"),
        ),
        migrations.AddField(
            model_name="member",
            name="closed_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="注销时间"),
        ),
        migrations.AlterField(
            model_name="identity",
            name="kind",
            field=models.CharField(
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
                verbose_name="类型",
            ),
        ),
        migrations.AlterField(
            model_name="importidentity",
            name="kind",
            field=models.CharField(
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
                verbose_name="类型",
            ),
        ),
        migrations.AddConstraint(
            model_name="member",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("closed_at", None),
                    models.Q(("birthday", None), ("name", None), ("name_index", ""), ("status", "closed")),
                    _connector="OR",
                ),
                name="member_closed_has_no_name",
            ),
        ),
        migrations.AddField(
            model_name="orgunit",
            name="trade",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="stores",
                to="members.trade",
                verbose_name="业种",
            ),
        ),
        migrations.AddConstraint(
            model_name="orgunit",
            constraint=models.CheckConstraint(
                condition=models.Q(("trade", None), ("kind", "store"), _connector="OR"),
                name="org_unit_with_a_trade_is_a_store",
            ),
        ),
    ]
