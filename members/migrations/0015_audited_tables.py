"""What of this floor is audited, and what of other people's apps operators decide in our back office.

Of people only changes and deletions: a million members come in by COPY, and their events say so.
"""

from django.db import migrations

AUDIT = """
CREATE TRIGGER {table}_is_audited AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION
    record_change('{model}', '{key}', '{part}', '{node}', '{member}', '{title}', '{left_out}', '{told}')
"""
STOP = "DROP TRIGGER {table}_is_audited ON {table}"


def audited(
    table, model, *, key="id", part="", node="NULL", member="NULL", title="NULL", left_out="", told="", people=False
):
    facts = {"table": table, "model": model, "key": key, "part": part, "left_out": left_out, "told": told}
    sql = {"node": node, "member": member, "title": title}
    facts |= {name: text.replace("'", "''") for name, text in sql.items()}
    facts["events"] = "UPDATE OR DELETE" if people else "INSERT OR UPDATE OR DELETE"
    return migrations.RunSQL(AUDIT.format(**facts), STOP.format(table=table))


def column(name):
    return f"$1 ->> '{name}'"


def of(table, wanted, key):
    """A column of the row to which the foreign key `key` leads."""
    return f"SELECT {wanted} FROM {table} WHERE id = ($1 ->> '{key}')::bigint"


NAMED, CODED = column("name"), column("code")
OWNED = {"node": column("org_unit_id"), "title": NAMED}
OPERATOR = {
    "node": of("members_operator", "org_unit_id", "operator_id"),
    "title": of("members_operator", "username", "operator_id"),
}
ROLE = of("auth_group", "name", "group_id")
MEMBER_NO = of("members_member", "member_no", "member_id")

TABLES = [
    audited("members_orgunit", "members.orgunit", node=column("id"), title=NAMED, left_out="numchild"),
    audited("members_trade", "members.trade", title=NAMED),
    audited("members_terminal", "members.terminal", node=column("store_id"), title=CODED),
    audited(
        "members_operator",
        "members.operator",
        node=column("org_unit_id"),
        title=column("username"),
        left_out="last_login",
        told="password",
    ),
    audited("members_operator_groups", "members.operator", key="operator_id", part="groups", left_out="id", **OPERATOR),
    audited(
        "members_operator_user_permissions",
        "members.operator",
        key="operator_id",
        part="user_permissions",
        left_out="id",
        **OPERATOR,
    ),
    audited("members_rolepolicy", "members.rolepolicy", title=ROLE),
    audited("members_approvalpolicy", "members.approvalpolicy", node=column("org_unit_id"), title=column("verb")),
    audited("members_channel", "members.channel", **OWNED),
    audited(
        "members_channelkey",
        "members.channelkey",
        node=of("members_channel", "org_unit_id", "channel_id"),
        title=column("key_id"),
        left_out="secret_hash,signing_secret",
    ),
    # The text is encrypted anew with each key, under which nobody changes: its digest says that it has changed.
    audited(
        "members_member",
        "members.member",
        member=column("id"),
        title=column("member_no"),
        left_out="name",
        told="name_index,birthday",
        people=True,
    ),
    audited(
        "members_identity",
        "members.identity",
        member=column("member_id"),
        title=MEMBER_NO,
        left_out="value",
        told="value_index,last_four",
        people=True,
    ),
    audited("members_attribute", "members.attribute", **OWNED),
    audited("members_consenttext", "members.consenttext", node=column("receiver_id"), title=column("version")),
    audited("members_cardtype", "members.cardtype", left_out="next_serial", **OWNED),
    audited("members_tickettype", "members.tickettype", **OWNED),
    audited("members_remindersetting", "members.remindersetting", node=column("org_unit_id"), title=column("kind")),
    audited("auth_group", "auth.group", title=NAMED),
    audited("auth_group_permissions", "auth.group", key="group_id", part="permissions", left_out="id", title=ROLE),
    audited(
        "django_celery_beat_periodictask",
        "django_celery_beat.periodictask",
        title=NAMED,
        left_out="last_run_at,total_run_count,date_changed",
    ),
    audited(
        "otp_totp_totpdevice",
        "otp_totp.totpdevice",
        node=of("members_operator", "org_unit_id", "user_id"),
        title=of("members_operator", "username", "user_id"),
        left_out="key,drift,last_t,last_used_at,throttling_failure_count,throttling_failure_timestamp",
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("members", "0014_record_changes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
        ("otp_totp", "0003_add_timestamps"),
    ]

    operations = TABLES
