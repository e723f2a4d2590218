#!/usr/bin/env bash
# As in the official image, what is not the program's name is an argument of it.
if [[ ${1:-} != minio ]]; then set -- minio "$@"; fi
exec "$@"
