"""The process in which a stranger's regular expression is matched. Standard library only: search.py starts it.

It reads a JSON value with `pattern` and `lines`, and prints the numbers of the lines in which the pattern is found.
"""

import json
import re
import resource
import sys

MOST_MEMORY = 512 * 2**20
MOST_CPU_S = 10


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    asked = json.load(sys.stdin)
    pattern = re.compile(asked["pattern"], re.IGNORECASE)
    print(json.dumps([number for number, line in enumerate(asked["lines"]) if pattern.search(line)]))


if __name__ == "__main__":
    main()
