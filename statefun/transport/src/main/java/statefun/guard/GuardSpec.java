package statefun.guard;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** What {@code module.yaml} tells the guard of the stores. */
final class GuardSpec {
  /** {@code host:port} of a broker. */
  final String address;

  /** The consumer group of the ingresses: whatever it has committed, a complete checkpoint has read. */
  final String consumerGroupId;

  /** Topics into which only complete checkpoints write records. */
  final List<String> outputs;

  /** Properties of the Kafka clients. */
  final Properties properties;

  private GuardSpec(String address, String group, List<String> outputs, Properties properties) {
    this.address = address;
    this.consumerGroupId = group;
    this.outputs = outputs;
    this.properties = properties;
  }

  /**
   * @throws IllegalArgumentException that names the field that is missing or wrong
   */
  static GuardSpec parse(JsonNode spec) {
    List<String> outputs = new ArrayList<>();
    JsonNode topics = spec.path("outputs");
    if (!topics.isArray() || topics.isEmpty())
      throw new IllegalArgumentException(GuardModule.KIND + ": spec.outputs must list topics");
    topics.forEach(topic -> outputs.add(topic.asText()));
    Properties properties = new Properties();
    for (JsonNode one : spec.path("properties")) {
      Iterator<Map.Entry<String, JsonNode>> fields = one.fields();
      while (fields.hasNext()) {
        Map.Entry<String, JsonNode> field = fields.next();
        properties.put(field.getKey(), field.getValue().asText());
      }
    }
    properties.put("bootstrap.servers", text(spec, "address"));
    return new GuardSpec(
        text(spec, "address"), text(spec, "consumerGroupId"), List.copyOf(outputs), properties);
  }

  private static String text(JsonNode spec, String field) {
    String text = spec.path(field).asText("");
    if (text.isEmpty()) throw new IllegalArgumentException(GuardModule.KIND + ": spec." + field + " is missing");
    return text;
  }
}
