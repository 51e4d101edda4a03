"""`python -m app.cli`: the program `slawatch` of this very Python."""

from app.cli import main

if __name__ == "__main__":
    main()
