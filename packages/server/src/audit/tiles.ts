import { HabeasError } from '../foundation/index.ts';
import { completeRoot, HASH_BYTES, nodeHashOf } from './merkle.ts';
import { type CompleteSubtree, completeSubtrees, type Subtree } from './subtrees.ts';

/** Hashes of a full tile (C2SP tlog-tiles): a tile is a subtree of height 8. */
export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** Names a tile: the `number`-th of its level; level 0 holds hashes of entries. */
export interface TileId {
  readonly level: number;
  readonly number: number;
}

export interface Tile extends TileId {
  /** 1 to 256 hashes, one behind the other. */
  readonly hashes: Uint8Array;
}

/** Reads a hash from tiles that were loaded; undefined: that tile was not. */
export type FindTile = (id: TileId) => Uint8Array | undefined;

/** The tiles at the right edge of a tree that are not full, one a level; the next entries go there. */
export function edgeOf(size: number): readonly TileId[] {
  const edge: TileId[] = [];
  for (let level = 0, width = size; width > 0; level += 1, width = Math.floor(width / TILE_WIDTH)) {
    if (width % TILE_WIDTH > 0) edge.push({ level, number: Math.floor(width / TILE_WIDTH) });
  }
  return edge;
}

/** How many hashes a tile has in a tree of this size. */
export function widthOf({ level, number }: TileId, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - number * TILE_WIDTH));
}

/**
 * Adds entries to a tree: gives the tiles that are new or longer. Nothing that was in a tile before changes.
 * `find` must have the tiles of {@link edgeOf} this size.
 */
export function appendToTiles(options: {
  readonly size: number;
  readonly find: FindTile;
  /** Hashes of the entries, one behind the other. */
  readonly leaves: Uint8Array;
}): readonly Tile[] {
  const changed: Tile[] = [];
  let { size, leaves: added } = options;
  for (let level = 0; added.length > 0; level += 1) {
    const first = Math.floor(size / TILE_WIDTH);
    const held =
      size % TILE_WIDTH === 0 ? new Uint8Array(0) : load(options.find, { level, number: first }, size);
    const row = Buffer.concat([held, added]);
    const above: Buffer[] = [];
    for (let at = 0; at < row.length; at += TILE_WIDTH * HASH_BYTES) {
      const hashes = row.subarray(at, at + TILE_WIDTH * HASH_BYTES);
      changed.push({ level, number: first + at / (TILE_WIDTH * HASH_BYTES), hashes });
      if (hashes.length === TILE_WIDTH * HASH_BYTES) above.push(completeRoot(hashes));
    }
    size = first;
    added = Buffer.concat(above);
  }
  return changed;
}

function load(find: FindTile, id: TileId, size: number): Uint8Array {
  const bytes = (size % TILE_WIDTH) * HASH_BYTES;
  return hashesOf(find, id, { start: 0, end: bytes });
}

/** Tiles that hold what the roots of these subtrees are made of, each once. */
export function tilesOf(subtrees: readonly Subtree[]): readonly TileId[] {
  const ids = subtrees.flatMap(completeSubtrees).map((part) => placeOf(part).tile);
  return [...new Map(ids.map((id) => [`${id.level}/${id.number}`, id])).values()];
}

/** Root of a subtree. `find` must have the tiles of {@link tilesOf}. */
export function rootOf(subtree: Subtree, find: FindTile): Uint8Array {
  const roots = completeSubtrees(subtree).map((part) => {
    const { tile, start, end } = placeOf(part);
    return completeRoot(hashesOf(find, tile, { start: start * HASH_BYTES, end: end * HASH_BYTES }));
  });
  return roots.reduceRight((right, left) => nodeHashOf(left, right));
}

/** Where the hashes lie that a complete subtree is made of: the lowest of its nodes that a tile holds. */
function placeOf({ height, index }: CompleteSubtree) {
  const level = Math.floor(height / TILE_HEIGHT);
  const width = 2 ** (height % TILE_HEIGHT);
  const first = index * width;
  const number = Math.floor(first / TILE_WIDTH);
  const start = first - number * TILE_WIDTH;
  return { tile: { level, number }, start, end: start + width };
}

function hashesOf(find: FindTile, id: TileId, bytes: Subtree): Uint8Array {
  const hashes = find(id);
  if (hashes === undefined || hashes.length < bytes.end)
    throw new HabeasError(
      'AUDIT_LOG_DAMAGED',
      `Tile ${id.level}/${id.number} of the audit log is not there, or is too short. Run: habeas audit verify`,
    );
  return hashes.subarray(bytes.start, bytes.end);
}

/** `x001/x234/067` for 1234067: how the number of a tile is written in a path. */
export function tileNumberPath(number: number): string {
  const digits = String(number);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join('/');
}

/** The number and the width (default: full) that a path such as `x001/x234/067.p/12` names; undefined if it is none. */
export function parseTilePath(path: string): { readonly number: number; readonly width: number } | undefined {
  const match = /^((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (match?.[1] === undefined) return undefined;
  const number = Number(match[1].replaceAll(/\D/g, ''));
  const width = match[2] === undefined ? TILE_WIDTH : Number(match[2]);
  // One number has one path.
  const isPartial = match[2] !== undefined;
  if (tileNumberPath(number) !== match[1] || (isPartial && width >= TILE_WIDTH)) return undefined;
  return { number, width };
}
