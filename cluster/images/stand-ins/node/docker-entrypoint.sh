#!/bin/sh
set -e
# As in the official image, an option or what is no command is node's.
if [ "${1#-}" != "$1" ] || [ -z "$(command -v "$1")" ]; then set -- node "$@"; fi
exec "$@"
