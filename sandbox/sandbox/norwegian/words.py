"""The words that invented companies and people are made of."""

from typing import NamedTuple


def _words(text: str, between: str | None = None) -> tuple[str, ...]:
    return tuple(text.split(between))


FIRST_NAMES = _words(
    "Anne Inger Kari Marit Ingrid Liv Eva Berit Astrid Bjørg Hilde Solveig Åse Gerd Nina Silje Ida Hanne "
    "Camilla Ragnhild Sigrid Ingeborg Turid Randi Wenche Tone Marianne Maren Synnøve Åshild Jan Per "
    "Bjørn Ole Lars Kjell Knut Svein Arne Thomas Geir Hans Tor Terje Odd Morten Erik Magnus Øystein "
    "Håkon Håvard Jørgen Sindre Eirik Pål Åge Bård Trygve Sjur Ørjan"
)
LAST_NAMES = _words(
    "Hansen Johansen Olsen Larsen Andersen Pedersen Nilsen Kristiansen Jensen Karlsen Johnsen Pettersen "
    "Eriksen Berg Haugen Hagen Bakken Lie Solberg Moen Strand Lund Dahl Bakke Ødegård Sæther Bråten "
    "Fjeld Nygård Grønli Skår Åsen Bjørnstad Røed Sørli Tangen Viken Myhre Løken Kvåle Hæreid Brekke "
    "Aasen Rønning Øverland Nordbø Tveit Engen Ås Næss"
)
COMPANY_WORDS = _words(
    "Fjellrev Blåfjell Tyttebær Nordlys Havsule Lyngmark Bjørkelund Storvik Gråstein Måneskinn Sølvrev "
    "Elvebakken Furuhaug Kråkebolle Østavind Vestavind Solsikke Snøkrystall Multemyr Røsslyng Fjæra "
    "Havørn Steinrøys Bekkeblom Granlia Haukeli Isbre Jotunheim Kvitveis Lundefugl Morild Nattergal Oter "
    "Piggvar Reinlav Skogstjerne Tiur Ulvesti Villbringebær Ærfugl Øyriket Årestrøk Blåklokke Dvergbjørk "
    "Einer Fossefall Gaupe Hestehov Innlandet Jervefjell"
)
TRADES = _words(
    "Snekkeri Regnskap Rørservice Elektro Bakeri Transport Eiendom Design Rådgivning Båtbyggeri Gartneri "
    "Bilverksted Bygg Data Fiskemat Frisør Grafisk Handel Hytteservice Inkasso Jakt Kafé Kaffebrenneri "
    "Kontorrekvisita Lakkering Maskin Maling Murerservice Møbler Optikk Papir Renhold Sagbruk Skiferie "
    "Sport Sveis Takst Tannlege Trykkeri Ullvare Urmaker Utleie Varme Vedlikehold Vinduer Yoga Ysteri "
    "Økologi Ølbryggeri Åpenhet"
)
FORMS = ("AS", "AS", "AS", "AS", "DA", "ENK", "SA")
STREETS = _words(
    "Storgata,Kirkegata,Strandgata,Skolegata,Parkveien,Havnegata,Industriveien,"
    "Bjørnstjerne Bjørnsons gate,Møllergata,Fjordveien,Solbakken,Åsveien,Øvre Langgate,Nedre Slottsgate,"
    "Kongens gate,Dronningens gate,Sjøgata,Torggata,Brugata,"
    "Elveveien,Lyngveien,Granveien,Tollbugata,Verftsgata,Nygårdsgaten,Jernbanegata,Rådhusgata,Løkkeveien",
    ",",
)
STREETS_SWEDEN = ("Storgatan", "Kungsgatan", "Drottninggatan", "Södra vägen", "Järnvägsgatan", "Åsgatan")
GOODS = _words(
    "Arbeidsbenk Brosjyrestativ Dokumentskap Eikebord Flyttekasse Garderobeskap Hyllesystem Iskremmaskin "
    "Jakkestativ Kontorstol Lesebrett Møtebord Nøkkelskap Oppslagstavle Pallejekk Quiltteppe Røykvarsler "
    "Skrivebord Tavletusj Utekjøkken Verktøyvogn Whiteboard Yogamatte Ølfat Ønskebrønn Ærekrans "
    "Åpningsskilt Blekkpatron Drikkeflaske Ryggsekk"
)
COLOURS = ("rød", "blå", "grønn", "grå", "hvit", "svart", "bjørk", "eik", "ask", "messing")


class Place(NamedTuple):
    """A postal code and the town that it belongs to."""

    postal_code: str
    town: str
    country: str = "NO"


def _places(text: str, country: str = "NO") -> tuple[Place, ...]:
    entries = (entry.split(": ") for entry in text.split(", "))
    return tuple(Place(postal_code, town, country) for postal_code, town in entries)


NORWAY = _places(
    "0150: OSLO, 0352: OSLO, 0661: OSLO, 1530: MOSS, 1606: FREDRIKSTAD, 1706: SARPSBORG, 1767: HALDEN, "
    "2000: LILLESTRØM, 2212: KONGSVINGER, 2317: HAMAR, 2405: ELVERUM, 2609: LILLEHAMMER, 2815: GJØVIK, "
    "3015: DRAMMEN, 3110: TØNSBERG, 3211: SANDEFJORD, 3256: LARVIK, 3510: HØNEFOSS, 3611: KONGSBERG, "
    "3717: SKIEN, 4006: STAVANGER, 4307: SANDNES, 4611: KRISTIANSAND S, 4836: ARENDAL, 5003: BERGEN, "
    "5501: HAUGESUND, 5700: VOSS, 6002: ÅLESUND, 6100: VOLDA, 6413: MOLDE, 6508: KRISTIANSUND N, "
    "6800: FØRDE, 6900: FLORØ, 7010: TRONDHEIM, 7374: RØROS, 7500: STJØRDAL, 7713: STEINKJER, "
    "8006: BODØ, 8300: SVOLVÆR, 8514: NARVIK, 8622: MO I RANA, 9008: TROMSØ, 9405: HARSTAD, 9510: ALTA, "
    "9900: KIRKENES"
)
SWEDEN = _places("111 22: STOCKHOLM, 411 05: GÖTEBORG, 211 22: MALMÖ, 831 30: ÖSTERSUND", "SE")
