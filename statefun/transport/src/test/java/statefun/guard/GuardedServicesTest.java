package statefun.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.runtime.checkpoint.CheckpointRecoveryFactory;
import org.apache.flink.runtime.checkpoint.StandaloneCheckpointRecoveryFactory;
import org.apache.flink.runtime.highavailability.HighAvailabilityServices;
import org.apache.flink.runtime.highavailability.nonha.embedded.EmbeddedHaServices;
import org.apache.flink.runtime.jobgraph.RestoreMode;
import org.apache.flink.runtime.state.SharedStateRegistry;
import org.apache.flink.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** The services with the guard in them are Flink's own, but for one thing. */
final class GuardedServicesTest {
  private final List<String> asked = new ArrayList<>();
  private final EmbeddedHaServices own = new EmbeddedHaServices(Executors.directExecutor());

  private static void lookUp(CheckpointRecoveryFactory factory) throws Exception {
    factory.createRecoveredCompletedCheckpointStore(
        new JobID(), 1, SharedStateRegistry.DEFAULT_FACTORY, Executors.directExecutor(), RestoreMode.NO_CLAIM);
  }

  @Test
  void asksTheGuardEachTimeBeforeAJobsCheckpointsAreLookedUp() throws Exception {
    CheckpointRecoveryFactory factory =
        GuardedServicesFactory.guarded(own, () -> asked.add("asked")).getCheckpointRecoveryFactory();
    factory.createCheckpointIDCounter(new JobID());
    assertEquals(List.of(), asked);
    lookUp(factory);
    lookUp(factory);
    assertEquals(List.of("asked", "asked"), asked);
  }

  @Test
  void looksUpNothingWhenTheGuardHasFailed() throws Exception {
    IllegalStateException failure = new IllegalStateException("the guard");
    CheckpointRecoveryFactory factory =
        GuardedServicesFactory.guarded(
                own,
                () -> {
                  throw failure;
                })
            .getCheckpointRecoveryFactory();
    assertSame(failure, assertThrows(IllegalStateException.class, () -> lookUp(factory)));
  }

  @Test
  void handsEverythingElseOnAsItIs() throws Exception {
    HighAvailabilityServices guarded = GuardedServicesFactory.guarded(own, () -> {});
    assertEquals(own.getJobGraphStore().getClass(), guarded.getJobGraphStore().getClass());
    assertEquals(StandaloneCheckpointRecoveryFactory.class, own.getCheckpointRecoveryFactory().getClass());
    assertNotSame(own.getCheckpointRecoveryFactory().getClass(), guarded.getCheckpointRecoveryFactory().getClass());
    // Its own exception, not one of the call by reflection.
    assertThrows(NullPointerException.class, () -> guarded.getJobManagerLeaderElectionService(null));
  }

  @Test
  void namesZooKeeperToThePartsThatKnowItByName() {
    Configuration settings = new Configuration();
    settings.set(HighAvailabilityOptions.HA_MODE, GuardedServicesFactory.class.getName());
    assertEquals("ZOOKEEPER", GuardedServicesFactory.zookeeper(settings).get(HighAvailabilityOptions.HA_MODE));
    settings.set(HighAvailabilityOptions.HA_MODE, "NONE");
    assertEquals("NONE", GuardedServicesFactory.zookeeper(settings).get(HighAvailabilityOptions.HA_MODE));
  }
}
