package statefun.batching;

import java.util.concurrent.TimeUnit;
import org.apache.flink.statefun.flink.core.metrics.FunctionTypeMetrics;
import org.apache.flink.statefun.flink.core.metrics.RemoteInvocationMetrics;
import org.apache.flink.statefun.sdk.metrics.Counter;
import org.apache.flink.statefun.sdk.metrics.Metrics;

/**
 * What is counted for the calls of one function type, beside StateFun's own remoteInvocationLatency (which then runs from a call's
 * sending to its answer, its batch included) and remoteInvocationFailures. Flink's counters are not thread-safe: only the
 * endpoint's thread counts.
 */
final class CallMetrics {
  private final RemoteInvocationMetrics invocations;
  private final Counter calls;
  private final Counter requests;
  private final Counter requestBytes;
  private final Counter queued;
  private final Counter queueWaitMs;
  private final Counter failures;
  private final Counter retries;
  /** The remainder, less than a whole millisecond. */
  private long waitRestNanos;

  private CallMetrics(RemoteInvocationMetrics invocations, Metrics metrics) {
    this.invocations = invocations;
    this.calls = metrics.counter("batchingCalls");
    this.requests = metrics.counter("batchingRequests");
    this.requestBytes = metrics.counter("batchingRequestBytes");
    this.queued = metrics.counter("batchingQueued");
    this.queueWaitMs = metrics.counter("batchingQueueWaitMs");
    this.failures = metrics.counter("batchingFailures");
    this.retries = metrics.counter("batchingRetries");
  }

  static CallMetrics of(RemoteInvocationMetrics invocations) {
    Metrics metrics =
        invocations instanceof FunctionTypeMetrics
            ? ((FunctionTypeMetrics) invocations).functionTypeScopedMetrics()
            : name -> new Uncounted();
    return new CallMetrics(invocations, metrics);
  }

  boolean belongsTo(RemoteInvocationMetrics other) {
    return invocations == other;
  }

  void enteredQueue() {
    queued.inc();
  }

  void leftQueue(long waitedNanos) {
    queued.dec();
    waitRestNanos += waitedNanos;
    long millis = TimeUnit.NANOSECONDS.toMillis(waitRestNanos);
    waitRestNanos -= TimeUnit.MILLISECONDS.toNanos(millis);
    queueWaitMs.inc(millis);
  }

  void sent() {
    calls.inc();
  }

  /** A request for several function types is counted under the type of its first call. */
  void request(int bytes) {
    requests.inc();
    requestBytes.inc(bytes);
  }

  void answered(long tookNanos) {
    invocations.remoteInvocationLatency(TimeUnit.NANOSECONDS.toMillis(tookNanos));
  }

  void failed() {
    failures.inc();
    invocations.remoteInvocationFailures();
  }

  void retried() {
    retries.inc();
  }

  /** Outside Flink nobody reads it. */
  private static final class Uncounted implements Counter {
    @Override
    public void inc(long amount) {}

    @Override
    public void dec(long amount) {}
  }
}
