"""That the clock has looked at a reminder setting today changes no configuration."""

from django.db import migrations

STOP = "DROP TRIGGER members_remindersetting_is_audited ON members_remindersetting"
AUDIT = """
CREATE TRIGGER members_remindersetting_is_audited AFTER INSERT OR UPDATE OR DELETE ON members_remindersetting
    FOR EACH ROW EXECUTE FUNCTION record_change(
        'members.remindersetting', 'id', '', '$1 ->> ''org_unit_id''', 'NULL', '$1 ->> ''kind''', '{left_out}', '')
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0021_drop_indexes_nobody_uses")]

    operations = [
        migrations.RunSQL(
            [STOP, AUDIT.format(left_out="looked_on")],
            [STOP, AUDIT.format(left_out="")],
        )
    ]
