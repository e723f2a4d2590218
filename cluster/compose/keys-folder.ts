/** Where this repository's containers mount the volume of the object store's keys; docker-compose.yml names it too. */
export const KEYS_FOLDER = "/volumes/keys";
/** Where the volume of Prometheus' login is mounted. */
export const LOGIN_FOLDER = "/volumes/prometheus-login";
