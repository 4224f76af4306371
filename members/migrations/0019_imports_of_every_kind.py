"""Staging for spreadsheets of every kind; what is staged when it runs has to be uploaded again."""

import django.db.models.deletion
from django.db import migrations, models

import members.personal_data


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0018_find_birthdays"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="importrow",
            name="is_done",
        ),
        migrations.RemoveField(
            model_name="importrow",
            name="member",
        ),
        migrations.RemoveField(
            model_name="importrow",
            name="raw",
        ),
        migrations.AddField(
            model_name="importrow",
            name="attributes",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="importrow",
            name="email",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="importrow",
            name="email_index",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="importrow",
            name="email_last_four",
            field=models.CharField(blank=True, max_length=4),
        ),
        migrations.AddField(
            model_name="importrow",
            name="external",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="importrow",
            name="external_index",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="importrow",
            name="external_last_four",
            field=models.CharField(blank=True, max_length=4),
        ),
        migrations.AddField(
            model_name="importrow",
            name="phone",
            field=models.BinaryField(null=True),
        ),
        migrations.AddField(
            model_name="importrow",
            name="phone_index",
            field=models.CharField(blank=True, editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="importrow",
            name="phone_last_four",
            field=models.CharField(blank=True, max_length=4),
        ),
        migrations.AddField(
            model_name="importrow",
            name="round",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="importrow",
            name="verdict",
            field=models.CharField(
                blank=True,
                choices=[
                    ("new_member", "新会员"),
                    ("new_membership", "已有会员，新增业态关系"),
                    ("changed", "已是本业态会员，更新资料"),
                    ("unchanged", "已是本业态会员，不变"),
                    ("skipped", "文件内重复，跳过"),
                    ("failed", "失败"),
                ],
                max_length=14,
                verbose_name="结果",
            ),
        ),
        migrations.CreateModel(
            name="ImportChunk",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.PositiveIntegerField()),
                ("last", models.PositiveIntegerField()),
                ("round", models.PositiveSmallIntegerField(default=0)),
                ("raw", members.personal_data.EncryptedTextField(null=True)),
                ("counts", models.JSONField(default=dict)),
                ("is_done", models.BooleanField(default=False)),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="import_chunks",
                        to="members.job",
                        verbose_name="任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "导入分块",
                "verbose_name_plural": "导入分块",
            },
        ),
        migrations.CreateModel(
            name="ImportLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(verbose_name="行号")),
                ("head", models.PositiveIntegerField()),
                ("key_index", models.CharField(blank=True, editable=False, max_length=64)),
                ("raw", members.personal_data.EncryptedTextField()),
                ("data", members.personal_data.EncryptedTextField()),
                ("changes", members.personal_data.EncryptedTextField(null=True)),
                (
                    "verdict",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("new", "新增"),
                            ("changed", "更新"),
                            ("unchanged", "不变"),
                            ("skipped", "跳过"),
                            ("failed", "失败"),
                        ],
                        max_length=9,
                        verbose_name="结果",
                    ),
                ),
                ("problem", models.TextField(blank=True, verbose_name="失败原因")),
                ("is_done", models.BooleanField(default=False)),
                (
                    "job",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="import_lines",
                        to="members.job",
                        verbose_name="任务",
                    ),
                ),
            ],
            options={
                "verbose_name": "导入明细",
                "verbose_name_plural": "导入明细",
            },
        ),
        migrations.DeleteModel(
            name="ImportIdentity",
        ),
        migrations.AddConstraint(
            model_name="importchunk",
            constraint=models.UniqueConstraint(
                fields=("job", "round", "first"), name="import_chunk_begins_at_a_row_of_its_own"
            ),
        ),
        migrations.AddIndex(
            model_name="importline",
            index=models.Index(fields=["job", "head"], name="import_line_by_unit"),
        ),
        migrations.AddConstraint(
            model_name="importline",
            constraint=models.UniqueConstraint(fields=("job", "number"), name="import_line_is_one_per_row_of_the_file"),
        ),
        migrations.AddConstraint(
            model_name="importline",
            constraint=models.CheckConstraint(
                condition=models.Q(("problem", ""), ("verdict", "failed"), _connector="OR"),
                name="import_line_with_a_problem_has_failed",
            ),
        ),
        *(
            migrations.RunSQL(f"ALTER TABLE {table} SET UNLOGGED", f"ALTER TABLE {table} SET LOGGED")
            for table in ("members_importchunk", "members_importline")
        ),
    ]
