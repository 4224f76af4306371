"""What the demo's businesses are called. Names only: what imports this needs none of the data."""

GROUP = ("WUTONG", "梧桐集团")
FORMATS = {
    "GROC": "梧桐超市",
    "FRESH": "梧桐生鲜",
    "DINING": "梧桐餐饮",
    "HEALTH": "梧桐美妆健康",
    "FUEL": "梧桐加油站",
    "FLORAL": "梧桐花艺园艺",
    "SPIRITS": "梧桐酒业",
    "OTHER": "梧桐便民服务",
}
HOTEL, PROPERTY, MALL = "HOTEL", "PROPERTY", "MALL"
OPERATING_COMPANY = "OPERATIONS"  # keeps the books of the points fund
# Businesses beside the formats, which have no part in the data: their stores are few and fixed.
NEIGHBOURS = {
    HOTEL: ("梧桐酒店", ("上海外滩店", "杭州西湖店", "成都锦江店")),
    PROPERTY: ("梧桐物业", ("静安服务中心", "浦东服务中心", "天河服务中心")),
    MALL: ("梧桐广场", ("上海徐汇广场", "深圳福田广场")),
}
TRADES = {
    "GROC": "超市",
    "FRESH": "生鲜",
    "DINING": "餐饮",
    "HEALTH": "美妆健康",
    "FUEL": "加油",
    "FLORAL": "花艺",
    "SPIRITS": "酒水",
    "OTHER": "便民服务",
    HOTEL: "酒店",
    PROPERTY: "物业",
    MALL: "购物中心",
}
WHOLE_BASKETS = "GROC"  # the one business of rule A
