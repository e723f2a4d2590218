package statefun.guard;

import java.util.Map;
import org.apache.flink.statefun.extensions.ComponentBinder;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.sdk.TypeName;

/** Tells StateFun of the guard of the stores: a component of {@code module.yaml} turns it on. */
public final class GuardModule implements ExtensionModule {
  /** What the component's {@code kind} must say. */
  public static final TypeName KIND = TypeName.parseFrom("statefun.guard.v1/stores");

  /** {@code statefun.module.global-config.guard: off} of Flink's settings: for those who show what happens without. */
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

  /** TaskManagers read {@code module.yaml} too, again and again. */
  private static boolean isJobManager() {
    return System.getProperty("sun.java.command", "").contains("ClusterEntryPoint");
  }
}
