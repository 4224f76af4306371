"""What was written in the ledger stays written: the database refuses UPDATE, DELETE and TRUNCATE."""

from django.db import migrations


def insert_only(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """,
        f"""
        DROP TRIGGER {table}_rows_stay ON {table};
        DROP TRIGGER {table}_is_never_emptied ON {table}
        """,
    )


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0001_initial"), ("members", "0002_insert_only")]

    operations = [insert_only("loyalty_transaction"), insert_only("loyalty_entry")]
