"""`python -m ostiary`: hands over to the command group."""

from ostiary.cli import main

if __name__ == "__main__":
    main()
