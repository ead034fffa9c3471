# Sourced by the other scripts: from a bare machine with Python 3.11+ and git to a ready virtual environment.
#
#   bootstrap     sets REPOSITORY (its root) and VENV_PYTHON (the interpreter of .venv-<major.minor> in it)
#
# The interpreter is $HTTPX_PYTHON or $PYTHON (a version such as 3.12, a command, or a path) when set; else the first
# of python3.13, 3.12, 3.14, 3.11 and python3 on PATH that really is Python 3.11 or newer; else the newest that pyenv has.
# The package (editable) and the `dev` dependency group are installed again only when what decides them has changed.

REPOSITORY="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

_fail() {
    printf 'error: %s\n' "$1" >&2
    shift
    (($# == 0)) || printf '       %s\n' "$@" >&2
    exit 1
}

# Print the path of the interpreter behind a command, or fail if it is none, or older than 3.11.
# (A pyenv shim may be on PATH and still start nothing: only running it tells.)
_suitable() {
    "$1" -c 'import sys; sys.version_info >= (3, 11) or sys.exit(1); print(sys.executable)' 2>/dev/null
}

_pyenv_pythons() { # newest first, of version $1 (default: any 3.x)
    command -v pyenv >/dev/null || return 0
    ls -d "$(pyenv root)/versions/${1:-3}."*/bin/python 2>/dev/null | sort -V -r
}

# Print the interpreter for a request such as "3.12", "python3.12" or "/opt/python/bin/python".
_requested_python() {
    local candidate
    if [[ "$1" =~ ^3\.[0-9]+$ ]]; then
        for candidate in "python$1" $(_pyenv_pythons "$1"); do
            _suitable "$candidate" && return
        done
        return 1
    fi
    _suitable "$1"
}

_any_python() {
    local candidate
    for candidate in python3.13 python3.12 python3.14 python3.11 python3 $(_pyenv_pythons); do
        _suitable "$candidate" && return
    done
    return 1
}

# Print the interpreter to use, or say what to do.
find_python() {
    local requested="${HTTPX_PYTHON:-${PYTHON:-}}"
    if [[ -n "$requested" ]]; then
        _requested_python "$requested" || _fail "'$requested' is not a Python 3.11 or newer that can be found and started." \
            "Set PYTHON to a version (3.13), a command or a path, or unset it to take the first one found."
    else
        _any_python || _fail "No Python 3.11 or newer found (on PATH, or under pyenv)." \
            "Install one, for example 'apt-get install python3 python3-venv', or set PYTHON to its path."
    fi
}

# Run a step of the installation; its output is shown only if it fails.
_quietly() {
    local meaning="$1" log="$VENV/install.log"
    shift
    "$@" >"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    _fail "$meaning failed; its output is above."
}

# What decides the content of the environment: a change in any of it means installing again.
_fingerprint() {
    cd "$REPOSITORY"
    {
        echo "$1 $REPOSITORY"
        cat pyproject.toml src/httpx/__version__.py scripts/_bootstrap.sh
    } | cksum
}

# An environment made by another interpreter, or whose interpreter is gone, is made anew.
_create_environment() {
    [[ "$(cat "$VENV/interpreter" 2>/dev/null)" != "$1" ]] || ! "$VENV_PYTHON" -m pip --version >/dev/null 2>&1 || return 0
    find "$VENV" -mindepth 1 -maxdepth 1 ! -name lock -exec rm -rf {} +
    _quietly "Creating the virtual environment (on Debian: apt-get install python3-venv)" "$1" -m venv "$VENV"
    echo "$1" >"$VENV/interpreter"
}

_install() {
    local python="$1" seconds=$SECONDS
    echo "Setting up $(basename "$VENV") with $("$python" --version) ..." >&2
    rm -f "$VENV/installed"
    _create_environment "$python"
    _quietly "Upgrading pip" "$VENV_PYTHON" -m pip install --upgrade 'pip>=25.1'
    _quietly "Installing the package and its developer tools" \
        "$VENV_PYTHON" -m pip install --upgrade --group "$REPOSITORY/pyproject.toml:dev" --editable "$REPOSITORY"
    echo "... done in $((SECONDS - seconds)) s." >&2
}

bootstrap() {
    local python fingerprint
    python="$(find_python)" || exit 1
    VENV="$REPOSITORY/.venv-$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    VENV_PYTHON="$VENV/bin/python"
    fingerprint="$(_fingerprint "$python")"
    mkdir -p "$VENV"
    exec 9>"$VENV/lock" # two scripts started at once: the second waits for the first one's installation
    ! command -v flock >/dev/null || flock 9
    if [[ "$(cat "$VENV/installed" 2>/dev/null)" != "$fingerprint" ]] || ! "$VENV_PYTHON" -c '' 2>/dev/null; then
        _install "$python"
        echo "$fingerprint" >"$VENV/installed"
    fi
    exec 9>&-
}
