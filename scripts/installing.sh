# Functions for the scripts that install what is missing; to be sourced.

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# debian_packages PACKAGE…: installs packages of Debian.
debian_packages() {
    as_root apt-get update -qq
    DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# python_venv REQUIREMENTS DIRECTORY: makes a virtual environment with exactly these requirements, unless it is there.
python_venv() {
    cmp -s "$1" "$2/requirements.txt" && return
    python3 -c 'import venv, ensurepip' 2>/dev/null || debian_packages python3 python3-venv
    rm -rf "$2"
    python3 -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check --requirement "$1"
    cp "$1" "$2/requirements.txt"
}
