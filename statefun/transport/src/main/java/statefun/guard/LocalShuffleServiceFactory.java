package statefun.guard;

import org.apache.flink.runtime.io.network.NettyShuffleEnvironment;
import org.apache.flink.runtime.io.network.NettyShuffleServiceFactory;
import org.apache.flink.runtime.shuffle.ShuffleEnvironmentContext;

/**
 * What Flink's tasks exchange their records by where there is one TaskManager: as Flink's own, without the port at which a
 * TaskManager takes what tasks of others send. That port has no password, and takes the beginning of any request of HTTP for the length
 * of a message of 1.2 GB, of which it keeps what comes until the process has no direct memory left. {@code shuffle-service-factory.class}
 * in Flink's settings names this class.
 */
public final class LocalShuffleServiceFactory extends NettyShuffleServiceFactory {
  @Override
  public NettyShuffleEnvironment createShuffleEnvironment(ShuffleEnvironmentContext context) {
    return super.createShuffleEnvironment(
        new ShuffleEnvironmentContext(
            context.getConfiguration(),
            context.getTaskExecutorResourceId(),
            context.getNetworkMemorySize(),
            true,
            context.getHostAddress(),
            context.getNumberOfSlots(),
            context.getTmpDirPaths(),
            context.getEventPublisher(),
            context.getParentMetricGroup(),
            context.getIoExecutor()));
  }
}
