"""Days that come every year."""

from datetime import date, timedelta


def yearly_day_within(day: date, today: date, days: int) -> date | None:
    """When `day` comes next, if that is today or within so many days; 29 February is the 28th in common years."""
    for year in (today.year, today.year + 1):
        occurs = _in_year(day, year)
        if today <= occurs <= today + timedelta(days=days):
            return occurs
    return None


def _in_year(day: date, year: int) -> date:
    try:
        return day.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
