package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class EndpointTest {
  private final FakeServer server = new FakeServer(FakeServer.Request::answerAll);
  private final List<AutoCloseable> others = new ArrayList<>();

  private TestClient client(Object... settings) {
    return opened(new TestClient(server.url(), settings));
  }

  private <T extends AutoCloseable> T opened(T other) {
    others.add(other);
    return other;
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable other : others) other.close();
    server.close();
  }

  /** Keeps a request, alive, until a test lets it go. */
  private static void hold(FakeServer.Request request, CountDownLatch until) throws IOException {
    try {
      while (!until.await(200, TimeUnit.MILLISECONDS)) request.alive();
    } catch (InterruptedException cause) {
      throw new IOException(cause);
    }
  }

  private static void pause(long ms) throws IOException {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException cause) {
      throw new IOException(cause);
    }
  }

  /** Submits while a request is held, so that all of them go with the next. */
  private void inOneGo(TestClient client, String prefix, int count) throws Exception {
    FakeServer.Handler after = server.handler;
    CountDownLatch go = new CountDownLatch(1);
    server.handler =
        request -> {
          if (request.names().contains("first")) {
            hold(request, go);
            request.answerAll();
          } else after.handle(request);
        };
    client.call("first");
    TestClient.eventually("the first is there", () -> server.sent("first") == 1);
    client.call(prefix, count);
    go.countDown();
  }

  private int largestRequest() {
    return server.requests.stream().mapToInt(request -> request.calls.size()).max().orElse(0);
  }

  // ---- answers

  @Test
  void answersGoToTheirCallsInWhateverOrderTheyCome() throws Exception {
    Random random = new Random(1);
    server.handler =
        request -> {
          List<FakeServer.Frame> shuffled = new ArrayList<>(request.calls);
          synchronized (random) {
            Collections.shuffle(shuffled, random);
          }
          for (FakeServer.Frame call : shuffled) request.result(call);
          // What nobody asked, and what was answered already, concerns nobody.
          request.frame(0, 1_000_000, Messages.reply("nobody").toByteArray());
          request.frame(0, -1, Messages.reply("nobody").toByteArray());
          request.frame(0, shuffled.get(0).id, Messages.reply("somebody else").toByteArray());
          request.end();
        };
    TestClient client = client();
    client.call("call-", 2_000);
    client.assertAllAnswered();
    for (String name : client.calls.keySet()) assertEquals(1, server.sent(name));
  }

  // ---- batches and their bounds

  @Test
  void whatComesWhileRequestsAreOnTheirWayIsTheNextBatch() throws Exception {
    TestClient client = client("requests_in_flight", 1, "max_requests", 1);
    inOneGo(client, "next-", 100);
    client.assertAllAnswered();
    assertEquals(2, server.requests.size());
    assertEquals(100, largestRequest());
    assertEquals(1, server.connections.get());
  }

  @Test
  void oneCallOpensOneConnection() throws Exception {
    TestClient client = client();
    client.call("call");
    client.assertAllAnswered();
    client.close();
    TestClient.eventually("all connections are closed", () -> server.open.get() == 0);
    assertEquals(1, server.connections.get());
  }

  @Test
  void atRestACallGoesAtOnceAlone() throws Exception {
    TestClient client = client("requests_in_flight", 1, "max_requests", 1);
    for (int n = 0; n < 5; n++) {
      client.call("call-" + n);
      client.assertAllAnswered();
    }
    assertEquals(5, server.requests.size());
    assertEquals(1, server.connections.get());
  }

  @Test
  void noRequestHasMoreCallsThanTheSettingSays() throws Exception {
    TestClient client = client("max_batch_calls", 7, "max_requests", 3, "requests_in_flight", 3);
    client.call("call-", 500);
    client.assertAllAnswered();
    assertTrue(largestRequest() <= 7);
    assertTrue(server.mostInFlight.get() <= 3);
    assertTrue(server.mostOpen.get() <= 3);
  }

  @Test
  void noRequestHasMoreBytesThanTheSettingSaysButForASingleLargeCall() throws Exception {
    TestClient client = client("max_batch_bytes", 1024);
    String large = "large-" + "x".repeat(3_000);
    client.call("a-", 100);
    client.call(large);
    client.call("b-", 100);
    client.assertAllAnswered();
    for (FakeServer.Request request : server.requests) {
      if (request.names().contains(large)) assertEquals(1, request.calls.size());
      else assertTrue(request.bodyBytes <= 1024, () -> request.bodyBytes + " bytes");
    }
  }

  @Test
  void theServersLimitsHoldFromItsFirstAnswerOn() throws Exception {
    server.headers = "statefun-batch-max-calls: 5\r\nstatefun-batch-max-bytes: 200\r\n";
    TestClient client = client();
    client.call("first");
    client.assertAllAnswered();
    client.call("next-", 200);
    client.assertAllAnswered();
    assertTrue(largestRequest() <= 5);
    assertTrue(server.requests.stream().allMatch(request -> request.bodyBytes <= 200));
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-3", "many", "99999999999"})
  void limitsThatMakeNoSenseAreIgnored(String limit) throws Exception {
    server.headers = "statefun-batch-max-calls: " + limit + "\r\nstatefun-batch-max-bytes: " + limit + "\r\n";
    TestClient client = client();
    client.call("first");
    client.assertAllAnswered();
    client.call("next-", 50);
    client.assertAllAnswered();
  }

  @Test
  void restoredCallsAreSentBoundedAndNoneRunsOutOfTime() throws Exception {
    TestClient client = client("max_requests", 2, "max_batch_calls", 256);
    client.call("call-", 20_000);
    client.assertAllAnswered();
    assertTrue(server.mostCallsInFlight.get() <= 2 * 256);
    assertTrue(server.requests.size() <= 400, () -> server.requests.size() + " requests");
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @Test
  void aSlowCallDoesNotHoldTheOthersUp() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    server.handler =
        request -> {
          if (request.names().contains("slow")) hold(request, go);
          request.answerAll();
        };
    TestClient client = client("requests_in_flight", 1);
    long began = System.nanoTime();
    client.call("slow");
    TestClient.eventually("the slow one is there", () -> server.sent("slow") == 1);
    client.call("quick-", 50);
    client.assertAllAnswered("slow");
    assertFalse(client.calls.get("slow").isDone());
    FakeServer.Request second = server.requests.stream().skip(1).findFirst().orElseThrow();
    assertTrue(second.atNanos - began >= TimeUnit.MILLISECONDS.toNanos(250), "another request went before the first was stuck");
    go.countDown();
    client.assertAllAnswered();
    assertEquals(1, server.sent("slow"));
  }

  // ---- deadlines

  @Test
  void deadlinesBeginAtTheFirstSending() throws Exception {
    server.handler =
        request -> {
          pause(400);
          request.answerAll();
        };
    TestClient client = client("requests_in_flight", 1, "max_requests", 1, "max_batch_calls", 1, "call", "2s");
    client.call("call-", 6);
    client.assertAllAnswered();
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @Test
  void aCallThatIsNeverAnsweredFailsAtItsDeadlineAndTheOthersDoNot() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    server.handler =
        request -> {
          for (FakeServer.Frame call : request.calls) if (!call.name.equals("never")) request.result(call);
          if (request.names().contains("never")) hold(request, never);
          request.end();
        };
    TestClient client = client("call", "3s");
    long began = System.nanoTime();
    client.call("before-", 20);
    client.call("never");
    client.call("after-", 20);
    client.assertAllAnswered("never");
    Throwable failure = client.failure("never");
    assertTrue(System.nanoTime() - began >= TimeUnit.SECONDS.toNanos(3));
    assertInstanceOf(TimeoutException.class, failure);
    assertTrue(failure.getMessage().contains(server.url()), failure.getMessage());
    TestClient.eventually("its connection is given up", () -> server.inFlight.get() == 0);
    assertEquals(1, server.sent("never"));
    assertEquals(1, client.metrics.count("batchingFailures"));
  }

  @Test
  void aSilentServersCallsGoAgainOverAnotherConnection() throws Exception {
    server.handler =
        request -> {
          if (server.requests.size() == 2) {
            request.result(request.calls.get(0));
            request.stayByTheClient();
          } else request.answerAll();
        };
    TestClient client = client("silence", "1s", "requests_in_flight", 1, "max_requests", 1);
    inOneGo(client, "call-", 10);
    client.assertAllAnswered();
    assertEquals(2, server.connections.get());
    assertEquals(1, server.sent("call-0"));
    assertEquals(2, server.sent("call-9"));
  }

  @Test
  void aliveFramesKeepASlowRequestGoing() throws Exception {
    server.handler =
        request -> {
          request.start();
          for (long began = System.nanoTime(); System.nanoTime() - began < TimeUnit.MILLISECONDS.toNanos(3_500); ) {
            pause(200);
            request.alive();
          }
          request.answerAll();
        };
    TestClient client = client("silence", "2s");
    client.call("slow");
    client.assertAllAnswered();
    assertEquals(1, server.sent("slow"));
  }

  // ---- failures

  @Test
  void anErrorConcernsItsCallAlone() throws Exception {
    AtomicInteger times = new AtomicInteger();
    server.handler =
        request -> {
          for (FakeServer.Frame call : request.calls) {
            if (call.name.equals("bad") && times.incrementAndGet() <= 3) request.error(call, 500, "not today");
            else request.result(call);
          }
          request.end();
        };
    TestClient client = client();
    client.call("a-", 20);
    client.call("bad");
    client.call("b-", 20);
    client.assertAllAnswered();
    assertEquals(4, server.sent("bad"));
    for (String name : client.calls.keySet()) if (!name.equals("bad")) assertEquals(1, server.sent(name));
    assertEquals(3, client.metrics.count("batchingFailures"));
    assertEquals(3, client.metrics.invocationFailures.get());
    assertEquals(3, client.metrics.count("batchingRetries"));
  }

  @Test
  void anErrorThatStaysFailsTheCallAtItsDeadlineAndSaysWhat() throws Exception {
    server.handler =
        request -> {
          for (FakeServer.Frame call : request.calls) request.error(call, 500, "out of order");
          request.end();
        };
    TestClient client = client("call", "1s");
    client.call("bad");
    String said = TestClient.said(client.failure("bad"));
    assertTrue(said.contains("500: out of order"), said);
    // 10, 20, 40 ms and so on: with pauses that did not grow it would be a hundred.
    assertTrue(server.sent("bad") <= 9, () -> server.sent("bad") + " times");
  }

  @Test
  void callsThatFailedByThemselvesGoAgainTogether() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    server.handler =
        request -> {
          for (FakeServer.Frame call : request.calls) {
            if (broken.get()) request.error(call, 500, "the database is away");
            else request.result(call);
          }
          request.end();
        };
    TestClient client = client();
    client.call("call-", 2_000);
    TestClient.eventually("all have failed", () -> client.calls.keySet().stream().allMatch(name -> server.sent(name) > 0));
    broken.set(false);
    int before = server.requests.size();
    client.assertAllAnswered();
    assertTrue(server.requests.size() - before < 1_000, () -> server.requests.size() - before + " requests");
  }

  @ParameterizedTest
  @ValueSource(strings = {"reset", "hung up", "truncated chunk", "calls missing", "malformed frame", "version", "content type", "no protobuf", "half a frame", "no http", "500", "400"})
  void ofARequestThatFailsInTheMiddleOnlyTheUnansweredCallsGoAgain(String how) throws Exception {
    AtomicReference<FakeServer.Request> failed = new AtomicReference<>();
    AtomicReference<TestClient> waiting = new AtomicReference<>();
    server.handler =
        request -> {
          if (!failed.compareAndSet(null, request)) {
            request.answerAll();
            return;
          }
          if (how.equals("content type")) request.start("text/html", "");
          else if (how.equals("version")) {
            request.start("application/x-statefun-batch", "");
            request.write("1\r\n\2\r\n".getBytes());
          } else if (how.equals("no http")) request.write("what?\r\n\r\n".getBytes());
          else if (how.matches("\\d+")) {
            request.status(Integer.parseInt(how), "an accident");
            return;
          }
          boolean answersFirst = !List.of("content type", "version", "no http").contains(how);
          for (int n = 0; n < 10 && answersFirst; n++) request.result(request.calls.get(n));
          // A reset would take with it what the client has not read yet.
          while (answersFirst && !waiting.get().calls.get("call-9").isDone()) pause(5);
          switch (how) {
            case "reset":
              request.reset();
              return;
            case "hung up":
              request.hangUp();
              return;
            case "truncated chunk":
              request.write("ff\r\nshort".getBytes());
              request.hangUp();
              return;
            case "malformed frame":
              request.frame(77, 1, new byte[5]);
              break;
            case "no protobuf":
              request.frame(0, request.calls.get(10).id, new byte[] {-1, -1, -1});
              break;
            case "half a frame":
              request.write("3\r\n\0\0\0\r\n".getBytes());
              break;
            case "content type":
              request.write("1\r\n\1\r\n".getBytes());
              break;
            default:
          }
          if (!answersFirst || !how.equals("calls missing")) for (FakeServer.Frame call : request.calls.subList(10, request.calls.size())) request.result(new FakeServer.Frame(call.id, "what comes after is not believed"));
          request.end();
        };
    TestClient client = client("requests_in_flight", 1, "max_requests", 1);
    waiting.set(client);
    inOneGo(client, "call-", 30);
    client.assertAllAnswered();
    assertEquals(30, failed.get().calls.size());
    boolean noneAnswered = List.of("content type", "version", "no http", "500", "400").contains(how);
    for (int n = 0; n < 30; n++) {
      int number = n;
      assertEquals(noneAnswered || n >= 10 ? 2 : 1, server.sent("call-" + n), () -> "call-" + number);
    }
    assertEquals(noneAnswered ? 30 : 20, client.metrics.count("batchingFailures"));
  }

  @Test
  void aCallThatEndsTheServerIsSoonAlone() throws Exception {
    server.handler =
        request -> {
          if (request.names().contains("poison")) request.hangUp();
          else request.answerAll();
        };
    TestClient client = client();
    client.call("a-", 500);
    client.call("poison");
    client.call("b-", 500);
    client.assertAllAnswered("poison");
    assertFalse(client.calls.get("poison").isDone(), "the others waited for it");
    // 10 ms, 20 ms and so on up to a second.
    assertTrue(server.sent("poison") < 100, () -> server.sent("poison") + " times");
  }

  @Test
  void aCallThatEndsTheServerFailsAtItsDeadlineAndSaysWhy() throws Exception {
    server.handler = FakeServer.Request::hangUp;
    TestClient client = client("call", "1s");
    client.call("poison");
    String said = TestClient.said(client.failure("poison"));
    assertTrue(said.contains("not answered within") && said.contains("closed before every call was answered"), said);
  }

  @Test
  void aServerThatAnswersNothingGetsFewRequestsAndCostsWhatWaitsNoTime() throws Exception {
    AtomicBoolean broken = new AtomicBoolean(true);
    server.handler =
        request -> {
          if (broken.get()) request.hangUp();
          else request.answerAll();
        };
    TestClient client = client("max_batch_calls", 10);
    client.call("call-", 5_000);
    TestClient.eventually("it was tried for a while", () -> server.requests.size() >= 8);
    broken.set(false);
    int before = server.requests.size();
    client.assertAllAnswered();
    assertTrue(before < 50, () -> before + " requests were lost");
    assertTrue(server.requests.size() < 700, () -> server.requests.size() + " requests");
  }

  @Test
  void aServerThatIsNotThereYetUsesUpNobodysTime() throws Exception {
    int port = FakeServer.freePort();
    TestClient client = opened(new TestClient("http://127.0.0.1:" + port + "/statefun", "call", "20s"));
    client.call("call-", 100);
    TestClient.eventually("it was tried", () -> client.endpoint.failedConnects() >= 3);
    FakeServer late = opened(new FakeServer("127.0.0.1", port, FakeServer.Request::answerAll));
    client.assertAllAnswered();
    assertEquals(100, late.requests.stream().mapToInt(request -> request.calls.size()).sum());
    // Each try that failed is seen, and none is the calls' own.
    assertTrue(client.metrics.count("batchingFailures") > 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "nowhere.test"})
  void aServerThatCannotBeReachedFailsCallsWithItsAddress(String host) throws Exception {
    int port = FakeServer.freePort();
    String url = "http://" + host + ":" + port + "/statefun";
    TestClient client = opened(new TestClient(url, "call", "2s"));
    long began = System.nanoTime();
    client.call("lost");
    Throwable failure = client.failure("lost");
    assertTrue(System.nanoTime() - began >= TimeUnit.SECONDS.toNanos(2));
    assertTrue(failure.getMessage().contains(url), failure.getMessage());
    assertTrue(failure.getMessage().contains(host.equals("127.0.0.1") ? "refused" : "UnknownHost"), failure.getMessage());
    // The next call has its own time, and a server by now.
    if (!host.equals("127.0.0.1")) return;
    FakeServer late = opened(new FakeServer(host, port, FakeServer.Request::answerAll));
    client.call("found");
    client.assertAllAnswered("lost");
    assertEquals(1, late.sent("found"));
  }

  // ---- connections

  @Test
  void afterConnectionCloseTheNextRequestGoesOverANewOne() throws Exception {
    server.headers = "connection: close\r\n";
    TestClient client = client("requests_in_flight", 1, "max_requests", 1, "max_batch_calls", 1);
    client.call("call-", 20);
    client.assertAllAnswered();
    assertEquals(20, server.connections.get());
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @Test
  void connectionsAreGivenUpByAge() throws Exception {
    TestClient client = client("max_connection_age", "1ms", "requests_in_flight", 1, "max_requests", 1, "max_batch_calls", 1);
    server.handler =
        request -> {
          pause(5);
          request.answerAll();
        };
    client.call("call-", 10);
    client.assertAllAnswered();
    assertEquals(10, server.connections.get());
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"closed while idle", "closed as the request comes", "reset as the request comes"})
  void aConnectionThatTheServerClosedWhileItWasIdleIsNoFailure(String how) throws Exception {
    server.handler =
        request -> {
          if (request.number == 2) {
            if (how.startsWith("reset")) request.reset();
            else request.hangUp();
            return;
          }
          request.answerAll();
          if (how.equals("closed while idle")) request.hangUp();
        };
    TestClient client = client("requests_in_flight", 1, "max_requests", 1);
    for (int n = 0; n < 5; n++) {
      client.call("call-" + n);
      client.assertAllAnswered();
    }
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @Test
  void aConnectionThatTheServerIsAboutToCloseIsNotUsed() throws Exception {
    server.headers = "keep-alive: timeout=1\r\n";
    TestClient client = client();
    client.call("first");
    client.assertAllAnswered();
    TestClient.eventually("the client closes it first", () -> server.open.get() == 0);
    client.call("second");
    client.assertAllAnswered();
    assertEquals(2, server.connections.get());
  }

  // ---- refusals

  @Test
  void aServerWithoutTheRouteForBatchesGetsSingleCallsForAWhile() throws Exception {
    server.handler = request -> request.status(404, "no such route");
    TestClient client = opened(new TestClient(TimeUnit.MILLISECONDS.toNanos(500), server.url()));
    client.call("a-", 100);
    client.assertAllAnswered();
    for (String name : client.calls.keySet()) assertTrue(server.sent(name) >= 1);
    assertEquals(0, client.metrics.count("batchingFailures"));
    server.handler = FakeServer.Request::answerAll;
    AtomicInteger batches = new AtomicInteger();
    server.handler =
        request -> {
          batches.incrementAndGet();
          request.answerAll();
        };
    int[] number = {0};
    TestClient.eventually(
        "batches are tried again",
        () -> {
          client.call("b-" + number[0]++).join();
          return batches.get() > 0;
        });
    client.assertAllAnswered();
  }

  @Test
  void aServerThatKnowsNoRouteAtAllForAWhileGetsBatchesAsSoonAsItDoes() throws Exception {
    server.handler = request -> request.status(404, "no such route");
    AtomicInteger refused = new AtomicInteger();
    server.single =
        request -> {
          refused.incrementAndGet();
          request.status(404, "no such route");
        };
    // Far longer than anything here: single calls end because of their 404, not with time.
    TestClient client = opened(new TestClient(TimeUnit.HOURS.toNanos(1), server.url()));
    client.call("a-", 20);
    TestClient.eventually("single calls are refused", () -> refused.get() > 0);
    server.handler = FakeServer.Request::answerAll;
    client.assertAllAnswered();
  }

  @Test
  void inARollingUpgradeOldAndNewServersAnswerTogether() throws Exception {
    AtomicInteger turn = new AtomicInteger();
    server.handler =
        request -> {
          if (turn.incrementAndGet() % 2 == 0) request.status(404, "not yet");
          else request.answerAll();
        };
    TestClient client = opened(new TestClient(TimeUnit.MILLISECONDS.toNanos(20), server.url(), "max_batch_calls", 10));
    client.call("call-", 500);
    client.assertAllAnswered();
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @Test
  void aSingleCallsFailureIsItsOwnToo() throws Exception {
    server.handler = request -> request.status(404, "no such route");
    AtomicInteger times = new AtomicInteger();
    server.single =
        request -> {
          if (!request.names().contains("bad") || times.incrementAndGet() > 4) request.answerSingle();
          else if (times.get() == 1) request.status(500, "an accident");
          else if (times.get() == 2) request.status(503, "nobody there");
          else if (times.get() == 3) request.status(200, "text/html", new byte[0]);
          else request.hangUp();
        };
    TestClient client = client();
    client.call("a-", 20);
    client.call("bad");
    client.assertAllAnswered();
    assertEquals(5, times.get());
  }

  @Test
  void whatIsTooLargeIsHalvedUntilItFits() throws Exception {
    server.handler =
        request -> {
          if (request.calls.size() > 3) request.status(413, "too large");
          else request.answerAll();
        };
    TestClient client = client();
    client.call("call-", 100);
    client.assertAllAnswered();
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  @Test
  void aSingleCallThatIsTooLargeFailsAtItsDeadlineAndSaysSo() throws Exception {
    server.handler =
        request -> {
          if (request.names().contains("large")) request.status(413, "too large");
          else request.answerAll();
        };
    TestClient client = client("call", "3s");
    client.call("a-", 20);
    client.call("large");
    client.assertAllAnswered("large");
    String said = TestClient.said(client.failure("large"));
    assertTrue(said.contains("413: too large"), said);
  }

  @Test
  void a503IsSentAgainLaterAndWhole() throws Exception {
    List<Integer> sizes = Collections.synchronizedList(new ArrayList<>());
    server.handler =
        request -> {
          sizes.add(request.calls.size());
          if (sizes.size() <= 6) request.status(503, "draining");
          else request.answerAll();
        };
    TestClient client = client("requests_in_flight", 1, "max_requests", 1);
    long began = System.nanoTime();
    inOneGo(client, "call-", 100);
    client.assertAllAnswered();
    assertEquals(Collections.nCopies(7, 100), sizes);
    assertTrue(System.nanoTime() - began >= TimeUnit.MILLISECONDS.toNanos(10 + 20 + 40 + 80 + 160 + 320), "the pauses did not grow");
  }

  // ---- the end

  @Test
  void whenTheTaskEndsConnectionsAreClosedAndCallsFail() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    server.handler = request -> hold(request, never);
    TestClient client = client("max_batch_calls", 5);
    Thread task = new Thread(() -> client.call("call-", 100));
    task.start();
    task.join();
    for (int n = 0; n < 100; n++) assertTrue(client.failure("call-" + n).getMessage().contains("shut down"));
    TestClient.eventually("all connections are closed", () -> server.open.get() == 0);
    int sent = server.requests.size();
    client.call("late");
    assertTrue(client.failure("late").getMessage().contains("shut down"));
    assertEquals(sent, server.requests.size());
    assertEquals(0, client.metrics.count("batchingQueued"));
  }

  @Test
  void afterTheEndNothingIsSentAgain() throws Exception {
    CountDownLatch never = new CountDownLatch(1);
    server.handler = request -> hold(request, never);
    TestClient client = client("max_batch_calls", 5, "requests_in_flight", 1, "max_requests", 1);
    client.call("call-", 10);
    TestClient.eventually("one is on its way", () -> server.requests.size() == 1);
    client.endpoint.shutDown();
    for (int n = 0; n < 10; n++) client.failure("call-" + n);
    TestClient.eventually("the connection is closed", () -> server.open.get() == 0);
    assertEquals(0, client.endpoint.waiting(), "calls that have failed wait to be sent again");
    assertEquals(0, client.metrics.count("batchingFailures"));
  }

  // ---- metrics, and what must never happen

  @Test
  void callsAreCountedOnOneThreadAndTheQueueIsEmptyInTheEnd() throws Exception {
    AtomicBoolean failedOnce = new AtomicBoolean();
    server.handler =
        request -> {
          if (failedOnce.compareAndSet(false, true)) {
            request.result(request.calls.get(0));
            request.hangUp();
          } else request.answerAll();
        };
    TestClient client = client("requests_in_flight", 1, "max_requests", 1, "max_batch_calls", 10);
    inOneGo(client, "call-", 100);
    client.assertAllAnswered();
    assertEquals(110, client.metrics.count("batchingCalls"));
    assertEquals(12, client.metrics.count("batchingRequests"));
    assertEquals(server.requests.stream().mapToInt(request -> request.bodyBytes).sum(), client.metrics.count("batchingRequestBytes"));
    assertEquals(0, client.metrics.count("batchingQueued"));
    assertEquals(9, client.metrics.count("batchingFailures"));
    assertEquals(9, client.metrics.invocationFailures.get());
    assertEquals(9, client.metrics.count("batchingRetries"));
    assertEquals(101, client.metrics.latencies.get());
    assertEquals(1, client.metrics.threads.size());
    assertTrue(client.metrics.threads.stream().noneMatch(thread -> thread == Thread.currentThread()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"batchingCalls", "batchingQueued", "batchingRequests", "batchingFailures", "latency"})
  void whateverIsThrownNoCallIsLost(String broken) throws Exception {
    AtomicBoolean failedOnce = new AtomicBoolean(!broken.equals("batchingFailures"));
    server.handler =
        request -> {
          if (failedOnce.compareAndSet(false, true)) request.hangUp();
          else request.answerAll();
        };
    TestClient client = client("call", "2s");
    client.metrics.broken = broken;
    client.call("call-", 5);
    for (int n = 0; n < 5; n++) {
      try {
        client.calls.get("call-" + n).get(TestClient.LIMIT_SECONDS, TimeUnit.SECONDS);
      } catch (java.util.concurrent.ExecutionException failed) {
        // Either will do.
      }
    }
    // And it goes on.
    client.metrics.broken = "";
    client.call("after");
    assertEquals("after", Messages.name(client.calls.get("after").get(TestClient.LIMIT_SECONDS, TimeUnit.SECONDS)));
  }

  @Test
  void differentFunctionsCallsGoTogether() throws Exception {
    BatchingClientFactory factory = new BatchingClientFactory();
    others.add(factory::cleanup);
    FakeMetrics metrics = new FakeMetrics();
    CountDownLatch go = new CountDownLatch(1);
    server.handler =
        request -> {
          if (request.names().contains("first")) hold(request, go);
          request.answerAll();
        };
    var spec = TestClient.spec("requests_in_flight", 1, "max_requests", 1);
    var one = factory.createTransportClient(spec, java.net.URI.create(server.url()));
    var two = factory.createTransportClient(spec, java.net.URI.create(server.url()));
    var answers = new ConcurrentHashMap<String, java.util.concurrent.CompletableFuture<?>>();
    answers.put("first", one.call(Messages.summary("first"), metrics, Messages.call("first")));
    TestClient.eventually("the first is there", () -> server.sent("first") == 1);
    answers.put("one", one.call(Messages.summary("one"), metrics, Messages.call("one")));
    answers.put("two", two.call(Messages.summary("two"), metrics, Messages.call("two")));
    go.countDown();
    for (var answer : answers.values()) answer.get(TestClient.LIMIT_SECONDS, TimeUnit.SECONDS);
    assertEquals(2, server.requests.size());
    factory.cleanup();
    TestClient.eventually("all connections are closed", () -> server.open.get() == 0);
  }
}
