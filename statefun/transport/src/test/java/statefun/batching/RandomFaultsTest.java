package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that does everything wrong, now and then: whatever comes, each call gets its own answer. */
@Timeout(240)
class RandomFaultsTest {
  private static final Logger LEAKS = Logger.getLogger("org.apache.flink.shaded.netty4.io.netty.util.ResourceLeakDetector");

  private static void misbehave(FakeServer.Request request, Random random) throws Exception {
    List<FakeServer.Frame> calls = new ArrayList<>(request.calls);
    Collections.shuffle(calls, random);
    int kind = random.nextInt(100);
    if (kind < 60) {
      for (FakeServer.Frame call : calls) request.result(call);
      request.end();
      return;
    }
    if (kind < 64) request.status(new int[] {400, 404, 413, 429, 500, 503}[random.nextInt(6)], "at random");
    else if (kind < 66) request.start("text/html", "");
    else if (kind < 68) request.write("noise\r\n\r\n".getBytes());
    if (kind < 68) {
      if (kind >= 64) request.hangUp();
      return;
    }
    int answered = random.nextInt(calls.size() + 1);
    for (FakeServer.Frame call : calls.subList(0, answered)) {
      if (random.nextInt(20) == 0) request.error(call, 500, "at random");
      else request.result(call);
      if (random.nextInt(20) == 0) request.alive();
    }
    if (kind < 72) request.hangUp();
    else if (kind < 76) request.reset();
    else if (kind < 80) request.end();
    else if (kind < 84) request.frame(9, 0, new byte[random.nextInt(20)]);
    else if (kind < 88) {
      request.write("ff\r\nshort".getBytes());
      request.hangUp();
    } else if (kind < 90) request.stayByTheClient();
    else {
      for (FakeServer.Frame call : calls.subList(answered, calls.size())) request.result(call);
      request.end();
      if (kind < 96) request.hangUp();
    }
    if (kind >= 80 && kind < 84) request.hangUp();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void eachCallGetsItsOwnAnswerOnce(long seed) throws Exception {
    ConcurrentLinkedQueue<String> leaks = new ConcurrentLinkedQueue<>();
    Handler noted =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            leaks.add(line.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    LEAKS.addHandler(noted);
    Random random = new Random(seed);
    FakeServer server =
        new FakeServer(
            request -> {
              Random own;
              synchronized (random) {
                own = new Random(random.nextLong());
              }
              try {
                misbehave(request, own);
              } catch (java.io.IOException | RuntimeException thrown) {
                throw thrown;
              } catch (Exception thrown) {
                throw new java.io.IOException(thrown);
              }
            });
    server.single =
        request -> {
          int kind;
          synchronized (random) {
            kind = random.nextInt(20);
          }
          if (kind == 0) request.hangUp();
          else if (kind == 1) request.status(500, "at random");
          else request.answerSingle();
        };
    try (server;
        TestClient client = new TestClient(TimeUnit.MILLISECONDS.toNanos(20), server.url(), "silence", "500ms", "max_batch_calls", 100, "max_requests", 6)) {
      for (int round = 0; round < 5; round++) {
        client.call("round-" + round + "-", 1_000);
        client.assertAllAnswered();
      }
      assertEquals(0, client.metrics.count("batchingQueued"));
      assertEquals(0, client.endpoint.waiting());
      assertTrue(client.metrics.count("batchingFailures") > 0);
      assertTrue(server.mostOpen.get() <= 6 + 2, () -> server.mostOpen.get() + " connections");
    } finally {
      System.gc();
      LEAKS.removeHandler(noted);
    }
    assertTrue(leaks.isEmpty(), leaks::toString);
  }
}
