"""The reader against every figure and trap of the data set, counted over all of it, by column."""

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from config.complete_journey import FORMATS, OTHER, ZONE, Journey, load, read
from config.complete_journey.products import DEPARTMENTS

MULTIPLIERS = {"DINING": 2, "FLORAL": 3, OTHER: 0}


@pytest.fixture(scope="module")
def journey() -> Journey:
    return load()


@pytest.fixture(scope="module")
def transactions() -> pa.Table:
    return read("transactions", ["household_id", "basket_id", "sales_value", "coupon_disc", "transaction_timestamp"])


def local_days(seconds: np.ndarray) -> np.ndarray:
    stamps = pa.array(seconds, pa.timestamp("s", "UTC")).cast(pa.timestamp("s", str(ZONE)))
    return pc.local_timestamp(stamps).to_numpy().astype("datetime64[D]")


def utc_days(seconds: np.ndarray) -> np.ndarray:
    return seconds.astype("datetime64[s]").astype("datetime64[D]")


def amounts_by_basket_and_format(journey: Journey) -> np.ndarray:
    cells = journey.basket_of_line.astype(np.int64) * len(FORMATS) + journey.formats
    amounts = np.bincount(cells, journey.cents, minlength=len(journey) * len(FORMATS))
    return amounts.astype(np.int64).reshape(-1, len(FORMATS))


def kinds_by_household(journey: Journey, kinds: np.ndarray) -> np.ndarray:
    """How many kinds of line each household paid for, by its number; kind −1 is not counted."""
    households = np.repeat(journey.household, np.diff(journey.starts))
    counted = (kinds >= 0) & (journey.cents > 0)
    return np.bincount(np.unique(households[counted].astype(np.int64) * 100 + kinds[counted]) // 100)


def households_with(journey: Journey, chosen: np.ndarray) -> int:
    return len(np.unique(journey.household[chosen]))


# --- Figures ------------------------------------------------------------------------------------------------
def test_every_line_and_basket_is_read(journey):
    assert len(journey.cents) == 1_469_307
    assert len(journey) == len(np.unique(journey.number)) == 155_848
    assert (journey.totals > 0).sum() == 155_370
    assert len(np.unique(journey.store)) == 457
    assert len(np.unique(journey.product)) == 68_509
    assert len(np.unique(journey.household)) == 2_469


def test_baskets_are_in_the_order_of_time(journey):
    assert (np.diff(journey.seconds) >= 0).all()


def test_rule_a_gives_a_point_for_every_full_unit_of_a_whole_basket(journey):
    points = journey.totals // 100
    assert points.sum() == 4_519_934
    assert points[journey.household == 1].sum() == 2_386
    assert points[journey.household == 900].sum() == 9_221
    assert (points == 0).sum() == 3_397


def test_rule_b_multiplies_what_each_format_gives(journey):
    multipliers = np.array([MULTIPLIERS.get(name, 1) for name in FORMATS])
    amounts = amounts_by_basket_and_format(journey)
    expected = (amounts // 100 * multipliers).sum(axis=1)
    for position in range(0, len(journey), 997):
        parts = journey.basket(position).split()
        assert sum(part.amount // 100 * MULTIPLIERS.get(part.format, 1) for part in parts) == expected[position]


def test_households_that_buy_in_many_departments_and_formats(journey):
    """A purchase is of more than nothing: free lines would make it 2,427 and 157."""
    products = read("products", ["product_id", "department"]).sort_by("product_id")
    departments = np.append(np.unique(products["department"].to_pylist(), return_inverse=True)[1], -1)
    assert (kinds_by_household(journey, departments[journey.row]) >= 3).sum() == 2_426

    formats = np.where(journey.formats == FORMATS.index(OTHER), -1, journey.formats)
    assert (kinds_by_household(journey, formats) == 7).sum() == 153


def test_active_households_by_local_month(journey):
    months = local_days(journey.seconds).astype("datetime64[M]")
    bought = journey.totals > 0
    assert households_with(journey, bought & (months == np.datetime64("2017-01"))) == 1_983
    assert households_with(journey, bought & (months == np.datetime64("2017-12"))) == 2_062


# --- Traps --------------------------------------------------------------------------------------------------
def test_a_basket_belongs_to_the_day_of_its_shop_not_of_utc(journey):
    assert (local_days(journey.seconds) != utc_days(journey.seconds)).sum() == 28_571
    last = journey.basket(len(journey) - 1)
    assert last.at == datetime(2018, 1, 1, 4, 1, 20, tzinfo=UTC)
    assert last.at.astimezone(ZONE).date().isoformat() == "2017-12-31"


@pytest.mark.parametrize(("days", "matches"), [(local_days, 2_102), (utc_days, 1_869)])
def test_redemptions_meet_a_basket_of_their_local_day(journey, days, matches):
    redemptions = read("coupon_redemptions")
    visits = set(zip(journey.household.tolist(), days(journey.seconds).tolist(), strict=True))
    redeemed = redemptions["redemption_date"].to_numpy().astype("datetime64[D]").tolist()
    pairs = zip(redemptions["household_id"].to_pylist(), redeemed, strict=True)
    assert sum(pair in visits for pair in pairs) == matches


def test_gasoline_is_fuel_whatever_its_department(journey):
    products = read("products", ["product_id", "department", "product_type"])
    gasoline = {
        product: department
        for product, department, name in zip(
            *(products[column].to_pylist() for column in products.column_names), strict=True
        )
        if name == "GASOLINE-REG UNLEADED"
    }
    assert set(gasoline.values()) != {"FUEL"}
    lines = np.isin(journey.product, list(gasoline))
    assert set(journey.formats[lines].tolist()) == {FORMATS.index("FUEL")}


def test_lines_and_baskets_of_nothing_are_kept(journey):
    assert (journey.cents == 0).sum() == 11_246
    assert (journey.totals == 0).sum() == 478
    assert journey.cents.min() == 0


def test_a_coupon_may_exceed_what_was_paid_so_it_is_not_subtracted(journey, transactions):
    assert (transactions["coupon_disc"].to_numpy() > transactions["sales_value"].to_numpy()).sum() == 3_507
    assert journey.cents.sum() == 459_603_958


def test_a_product_without_a_row_is_other(journey):
    unknown = journey.row == len(journey.products.ids)
    assert unknown.sum() == 4_836
    assert set(journey.formats[unknown].tolist()) == {FORMATS.index(OTHER)}
    line = journey._line(int(np.flatnonzero(unknown)[0]))
    assert (line.format, line.name, line.category, line.brand) == (OTHER, "", "", "")


def test_coupon_rows_repeat():
    """1,623 rows stand more than once, up to some dozen times: take a coupon's products as a set."""
    coupons = read("coupons")
    counts = coupons.append_column("one", pa.repeat(1, len(coupons))).group_by(coupons.column_names)
    assert pc.sum(pc.greater(counts.aggregate([("one", "count")])["one_count"], 1)).as_py() == 1_623


def test_cents_are_rounded_not_cut(journey, transactions):
    values = transactions["sales_value"].to_numpy()
    assert (np.floor(values * 100).astype(np.int64) != journey.cents).any()
    assert np.abs(journey.cents / 100 - values).max() < 1e-9


# --- Splitting ----------------------------------------------------------------------------------------------
def test_a_basket_splits_into_one_receipt_for_each_format(journey):
    mixed = journey.basket(int(np.argmax((amounts_by_basket_and_format(journey) > 0).sum(axis=1))))
    parts = mixed.split()
    assert len(parts) >= 7
    assert [part.reference for part in parts] == [f"{mixed.number}:{part.format}" for part in parts]
    assert len({part.format for part in parts}) == len(parts)
    assert sum(part.amount for part in parts) == mixed.whole("GROC").amount
    assert all(line.format == part.format for part in parts for line in part.lines)


def test_every_department_has_a_format():
    departments = set(read("products", ["department"])["department"].to_pylist())
    assert departments <= {name for listed in DEPARTMENTS.values() for name in listed}
