"""Tags and campaigns are audited; who carries a tag is told by its events."""

from django.db import migrations

AUDIT = """
CREATE TRIGGER {table}_is_audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION
    record_change('{model}', '{key}', '{part}', '{node}', 'NULL', '{title}', '{left_out}', '')
"""
STOP = "DROP TRIGGER {table}_is_audited ON {table}"


def audited(table, model, *, title, node="NULL", key="id", part="", left_out=""):
    """Arguments as told in members/0014_record_changes."""
    facts = {"table": table, "model": model, "key": key, "part": part, "left_out": left_out}
    facts |= {"node": node.replace("'", "''"), "title": title.replace("'", "''")}
    return migrations.RunSQL(AUDIT.format(**facts), STOP.format(table=table))


NAMED = "$1 ->> 'name'"

TABLES = [
    audited("marketing_tag", "marketing.tag", node="$1 ->> 'scope_id'", title=NAMED),
    audited("marketing_campaign", "marketing.campaign", node="$1 ->> 'owner_id'", title=NAMED),
]


class Migration(migrations.Migration):
    dependencies = [("marketing", "0001_initial"), ("members", "0014_record_changes")]

    operations = TABLES
