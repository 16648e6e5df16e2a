"""What the shop sells, what it costs, and how much of it there is."""

from __future__ import annotations

from shop.serve import Refused, run

COUNT = 200


def _item(number):
    item = {"id": number, "name": f"Article {number}", "price": 199 + number * 37 % 4000, "stock": number % 7 + 1}
    if number % 4 == 0:
        item["discount"] = 10
    if number % 5:
        item["weight"] = 100 + number * 13 % 900
    return item


ITEMS = {number: _item(number) for number in range(1, COUNT + 1)}


def find(request):
    """One article by its number."""
    number = int(request["id"])
    if number not in ITEMS:
        raise Refused(404, f"there is no article {number}")
    return ITEMS[number]


def find_many(request):
    """Several articles by their numbers, in that order; unknown ones are left out."""
    numbers = [int(number) for number in request["ids"].split(",") if number]
    return {"items": [ITEMS[number] for number in numbers if number in ITEMS]}


def browse(request):
    """A page of the list, by name or by price."""
    size = 20
    page = int(request.get("page", 0))
    order = request.get("order", "name")
    items = sorted(ITEMS.values(), key=lambda item: item[order])
    return {"items": items[page * size : (page + 1) * size], "pages": (len(items) + size - 1) // size}


ROUTES = {"/item": find, "/items": find_many, "/browse": browse}

if __name__ == "__main__":
    run(ROUTES)
