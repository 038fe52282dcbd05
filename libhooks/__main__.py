"""``python3 -m libhooks``: the commands, from a checkout."""

import sys

from libhooks.cli.main import main

sys.exit(main())
