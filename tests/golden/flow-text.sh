#!/bin/bash
# Flows in, text out: flow-print (as ovs-ofctl prints them) and flow-errors (the line, and the caret under the fault).
# UPDATE=1 writes the expected files anew; read the difference before you commit it.
here=$(cd "$(dirname "$0")" && pwd)
for t in flow-print flow-errors; do
    if [ -n "${UPDATE:-}" ]; then
        "${XVS_BUILDDIR:-.}/tests/golden/flow-text" <"$here/$t.in" >"$here/$t.expected"
    else
        "${XVS_BUILDDIR:-.}/tests/golden/flow-text" <"$here/$t.in" | diff -u "$here/$t.expected" - || exit 1
    fi
done
