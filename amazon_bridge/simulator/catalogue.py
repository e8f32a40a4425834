"""The goods that the simulated sellers sell. Tests and the demo create the same in Odoo."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Product:
    """A listed product. Prices are for one unit, by currency, as the shop shows them."""

    sku: str
    asin: str
    title: str
    prices: dict[str, Decimal]


_ROWS = """
MUG-BLUE       B0SIMMUG01  Stoneware mug, blue, 350 ml             12.90  11.90  10.50   1480
MUG-RED        B0SIMMUG02  Stoneware mug, red, 350 ml              12.90  11.90  10.50   1480
TEAPOT-08      B0SIMTEA01  Cast iron teapot, 0.8 l                 39.00  36.50  32.00   4980
KETTLE-17      B0SIMKET01  Gooseneck kettle, 1.7 l                 54.99  49.99  44.95   6980
GRINDER-H      B0SIMGRD01  Hand coffee grinder, ceramic burr       27.50  24.90  21.99   3280
FILTER-100     B0SIMFIL01  Paper filters, pack of 100               6.45   5.95   5.25    780
SCALE-K2       B0SIMSCL01  Kitchen scale, 2 kg, 0.1 g              18.99  17.49  15.49   2380
APRON-LIN      B0SIMAPR01  Linen apron, natural                    31.00  29.00  25.00   3900
BOARD-OAK      B0SIMBRD01  Oak cutting board, 40 x 25 cm           42.00  38.00  33.50   5200
SPOON-SET      B0SIMSPN01  Set of 6 olive wood spoons              23.75  21.35  18.65   2750
"""


def _read(row: str) -> Product:
    sku, asin, rest = row.split(maxsplit=2)
    title, usd, eur, gbp, jpy = rest.rsplit(maxsplit=4)
    prices = {"USD": usd, "EUR": eur, "GBP": gbp, "JPY": jpy}
    return Product(sku, asin, title, {code: Decimal(price) for code, price in prices.items()})


CATALOGUE: tuple[Product, ...] = tuple(_read(row) for row in _ROWS.strip().splitlines())
PRODUCTS: dict[str, Product] = {product.sku: product for product in CATALOGUE}
