package statefun.batching;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.flink.statefun.flink.core.metrics.FunctionTypeMetrics;
import org.apache.flink.statefun.sdk.metrics.Counter;
import org.apache.flink.statefun.sdk.metrics.Metrics;

/** Counts, and notes which threads counted. */
final class FakeMetrics implements FunctionTypeMetrics {
  final Set<Thread> threads = ConcurrentHashMap.newKeySet();
  final AtomicLong latencies = new AtomicLong();
  final AtomicLong invocationFailures = new AtomicLong();
  /** Thrown by a counter of this name. */
  volatile String broken = "";
  private final Map<String, AtomicLong> counts = new ConcurrentHashMap<>();

  long count(String name) {
    return counts.get(name).get();
  }

  @Override
  public Metrics functionTypeScopedMetrics() {
    return name -> {
      AtomicLong count = counts.computeIfAbsent(name, key -> new AtomicLong());
      return new Counter() {
        @Override
        public void inc(long amount) {
          threads.add(Thread.currentThread());
          if (name.equals(broken)) throw new IllegalStateException("the counter is broken");
          count.addAndGet(amount);
        }

        @Override
        public void dec(long amount) {
          inc(-amount);
        }
      };
    };
  }

  @Override
  public void remoteInvocationFailures() {
    threads.add(Thread.currentThread());
    invocationFailures.incrementAndGet();
  }

  @Override
  public void remoteInvocationLatency(long ms) {
    threads.add(Thread.currentThread());
    latencies.incrementAndGet();
    if ("latency".equals(broken)) throw new IllegalStateException("the histogram is broken");
  }

  @Override
  public void incomingMessage() {}

  @Override
  public void outgoingLocalMessage() {}

  @Override
  public void outgoingRemoteMessage() {}

  @Override
  public void outgoingEgressMessage() {}

  @Override
  public void blockedAddress() {}

  @Override
  public void unblockedAddress() {}

  @Override
  public void asyncOperationRegistered() {}

  @Override
  public void asyncOperationCompleted() {}

  @Override
  public void appendBacklogMessages(int count) {}

  @Override
  public void consumeBacklogMessages(int count) {}
}
