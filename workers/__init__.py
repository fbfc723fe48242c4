"""Duties: rows in Postgres that are due. arq rings the bell, the sweep finishes what a lost bell left."""
