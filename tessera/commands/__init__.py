"""One module a command, each with `main(argv) -> int`; `tessera.__main__` holds the list."""
