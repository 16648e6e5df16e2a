"""What people and agents change in the shop: most of it good, some of it bad, and it does not look it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Edit(Struct, frozen=True):
    """One commit: in `service`'s file each `old` text becomes its `new` one. `symptom` is empty for a good one.

    Every service runs the whole shop at one revision, so `service` is also what has to be deployed.
    """

    title: str
    service: str
    parts: tuple[tuple[str, str], ...]
    symptom: Literal["", "errors", "latency"] = ""


BAD = (
    Edit(
        "Read the discount of an article where its price is read",
        "checkout",
        (('    discount = item.get("discount", 0)\n', '    discount = item["discount"]\n'),),
        "errors",
    ),
    Edit(
        "Always show the newest article in a cart",
        "cart",
        (
            (
                '    found = call("catalog", "/items?ids=" + ",".join(str(article) for article in cart))\n'
                '    return {"lines": [{"item": item, "count": cart[item["id"]]} for item in found["items"]]}\n',
                "    lines = []\n"
                "    for article in cart:\n"
                "        for page in range(30):\n"
                '            listed = call("catalog", f"/browse?page={page}")["items"]\n'
                '            lines += [{"item": item, "count": cart[article]} for item in listed'
                ' if item["id"] == article]\n'
                '    return {"lines": lines}\n',
            ),
        ),
        "latency",
    ),
    Edit(
        "Do not wait for a slow bank",
        "payments",
        (("BANK_SECONDS = 0.05\n", "BANK_SECONDS = 0.004\n"),),
        "errors",
    ),
    Edit(
        "Charge what the invoice says, with two decimals",
        "payments",
        (
            (
                '    return {"payment": ask_bank(amount, currency)}\n',
                '    return {"payment": ask_bank(round(amount / 100, 2) * 100, currency)}\n',
            ),
        ),
        "errors",
    ),
    Edit(
        "Weigh a parcel by its articles",
        "checkout",
        (
            (
                '    weight = sum(line["count"] * line["item"].get("weight", 0) for line in lines)\n',
                '    weight = sum(line["count"] * line["item"]["weight"] for line in lines)\n',
            ),
        ),
        "errors",
    ),
    Edit(
        "Keep pages of the list in a stable order",
        "catalog",
        (
            (
                "    items = sorted(ITEMS.values(), key=lambda item: item[order])\n",
                "    items = []\n"
                "    for item in ITEMS.values():\n"
                "        items.append(item)\n"
                "        items = sorted(items, key=lambda one: (one[order], str(sorted(one.items()))))\n",
            ),
        ),
        "latency",
    ),
    Edit(
        "Hold the lock while a cart is shown",
        "cart",
        (
            (
                '        cart = dict(CARTS.get(request["cart"], {}))\n    if not cart:\n',
                '        cart = dict(CARTS.get(request["cart"], {}))\n        time.sleep(0.06)\n    if not cart:\n',
            ),
            ("import threading\n", "import threading\nimport time\n"),
        ),
        "latency",
    ),
    Edit(
        "Ask for the page that was asked for",
        "storefront",
        (('    page = int(request.get("page", 0))\n', '    page = int(request["page"])\n'),),
        "errors",
    ),
    Edit(
        "Show what is left of an article",
        "catalog",
        (
            (
                '        raise Refused(404, f"there is no article {number}")\n    return ITEMS[number]\n',
                '        raise Refused(404, f"there is no article {number}")\n'
                "    item = ITEMS[number]\n"
                '    return {**item, "left": 100 // (item["stock"] % 3)}\n',
            ),
        ),
        "errors",
    ),
    Edit(
        "Try a payment again before giving up",
        "payments",
        (
            (
                '    return {"payment": ask_bank(amount, currency)}\n',
                "    for attempt in range(3):\n"
                "        if attempt:\n"
                "            time.sleep(0.1)\n"
                "        payment = ask_bank(amount, currency)\n"
                '    return {"payment": payment}\n',
            ),
        ),
        "latency",
    ),
    Edit(
        "Say what it costs to send an article with its neighbours",
        "storefront",
        (
            (
                '    return {"item": item, "near": near["items"]}\n',
                '    weight = item["weight"] + sum(one["weight"] for one in near["items"])\n'
                "    postage = 490 if weight < 2000 else 980\n"
                '    return {"item": item, "near": near["items"], "postage": postage}\n',
            ),
        ),
        "errors",
    ),
    Edit(
        "Take euros as the bank writes them",
        "payments",
        (
            (
                "    if currency not in CURRENCIES:\n",
                '    currency = {"USD": "usd"}[currency]\n    if currency.upper() not in CURRENCIES:\n',
            ),
        ),
        "errors",
    ),
)

GOOD = (
    Edit(
        "Say what a page holds",
        "catalog",
        (("    size = 20\n", "    size = 20  # what fits on a telephone without scrolling twice\n"),),
    ),
    Edit("Keep more carts", "cart", (("MOST_CARTS = 500\n", "MOST_CARTS = 2000\n"),)),
    Edit(
        "Name the tax of an order",
        "checkout",
        (
            (
                '    return {"goods": goods, "postage": postage, "tax": total * TAX // (100 + TAX), "total": total}\n',
                "    tax = total * TAX // (100 + TAX)\n"
                '    return {"goods": goods, "postage": postage, "tax": tax, "total": total}\n',
            ),
        ),
    ),
    Edit("Allow larger payments", "payments", (("MOST = 1_000_000\n", "MOST = 2_000_000\n"),)),
    Edit(
        "Say how many articles there are",
        "storefront",
        (
            (
                '    return {"items": listing["items"], "next": page + 1 if page + 1 < listing["pages"] else None}\n',
                '    more = page + 1 < listing["pages"]\n'
                "    following = page + 1 if more else None\n"
                '    return {"items": listing["items"], "count": len(listing["items"]), "next": following}\n',
            ),
        ),
    ),
    Edit(
        "Tell why a payment was refused",
        "payments",
        (
            (
                '        raise Refused(422, f"no payment of {amount}")\n',
                '        raise Refused(422, f"no payment of {amount}: it has to be between 1 and {MOST}")\n',
            ),
        ),
    ),
    Edit(
        "Count an empty cart as nothing",
        "cart",
        (('    return {"articles": 0}\n', '    return {"articles": 0, "emptied": True}\n'),),
    ),
    Edit(
        "Describe postage",
        "checkout",
        (
            (
                '    """Cents for sending it; a heavy parcel costs double."""\n',
                '    """Cents for sending it: nothing from 50 euros, else by weight; a heavy parcel costs double."""\n',
            ),
        ),
    ),
    Edit(
        "Read the number of an article once",
        "catalog",
        (
            (
                '    numbers = [int(number) for number in request["ids"].split(",") if number]\n',
                '    asked = request["ids"].split(",")\n    numbers = [int(number) for number in asked if number]\n',
            ),
        ),
    ),
    Edit(
        "Let an app put several of an article into a cart",
        "storefront",
        (
            (
                'request["article"], "count": 1})\n',
                'request["article"], "count": int(request.get("count", 1))})\n',
            ),
        ),
    ),
)
