package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.io.network.NettyShuffleServiceFactory;
import org.apache.flink.runtime.io.network.TaskEventDispatcher;
import org.apache.flink.runtime.shuffle.ShuffleEnvironment;
import org.apache.flink.runtime.shuffle.ShuffleEnvironmentContext;
import org.apache.flink.runtime.shuffle.ShuffleServiceFactory;
import org.apache.flink.runtime.shuffle.ShuffleServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalShuffleServiceFactoryTest {
  @TempDir Path folder;

  /** The port at which a TaskManager with this setting listens for others; -1: at none. */
  private int port(Class<?> factory) throws Exception {
    Configuration configuration = new Configuration();
    configuration.setString("shuffle-service-factory.class", factory.getName());
    ShuffleServiceFactory<?, ?, ?> loaded = ShuffleServiceLoader.loadShuffleServiceFactory(configuration);
    ShuffleEnvironment<?, ?> environment =
        loaded.createShuffleEnvironment(
            new ShuffleEnvironmentContext(
                configuration,
                ResourceID.generate(),
                MemorySize.ofMebiBytes(16),
                false,
                InetAddress.getLoopbackAddress(),
                1,
                new String[] {folder.toString()},
                new TaskEventDispatcher(),
                new UnregisteredMetricsGroup(),
                Runnable::run));
    try {
      return environment.start();
    } finally {
      environment.close();
    }
  }

  @Test
  void listensNowhere() throws Exception {
    assertEquals(-1, port(LocalShuffleServiceFactory.class));
    // Flink's own does.
    assertTrue(port(NettyShuffleServiceFactory.class) > 0);
  }
}
