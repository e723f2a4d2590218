package statefun.guard;

import java.util.Optional;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.statefun.flink.core.StatefulFunctionsConfig;
import org.apache.flink.statefun.flink.core.spi.Modules;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a JobManager from starting the job on stores that do not belong together, whatever starts it. Flink itself takes a missing
 * checkpoint to mean a first start.
 */
final class StoresGuard {
  /** The exit code of a refusal: it tells whatever starts JobManagers that trying again is of no use. */
  static final int EXIT_CODE = 78;

  private static final Logger LOG = LoggerFactory.getLogger(StoresGuard.class);
  private static final long RETRY_MS = 500;

  /** What {@code module.yaml} says, once that was read. */
  private static volatile GuardSpec known;

  private StoresGuard() {}

  /**
   * Called when {@code module.yaml} was read for a job that is to be submitted: a job that has ended would not even be recovered.
   */
  static void set(GuardSpec spec) {
    known = spec;
    requireThatTheyBelongTogether(GlobalConfiguration.loadConfiguration(), spec);
  }

  /** Called before a job's checkpoints are looked up, possibly before its own program has read {@code module.yaml}. */
  static void ask(Configuration configuration) {
    if (known != null) requireThatTheyBelongTogether(configuration, known);
    else readModule(StatefulFunctionsConfig.fromFlinkConfiguration(configuration));
  }

  /** Reads it as StateFun itself does, which sets the spec if {@code module.yaml} has a guard. */
  private static void readModule(StatefulFunctionsConfig configuration) {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(StoresGuard.class.getClassLoader());
    try {
      Modules.loadFromClassPath(configuration).createStatefulFunctionsUniverse();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  /**
   * Ends the process when the stores do not belong together. Waits for a store that does not answer: without it the job could not
   * start anyway.
   */
  private static void requireThatTheyBelongTogether(Configuration configuration, GuardSpec spec) {
    Optional<String> refusal =
        Refusal.of(look(new Stores(GuardedServicesFactory.zookeeper(configuration), spec)));
    if (refusal.isEmpty()) return;
    String message = "the job must not start: " + refusal.get();
    LOG.error(message);
    System.err.println("error: " + message);
    System.err.flush();
    // Not exit: Flink's hooks would close the job down in order, and might clear away what is left of it.
    Runtime.getRuntime().halt(EXIT_CODE);
  }

  private static Found look(Stores stores) {
    for (int attempt = 0; ; attempt++) {
      try {
        return stores.look();
      } catch (Exception error) {
        if (attempt % 20 == 0) LOG.warn("the stores cannot be read yet: {}", error.toString());
        try {
          Thread.sleep(RETRY_MS);
        } catch (InterruptedException interrupted) {
          Thread.currentThread().interrupt();
          throw new IllegalStateException("interrupted while waiting for the stores", error);
        }
      }
    }
  }
}
