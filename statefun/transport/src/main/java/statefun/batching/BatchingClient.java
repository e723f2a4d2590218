package statefun.batching;

import java.util.concurrent.CompletableFuture;
import org.apache.flink.statefun.flink.core.metrics.RemoteInvocationMetrics;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClient;
import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** The calls of one function type. Used by one task thread. */
final class BatchingClient implements RequestReplyClient {
  private final Endpoint endpoint;
  private CallMetrics metrics;

  BatchingClient(Endpoint endpoint) {
    this.endpoint = endpoint;
  }

  @Override
  public CompletableFuture<FromFunction> call(
      ToFunctionRequestSummary summary, RemoteInvocationMetrics invocationMetrics, ToFunction toFunction) {
    // Flink's metrics are registered on the task thread; from then on the endpoint's thread alone counts.
    if (metrics == null || !metrics.belongsTo(invocationMetrics)) metrics = CallMetrics.of(invocationMetrics);
    Call call = new Call(summary, metrics, toFunction);
    endpoint.submit(call);
    return call.future;
  }
}
