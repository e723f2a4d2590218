/** A place where cards are used. */
export interface City {
  readonly name: string;
  /** Degrees, north and east positive. */
  readonly latitude: number;
  readonly longitude: number;
}

const city = (name: string, latitude: number, longitude: number): City => ({ name, latitude, longitude });

/** Cities of card holders, and where stolen cards turn up. Coordinates rounded to about a kilometre. */
export const CITIES: readonly City[] = [
  city("Lisbon, PT", 38.72, -9.14),
  city("Porto, PT", 41.15, -8.61),
  city("Madrid, ES", 40.42, -3.7),
  city("Barcelona, ES", 41.39, 2.17),
  city("Seville, ES", 37.39, -5.98),
  city("Paris, FR", 48.86, 2.35),
  city("Lyon, FR", 45.76, 4.84),
  city("Marseille, FR", 43.3, 5.37),
  city("Brussels, BE", 50.85, 4.35),
  city("Amsterdam, NL", 52.37, 4.9),
  city("Luxembourg, LU", 49.61, 6.13),
  city("Cologne, DE", 50.94, 6.96),
  city("Hamburg, DE", 53.55, 9.99),
  city("Berlin, DE", 52.52, 13.41),
  city("Munich, DE", 48.14, 11.58),
  city("Vienna, AT", 48.21, 16.37),
  city("Zurich, CH", 47.38, 8.54),
  city("Milan, IT", 45.46, 9.19),
  city("Rome, IT", 41.9, 12.5),
  city("Naples, IT", 40.85, 14.27),
  city("Prague, CZ", 50.08, 14.44),
  city("Warsaw, PL", 52.23, 21.01),
  city("Krakow, PL", 50.06, 19.94),
  city("Budapest, HU", 47.5, 19.04),
  city("Zagreb, HR", 45.81, 15.98),
  city("Athens, GR", 37.98, 23.73),
  city("Bucharest, RO", 44.43, 26.1),
  city("Sofia, BG", 42.7, 23.32),
  city("Copenhagen, DK", 55.68, 12.57),
  city("Stockholm, SE", 59.33, 18.07),
  city("Oslo, NO", 59.91, 10.75),
  city("Helsinki, FI", 60.17, 24.94),
  city("Dublin, IE", 53.35, -6.26),
  city("London, GB", 51.51, -0.13),
  city("Edinburgh, GB", 55.95, -3.19),
  city("New York, US", 40.71, -74.01),
  city("Miami, US", 25.76, -80.19),
  city("Sao Paulo, BR", -23.55, -46.63),
  city("Lagos, NG", 6.52, 3.38),
  city("Dubai, AE", 25.2, 55.27),
  city("Singapore, SG", 1.35, 103.82),
  city("Manila, PH", 14.6, 120.98),
  city("Sydney, AU", -33.87, 151.21),
];

/** The first so many are where accounts live. */
export const HOME_CITIES = 35;

const EARTH_RADIUS_KM = 6371;
const RADIANS = Math.PI / 180;

/** Great-circle distance in kilometres, by the haversine formula. */
export function distanceKm(a: City, b: City): number {
  const north = Math.sin(((b.latitude - a.latitude) * RADIANS) / 2);
  const east = Math.sin(((b.longitude - a.longitude) * RADIANS) / 2);
  return (
    2 *
    EARTH_RADIUS_KM *
    Math.asin(Math.sqrt(north * north + Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * east * east))
  );
}
