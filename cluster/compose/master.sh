#!/usr/bin/env bash
# StateFun's master, with the parallelism that uses every worker there is: Flink 1.16 cannot change it while the job runs
# (StateFun's cluster entry point has no reactive mode). With more workers than when it started: `docker compose restart master`. With fewer, its health
# check starts it again.
set -euo pipefail

slots=$(sed -n 's/^taskmanager\.numberOfTaskSlots: *//p' "$FLINK_HOME/conf/flink-conf.yaml" | tr -d '\r')
how=fixed
if [[ -z "${PARALLELISM:-}" ]]; then
  # As many as last time are waited for: after a restart of the machine all containers start at once.
  last=1
  [[ ! -s /tmp/workers ]] || read -r last </tmp/workers
  for ((left = 30; left > 0; left--)); do
    # Docker's DNS has an address for each worker that runs.
    workers=$(getent ahostsv4 worker | cut -d ' ' -f 1 | sort -u | wc -l) || workers=0
    ((workers < last)) || break
    sleep 1
  done
  ((workers == 0)) || echo "$workers" >/tmp/workers
  PARALLELISM=$(((workers > 0 ? workers : 1) * ${slots:-1}))
  echo "parallelism $PARALLELISM: $workers workers with ${slots:-1} slots each"
  how=counted
fi
# For health.sh.
echo "$PARALLELISM ${slots:-1} $how" >/dev/shm/parallelism

# Which generation of the job it is, and where that begins (job-start.ts). The first has the id that StateFun gives by itself.
generation=1 savepoint=
[[ ! -s $FLINK_HOME/lib/batching/generation ]] || read -r generation savepoint <"$FLINK_HOME/lib/batching/generation"
job=(--job-id "$(printf '%032x' $((generation - 1)))")
[[ -z $savepoint ]] || job+=(--fromSavepoint "$savepoint")
exec /docker-entry-point.sh "-Dparallelism.default=$PARALLELISM" "${job[@]}" "$@"
