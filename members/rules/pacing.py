"""How long to wait, and how long something will take."""

from datetime import timedelta


def back_off(tries: int) -> timedelta:
    """How long to wait after the n-th failed try: 10 s, 20 s, 40 s … an hour at most."""
    return timedelta(seconds=min(10 * 2 ** (tries - 1), 3600))


def pace(done: int, total: int, elapsed: timedelta) -> tuple[int, timedelta] | None:
    """Rows a second so far, and the time that the rest will take at that; None before there is anything to go by."""
    seconds = elapsed.total_seconds()
    if done <= 0 or seconds <= 0:
        return None
    return round(done / seconds), timedelta(seconds=round(max(total - done, 0) * seconds / done))
