package statefun.guard;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.Executor;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.runtime.checkpoint.CheckpointIDCounter;
import org.apache.flink.runtime.checkpoint.CheckpointRecoveryFactory;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStore;
import org.apache.flink.runtime.highavailability.HighAvailabilityServices;
import org.apache.flink.runtime.highavailability.HighAvailabilityServicesFactory;
import org.apache.flink.runtime.highavailability.HighAvailabilityServicesUtils;
import org.apache.flink.runtime.jobgraph.RestoreMode;
import org.apache.flink.runtime.jobmanager.HighAvailabilityMode;
import org.apache.flink.runtime.rpc.AddressResolution;
import org.apache.flink.runtime.state.SharedStateRegistryFactory;
import org.apache.flink.util.FatalExitExceptionHandler;

/**
 * Flink's high availability with ZooKeeper, with the guard of the stores before a job's checkpoints are looked up: that is where
 * Flink decides whether a job goes on or begins from nothing, whatever starts it. After a failure, or when it leads again, that is
 * Flink's dispatcher, which does not wait for the job's program. {@code high-availability} in Flink's settings names this class.
 */
public final class GuardedServicesFactory implements HighAvailabilityServicesFactory {
  @Override
  public HighAvailabilityServices createHAServices(Configuration configuration, Executor executor) throws Exception {
    HighAvailabilityServices services =
        HighAvailabilityServicesUtils.createHighAvailabilityServices(
            zookeeper(configuration),
            executor,
            AddressResolution.NO_ADDRESS_RESOLUTION,
            // Only services without high availability have their own address to resolve.
            null,
            // Flink gives a factory no other way to end a process that has lost its services.
            error -> FatalExitExceptionHandler.INSTANCE.uncaughtException(Thread.currentThread(), error));
    return guarded(services, () -> StoresGuard.ask(configuration));
  }

  /** The same settings for the parts of Flink that know ZooKeeper only by its name. */
  static Configuration zookeeper(Configuration configuration) {
    Configuration changed = new Configuration(configuration);
    if (GuardedServicesFactory.class.getName().equals(configuration.get(HighAvailabilityOptions.HA_MODE)))
      changed.set(HighAvailabilityOptions.HA_MODE, HighAvailabilityMode.ZOOKEEPER.name());
    return changed;
  }

  /** @param guard - ends the process if the stores of the job do not belong together */
  static HighAvailabilityServices guarded(HighAvailabilityServices services, Runnable guard) {
    return (HighAvailabilityServices)
        Proxy.newProxyInstance(
            GuardedServicesFactory.class.getClassLoader(),
            new Class<?>[] {HighAvailabilityServices.class},
            (proxy, method, arguments) -> {
              try {
                Object result = method.invoke(services, arguments);
                return result instanceof CheckpointRecoveryFactory
                    ? new GuardedCheckpoints((CheckpointRecoveryFactory) result, guard)
                    : result;
              } catch (InvocationTargetException error) {
                throw error.getCause();
              }
            });
  }

  /** Asks the guard before it looks up the checkpoints of a job. */
  private static final class GuardedCheckpoints implements CheckpointRecoveryFactory {
    private final CheckpointRecoveryFactory checkpoints;
    private final Runnable guard;

    GuardedCheckpoints(CheckpointRecoveryFactory checkpoints, Runnable guard) {
      this.checkpoints = checkpoints;
      this.guard = guard;
    }

    @Override
    public CompletedCheckpointStore createRecoveredCompletedCheckpointStore(
        JobID job, int retained, SharedStateRegistryFactory states, Executor executor, RestoreMode mode)
        throws Exception {
      guard.run();
      return checkpoints.createRecoveredCompletedCheckpointStore(job, retained, states, executor, mode);
    }

    @Override
    public CheckpointIDCounter createCheckpointIDCounter(JobID job) throws Exception {
      return checkpoints.createCheckpointIDCounter(job);
    }
  }
}
