package statefun.batching;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** One request and its response: which of its calls are still open, and when anything was last heard of it. */
final class Exchange {
  /** Whether it goes to the route for single calls: the server does not speak the one for batches. */
  final boolean single;
  private final List<Call> calls;
  private final boolean[] closed;
  private int open;
  private final long startedAtNanos;
  private long heardAtNanos;
  private long answeredAtNanos;
  private boolean heard;

  Exchange(List<Call> calls, boolean single, long nowNanos) {
    this.calls = calls;
    this.single = single;
    this.closed = new boolean[calls.size()];
    this.open = calls.size();
    this.startedAtNanos = this.heardAtNanos = this.answeredAtNanos = nowNanos;
  }

  List<Call> calls() {
    return calls;
  }

  int open() {
    return open;
  }

  List<Call> unanswered() {
    List<Call> left = new ArrayList<>(open);
    for (int id = 0; id < closed.length; id++) if (!closed[id]) left.add(calls.get(id));
    return left;
  }

  /** Closes a call. @return null when no call with this id is open: it may have run out of time */
  Call close(int id, long nowNanos) {
    answeredAtNanos = nowNanos;
    if (id < 0 || id >= closed.length || closed[id]) return null;
    closed[id] = true;
    open--;
    return calls.get(id);
  }

  /** Closes and fails the calls that have run out of time. */
  void expire(long nowNanos, long limitNanos, Function<Call, Throwable> cause) {
    for (int id = 0; id < closed.length; id++) {
      Call call = calls.get(id);
      if (closed[id] || !call.expired(nowNanos, limitNanos)) continue;
      closed[id] = true;
      open--;
      call.metrics.failed();
      call.failed(cause.apply(call));
    }
  }

  void heard(long nowNanos) {
    heard = true;
    heardAtNanos = nowNanos;
  }

  /** Whether the server has sent anything. */
  boolean wasHeard() {
    return heard;
  }

  long silentNanos(long nowNanos) {
    return nowNanos - heardAtNanos;
  }

  /** Since when no call has been answered. */
  long stuckNanos(long nowNanos) {
    return nowNanos - Math.max(startedAtNanos, answeredAtNanos);
  }
}
