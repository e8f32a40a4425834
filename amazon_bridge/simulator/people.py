"""Fictitious buyers: nobody of this name lives at any of these addresses.

Phone numbers come from ranges reserved for fiction where a country has one.
"""

from __future__ import annotations

import random
import string

from amazon_bridge.simulator.markets import Market
from amazon_bridge.simulator.orders import Address, Buyer

_NAMES = {
    "US": (
        "Maya|Owen|D'Andre|Siobhán|Luis",
        "O'Quillan|Brandywine|Castellanos|Thistlewood|Nakamori",
    ),
    "FR": (
        "Zoé|Anaïs|Loïc|Françoise|Hervé",
        "d'Aubépine|Lefèvrier|Grandchêne|Brûlé-Noël|Çelebière",
    ),
    "DE": (
        "Jürgen|Käthe|Sören|Änne|Björn",
        "Groß-Weidlich|Müßigbrodt|von der Öhlmühle|Schäfferling|Kröpelin",
    ),
    "GB": (
        "Rhiannon|Alasdair|Niamh|Edith|Zachary",
        "O'Thornbury|Featherstone-Hale|MacAskerry|Wrenfield|Pettigrove",
    ),
    "JP": ("花子|健太郎|さくら|大輔|美咲", "架空田|星乃原|月島野|朝霧谷|雪代川"),
}
_STREETS = {
    "US": "Old Juniper Trail|Whippoorwill Court|St. Mary's Hollow|Cedar Bluff Parkway",
    "FR": "rue de l'Étang-Bleu|allée des Châtaigniers|impasse du Vieux Pressoir|quai de l'Île-d'Or",
    "DE": "Kirschblütenweg|An der alten Schäferei|Straße der Glasbläser|Mühlgässchen",
    "GB": "Larkspur Mews|St Oswald's Row|Cobbler's Yard|Heatherbank Gardens",
    "JP": "架空町|桜見台|青葉坂|小鳥ヶ丘",
}
_PLACES = {
    "US": "Portland|OR|97205/Austin|TX|78701/Burlington|VT|05401",
    "FR": "Nantes||44000/Saint-Étienne||42000/Besançon||25000",
    "DE": "Köln|Nordrhein-Westfalen|50667/München|Bayern|80331/Lübeck|Schleswig-Holstein|23552",
    "GB": "Bristol|England|BS1 4DJ/Aberdeen|Scotland|AB10 1XG/Swansea|Wales|SA1 3SN",
    "JP": "渋谷区|東京都|150-0002/札幌市中央区|北海道|060-0001/京都市左京区|京都府|606-8501",
}
_PHONES = {
    "US": "+1 555-01{:02d}-{:04d}",
    "FR": "+33 6 39 98 {:02d} {:04d}",
    "DE": "+49 171 39{:02d}{:04d}",
    "GB": "+44 7700 90{:02d}{:04d}",
    "JP": "090-00{:02d}-{:04d}",
}
_COMPANIES = {
    "US": "Juniper & Sons Hardware LLC",
    "FR": "Établissements Grandchêne SARL",
    "DE": "Müßigbrodt Feinmechanik GmbH",
    "GB": "Featherstone & Wren Ltd",
    "JP": "株式会社架空商事",
}
_VAT = {
    "FR": "FR4012345{:04d}", "DE": "DE12345{:04d}", "GB": "GB12345{:04d}", "JP": "T123456789{:04d}",
}  # fmt: skip
_GIFT_MESSAGES = {
    "US": "Happy birthday, Grandpa! We can't wait to see you. -- {}",
    "FR": "Joyeux anniversaire, mon chéri ! Gros bisous de {}",
    "DE": "Alles Gute zum Geburtstag wünscht dir {} <3",
    "GB": "With love & best wishes from {}",
    "JP": "お誕生日おめでとう!{}より",
}


def _pick(choices: str, chance: random.Random) -> str:
    return chance.choice(choices.split("|"))


def make_name(market: Market, chance: random.Random) -> str:
    """A name as it is written in the market's country."""
    first, last = (_pick(part, chance) for part in _NAMES[market.country])
    return f"{last} {first}" if market.country == "JP" else f"{first} {last}"


def make_email(market: Market, chance: random.Random) -> str:
    """An address such as Amazon makes for each buyer and seller."""
    local = "".join(chance.choices(string.ascii_lowercase + string.digits, k=15))
    return f"{local}@marketplace.{market.domain.removeprefix('www.')}"


def make_buyer(market: Market, chance: random.Random, *, business: bool = False) -> Buyer:
    """A buyer; a business has a company, an order number and, where it is usual, a VAT number."""
    name, email = make_name(market, chance), make_email(market, chance)
    if not business:
        return Buyer(name=name, email=email)
    number = chance.randrange(10_000)
    vat = _VAT.get(market.country)
    return Buyer(
        name=name,
        email=email,
        company=_COMPANIES[market.country],
        purchase_order_number=f"PO-{number:04d}-{chance.randrange(100):02d}",
        vat_number=vat.format(number) if vat else None,
    )


def _street(market: Market, chance: random.Random) -> str:
    street = _pick(_STREETS[market.country], chance)
    number = chance.randrange(2, 190)
    if market.country == "JP":
        return f"{street}{number}-{chance.randrange(1, 20)}"
    return f"{street} {number}" if market.country == "DE" else f"{number} {street}"


def make_address(market: Market, chance: random.Random, buyer: Buyer) -> Address:
    """An address of the buyer; about one in four parcels goes to somebody else."""
    city, state, postal_code = chance.choice(_PLACES[market.country].split("/")).split("|")
    second = f"Staircase {chance.randrange(2, 9)}, door {chance.randrange(10, 99)}"
    to_other = chance.random() < 0.25  # noqa: PLR2004 - one in four, as the docstring says
    return Address(
        name=make_name(market, chance) if to_other else buyer.name,
        company=buyer.company,
        lines=(_street(market, chance), second)
        if chance.random() < 1 / 3
        else (_street(market, chance),),
        city=city,
        state=state or None,
        postal_code=postal_code,
        country=market.country,
        phone=_PHONES[market.country].format(chance.randrange(100), chance.randrange(10_000)),
    )


def make_gift_message(market: Market, chance: random.Random) -> str:
    """A gift message."""
    return _GIFT_MESSAGES[market.country].format(make_name(market, chance))
