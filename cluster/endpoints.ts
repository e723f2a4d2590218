import { type Addresses, addressesAt } from "../contract/ports.js";
import type { ClusterSettings } from "./settings.js";

/** Where the parts of a cluster are reached: on loopback, unless its settings say otherwise. */
export const addresses = ({ ports, addresses: given }: ClusterSettings): Addresses => given ?? addressesAt(ports);
