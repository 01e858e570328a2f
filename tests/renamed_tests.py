"""Maps each test of release 0.1.0 to its present name, and checks that none is missing.

    cargo nextest list --workspace --message-format oneline | python3 tests/renamed_tests.py

tests/renamed_tests.tsv has a line for each test: binary and path in 0.1.0, binary and path now
(`-` if it is removed), and the reason of a removal. Cases of a parametrized test are one line.
"""

import csv
import re
import sys

present = {re.sub(r"::case_\d+\S*$", "", line.strip()) for line in sys.stdin}
with open("tests/renamed_tests.tsv", newline="") as file:
    rows = [row + [""] * (3 - len(row)) for row in csv.reader(file, delimiter="\t")]

removed = [row for row in rows if row[1] == "-"]
missing = [row for row in rows if row[1] != "-" and row[1] not in present]
renamed = [row for row in rows if row[1] not in ("-", row[0])]
print(f"{len(rows)} tests, {len(renamed)} renamed or moved, {len(removed)} removed")
for name, _, reason in removed:
    print(f"removed: {name}: {reason}")
for name, new, _ in missing:
    print(f"missing: {name} -> {new}")
sys.exit(1 if missing else 0)
