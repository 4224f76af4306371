"""static/charts.js mounts what templates/charts/chart.html describes: the picture, and its numbers as a table."""

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
STATIC = settings.BASE_DIR / "static"
CHART = {
    "id": "points_by_day",
    "title": "积分发放与消耗",
    "option": {
        "legend": {},
        "xAxis": {"type": "category", "data": ["06-01", "06-02"]},
        "yAxis": {"type": "value"},
        "series": [{"name": "发放</script>", "type": "line", "data": [1200, 900]}],
    },
    "columns": ["日期", "发放"],
    "rows": [["06-01", "1,200"], ["06-02", "900"]],
    "format": "yuan",
}


@pytest.fixture
def chart(page: Page) -> Page:
    page.set_content(render_to_string("charts/chart.html", {"chart": CHART}))
    page.add_script_tag(path=STATIC / "vendor/echarts.min.js")
    page.add_script_tag(path=STATIC / "charts.js")
    page.evaluate("document.dispatchEvent(new Event('DOMContentLoaded'))")
    return page


def test_a_chart_is_drawn_and_follows_dark_mode(chart: Page) -> None:
    canvas = chart.locator("[data-chart] canvas")
    expect(canvas).to_be_visible()
    chart.evaluate("document.documentElement.classList.add('dark')")
    expect(canvas).to_be_visible()


def test_the_numbers_stand_beside_it_as_a_table(chart: Page) -> None:
    expect(chart.get_by_role("cell", name="1,200")).to_be_hidden()
    chart.get_by_text("查看数据表").click()
    expect(chart.get_by_role("cell", name="1,200")).to_be_visible()


def test_a_chart_taken_away_takes_nothing_else_with_it(chart: Page) -> None:
    chart.evaluate("document.querySelector('[data-chart]').remove()")
    chart.set_viewport_size({"width": 800, "height": 600})
    expect(chart.get_by_text("积分发放与消耗")).to_be_visible()
