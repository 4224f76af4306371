"""What was done to a card, and what was said about a ticket, is insert-only."""

from django.db import migrations

TABLES = ("members_cardchange", "members_ticketnote")

STAY = """
CREATE TRIGGER {table}_rows_stay BEFORE UPDATE OR DELETE ON {table}
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

MAY_CHANGE = """
DROP TRIGGER {table}_rows_stay ON {table};
DROP TRIGGER {table}_is_never_emptied ON {table}
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0011_approvals")]

    operations = [migrations.RunSQL(STAY.format(table=table), MAY_CHANGE.format(table=table)) for table in TABLES]
