#!/bin/sh
# Make the secrets that deploy/compose.yaml mounts, each where there is none yet: deploy/secrets.sh [DIRECTORY]
# Compose mounts a file with the rights that it has here, and no container runs as you: so each file can be read by all,
# and the directory by you alone.
set -eu
here=$(dirname "$0")
folder=${1:-$here/secrets}
umask 077
mkdir -p "$folder"
chmod 700 "$folder"
for name in github grafana-admin; do
    file="$folder/$name"
    if [ -e "$file" ]; then continue; fi
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$file.new"
    chmod 444 "$file.new"
    mv "$file.new" "$file"
    echo "made $file"
done

# What reaches Slack, a mail server or whoever is on call, only you can know.
mkdir -p "$folder/alertmanager"
chmod 755 "$folder/alertmanager"
for name in $(sed -n 's|.*/etc/alertmanager/secrets/\([A-Za-z0-9._-]*\).*|\1|p' "$here/alertmanager/alertmanager.yml" | sort -u); do
    if [ ! -e "$folder/alertmanager/$name" ]; then echo "to be written by you (mode 444): $folder/alertmanager/$name"; fi
done
