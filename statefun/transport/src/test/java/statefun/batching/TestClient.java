package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.fail;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;

/** A client as StateFun has it, and what a test asks of it. */
final class TestClient implements AutoCloseable {
  static final long LIMIT_SECONDS = 60;
  private static final Set<String> TIMEOUTS = Set.of("call", "connect", "silence");

  final FakeMetrics metrics = new FakeMetrics();
  final Endpoint endpoint;
  final Map<String, CompletableFuture<FromFunction>> calls = new TreeMap<>();
  private final Map<String, AtomicInteger> completions = new TreeMap<>();
  private final BatchingClient client;

  TestClient(String url, Object... settings) {
    this(Endpoint.SINGLES_NANOS, url, settings);
  }

  TestClient(long singlesNanos, String url, Object... settings) {
    endpoint = new Endpoint(new Target(URI.create(url)), BatchingSpec.from(spec(settings)), singlesNanos);
    client = new BatchingClient(endpoint);
  }

  /** Names and values in turns; timeouts go to their map. */
  static ObjectNode spec(Object... settings) {
    ObjectNode spec = new ObjectMapper().createObjectNode();
    for (int at = 0; at < settings.length; at += 2) {
      String name = (String) settings[at];
      ObjectNode into = TIMEOUTS.contains(name) ? spec.with("timeouts") : spec;
      if (settings[at + 1] instanceof Integer) into.put(name, (int) settings[at + 1]);
      else into.put(name, (String) settings[at + 1]);
    }
    return spec;
  }

  CompletableFuture<FromFunction> call(String name) {
    AtomicInteger completed = new AtomicInteger();
    completions.put(name, completed);
    CompletableFuture<FromFunction> future = client.call(Messages.summary(name), metrics, Messages.call(name));
    future.whenComplete((reply, cause) -> completed.incrementAndGet());
    calls.put(name, future);
    return future;
  }

  void call(String prefix, int count) {
    for (int n = 0; n < count; n++) call(prefix + n);
  }

  /** Each call has its own answer, but for those named. */
  void assertAllAnswered(String... except) throws Exception {
    for (Map.Entry<String, CompletableFuture<FromFunction>> call : calls.entrySet()) {
      if (List.of(except).contains(call.getKey())) continue;
      assertEquals(call.getKey(), Messages.name(call.getValue().get(LIMIT_SECONDS, TimeUnit.SECONDS)));
      // What waits for an answer is told a moment after it is there.
      eventually(call.getKey() + " is told once", () -> completions.get(call.getKey()).get() == 1);
    }
  }

  Throwable failure(String name) {
    return assertThrows(ExecutionException.class, () -> calls.get(name).get(LIMIT_SECONDS, TimeUnit.SECONDS)).getCause();
  }

  /** All that a failure says, its causes' words included. */
  static String said(Throwable failure) {
    List<String> lines = new ArrayList<>();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) lines.add(cause.toString());
    return String.join(" / ", lines);
  }

  static void eventually(String what, BooleanSupplier holds) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
    while (!holds.getAsBoolean()) {
      if (System.nanoTime() > end) fail("never: " + what);
      Thread.sleep(5);
    }
  }

  @Override
  public void close() {
    endpoint.shutDown();
  }
}
