import { httpDoorTests, smallBoundTests } from "./intake/http-door-tests.js";
import { useIntake } from "./intake/intake-on-cluster.js";
import { kafkaDoorTests } from "./intake/kafka-door-tests.js";
import { killTests, madeAgainTests, taskManagerTests } from "./intake/unharmed-tests.js";

useIntake();
httpDoorTests();
kafkaDoorTests();
killTests();
madeAgainTests();
// After the hostile records: they must see no restart, and Flink reports one only seconds later.
taskManagerTests();
smallBoundTests();
