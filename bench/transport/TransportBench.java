import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BiConsumer;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.statefun.flink.core.metrics.RemoteInvocationMetrics;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClient;
import org.apache.flink.statefun.flink.core.reqreply.RequestReplyClientFactory;
import org.apache.flink.statefun.flink.core.reqreply.ToFunctionRequestSummary;
import org.apache.flink.statefun.sdk.FunctionType;
import org.apache.flink.statefun.sdk.reqreply.generated.Address;
import org.apache.flink.statefun.sdk.reqreply.generated.FromFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.ToFunction;
import org.apache.flink.statefun.sdk.reqreply.generated.TypedValue;

/**
 * Calls a function server through a transport of StateFun's, as a Flink task does: all calls are made on one thread, and answers come on the
 * transport's own. Takes a command a line and answers each with a line of JSON:
 *
 * <pre>
 * closed &lt;calls in flight&gt; &lt;ms&gt;     the next call as soon as one is answered
 * open &lt;calls a second&gt; &lt;ms&gt;      whether or not any is answered
 * </pre>
 *
 * Arguments: the transport's factory, the server's URL, the transport's settings as JSON, the type of the messages, how many bytes of state and
 * of message each call has.
 */
public final class TransportBench {
  private static final int KEPT = 1 << 22;
  /** Longer than any call's limit. */
  private static final long DRAIN_NANOS = TimeUnit.SECONDS.toNanos(120);
  private static final FunctionType TYPE = new FunctionType("bench", "function");

  private final RequestReplyClient client;
  private final ToFunction.PersistedValue state;
  private final ToFunction.Invocation message;
  private final AtomicLong attemptsFailed = new AtomicLong();
  private final RemoteInvocationMetrics metrics =
      new RemoteInvocationMetrics() {
        @Override
        public void remoteInvocationFailures() {
          attemptsFailed.incrementAndGet();
        }

        @Override
        public void remoteInvocationLatency(long elapsed) {}
      };
  private long calls;

  private TransportBench(RequestReplyClient client, TypedValue state, TypedValue message) {
    this.client = client;
    this.state = ToFunction.PersistedValue.newBuilder().setStateName("state").setStateValue(state).build();
    this.message = ToFunction.Invocation.newBuilder().setCaller(address("caller")).setArgument(message).build();
  }

  public static void main(String[] args) throws Exception {
    RequestReplyClientFactory factory = factory(args[0]);
    ObjectNode settings = (ObjectNode) new ObjectMapper().readTree(args[2]);
    RequestReplyClient client = factory.createTransportClient(settings, URI.create(args[1]));
    TransportBench bench = new TransportBench(client, value(args[3], Integer.parseInt(args[4])), value(args[3], Integer.parseInt(args[5])));
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.split(" ");
      System.out.println(bench.run(words[0].equals("open"), Integer.parseInt(words[1]), Long.parseLong(words[2])));
      System.out.flush();
    }
    factory.cleanup();
    System.exit(0);
  }

  /** Flink's is a singleton. */
  private static RequestReplyClientFactory factory(String name) throws ReflectiveOperationException {
    Class<?> type = Class.forName(name);
    try {
      return (RequestReplyClientFactory) type.getField("INSTANCE").get(null);
    } catch (NoSuchFieldException e) {
      return (RequestReplyClientFactory) type.getDeclaredConstructor().newInstance();
    }
  }

  /** An Any whose own type and bytes have the given size together, roughly: what crosses StateFun in this project are such. */
  private static TypedValue value(String typename, int bytes) {
    byte[] content = new byte[bytes];
    Arrays.fill(content, (byte) 7);
    com.google.protobuf.Any any = com.google.protobuf.Any.newBuilder().setTypeUrl("bench").setValue(com.google.protobuf.ByteString.copyFrom(content, 0, bytes - 10)).build();
    return TypedValue.newBuilder().setTypename(typename).setHasValue(true).setValue(any.toByteString()).build();
  }

  private static Address address(String id) {
    return Address.newBuilder().setNamespace(TYPE.namespace()).setType(TYPE.name()).setId(id).build();
  }

  private String run(boolean open, int much, long ms) throws InterruptedException {
    Run run = new Run(open ? Integer.MAX_VALUE : much);
    long failedBefore = attemptsFailed.get();
    long cpuBefore = cpuNanos();
    long began = System.nanoTime();
    long length = TimeUnit.MILLISECONDS.toNanos(ms);
    int sent = 0;
    if (open) {
      for (long now = 0; now < length; now = System.nanoTime() - began) {
        for (long due = now * much / 1_000_000_000L; sent < due; sent++) {
          // A call that is made late has waited since it was due.
          run.call(began + sent * 1_000_000_000L / much);
        }
        LockSupport.parkNanos(200_000);
      }
    } else {
      for (; System.nanoTime() - began < length; sent++) {
        run.free.acquire();
        run.call(System.nanoTime());
      }
    }
    int answeredInTime = run.answered.get();
    double seconds = (System.nanoTime() - began) / 1e9;
    long givenUp = System.nanoTime() + DRAIN_NANOS;
    while (run.answered.get() < sent && System.nanoTime() < givenUp) LockSupport.parkNanos(100_000);
    return run.result(sent, answeredInTime, seconds, (cpuNanos() - cpuBefore) / 1e3, attemptsFailed.get() - failedBefore);
  }

  /** Processor time of this process, its compiler and collector included. */
  private static long cpuNanos() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  private final class Run {
    final Semaphore free;
    final AtomicInteger noted = new AtomicInteger();
    final AtomicInteger answered = new AtomicInteger();
    final AtomicInteger failed = new AtomicInteger();
    final AtomicInteger wrong = new AtomicInteger();
    final AtomicReference<String> problem = new AtomicReference<>();
    final int[] micros = new int[KEPT];
    int callBytes;

    Run(int inFlight) {
      free = new Semaphore(inFlight);
    }

    void call(long since) {
      String id = Long.toString(1_000_000_000L + calls++);
      ToFunction call = ToFunction.newBuilder().setInvocation(ToFunction.InvocationBatchRequest.newBuilder().setTarget(address(id)).addState(state).addInvocations(message)).build();
      if (callBytes == 0) callBytes = call.getSerializedSize();
      ToFunctionRequestSummary summary = new ToFunctionRequestSummary(new org.apache.flink.statefun.sdk.Address(TYPE, id), callBytes, 1, 1);
      client.call(summary, metrics, call).whenComplete(new Call(id, since));
    }

    String result(int sent, int answeredInTime, double seconds, double cpuMicros, long attemptsFailed) {
      int over = answered.get();
      int kept = Math.min(over, KEPT);
      Arrays.sort(micros, 0, kept);
      double sum = 0;
      for (int n = 0; n < kept; n++) sum += micros[n];
      return String.format(
          Locale.ROOT,
          "{\"calls\":%d,\"perSecond\":%.1f,\"cpuMicros\":%.1f,\"meanMs\":%.3f,\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"longestMs\":%.3f,\"failed\":%d,\"unanswered\":%d,\"wrong\":%d,\"failedAttempts\":%d,\"callBytes\":%d,\"problem\":%s}",
          sent, answeredInTime / seconds, cpuMicros, sum / Math.max(1, kept) / 1e3, at(kept, 0.5), at(kept, 0.99), at(kept, 1), failed.get(), sent - over, wrong.get(), attemptsFailed, callBytes,
          problem.get() == null ? "null" : "\"" + problem.get().replaceAll("[^\\w .:,()/-]", "?") + "\"");
    }

    /** In ms, the nearest rank. */
    private double at(int kept, double rank) {
      return kept == 0 ? 0 : micros[Math.max(0, (int) Math.ceil(rank * kept) - 1)] / 1e3;
    }

    /** Waits for one answer. */
    private final class Call implements BiConsumer<FromFunction, Throwable> {
      private final String id;
      private final long since;

      Call(String id, long since) {
        this.id = id;
        this.since = since;
      }

      @Override
      public void accept(FromFunction answer, Throwable failure) {
        if (failure != null) {
          failed.incrementAndGet();
          problem.compareAndSet(null, failure.toString());
        } else if (!isOurs(answer)) {
          wrong.incrementAndGet();
          problem.compareAndSet(null, "call " + id + " got another's answer");
        }
        long took = Math.min(Integer.MAX_VALUE, (System.nanoTime() - since) / 1_000);
        micros[noted.getAndIncrement() % KEPT] = (int) took;
        answered.incrementAndGet();
        free.release();
      }

      private boolean isOurs(FromFunction answer) {
        FromFunction.InvocationResponse result = answer.getInvocationResult();
        return result.getStateMutationsCount() == 1 && result.getOutgoingMessagesCount() == 1 && result.getOutgoingMessages(0).getTarget().getId().equals(id);
      }
    }
  }
}
