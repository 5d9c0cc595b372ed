"""`python -m fourm_tui` is `fourm-tui`."""

import sys

from fourm_tui.cli import main

sys.exit(main())
