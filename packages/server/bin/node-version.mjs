/** The oldest Node that runs TypeScript as it is and has what the server uses. */
export const OLDEST_NODE = '22.18';

/** Whether a version such as `22.18.0` can run the server. */
export function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE.split('.').map(Number);
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}
