import { type Endpoints, endpointsAt } from "../contract/ports.js";
import type { ClusterSettings } from "./settings.js";

/** Where the parts of a cluster are reached: on loopback, unless its settings say otherwise. */
export const endpoints = ({ ports, endpoints: given }: ClusterSettings): Endpoints => given ?? endpointsAt(ports);
