"""Tiers with their prices and coupon templates with their shares are audited."""

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
OF_TIER = """
SELECT p.org_unit_id FROM benefits_tier t JOIN benefits_tierprogramme p ON p.id = t.programme_id
WHERE t.id = ($1 ->> 'tier_id')::bigint
"""
OF_PROGRAMME = "SELECT org_unit_id FROM benefits_tierprogramme WHERE id = ($1 ->> 'programme_id')::bigint"
TIER_NAME = "SELECT name FROM benefits_tier WHERE id = ($1 ->> 'tier_id')::bigint"
OF_TEMPLATE = "SELECT owner_id FROM benefits_coupontemplate WHERE id = ($1 ->> '{}')::bigint"
TEMPLATE_NAME = "SELECT name FROM benefits_coupontemplate WHERE id = ($1 ->> '{}')::bigint"

TABLES = [
    audited("benefits_tierprogramme", "benefits.tierprogramme", node="$1 ->> 'org_unit_id'", title=NAMED),
    audited("benefits_tier", "benefits.tier", node=OF_PROGRAMME, title=NAMED),
    audited("benefits_tierprice", "benefits.tierprice", node=OF_TIER, title=TIER_NAME),
    audited(
        "benefits_coupontemplate",
        "benefits.coupontemplate",
        node="$1 ->> 'owner_id'",
        title=NAMED,
        left_out="issued",  # a count, not a decision
    ),
    audited(
        "benefits_coupontemplate_businesses",
        "benefits.coupontemplate",
        key="coupontemplate_id",
        part="businesses",
        left_out="id",
        node=OF_TEMPLATE.format("coupontemplate_id"),
        title=TEMPLATE_NAME.format("coupontemplate_id"),
    ),
    audited(
        "benefits_couponshare",
        "benefits.couponshare",
        node=OF_TEMPLATE.format("template_id"),
        title=TEMPLATE_NAME.format("template_id"),
    ),
]


class Migration(migrations.Migration):
    dependencies = [("benefits", "0002_charges_are_insert_only"), ("members", "0014_record_changes")]

    operations = TABLES
