"""`python -m cmgan_audit` is the installed command."""

from cmgan_audit.cli.app import main

if __name__ == "__main__":
    main()
