"""An invented site of eight pages: changing articles, fixed furniture, and what must not be mistaken for it."""

from __future__ import annotations

SITE = "harbourtimes.example"
TOPICS = ("ferry", "bakery", "lighthouse", "chess club", "library", "tram", "orchard", "swimming pool")
HEADLINES = tuple(f"The {t} that Port Ellery thought it had lost opens its doors again" for t in TOPICS)
AUTHOR, AGENCY = "By Marta Lindqvist", "By the Associated Press"
NOTICE = "The Harbour Times is written at the quay by eleven people who live here, and it is printed on Tuesdays and Fridays."
BOX = "Stories like this one reach you before breakfast when you let our morning letter into your inbox."
MENU = ("Tides today", "Harbour life", "Ferry desk")
REAL = "The harbour office did not answer questions about the plan before this edition went to print."
"""A sentence of the articles themselves that stands in three of them."""


def article(topic: str, *, more: str = "") -> list[str]:
    """Four paragraphs that stand nowhere else."""
    return [
        f"The {topic} of Port Ellery opened on Saturday after eleven months of work, to a queue that reached the old customs house and turned the corner.",
        f"“We counted four hundred people for the {topic} before noon and then we stopped counting,” said the foreman, who had slept on the site for a week.",
        f"The town paid a third of what the {topic} cost, and a fund that was set up by two retired pilots paid the rest of the bill.{more}",
        f"Next year the {topic} is to stay open through the winter, the council decided by nine votes to two at its last meeting before the holidays.",
    ]


def page(number: int, paragraphs: list[str] | None = None, *, furniture: bool = True) -> str:
    """The page of one article as a crawler leaves it."""
    body = paragraphs or article(TOPICS[number])
    if number in (1, 4, 6):
        body = [*body[:3], REAL, *body[3:]]
    head = [HEADLINES[number], AGENCY if number == 3 else AUTHOR, f"{number + 2} May 2024"]
    if not furniture:
        return "\n\n".join([*head, *body])
    return "\n\n".join([*MENU, *head, *body[:2], BOX, *body[2:], NOTICE, "Moorings for let"])


def url(number: int) -> str:
    return f"https://www.{SITE}/2024/05/{number:02}-{TOPICS[number].replace(' ', '-')}"


def pages() -> list[dict[str, str]]:
    """Eight pages, one of them twice with a sentence more, and one page of another site."""
    rows = [{"id": f"p{n}", "url": url(n), "text": page(n)} for n in range(len(TOPICS))]
    revised = article(TOPICS[0], more=" The bill is public.")
    rows.append({"id": "p0-revised", "url": url(0) + "?v=2", "text": page(0, revised)})
    rows.append({"id": "other", "url": "https://other.example/a", "text": page(5)})
    return rows
