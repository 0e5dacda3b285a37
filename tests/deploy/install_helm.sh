#!/bin/sh
# Install what tests/deploy/test_{helm,compose,image}.py check with, into a virtual environment:
# tests/deploy/install_helm.sh VENV
# Helm is compiled, which takes some minutes the first time. Quiet, and does nothing where all is there.
set -eu
helm=v3.22.0
operator=v0.79.2

venv=$(cd "$1" && pwd)
root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$venv/deploy

cannot() {
    echo "!!! HELM IS NOT INSTALLED: $1; chart, image and compose file are checked only in part" >&2
    exit 1
}

[ -e "$tools/ready-$helm-$operator" ] && exit 0
command -v go >/dev/null 2>&1 || cannot "there is no go here"
mkdir -p "$tools/crds"
GOBIN=$tools go install -trimpath -ldflags="-s -w" "helm.sh/helm/v3/cmd/helm@$helm" 2>"$tools/log" ||
    { tail -n 5 "$tools/log" >&2; cannot "go install failed, see above"; }
# The custom resources that the chart may make: their schemas are in the source of the operator.
source=$(cd "$tools" && go mod download -json "github.com/prometheus-operator/prometheus-operator@$operator" |
    sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p')
for kind in podmonitors servicemonitors prometheusrules; do
    cp "$source/example/prometheus-operator-crd/monitoring.coreos.com_$kind.yaml" "$tools/crds/$kind.yaml" ||
        cannot "the schema of $kind is missing"
done
chmod u+w "$tools/crds/"*
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes \
    -r "$root/requirements/deploy.txt" || cannot "pip failed"
touch "$tools/ready-$helm-$operator"
