"""Where the demo's stores stand: real cities and districts, streets that every Chinese town has."""

from dataclasses import dataclass

REGIONS = {
    "EAST": "华东大区",
    "SOUTH": "华南大区",
    "NORTH": "华北大区",
    "WEST": "西南大区",
    "CENTRAL": "华中大区",
}
CITIES = (
    ("EAST", "上海", ("静安", "徐汇", "浦东", "长宁", "杨浦")),
    ("EAST", "杭州", ("西湖", "拱墅", "上城", "滨江", "萧山")),
    ("EAST", "南京", ("鼓楼", "玄武", "建邺", "秦淮", "江宁")),
    ("EAST", "苏州", ("姑苏", "吴中", "相城", "虎丘", "吴江")),
    ("SOUTH", "广州", ("天河", "越秀", "海珠", "荔湾", "番禺")),
    ("SOUTH", "深圳", ("福田", "南山", "罗湖", "宝安", "龙岗")),
    ("SOUTH", "厦门", ("思明", "湖里", "集美", "海沧", "同安")),
    ("NORTH", "北京", ("朝阳", "海淀", "西城", "东城", "丰台")),
    ("NORTH", "天津", ("和平", "河西", "南开", "河东", "西青")),
    ("WEST", "成都", ("锦江", "武侯", "青羊", "成华", "高新")),
    ("WEST", "重庆", ("渝中", "江北", "南岸", "沙坪坝", "九龙坡")),
    ("CENTRAL", "武汉", ("江汉", "武昌", "洪山", "汉阳", "青山")),
    ("CENTRAL", "长沙", ("芙蓉", "岳麓", "天心", "开福", "雨花")),
)
STREETS = ("中山路", "人民路", "解放路", "建设路", "和平路", "新华路", "长江路", "友谊路")


@dataclass(frozen=True)
class Place:
    region: str
    city: str
    district: str
    street: str

    def __str__(self) -> str:
        return f"{self.city}{self.district}{self.street}"


def place(number: int) -> Place:
    """The place of the n-th store; no two of the first 520 share one."""
    number, city = divmod(number, len(CITIES))
    number, district = divmod(number, 5)
    region, name, districts = CITIES[city]
    return Place(region, name, districts[district], STREETS[number % len(STREETS)])
