"""The checker: proves the promises I1–I27 on a live store, from Postgres, Redis and the payment provider's books.

It changes nothing. All it reads of Postgres is one snapshot, so a store that is busy selling can be checked too. What each promise
means is in `registry`, how it is proven in the module of its family, and what every check may look at in `look`.

    report = await run.check(settings, Options(at_rest=True))
    report.status                  "holds" | "violated" | "not checked"
    report.summary()               {"I1": "holds", …}
"""
