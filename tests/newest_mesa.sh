#!/usr/bin/env bash
# The same worlds, byte for byte, on the newest Mesa and Python 3.12 or later as on this project's own environment, warnings as errors.
# Says so and passes where no such Python is found.
set -eu
cd "$(dirname "$0")/.."

find_python() {
    local pyenv_pythons=("${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3)
    for python in python3.14 python3.13 python3.12 "${pyenv_pythons[@]}" python3; do
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
            command -v "$python"
            return
        fi
    done
}

python=$(find_python)
if [ -z "$python" ]; then
    echo "newest Mesa: not checked, no Python 3.12 or later found"
    exit 0
fi
environment=.cache/newest-mesa
if [ ! -e "$environment/.installed" ] || [ requirements.lock -nt "$environment/.installed" ]; then
    rm -rf "$environment"
    "$python" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
    touch "$environment/.installed"
fi
# The checkout's parent holds no package named seawall; a link to the checkout does.
ln -sfn "$PWD" "$environment/seawall"
scenarios="tests/scenarios/storm.yaml tests/scenarios/flood.yaml tests/scenarios/surge.yaml tests/scenarios/gale.yaml scenarios/short_squeeze.yaml"
# shellcheck disable=SC2086
newest=$(PYTHONPATH=$environment "$environment/bin/python" -W error tests/print_digest.py $scenarios)
# shellcheck disable=SC2086
ours=$(.venv/bin/python -W error tests/print_digest.py $scenarios)
"$environment/bin/python" -c 'import mesa, sys; print("newest Mesa:", mesa.__version__, "on Python", sys.version.split()[0])'
[ "$newest" = "$ours" ] || { echo "newest Mesa: worlds differ"; echo "$newest"; echo "$ours"; exit 1; }
echo "newest Mesa: the same worlds, byte for byte"
