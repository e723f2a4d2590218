package statefun.batching;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClientFactory;
import org.apache.flink.statefun.sdk.TypeName;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class ModuleTest {
  private static RequestReplyClientFactory factory() {
    Map<TypeName, Object> bound = new HashMap<>();
    ExtensionModule.Binder binder =
        new ExtensionModule.Binder() {
          @Override
          public <T> void bindExtension(TypeName name, T extension) {
            bound.put(name, extension);
          }
        };
    for (ExtensionModule module : ServiceLoader.load(ExtensionModule.class)) {
      if (module instanceof BatchingTransportModule) module.configure(Map.of(), binder);
    }
    return (RequestReplyClientFactory) bound.get(TypeName.parseFrom("statefun.transports.v1/batching"));
  }

  private static String answer(CompletableFuture<FromFunction> reply) throws Exception {
    return Messages.name(reply.get(TestClient.LIMIT_SECONDS, TimeUnit.SECONDS));
  }

  @Test
  void isFoundUnderItsNameAndWhatOneCleansUpIsNotTheOthers() throws Exception {
    RequestReplyClientFactory one = factory();
    RequestReplyClientFactory other = factory();
    assertNotSame(one, other);
    try (FakeServer server = new FakeServer(FakeServer.Request::answerAll)) {
      var spec = TestClient.spec("type", "statefun.transports.v1/batching");
      var first = one.createTransportClient(spec, URI.create(server.url()));
      var second = other.createTransportClient(spec, URI.create(server.url()));
      FakeMetrics metrics = new FakeMetrics();
      assertEquals("a", answer(first.call(Messages.summary("a"), metrics, Messages.call("a"))));
      assertEquals("b", answer(second.call(Messages.summary("b"), metrics, Messages.call("b"))));
      one.cleanup();
      CompletableFuture<FromFunction> late = first.call(Messages.summary("c"), metrics, Messages.call("c"));
      try {
        answer(late);
        throw new AssertionError("answered after the clean-up");
      } catch (ExecutionException failed) {
        assertTrue(failed.getCause().getMessage().contains("shut down"));
      }
      assertEquals("d", answer(second.call(Messages.summary("d"), metrics, Messages.call("d"))));
      other.cleanup();
      TestClient.eventually("all connections are closed", () -> server.open.get() == 0);
    }
  }
}
