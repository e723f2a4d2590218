# Flink's scripts are on no package registry. As they do, these ask Flink's own code for the memory options.
set -euo pipefail
conf=${FLINK_CONF_DIR:-$FLINK_HOME/conf}
export FLINK_CONF_DIR=$conf FLINK_LIB_DIR=$FLINK_HOME/lib FLINK_PLUGINS_DIR=${FLINK_PLUGINS_DIR:-$FLINK_HOME/plugins}
result=BASH_JAVA_UTILS_EXEC_RESULT:
# Every jar below lib, as Flink's scripts find them.
classpath=$(find -L "$FLINK_HOME/lib" -name '*.jar' | sort | paste -sd:)
log4j=-Dlog4j.configurationFile=file:$conf/log4j-console.properties

setting() { sed -n "s/^$1: *//p" "$conf/flink-conf.yaml" | tail -n 1 | tr -d '\r'; }

# run <memory command> <setting with Java options> <class> start-foreground [arguments]
run() {
  local memory=$1 options=$2 class=$3
  [[ ${4:-} == start-foreground ]] || { echo "only start-foreground is there" >&2; exit 1; }
  shift 4
  local jvm dynamic
  local answer
  answer=$(java -Xmx64m -XX:TieredStopAtLevel=1 -cp "$classpath" org.apache.flink.runtime.util.bash.BashJavaUtils "$memory" --configDir "$conf" "$@" 2>&1) || { echo "$answer" >&2; exit 1; }
  jvm=$(sed -n "s/^$result//p" <<<"$answer" | sed -n 1p)
  dynamic=$(sed -n "s/^$result//p" <<<"$answer" | sed -n 2p)
  # Unquoted on purpose: each is a list of options.
  # shellcheck disable=SC2046,SC2086
  exec java $jvm $(setting 'env\.java\.opts') $(setting "${options//./\\.}") "$log4j" -cp "$classpath" "$class" --configDir "$conf" "$@" $dynamic
}
