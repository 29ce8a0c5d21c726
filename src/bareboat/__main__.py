"""`python -m bareboat`."""

from bareboat.cli import main

if __name__ == "__main__":
    main()
