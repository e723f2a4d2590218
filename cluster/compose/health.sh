#!/usr/bin/env bash
# The health check of each part in its container: asks it by its own protocol, and ends it when it hangs; then the engine starts it again.
#
#   health.sh PART PORT [PATH]
#
# What hangs is told as by the native cluster's watchdog (cluster/watchdog/hang-detector.ts; a spec compares them): not to answer says nothing by itself,
# what counts is what the part's processes do meanwhile. Nothing but bash and `sleep` is used: MinIO's image has no more.
LC_ALL=C
part=$1 port=$2 path=${3:-}

# How long an answer may take, and the last one before a part is ended for its silence, in seconds.
ANSWER_S=2
LATE_S=10
# So often in a row it was asked in vain.
MISSES=5
# Percent of one processor, on average over these: below it a part does nothing.
QUIET_PERCENT=3
# One that refuses connections, or has never answered, starts or ends. In seconds.
PATIENCE_S=120
# Of its own processor time, without an answer.
SPINS_S=60
# An answer that takes so much longer than it may says that this check was held up, and nothing of the part.
HELD_UP_CS=50
# A worker that is gone for so long is not taken to come back. In seconds.
GONE_S=30

# In memory, and gone with the container's run. Since the last answer: when and with which processor time that began, then each miss.
misses=/dev/shm/health-misses
answered=/dev/shm/health-answered
# Which parallelism master.sh has chosen, with how many slots for each worker, and whether that is `fixed` or `counted`.
chosen=/dev/shm/parallelism
# Since when there have been too few workers for it, and whether that was said.
lacking=/dev/shm/health-lacking

# What one asks, or waits for, before it answers itself: part, host and port of each.
others() {
  case $part in
    master) echo zookeeper zookeeper 2181 kafka kafka 9092 minio minio 9000 ;;
    balancer) echo functions function-servers 8000 ;;
  esac
}

# Asks a part at an address; says "well", "answer" (it lives, but is not well), "refusal", or nothing.
ask() { # part host port path
  local word status piece line
  { exec 3<>"/dev/tcp/$2/$3"; } 2>/dev/null || { echo refusal; return; }
  case $1 in
    zookeeper)
      printf ruok >&3
      IFS= read -r -d '' -n 4 word <&3
      [[ $word == imok ]] && echo well || { [[ -n $word ]] && echo answer; } ;;
    kafka)
      # Which versions it speaks, with "hang" as the request's number, which comes back.
      printf '\0\0\0\x0a\0\x12\0\0hang\xff\xff' >&3
      for _ in 1 2 3 4; do
        IFS= read -r -d '' piece <&3 || break
        [[ $piece == *hang* ]] && { echo well; return; }
      done ;;
    *)
      printf 'GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$4" "$2" "$3" >&3
      read -r _ status _ <&3
      [[ -n $status ]] || return
      if [[ $1 == master ]]; then
        # Well: the job runs, and each of its tasks. It need not close the connection.
        while IFS= read -r -t 0.5 line || [[ -n $line ]]; do
          [[ $line =~ \"state\":\"RUNNING\".*\"total\":([0-9]+),.*\"running\":([0-9]+), && ${BASH_REMATCH[1]} == "${BASH_REMATCH[2]}" ]] && { echo well; return; }
        done <&3
        echo answer
      elif [[ $status == 200 ]]; then echo well
      else echo answer; fi ;;
  esac
}

# Sets `heard` to what a part at an address says within so many seconds: a connection alone may take minutes.
hear() { # seconds part host port path
  exec 4< <(ask "${@:2}" 2>/dev/null)
  local asking=$!
  read -r -t "$1" -u 4 heard || heard=silence
  kill -KILL "$asking" 2>/dev/null
  exec 4<&-
}

# Whether one of those that this part waits for does not answer either.
waits_for_another() {
  local list=($(others)) heard path
  while ((${#list[@]})); do
    if [[ ${list[0]} == minio ]]; then path=/minio/health/live; else path=/healthz; fi
    # This one may be asked by that name.
    hear "$ANSWER_S" "${list[0]}" "${list[1]}" "${list[2]}" "$path"
    [[ $heard == well || $heard == answer ]] || return 0
    list=("${list[@]:3}")
  done
  return 1
}

# Sets `at`: now, in hundredths of a second since the machine began.
now() {
  local up
  read -r up _ </proc/uptime
  at=$((10#${up/./}))
}

# Sets what the part's processes do: `pids`; `cpu`, their processor time in hundredths of a second; `working`, whether a thread runs, or waits for a
# processor or a disk; `stopped`, whether one of them was stopped by a signal.
look() {
  local stat task text pid
  pids=() cpu=0 working=0 stopped=0
  for stat in /proc/[0-9]*/stat; do
    text=
    { IFS= read -r -d '' text <"$stat"; } 2>/dev/null
    pid=${stat%/stat} pid=${pid##*/}
    set -- ${text##*) }
    # The container's init, this check and what it has started, and what is left of one that has ended.
    [[ $# -lt 13 || $pid == 1 || $pid == "$$" || $2 == "$$" || $1 == [ZX] ]] && continue
    pids+=("$pid")
    cpu=$((cpu + ${12} + ${13}))
    for task in "${stat%/stat}"/task/*/stat; do
      text=
      { IFS= read -r -d '' text <"$task"; } 2>/dev/null
      text=${text##*) }
      [[ $text == [RDU]* ]] && working=1
      [[ $text == T* ]] && stopped=1
    done
  done
}

# Forgets what was seen so far.
forget() { : >"$misses"; }

# After a miss: sets `why` when the part hangs.
judge() { # silence or refusal
  local first_at first_cpu rest last_cpu times=0 line all_stopped=1 at_work=0 refused=0 begin_at begin_cpu
  why=
  { read -r first_at first_cpu && mapfile -t rest; } 2>/dev/null <"$misses"
  if [[ -n $first_at ]]; then
    line=(${rest[-1]})
    # One of its processes has ended: something happens.
    ((cpu < line[1])) && first_at=
  fi
  [[ -n $first_at ]] || { first_at=$at first_cpu=$cpu rest=(); }
  rest+=("$at $cpu $working $stopped $1")
  ((${#rest[@]} > MISSES)) && rest=("${rest[@]: -MISSES}")
  printf '%s\n' "$first_at $first_cpu" "${rest[@]}" >"$misses"

  if ((cpu - first_cpu >= SPINS_S * 100)); then
    why="it used $(((cpu - first_cpu + 50) / 100)) s of processor time, and answered nothing in $(((at - first_at + 50) / 100)) s"
    return
  fi
  ((${#rest[@]} == MISSES)) || return
  for line in "${rest[@]}"; do
    set -- $line
    [[ -n $begin_at ]] || { begin_at=$1 begin_cpu=$2; }
    at_work=$((at_work + $3))
    (($4)) || all_stopped=0
    [[ $5 == refusal ]] && refused=1
  done
  if ((all_stopped)); then
    why="it was stopped by a signal, and did not go on for $(((at - begin_at + 50) / 100)) s"
    return
  fi
  if waits_for_another; then forget; return; fi
  ((100 * (cpu - begin_cpu) < QUIET_PERCENT * (at - begin_at) && 2 * at_work <= MISSES)) || return
  [[ -e $answered ]] && ((!refused)) || ((at - first_at >= PATIENCE_S * 100)) || return
  hear "$LATE_S" "$part" 127.0.0.1 "$port" "$path"
  case $heard in
    well | answer) forget ;;
    *) why="it answered nothing for $(((at - first_at + 50) / 100)) s, and did nothing" ;;
  esac
}

# Says something where health is shown, and in the part's log.
say() {
  echo "$1"
  echo "$1" 2>/dev/null >>/proc/1/fd/2
}

# Ends the part, and says why. Only in a container that has an init: that ends with it, and can't be ended from within itself.
end() {
  local init
  read -r init </proc/1/comm
  [[ $init == docker-init ]] || return
  forget
  say "$1"
  kill -KILL "${pids[@]}"
}

# How many workers run: Docker's DNS has an address for each.
count_workers() { getent ahostsv4 worker | cut -d ' ' -f 1 | sort -u | wc -l; }

# For the master. The job has as many subtasks as the workers had slots when it started, and with fewer it would wait for ever: once they have been
# too few for a while, as after `--scale worker=1`, the master is started again with those that are left. Where that is of no use, it says what is.
fit_to_workers() { # well or answer
  local needs slots how since said workers there
  { read -r needs slots how <"$chosen"; } 2>/dev/null
  [[ $1 == answer && -n $how ]] || { : >"$lacking"; return; }
  workers=$(count_workers)
  ((workers * slots < needs)) || { : >"$lacking"; return; }
  { read -r since said <"$lacking"; } 2>/dev/null
  [[ -n $since ]] || { echo "$at" >"$lacking"; return; }
  ((at - since >= GONE_S * 100)) || return
  there="the job needs $needs slots, and for $(((at - since + 50) / 100)) s there have been $((workers * slots)), of $workers workers"
  if ((workers > 0)) && [[ $how == counted ]]; then
    # master.sh waits for no more.
    echo "$workers" >/tmp/workers
    look
    end "$there: the master is started again, and the job goes on with a parallelism of $((workers * slots))"
  elif [[ -z $said ]]; then
    echo "$since said" >"$lacking"
    say "error: $there: it waits. Start more: docker compose up --detach --scale worker=$(((needs + slots - 1) / slots))$([[ $how == fixed ]] && echo "; or leave PARALLELISM, which asks for as many, empty")"
  fi
}

check() {
  local heard began
  # While it is asked in vain, it is asked without a rest.
  [[ -s $misses ]] || eval "$HEALTH_PACE"
  now
  began=$at
  hear "$ANSWER_S" "$part" 127.0.0.1 "$port" "$path"
  case $heard in
    well | answer)
      : >"$answered"
      forget
      [[ $part != master ]] || fit_to_workers "$heard"
      [[ $heard == well ]]
      return ;;
  esac
  now
  look
  if ((${#pids[@]} == 0 || (at - began > ANSWER_S * 100 + HELD_UP_CS && !stopped))); then return 1; fi
  judge "$heard"
  [[ -z $why ]] || end "$part hangs, and is replaced: $why"
  return 1
}

check
