package statefun.batching;

import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.util.TimeUtils;

/**
 * The settings below {@code spec.transport}. Those that the asynchronous transport also has bear the same names, so that switching
 * from one to the other only takes a change of {@code type}.
 */
final class BatchingSpec {
  private static final Set<String> KNOWN =
      Set.of("type", "requests_in_flight", "max_requests", "max_batch_calls", "max_batch_bytes", "max_connection_age", "timeouts",
          "call", "connect", "payload_max_bytes", "trust_cacerts", "client_cert", "client_key", "client_key_password");
  /** Settings of the asynchronous transport that have no use here. */
  private static final Set<String> UNUSED = Set.of("pool_size", "pool_ttl");
  private static final Set<String> KNOWN_TIMEOUTS = Set.of("call", "connect", "silence", "read", "write");
  private static final Duration SHORTEST = Duration.ofMillis(1);
  /** In milliseconds it still fits Netty's integers. */
  private static final Duration LONGEST = Duration.ofDays(20);

  /** How many requests of a subtask are under way at once; calls that become ready meanwhile form the next batch. */
  final int requestsInFlight;
  /** The most requests and connections of a subtask, including those that are slow to answer. */
  final int maxRequests;
  final int maxBatchCalls;
  /** The largest request body. A single call that is larger goes alone. */
  final int maxBatchBytes;
  /** The largest reply to a call. */
  final int maxReplyBytes;
  /** A connection is closed after this, so that new servers get their share and names are looked up again. */
  final Duration maxConnectionAge;
  /** How long a call may take from its first sending to its answer, over all attempts; and how long servers may be unreachable. */
  final Duration callTimeout;
  final Duration connectTimeout;
  /** A server that sends nothing for this long, not even that it is alive, is no longer working on the request. */
  final Duration silenceTimeout;
  /** Names of files, or of resources with {@code classpath:} before them; null: not given. */
  final String trustCaCerts;
  final String clientCert;
  final String clientKey;
  final String clientKeyPassword;

  private BatchingSpec(ObjectNode json) {
    requestsInFlight = number(json, "requests_in_flight", 2, 1, 64);
    maxRequests = number(json, "max_requests", Math.max(8, requestsInFlight), requestsInFlight, 1024);
    maxBatchCalls = number(json, "max_batch_calls", 256, 1, 65_536);
    maxBatchBytes = number(json, "max_batch_bytes", 1024 * 1024, 1024, 256 * 1024 * 1024);
    maxReplyBytes = number(json, "payload_max_bytes", 32 * 1024 * 1024, 1024, 1024 * 1024 * 1024);
    maxConnectionAge = duration(json, "max_connection_age", Duration.ofSeconds(30));
    JsonNode timeouts = json.path("timeouts");
    callTimeout = duration(timeouts, "call", duration(json, "call", Duration.ofMinutes(1)));
    connectTimeout = duration(timeouts, "connect", duration(json, "connect", Duration.ofSeconds(5)));
    silenceTimeout = duration(timeouts, "silence", Duration.ofSeconds(5));
    trustCaCerts = text(json, "trust_cacerts");
    clientCert = text(json, "client_cert");
    clientKey = text(json, "client_key");
    clientKeyPassword = text(json, "client_key_password");
    if ((clientCert == null) != (clientKey == null)) {
      throw new IllegalArgumentException("spec.transport: client_cert and client_key belong together; one of them is missing");
    }
  }

  /** @throws IllegalArgumentException that names the wrong setting, and what it may be */
  static BatchingSpec from(ObjectNode json) {
    refuseUnknown(json, KNOWN, "spec.transport");
    JsonNode timeouts = json.path("timeouts");
    if (!timeouts.isMissingNode() && !timeouts.isObject()) throw new IllegalArgumentException("spec.transport.timeouts must be a map");
    refuseUnknown(timeouts, KNOWN_TIMEOUTS, "spec.transport.timeouts");
    return new BatchingSpec(json);
  }

  private static void refuseUnknown(JsonNode json, Set<String> known, String where) {
    for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      if (!known.contains(name) && !UNUSED.contains(name)) {
        throw new IllegalArgumentException(where + " has no setting " + name + ": there are " + String.join(", ", new TreeSet<>(known)));
      }
    }
  }

  private static int number(JsonNode json, String name, int otherwise, int least, int most) {
    JsonNode value = json.path(name);
    if (value.isMissingNode()) return otherwise;
    if (!value.canConvertToInt() || !value.isIntegralNumber() || value.intValue() < least || value.intValue() > most) {
      throw new IllegalArgumentException("spec.transport: " + name + " must be a whole number from " + least + " to " + most + ", not " + value);
    }
    return value.intValue();
  }

  private static Duration duration(JsonNode json, String name, Duration otherwise) {
    JsonNode value = json.path(name);
    if (value.isMissingNode()) return otherwise;
    try {
      Duration parsed = TimeUtils.parseDuration(value.asText());
      if (parsed.compareTo(SHORTEST) >= 0 && parsed.compareTo(LONGEST) <= 0) return parsed;
    } catch (IllegalArgumentException malformed) {
      // Reported below.
    }
    throw new IllegalArgumentException("spec.transport: " + name + " must be a duration from 1ms to 20d, such as 40s, not " + value);
  }

  private static String text(JsonNode json, String name) {
    JsonNode value = json.path(name);
    return value.isMissingNode() || value.isNull() ? null : value.asText();
  }
}
