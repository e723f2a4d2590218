package statefun.batching;

import java.util.Map;
import org.apache.flink.statefun.extensions.ExtensionModule;
import org.apache.flink.statefun.sdk.TypeName;

/** Registers the transport with StateFun: {@code transport.type} of {@code module.yaml} names it. */
public final class BatchingTransportModule implements ExtensionModule {
  /** What {@code transport.type} must say. */
  public static final TypeName TYPE = TypeName.parseFrom("statefun.transports.v1/batching");

  @Override
  public void configure(Map<String, String> globalConfigurations, Binder binder) {
    // Each subtask configures its modules again: each has its own factory, so that none cleans up what belongs to another.
    binder.bindExtension(TYPE, new BatchingClientFactory());
  }
}
