package statefun.batching;

import java.io.IOException;
import java.net.InetAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * All calls of one subtask to one URL. As in a database's group commit, calls that are ready go together in one request as long as
 * no more than {@code requests_in_flight} are under way, and those that come meanwhile form the next batch. No timer makes any call
 * wait: at low load a batch is one call, and batches grow by themselves.
 *
 * <p>Everything but {@link #submit} and {@link #shutDown} happens on one thread, the endpoint's event loop.
 */
final class Endpoint {
  private static final Logger LOG = LoggerFactory.getLogger(Endpoint.class);

  /** A request of which no call was answered for this long is waiting for something other than a processor: another may be sent. */
  private static final long STUCK_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
  private static final long TICK_MS = 100;
  private static final long FIRST_BACKOFF_MS = 10;
  private static final long LONGEST_BACKOFF_MS = 1_000;
  /** How long a server that does not know the route for batches gets single calls. */
  static final long SINGLES_NANOS = TimeUnit.SECONDS.toNanos(10);
  /** How long an address that could not be connected to is passed over. */
  static final long SHUNNED_NANOS = TimeUnit.SECONDS.toNanos(2);
  /** How much smaller the batches made of a failed one are: a call that crashes the server must soon be alone. */
  private static final int SPLIT = 4;

  private final Target target;
  private final BatchingSpec spec;
  private final Connector connector;
  private final EventLoop loop = Threads.nextLoop();
  private final long maxAgeNanos;
  private final long callNanos;
  private final long singlesNanos;

  /** Calls on their way from the task's thread to the endpoint's. */
  private final Queue<Call> arrivals = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean awake = new AtomicBoolean();
  /** The task's thread: when it has ended, nobody waits for the answers any more. */
  private volatile Thread owner;

  /** Calls that have not been sent yet. */
  private final ArrayDeque<Call> ready = new ArrayDeque<>();
  /** Failed calls that may be sent again: never mixed with those that did not fail. */
  private final ArrayDeque<List<Call>> retries = new ArrayDeque<>();
  /** Failed calls that are not to be sent again yet. */
  private final Set<List<Call>> pausing = new HashSet<>();
  /** The last of the retries, while calls that the server answered with an error may still join it; otherwise null. */
  private List<Call> gathering;
  private boolean retriedLast;
  /** Consecutive requests of which the server answered no call: it is then given time, whatever else could be sent. */
  private int lostInARow;
  private boolean sendPause;
  private final List<Connection> connections = new ArrayList<>();
  private final Map<InetAddress, Long> shunnedUntil = new HashMap<>();
  private int connecting;
  private volatile int connectFailures;
  private boolean connectPause;
  /** Since when no server could be reached; 0: the last one could. */
  private long unreachableSinceNanos;
  private Throwable connectFailure;
  private int maxCalls;
  private int maxBytes;
  private long singlesUntilNanos;
  private boolean saidSingles;
  private Future<?> nextTick;
  private boolean restingTick;
  private boolean down;
  private long lastWarningNanos;
  private int unsaid;

  Endpoint(Target target, BatchingSpec spec) {
    this(target, spec, SINGLES_NANOS);
  }

  /** @param singlesNanos how long a server that does not know the route for batches gets single calls */
  Endpoint(Target target, BatchingSpec spec, long singlesNanos) {
    this.singlesNanos = singlesNanos;
    this.target = target;
    this.spec = spec;
    this.connector = new Connector(this, target, spec, loop);
    // So that they don't all act in step.
    this.maxAgeNanos = (long) (spec.maxConnectionAge.toNanos() * ThreadLocalRandom.current().nextDouble(0.8, 1.2));
    this.callNanos = spec.callTimeout.toNanos();
    this.maxCalls = spec.maxBatchCalls;
    this.maxBytes = spec.maxBatchBytes;
  }

  /** Takes a call, from the task's thread. */
  void submit(Call call) {
    owner = Thread.currentThread();
    arrivals.add(call);
    // Waking a thread is a system call: it is done once for all the calls that the thread will find.
    if (awake.compareAndSet(false, true)) loop.execute(this::takeArrivals);
  }

  /** Gives everything up, from any thread. */
  void shutDown() {
    loop.execute(this::end);
  }

  private void takeArrivals() {
    awake.set(false);
    drainArrivals();
    if (down) end();
    else dispatch();
  }

  private void drainArrivals() {
    for (Call call = arrivals.poll(); call != null; call = arrivals.poll()) {
      try {
        call.metrics.enteredQueue();
        ready.add(call);
      } catch (RuntimeException | Error cause) {
        call.future.completeExceptionally(cause);
      }
    }
  }

  // ---- sending

  void dispatch() {
    // Calls that came while an answer was read already go with the next batch.
    drainArrivals();
    long now = System.nanoTime();
    while (!down && !sendPause && !(ready.isEmpty() && retries.isEmpty())) {
      Connection idle = null;
      int moving = 0;
      for (Connection connection : connections) {
        Exchange exchange = connection.exchange();
        if (exchange != null) {
          if (exchange.stuckNanos(now) <= STUCK_NANOS) moving++;
        } else if (connection.idle()) {
          if (connection.mayBeClosing(now)) connection.close(null);
          else idle = connection;
        }
      }
      boolean singles = singles(now);
      if (moving + (idle == null ? connecting : 0) >= (singles ? spec.maxRequests : spec.requestsInFlight)) break;
      if (idle == null) {
        if (connections.size() + connecting >= spec.maxRequests || connectPause) break;
        // One call needs no second connection.
        if (connecting >= ready.size() + retries.size()) break;
        connecting++;
        connector.connect();
        continue;
      }
      send(idle, singles, now);
    }
    tickSoon();
  }

  private void send(Connection connection, boolean single, long now) {
    List<Call> calls = next(single ? 1 : maxCalls);
    Exchange exchange = new Exchange(calls, single, now);
    try {
      for (Call call : calls) {
        call.sending(now);
        call.metrics.sent();
      }
      int bytes = connection.send(exchange, target);
      calls.get(0).metrics.request(bytes);
    } catch (RuntimeException | Error cause) {
      // Nothing else refers to them.
      if (connection.exchange() != exchange) calls.forEach(call -> call.failed(cause));
      connection.close(cause);
    }
  }

  /** What is sent next: failed calls and new ones in turn, so that neither kind waits for all of the other. */
  private List<Call> next(int mostCalls) {
    boolean retry = !retries.isEmpty() && (ready.isEmpty() || !retriedLast);
    retriedLast = retry;
    if (!retry) return take(ready, mostCalls);
    List<Call> polled = retries.poll();
    if (polled == gathering) gathering = null;
    ArrayDeque<Call> group = new ArrayDeque<>(polled);
    List<Call> calls = take(group, mostCalls);
    if (!group.isEmpty()) retries.addFirst(new ArrayList<>(group));
    for (Call call : calls) call.metrics.retried();
    return calls;
  }

  private List<Call> take(ArrayDeque<Call> from, int mostCalls) {
    List<Call> calls = new ArrayList<>(Math.min(mostCalls, from.size()));
    long bytes = 1;
    while (!from.isEmpty() && calls.size() < mostCalls) {
      bytes += from.peek().frameBytes();
      if (bytes > maxBytes && !calls.isEmpty()) break;
      calls.add(from.poll());
    }
    return calls;
  }

  /** Whether servers get single calls for now. */
  private boolean singles(long now) {
    return singlesUntilNanos != 0 && now < singlesUntilNanos;
  }

  // ---- what connections report

  void connected(Connection connection) {
    connecting--;
    connectFailures = 0;
    unreachableSinceNanos = 0;
    shunnedUntil.remove(connection.address);
    if (down) {
      connection.close(null);
      return;
    }
    connections.add(connection);
    dispatch();
  }

  /** @param address null when the name was not found */
  void notConnected(InetAddress address, Throwable cause) {
    connecting--;
    if (down) return;
    long now = System.nanoTime();
    if (address != null) shun(address, now);
    connectFailure = cause;
    if (connections.isEmpty() && unreachableSinceNanos == 0) unreachableSinceNanos = now;
    warn("no connection to " + target, cause);
    // As long as there is no other connection, this counts as a failed attempt for the calls whose turn it was.
    Call next = !connections.isEmpty() ? null : !ready.isEmpty() ? ready.peek() : !retries.isEmpty() ? retries.peek().get(0) : null;
    if (next != null) next.metrics.failed();
    int failures = connectFailures;
    connectFailures = failures + 1;
    connectPause = true;
    loop.schedule(
        () -> {
          connectPause = false;
          dispatch();
        },
        backoffMs(failures),
        TimeUnit.MILLISECONDS);
    tickSoon();
  }

  void closed(Connection connection) {
    connections.remove(connection);
  }

  boolean tooOld(Connection connection) {
    return connection.olderThan(System.nanoTime(), maxAgeNanos);
  }

  /** What the server takes at most; null: it did not say. */
  void limits(Integer calls, Integer bytes) {
    if (calls != null && calls > 0) maxCalls = Math.min(spec.maxBatchCalls, calls);
    if (bytes != null && bytes > 0) maxBytes = Math.min(spec.maxBatchBytes, bytes);
  }

  /** A whole request was answered. */
  void answered() {
    lostInARow = 0;
    dispatch();
  }

  /** A server answered a whole request with a status other than 200. */
  void refused(Exchange exchange, int status, String text) {
    if (down) return;
    IOException cause = new IOException("the server answered " + status + (text.isEmpty() ? "" : ": " + text));
    // A proxy in front of the servers says that none is free. No server has seen the calls.
    boolean blameless = status == 429 || status == 503;
    boolean noRoute = status == 404 || status == 405 || status == 415;
    if (exchange.single && !blameless) {
      lostInARow = 0;
      // It does not know single calls either, so its answer to a batch was not about the route.
      if (noRoute) singlesUntilNanos = 0;
      exchange.unanswered().forEach(call -> failedCall(call, status, text));
      dispatch();
    } else if (noRoute) {
      singlesUntilNanos = System.nanoTime() + singlesNanos;
      if (!saidSingles) LOG.warn("{} has no route for batches ({}): it gets single calls, and is asked again every {} s", target, cause.getMessage(), TimeUnit.NANOSECONDS.toSeconds(singlesNanos));
      saidSingles = true;
      atOnce(exchange.unanswered());
      dispatch();
    } else if (status == 413 && exchange.calls().size() > 1) {
      // Not too many calls, but too many bytes: there is nothing wrong with any of them.
      List<Call> calls = exchange.unanswered();
      int half = (calls.size() + 1) / 2;
      atOnce(calls.subList(half, calls.size()));
      atOnce(calls.subList(0, half));
      dispatch();
    } else {
      again(exchange, cause, blameless);
    }
  }

  /** A connection ended in the middle of a request. @param stale whether before the server can have seen it */
  void lost(Exchange exchange, Throwable cause, boolean stale) {
    if (down) return;
    if (!stale) {
      again(exchange, cause, false);
      return;
    }
    atOnce(exchange.unanswered());
    dispatch();
  }

  /** There is nothing wrong with these calls: they go next. */
  private void atOnce(List<Call> calls) {
    if (!calls.isEmpty()) retries.addFirst(new ArrayList<>(calls));
  }

  /** The server answered one call with an error. The others in its request are not affected. */
  void failedCall(Call call, int status, String text) {
    if (down) return;
    call.failures++;
    IOException cause = new IOException("the server answered " + status + (text.isEmpty() ? "" : ": " + text));
    call.lastFailure = cause;
    pause(List.of(call), true);
    warn(call.summary + " failed", cause);
    call.metrics.failed();
  }

  /** All open calls of a request are sent again, in smaller batches each time, since one of them may be what crashes the server. */
  private void again(Exchange exchange, Throwable cause, boolean blameless) {
    List<Call> calls = exchange.unanswered();
    try {
      again(calls, exchange, cause, blameless);
    } catch (RuntimeException | Error thrown) {
      // Nothing else refers to them any more.
      for (Call call : calls) call.failed(thrown);
      throw thrown;
    }
    dispatch();
  }

  private void again(List<Call> calls, Exchange exchange, Throwable cause, boolean blameless) {
    lostInARow = calls.size() < exchange.calls().size() ? 0 : lostInARow + 1;
    if (calls.isEmpty()) return;
    if (lostInARow > 1) pauseSending();
    warn("a request of " + exchange.calls().size() + " calls to " + target + " failed, " + calls.size() + " of them unanswered", cause);
    int losses = 0;
    for (Call call : calls) {
      call.failures++;
      if (!blameless) call.losses++;
      call.lastFailure = cause;
      call.metrics.failed();
      losses = Math.max(losses, call.losses);
    }
    // The first time all together: most often the server was merely restarted.
    int size = calls.size();
    if (!blameless) for (int n = 1; n < losses && size > 1; n++) size = (size + SPLIT - 1) / SPLIT;
    for (int from = 0; from < calls.size(); from += size) pause(new ArrayList<>(calls.subList(from, Math.min(calls.size(), from + size))), false);
  }

  /**
   * However much is waiting, a server that answers nothing gets few requests: it recovers sooner, and calls that have not been sent
   * yet use up none of their time.
   */
  private void pauseSending() {
    if (sendPause) return;
    sendPause = true;
    loop.schedule(
        () -> {
          sendPause = false;
          dispatch();
        },
        backoffMs(lostInARow - 2),
        TimeUnit.MILLISECONDS);
  }

  /** @param together whether they may go with others of which this is true: single calls are to blame, not the request */
  private void pause(List<Call> calls, boolean together) {
    pausing.add(calls);
    loop.schedule(
        () -> {
          if (!pausing.remove(calls)) return;
          List<Call> left = unexpired(calls);
          if (together) gather(left);
          else if (!left.isEmpty()) {
            gathering = null;
            retries.add(left);
          }
          dispatch();
        },
        backoffMs(calls.get(0).failures - 1),
        TimeUnit.MILLISECONDS);
  }

  private void gather(List<Call> calls) {
    if (calls.isEmpty()) return;
    if (gathering == null) retries.add(gathering = new ArrayList<>());
    gathering.addAll(calls);
  }

  private static long backoffMs(int failures) {
    return Math.min(FIRST_BACKOFF_MS << Math.min(failures, 10), LONGEST_BACKOFF_MS);
  }

  /** For tests: in a row. */
  int failedConnects() {
    return connectFailures;
  }

  /** For tests. @return groups of calls that wait to be sent again */
  int waiting() {
    return retries.size() + pausing.size();
  }

  // ---- time

  private void tickSoon() {
    if (down) return;
    boolean waiting = !(ready.isEmpty() && retries.isEmpty() && pausing.isEmpty());
    if (!waiting && connections.isEmpty() && connecting == 0) {
      unreachableSinceNanos = 0;
      return;
    }
    boolean resting = !waiting && connections.stream().allMatch(Connection::idle);
    if (nextTick != null) {
      if (resting || !restingTick) return;
      nextTick.cancel(false);
    }
    restingTick = resting;
    nextTick = loop.schedule(this::tick, resting ? 10 * TICK_MS : TICK_MS, TimeUnit.MILLISECONDS);
  }

  private void tick() {
    nextTick = null;
    try {
      check();
    } finally {
      tickSoon();
    }
  }

  private void check() {
    if (owner != null && !owner.isAlive()) {
      end();
      return;
    }
    long now = System.nanoTime();
    // A connection that ended before it was ours reported it to nobody.
    connections.removeIf(connection -> connection.exchange() == null && !connection.idle());
    for (Connection connection : new ArrayList<>(connections)) {
      Exchange exchange = connection.exchange();
      if (exchange == null) {
        if (connection.idleNanos(now) > maxAgeNanos || connection.mayBeClosing(now)) connection.close(null);
        continue;
      }
      exchange.expire(now, callNanos, this::late);
      // A single call's server says nothing while it works.
      if (exchange.open() == 0) connection.close(new TimeoutException("none of its calls was answered in time"));
      else if (!exchange.single && exchange.silentNanos(now) > spec.silenceTimeout.toNanos()) {
        shun(connection.address, now);
        connection.close(new TimeoutException("the server sent nothing for " + spec.silenceTimeout));
      }
    }
    gathering = null;
    for (int left = retries.size(); left > 0; left--) {
      List<Call> calls = unexpired(retries.poll());
      if (!calls.isEmpty()) retries.add(calls);
    }
    if (unreachableSinceNanos != 0 && connections.isEmpty() && now - unreachableSinceNanos > callNanos) {
      giveUp(new IOException("no function server could be reached at " + target + " for " + spec.callTimeout + ": " + connectFailure, connectFailure));
      unreachableSinceNanos = 0;
    }
    dispatch();
  }

  private List<Call> unexpired(List<Call> calls) {
    long now = System.nanoTime();
    List<Call> left = new ArrayList<>(calls.size());
    for (Call call : calls) {
      if (call.expired(now, callNanos)) call.failed(late(call));
      else left.add(call);
    }
    return left;
  }

  /** A call's time is up: says what went wrong last. */
  private TimeoutException late(Call call) {
    Throwable cause = unreachableSinceNanos != 0 ? connectFailure : call.lastFailure;
    TimeoutException late = new TimeoutException("not answered within " + spec.callTimeout + " of its first sending by " + target + (cause == null ? "" : ": " + cause.getMessage()));
    if (cause != null) late.initCause(cause);
    return late;
  }

  private void end() {
    down = true;
    IOException cause = new IOException("the transport to " + target + " was shut down");
    giveUp(cause);
    for (Connection connection : new ArrayList<>(connections)) {
      Exchange exchange = connection.exchange();
      if (exchange != null) exchange.unanswered().forEach(call -> call.failed(cause));
      connection.close(cause);
    }
  }

  /** Fails all calls that are not under way. */
  private void giveUp(Throwable cause) {
    List<Call> calls = new ArrayList<>(ready);
    retries.forEach(calls::addAll);
    pausing.forEach(calls::addAll);
    ready.clear();
    retries.clear();
    pausing.clear();
    gathering = null;
    for (Call call : calls) call.failed(cause);
  }

  private void shun(InetAddress address, long now) {
    // Names keep getting new addresses: the old ones are not kept.
    shunnedUntil.values().removeIf(until -> until - now < 0);
    shunnedUntil.put(address, now + SHUNNED_NANOS);
  }

  /** Whether other addresses are preferred to this one. */
  boolean shuns(InetAddress address) {
    Long until = shunnedUntil.get(address);
    return until != null && until - System.nanoTime() > 0;
  }

  int connectionsTo(InetAddress address) {
    int count = 0;
    for (Connection connection : connections) if (connection.address.equals(address)) count++;
    return count;
  }

  /** One line a second at most, however much fails. */
  private void warn(String what, Throwable cause) {
    long now = System.nanoTime();
    if (lastWarningNanos != 0 && now - lastWarningNanos < TimeUnit.SECONDS.toNanos(1)) {
      unsaid++;
      return;
    }
    LOG.warn("{} ({}{}); trying again", what, cause, unsaid == 0 ? "" : "; and " + unsaid + " other failures since the last line");
    lastWarningNanos = now;
    unsaid = 0;
  }
}
