#!/bin/sh
# Install Debian's Prometheus and Alertmanager, with promtool and amtool, for the tests of what is deployed. Their services
# are not started. Quiet, and does nothing where all four are on the PATH. Ends with 1 and says why where it cannot.
set -eu

cannot() {
    echo "!!! PROMETHEUS AND ALERTMANAGER ARE NOT INSTALLED: $1" >&2
    echo "!!! tests/deploy skips what needs them; install prometheus, promtool, alertmanager and amtool on the PATH" >&2
    exit 1
}

complete() {
    command -v prometheus && command -v promtool && command -v amtool &&
        { command -v alertmanager || command -v prometheus-alertmanager; }
} >/dev/null 2>&1

complete && exit 0
command -v apt-get >/dev/null 2>&1 || cannot "there is no apt-get here"

# Never ask for a password in the midst of a test run.
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
else
    cannot "this needs root, or sudo without a password"
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made_policy=""
restore() {
    rm -f "$log"
    if [ -n "$made_policy" ]; then $as_root rm -f "$policy"; fi
}
trap restore EXIT
trap 'exit 1' HUP INT TERM

# A package starts its services unless the policy forbids it; one that is there already stays as it is.
if [ ! -e "$policy" ]; then
    made_policy=yes
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1
}

# The lists may be old and yet good enough, and no network is needed for what is in the cache.
apt install --no-install-recommends prometheus prometheus-alertmanager ||
    { apt update && apt install --no-install-recommends prometheus prometheus-alertmanager; } ||
    { tail -n 5 "$log" >&2; cannot "apt-get failed, see above"; }
complete || cannot "the packages lack one of the programs"
