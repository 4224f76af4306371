"""What was charged stays written: a mistake is undone by a row, not by a change."""

from django.db import migrations

ROWS_STAY = """
CREATE TRIGGER benefits_charge_rows_stay BEFORE UPDATE OR DELETE ON benefits_charge
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER benefits_charge_is_never_emptied BEFORE TRUNCATE ON benefits_charge
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

ROWS_MAY_CHANGE = """
DROP TRIGGER benefits_charge_rows_stay ON benefits_charge;
DROP TRIGGER benefits_charge_is_never_emptied ON benefits_charge
"""


class Migration(migrations.Migration):
    dependencies = [("benefits", "0001_initial"), ("members", "0002_insert_only")]

    operations = [migrations.RunSQL(ROWS_STAY, ROWS_MAY_CHANGE)]
