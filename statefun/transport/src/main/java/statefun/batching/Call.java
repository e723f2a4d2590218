package statefun.batching;

import java.util.concurrent.CompletableFuture;
import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;

/** One call under way. Made by the task thread, then the endpoint's thread's alone. */
final class Call {
  /** Length, call id: what a frame has before its payload. */
  private static final int FRAME_OVERHEAD_BYTES = 8;

  final CompletableFuture<FromFunction> future = new CompletableFuture<>();
  final ToFunctionRequestSummary summary;
  final CallMetrics metrics;
  final ToFunction toFunction;
  final int payloadBytes;
  final long queuedAtNanos = System.nanoTime();

  /** When it was first sent: its time runs from here, however long it waited for its turn. 0: not yet. */
  long firstSentAtNanos;
  /** When it was last sent. */
  long sentAtNanos;
  /** How often it was sent in vain, for whatever reason: its pauses grow with it. */
  int failures;
  /** How often a request was lost that it was in: the requests that it goes in shrink with it. */
  int losses;
  /** Of the last time that it failed; null: it has not. */
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
