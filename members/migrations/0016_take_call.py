"""Who may serve members at the service desk."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0015_audited_tables")]

    operations = [
        migrations.AlterModelOptions(
            name="call",
            options={
                "verbose_name": "来访来电",
                "verbose_name_plural": "来访来电",
                "ordering": ("-id",),
                "permissions": (("take_call", "可以在服务台接待会员"),),
            },
        ),
    ]
