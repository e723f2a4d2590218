package statefun.batching;

import java.util.concurrent.CompletableFuture;
import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** One call under way. Made by the task thread; from then on only the endpoint's thread uses it. */
final class Call {
  /** What a frame has before its payload: a length and a call id. */
  private static final int FRAME_OVERHEAD_BYTES = 8;

  final CompletableFuture<FromFunction> future = new CompletableFuture<>();
  final ToFunctionRequestSummary summary;
  final CallMetrics metrics;
  final ToFunction toFunction;
  final int payloadBytes;
  final long queuedAtNanos = System.nanoTime();

  /** When it was first sent: its time limit runs from here, however long it had waited for its turn. 0: not yet. */
  long firstSentAtNanos;
  /** When it was last sent. */
  long sentAtNanos;
  /** How often it was sent in vain, for whatever reason: the pauses between attempts grow with this. */
  int failures;
  /** How often a request that contained it was lost: the requests that it goes in shrink with this. */
  int losses;
  /** The cause of its latest failure; null if it has not failed. */
  Throwable lastFailure;

  Call(ToFunctionRequestSummary summary, CallMetrics metrics, ToFunction toFunction) {
    this.summary = summary;
    this.metrics = metrics;
    this.toFunction = toFunction;
    // Kept in the message after the first time it is asked for.
    this.payloadBytes = toFunction.getSerializedSize();
  }

  int frameBytes() {
    return FRAME_OVERHEAD_BYTES + payloadBytes;
  }

  void sending(long nowNanos) {
    if (firstSentAtNanos == 0) {
      firstSentAtNanos = nowNanos;
      metrics.leftQueue(nowNanos - queuedAtNanos);
    }
    sentAtNanos = nowNanos;
  }

  boolean expired(long nowNanos, long limitNanos) {
    return firstSentAtNanos != 0 && nowNanos - firstSentAtNanos > limitNanos;
  }

  void answered(FromFunction answer, long nowNanos) {
    try {
      metrics.answered(nowNanos - sentAtNanos);
    } finally {
      future.complete(answer);
    }
  }

  void failed(Throwable cause) {
    try {
      if (firstSentAtNanos == 0) metrics.leftQueue(System.nanoTime() - queuedAtNanos);
    } finally {
      future.completeExceptionally(cause);
    }
  }
}
