"""`python -m httpx`: the command line."""

from ._main import main

if __name__ == "__main__":
    main(prog_name="httpx")
