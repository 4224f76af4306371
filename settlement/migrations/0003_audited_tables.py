"""Agreements are audited: headquarters' own decisions, seen by headquarters."""

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


ISSUER = "SELECT name FROM members_orgunit WHERE id = ($1 ->> 'issuer_id')::bigint"
REDEEMER = "SELECT name FROM members_orgunit WHERE id = ($1 ->> 'redeemer_id')::bigint"

TABLES = [
    audited("settlement_issueagreement", "settlement.issueagreement", title=ISSUER),
    audited("settlement_redemptionagreement", "settlement.redemptionagreement", title=REDEEMER),
]


class Migration(migrations.Migration):
    dependencies = [("settlement", "0002_insert_only"), ("members", "0014_record_changes")]

    operations = TABLES
