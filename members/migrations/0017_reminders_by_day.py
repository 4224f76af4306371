"""When a business's reminders were looked for, and finding those to be sent."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0016_take_call"),
    ]

    operations = [
        migrations.AddField(
            model_name="remindersetting",
            name="looked_on",
            field=models.DateField(blank=True, editable=False, null=True, verbose_name="最近检查"),
        ),
        migrations.AlterField(
            model_name="remindersetting",
            name="message",
            field=models.CharField(
                blank=True,
                help_text="可用 {name}（姓名）、{business}（业态）、{date}（日期）、{text}（说明）。",
                max_length=200,
                verbose_name="短信内容",
            ),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="sent",
            field=models.CharField(
                blank=True,
                choices=[
                    ("sending", "发送中"),
                    ("sent", "已发送"),
                    ("no_consent", "会员未同意"),
                    ("no_address", "没有手机号"),
                    ("failed", "发送失败"),
                ],
                max_length=20,
                verbose_name="发送",
            ),
        ),
        migrations.AddIndex(
            model_name="importantdate",
            index=models.Index(
                django.db.models.functions.datetime.ExtractMonth("day"),
                django.db.models.functions.datetime.ExtractDay("day"),
                name="important_date_by_day",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(
                condition=models.Q(("sent", "")), fields=["business", "kind", "created_at"], name="reminder_not_sent"
            ),
        ),
    ]
