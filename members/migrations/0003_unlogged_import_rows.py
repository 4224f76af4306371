"""Rows between upload and import can be uploaded again: they are not worth the write-ahead log."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("members", "0002_insert_only")]

    operations = [
        migrations.RunSQL(f"ALTER TABLE {table} SET UNLOGGED", f"ALTER TABLE {table} SET LOGGED")
        for table in ("members_importrow", "members_importidentity")
    ]
