"""Events are insert-only, and so is every table that a later migration gives a `refuse_change` trigger."""

from django.db import migrations

REFUSE_CHANGE = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is insert-only: write a row that undoes, % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation';
END $$
"""

EVENTS_ARE_INSERT_ONLY = """
CREATE TRIGGER members_event_rows_stay BEFORE UPDATE OR DELETE ON members_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER members_event_is_never_emptied BEFORE TRUNCATE ON members_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

EVENTS_MAY_CHANGE = """
DROP TRIGGER members_event_rows_stay ON members_event;
DROP TRIGGER members_event_is_never_emptied ON members_event
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]

    operations = [
        migrations.RunSQL(REFUSE_CHANGE, "DROP FUNCTION refuse_change()"),
        migrations.RunSQL(EVENTS_ARE_INSERT_ONLY, EVENTS_MAY_CHANGE),
    ]
