/**
 * The rooms of the server from top to bottom: a room may import those on the lines below its own, and none beside it or
 * above it (its tests may look beside it). docs/architecture.md draws the same arrows.
 */
export const ROOMS: readonly (readonly string[])[] = [
  ['cli'],
  ['http'],
  ['partners'],
  ['requests', 'lifecycle', 'consent'],
  ['connectors'],
  ['policy'],
  ['catalog'],
  ['map'],
  ['audit', 'access', 'notify'],
  ['foundation'],
];

/** Files that may be imported past their room's index.ts, because what asks a server has to start without the rest of the room. */
export const SIDE_DOORS: readonly string[] = [
  'packages/server/src/foundation/csv.ts',
  'packages/server/src/foundation/errors.ts',
];

/** The workspaces that each workspace's own code may import, by their folders. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'packages/contract': [],
  'packages/sdk': ['packages/contract'],
  'packages/server': ['packages/contract', 'packages/consent'],
  'packages/consent': [],
  'packages/web': ['packages/contract'],
  'examples/acme': ['packages/contract', 'packages/sdk'],
};

/** The folders whose code may import anything: test support, benchmarks and the scripts of the project. */
export const FREE_FOLDERS: readonly string[] = [
  'packages/server/test',
  'examples/acme/test',
  'bench',
  'scripts',
  'docs',
];

export const SERVER_SOURCE = 'packages/server/src';
