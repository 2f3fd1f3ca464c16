"""`python -m ostiary`: hands over to the command group."""

import sys

if __name__ == "__main__":
    try:
        from ostiary.cli import main

        main()
    except KeyboardInterrupt:
        sys.exit(130)
