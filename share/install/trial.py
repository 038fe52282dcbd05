"""What install.sh tries new code with: a guest arrives at an empty host, in a process like the hook's.

usage: python3 -I -S trial.py CODE POLICY ROOT <DOMAIN
"""

import sys

code, policy, root = sys.argv[1:]
sys.path.insert(0, code)

from libhooks import client  # noqa: E402

# Like the hook, this starts without site-packages: where lxml is must be found out the hook's way.
sys.path.extend(client.package_directories())

from libhooks import inline  # noqa: E402
from libhooks.door import Settings  # noqa: E402
from libhooks.event import Event, Operation  # noqa: E402

inline.main(Event("trial", Operation.MIGRATE), Settings(policy, "trial", root))
