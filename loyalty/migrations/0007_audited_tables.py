"""Rules, prices, policies and the limits of cards are audited."""

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


NAMED, NODE = "$1 ->> 'name'", "$1 ->> 'org_unit_id'"
OF_TYPE = "SELECT {} FROM members_cardtype WHERE id = ($1 ->> 'card_type_id')::bigint"
OF_CARD = "SELECT {} FROM members_card WHERE id = ($1 ->> 'card_id')::bigint"
ISSUER = "SELECT name FROM members_orgunit WHERE id = ($1 ->> 'issuer_id')::bigint"

TABLES = [
    audited("loyalty_earnrule", "loyalty.earnrule", node=NODE, title=NAMED),
    audited("loyalty_burnrule", "loyalty.burnrule", node=NODE, title=NAMED),
    audited("loyalty_assetpolicy", "loyalty.assetpolicy", node=NODE, title=NAMED),
    audited("loyalty_pointsprice", "loyalty.pointsprice", node="$1 ->> 'issuer_id'", title=ISSUER),
    audited(
        "loyalty_cardallowance",
        "loyalty.cardallowance",
        node=OF_TYPE.format("org_unit_id"),
        title=OF_TYPE.format("name"),
    ),
    audited(
        "loyalty_cardlimit", "loyalty.cardlimit", node=OF_CARD.format("org_unit_id"), title=OF_CARD.format("number")
    ),
]


class Migration(migrations.Migration):
    dependencies = [("loyalty", "0006_trades_of_rules"), ("members", "0014_record_changes")]

    operations = TABLES
