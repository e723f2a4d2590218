package statefun.batching;

import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import org.apache.flink.shaded.netty4.io.netty.channel.EventLoop;
import org.apache.flink.shaded.netty4.io.netty.channel.nio.NioEventLoopGroup;
import org.apache.flink.shaded.netty4.io.netty.util.concurrent.DefaultThreadFactory;

/**
 * The threads of all endpoints of this process, for its whole life: StateFun does not always say when a task ends, so threads per
 * task would pile up with every restart of the job.
 */
final class Threads {
  private static final int MOST = 4;
  private static final NioEventLoopGroup LOOPS =
      new NioEventLoopGroup(Math.max(1, Math.min(MOST, Runtime.getRuntime().availableProcessors())), new DefaultThreadFactory("statefun-batching", true));
  private static final Executor RESOLVER = Executors.newSingleThreadExecutor(new DefaultThreadFactory("statefun-batching-names", true));

  private Threads() {}

  static EventLoop nextLoop() {
    return LOOPS.next();
  }

  /** For name lookups, which block. */
  static Executor resolver() {
    return RESOLVER;
  }
}
