package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A name with two addresses: {@code src/test/resources/hosts} has it. */
@Timeout(120)
class AddressesTest {
  private final FakeServer one = new FakeServer(FakeServer.Request::answerAll);
  private FakeServer two;
  private TestClient client;

  private void start(FakeServer.Handler handler, Object... settings) throws Exception {
    assertEquals(2, InetAddress.getAllByName("two.test").length, "the file of hosts is not used");
    if (handler != null) two = new FakeServer("127.0.0.2", one.port, handler);
    client = new TestClient("http://two.test:" + one.port + "/statefun", settings);
  }

  @AfterEach
  void close() {
    client.close();
    one.close();
    if (two != null) two.close();
  }

  @Test
  void eachGetsAConnection() throws Exception {
    start(FakeServer.Request::answerAll, "max_batch_calls", 1, "max_requests", 2);
    client.call("call-", 500);
    client.assertAllAnswered();
    assertEquals(1, one.connections.get());
    assertEquals(1, two.connections.get());
  }

  @Test
  void oneThatRefusesConnectionsIsLeftToItself() throws Exception {
    start(null, "max_batch_calls", 1, "max_connection_age", "1ms");
    long began = System.nanoTime();
    client.call("call-", 200);
    client.assertAllAnswered();
    // If it was the first of all; and again each time that it is thought of anew: a slow machine takes that long.
    long most = 1 + (System.nanoTime() - began) / Endpoint.SHUNNED_NANOS;
    assertTrue(client.metrics.count("batchingFailures") <= most, () -> client.metrics.count("batchingFailures") + " failures, " + most + " at most");
    assertTrue(client.endpoint.failedConnects() <= 1);
  }

  @Test
  void oneThatStopsAnsweringDoesNotStopTheOther() throws Exception {
    start(FakeServer.Request::stayByTheClient, "max_batch_calls", 5, "silence", "500ms");
    client.call("call-", 1_000);
    client.assertAllAnswered();
    assertTrue(one.requests.size() >= 200);
    assertTrue(two.requests.size() <= 60, () -> two.requests.size() + " requests to the silent one");
  }
}
