from django.db import connection

SETTLEMENT = 7_510_002  # any number, one for all that writes journals or closes periods


def take_turn() -> None:
    """Wait until nobody else collects, cuts or locks; held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SETTLEMENT])
