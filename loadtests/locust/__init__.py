"""A rehearsed sale: people with habits, by the thousand, for the teams that must answer for a launch. Runs on Locust.

    python -m loadtests.locust run     people come to a store, here or far away; writes figures
    python -m loadtests.locust judge   figures and the checker's report become a verdict, a page and an exit code

Only `locustfile.py` and what it imports know Locust, which patches the standard library of its process. Everything is set by the
environment (`settings.py`), so that plain `locust -f loadtests/locust/locustfile.py` does the same.
"""
