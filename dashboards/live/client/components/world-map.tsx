import { feature } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";
import world from "world-atlas/land-110m.json";

import type { DecisionPoint } from "../../wire.js";

const WIDTH = 460;
const HEIGHT = 370;
/** Degrees of longitude that are shown at least: a map of one street would be empty. */
const MIN_SPAN = 36;
const MARGIN = 1.25;

let outline: string | undefined;

/** Whether there is anything to show on a map. */
export const hasPlaces = (points: readonly DecisionPoint[]): boolean =>
  points.some(({ latitude, longitude }) => latitude !== null && longitude !== null);

/**
 * Where the account's card was used, in order: give it points of which {@link hasPlaces} is true. Drawn from
 * coordinates and an outline of the land; nothing is fetched.
 */
export function WorldMap({ points, current }: { points: readonly DecisionPoint[]; current: string }) {
  const located = points.filter(
    (point): point is DecisionPoint & { latitude: number; longitude: number } =>
      point.latitude !== null && point.longitude !== null,
  );
  const view = viewOf(located);
  // Sizes on the map are those on the screen, however far it is zoomed.
  const unit = view.width / WIDTH;
  const now = located.find(({ transactionId }) => transactionId === current);
  const labels = namesOf(located, now);
  return (
    <svg
      class="map"
      viewBox={`${view.x} ${view.y} ${view.width} ${view.height}`}
      role="img"
      aria-label={`Places: ${[...new Set(located.map(({ place }) => place))].join(", ")}`}
    >
      <rect class="sea" x={view.x} y={view.y} width={view.width} height={view.height} />
      <path class="land" d={(outline ??= landPath())} stroke-width={unit * 0.7} />
      <polyline
        class="way"
        points={located.map(({ longitude, latitude }) => `${longitude},${-latitude}`).join(" ")}
        stroke-width={unit * 1.5}
        stroke-dasharray={`${unit * 4} ${unit * 4}`}
      />
      {located.map(({ accountSeq, longitude, latitude, outcome }) => (
        <circle
          key={accountSeq}
          class={`spot ${outcome.toLowerCase()}`}
          cx={longitude}
          cy={-latitude}
          r={unit * 4.5}
          stroke-width={unit * 1.5}
        />
      ))}
      {now !== undefined && (
        <g class="here">
          <circle class="ring" cx={now.longitude} cy={-now.latitude} r={unit * 12} stroke-width={unit * 2} />
          <circle
            class={`spot ${now.outcome.toLowerCase()}`}
            cx={now.longitude}
            cy={-now.latitude}
            r={unit * 6}
            stroke-width={unit * 1.5}
          />
        </g>
      )}
      {labels.map(({ name, longitude, latitude }) => {
        const leftHalf = longitude < view.x + view.width * 0.7;
        return (
          <text
            key={name}
            x={longitude + unit * (leftHalf ? 16 : -16)}
            y={-latitude + unit * 4}
            font-size={unit * 13}
            stroke-width={unit * 3.5}
            text-anchor={leftHalf ? "start" : "end"}
          >
            {name}
          </text>
        );
      })}
    </svg>
  );
}

interface Located {
  readonly place: string;
  readonly longitude: number;
  readonly latitude: number;
}

/** Each place once; the one in question first, and not so many that they cover the map. */
function namesOf(
  located: readonly Located[],
  now: Located | undefined,
): { readonly name: string; readonly longitude: number; readonly latitude: number }[] {
  const names = new Map<string, Located>();
  for (const point of [...(now === undefined ? [] : [now]), ...located.toReversed()])
    if (point.place !== "" && !names.has(point.place)) names.set(point.place, point);
  return [...names].slice(0, 5).map(([name, { longitude, latitude }]) => ({ name, longitude, latitude }));
}

/** A frame around all points, in degrees, in the map's proportions. */
function viewOf(located: readonly Located[]): { x: number; y: number; width: number; height: number } {
  const longitudes = located.map(({ longitude }) => longitude);
  const latitudes = located.map(({ latitude }) => -latitude);
  const [west, east, north, south] = [
    Math.min(...longitudes),
    Math.max(...longitudes),
    Math.min(...latitudes),
    Math.max(...latitudes),
  ];
  const width = Math.min(360, Math.max(MIN_SPAN, (east - west) * MARGIN, (south - north) * MARGIN * (WIDTH / HEIGHT)));
  const height = (width * HEIGHT) / WIDTH;
  const within = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
  return {
    x: within((west + east) / 2 - width / 2, -180, 180 - width),
    y: within((north + south) / 2 - height / 2, -90, Math.max(-90, 90 - height)),
    width,
    height,
  };
}

/** The land as one path, in degrees, north up. */
function landPath(): string {
  const topology = world as unknown as Topology<{ land: GeometryCollection }>;
  return feature(topology, topology.objects.land)
    .features.flatMap(({ geometry }) =>
      geometry.type === "MultiPolygon"
        ? geometry.coordinates.flat()
        : geometry.type === "Polygon"
          ? geometry.coordinates
          : [],
    )
    .flatMap((ring) => unrolled(ring.map(([longitude, latitude]) => [longitude!, latitude!] as const)))
    .map(
      (ring) =>
        `M${ring.map(([longitude, latitude]) => `${longitude.toFixed(2)},${(-latitude).toFixed(2)}`).join("L")}Z`,
    )
    .join("");
}

/** South of this there is only Antarctica, whose outline goes around the pole. */
const ANTARCTICA = -85;

/** A ring that crosses the date line would be drawn across the whole map: it is drawn past either edge instead. */
function unrolled(ring: readonly (readonly [number, number])[]): (readonly (readonly [number, number])[])[] {
  if (ring.some(([, latitude]) => latitude < ANTARCTICA)) return [ring];
  let turns = 0;
  let crosses = false;
  const straight = ring.map(([longitude, latitude], at) => {
    const step = longitude - (ring[at - 1]?.[0] ?? longitude);
    if (Math.abs(step) > 180) {
      turns -= Math.sign(step);
      crosses = true;
    }
    return [longitude + 360 * turns, latitude] as const;
  });
  if (!crosses) return [straight];
  return [-360, 0, 360].map((shift) => straight.map(([longitude, latitude]) => [longitude + shift, latitude] as const));
}
