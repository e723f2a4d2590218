package statefun.batching;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClient;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClientFactory;

/**
 * Makes one client for each function type of a subtask. Clients of one address share their connections and batches: calls that are
 * ready go together, whatever function they are for.
 */
public final class BatchingClientFactory implements RequestReplyClientFactory {
  private final Map<String, Endpoint> endpoints = new HashMap<>();

  @Override
  public synchronized RequestReplyClient createTransportClient(ObjectNode transportProperties, URI endpointUrl) {
    Endpoint endpoint =
        endpoints.computeIfAbsent(
            endpointUrl + " " + transportProperties,
            key -> new Endpoint(new Target(endpointUrl), BatchingSpec.from(transportProperties)));
    return new BatchingClient(endpoint);
  }

  /** StateFun calls this only for endpoints that name single functions; for all others {@link Endpoint} ends by itself. */
  @Override
  public synchronized void cleanup() {
    endpoints.values().forEach(Endpoint::shutDown);
    endpoints.clear();
  }
}
