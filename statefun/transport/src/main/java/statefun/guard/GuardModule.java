package statefun.guard;

import java.util.Map;
import org.apache.flink.statefun.extensions.ComponentBinder;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.sdk.TypeName;

/** Registers the guard of the stores with StateFun: a component in {@code module.yaml} turns it on. */
public final class GuardModule implements ExtensionModule {
  /** What the component's {@code kind} must say. */
  public static final TypeName KIND = TypeName.parseFrom("statefun.guard.v1/stores");

  /** {@code statefun.module.global-config.guard: off} in Flink's settings: for tests that show what happens without the guard. */
  static final String SWITCH = "guard";

  @Override
  public void configure(Map<String, String> globalConfigurations, Binder binder) {
    boolean on = !"off".equals(globalConfigurations.get(SWITCH)) && isJobManager();
    binder.<ComponentBinder>bindExtension(
        KIND,
        (component, module) -> {
          GuardSpec spec = GuardSpec.parse(component.specJsonNode());
          if (on) StoresGuard.set(spec);
        });
  }

  /** TaskManagers read {@code module.yaml} too, repeatedly. */
  private static boolean isJobManager() {
    return System.getProperty("sun.java.command", "").contains("ClusterEntryPoint");
  }
}
