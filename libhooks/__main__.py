"""``python3 -m libhooks``: the commands, from a checkout."""

import sys

try:
    from libhooks.cli.main import main
except ModuleNotFoundError as error:
    print(f"libhooks: {sys.executable} has no {error.name}: install the distribution's packages "
          "(python3-lxml, python3-structlog), or use its python3", file=sys.stderr)  # fmt: skip
    sys.exit(3)

sys.exit(main())
