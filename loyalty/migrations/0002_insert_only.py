"""What was written in the ledger stays written: the database refuses UPDATE and DELETE."""

from django.db import migrations

TABLES = ("loyalty_transaction", "loyalty_entry")


def trigger(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_is_insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """,
        f"DROP TRIGGER {table}_is_insert_only ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = (("loyalty", "0001_initial"), ("members", "0002_insert_only"))
    operations = tuple(trigger(table) for table in TABLES)
