"""The one function by which the database keeps what was changed; a trigger on each audited table calls it.

Arguments of a trigger: model, column of the row's key, relation ('' = the row itself), SQL for the key of the node
that owns the row, SQL for the key of its member, SQL for what it is called ($1 = the row as jsonb), columns that are
left out, columns of which only the change is told. An update that leaves all other columns as they were is not kept.
"""

from django.db import migrations

RECORD_CHANGE = """
CREATE FUNCTION record_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    left_out text[] := string_to_array(TG_ARGV[6], ',');
    told text[] := string_to_array(TG_ARGV[7], ',');
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    whole_row jsonb := coalesce(new_row, old_row);
    is_rotating boolean := current_setting('members.keys_rotate', true) = 'on';
    context jsonb := nullif(current_setting('pghistory.context_metadata', true), '')::jsonb;
    node bigint;
    member bigint;
    title text;
    told_column text;
BEGIN
    old_row := old_row - left_out;
    new_row := new_row - left_out;
    IF TG_OP = 'UPDATE' THEN
        IF is_rotating THEN
            old_row := old_row - told;
            new_row := new_row - told;
        END IF;
        SELECT jsonb_object_agg(column_name, value), jsonb_object_agg(column_name, new_row -> column_name)
            INTO old_row, new_row
            FROM jsonb_each(old_row) AS was(column_name, value)
            WHERE value IS DISTINCT FROM new_row -> column_name;
        IF new_row IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    FOREACH told_column IN ARRAY told LOOP
        IF coalesce(old_row ->> told_column, '') <> '' THEN
            old_row := jsonb_set(old_row, ARRAY[told_column], '"***"');
        END IF;
        IF coalesce(new_row ->> told_column, '') <> '' THEN
            new_row := jsonb_set(new_row, ARRAY[told_column], '"***"');
        END IF;
    END LOOP;
    EXECUTE format('SELECT (%s)::bigint, (%s)::bigint, (%s)::text', TG_ARGV[3], TG_ARGV[4], TG_ARGV[5])
        INTO node, member, title USING whole_row;
    INSERT INTO members_auditentry (at, action, model, row_id, part, title, before, after,
            operator_id, channel_id, page, context, org_unit_id, member_id)
        VALUES (now(), lower(TG_OP), TG_ARGV[0], (whole_row ->> TG_ARGV[1])::bigint, TG_ARGV[2],
            left(coalesce(title, ''), 120), old_row, new_row,
            (context ->> 'operator')::bigint, (context ->> 'channel')::bigint, left(coalesce(context ->> 'page', ''), 200),
            nullif(current_setting('pghistory.context_id', true), '')::uuid, node, member);
    RETURN NULL;
END $$
"""

ENTRIES_STAY = """
CREATE TRIGGER members_auditentry_rows_stay BEFORE UPDATE OR DELETE ON members_auditentry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER members_auditentry_is_never_emptied BEFORE TRUNCATE ON members_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
"""

ENTRIES_MAY_CHANGE = """
DROP TRIGGER members_auditentry_rows_stay ON members_auditentry;
DROP TRIGGER members_auditentry_is_never_emptied ON members_auditentry
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0013_audit_entries")]

    operations = [
        migrations.RunSQL(RECORD_CHANGE, "DROP FUNCTION record_change()"),
        migrations.RunSQL(ENTRIES_STAY, ENTRIES_MAY_CHANGE),
    ]
