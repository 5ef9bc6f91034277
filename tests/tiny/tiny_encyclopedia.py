"""A wheel with a dozen articles of our own in the place of the packaged encyclopedia: a question about each city of a few."""

import json
import zipfile
from pathlib import Path

from overtime.sources.encyclopedia import MEMBER

CITIES = ("Lampville", "Glowton", "Wickham", "Lumenau", "Flarestadt", "Sparkford", "Emberley", "Torchester")
COUNTRIES = ("Chile", "Peru", "Kenya", "Japan")


def write_encyclopedia(path: Path) -> None:
    """Write `path`, a zip file that holds the articles: of cities, and one on lamps that names more and more of them."""
    articles = []
    for number, city in enumerate(CITIES):
        country = COUNTRIES[number % len(COUNTRIES)]
        text = f"{city} is a city in {country}. Its lamps are famous."
        articles.append({"title": city, "topic": "Geography", "description": f"City in {country}", "extract": text})
    for number in range(4):
        named = " ".join(f"{city} has lamps." for city in CITIES[: 2 * number])
        text = f"A lamp of kind {number} gives light. {named} So have Chile, Peru, Kenya and Japan."
        articles.append({"title": f"Lamp {number}", "topic": "Technology", "description": None, "extract": text})
    with zipfile.ZipFile(path, "w") as wheel:
        content = json.dumps({str(number): article for number, article in enumerate(articles)})
        wheel.writestr(zipfile.ZipInfo(MEMBER), content)  # dated 1980: the same bytes whenever it is made
