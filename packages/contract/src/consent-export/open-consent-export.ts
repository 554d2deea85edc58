import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type BloomShape, bloomPlaces } from './bloom-places.ts';

/** Which file is to be used, and what it has to be. */
export interface ConsentExportOptions {
  /** The file of `habeas consent export`. */
  readonly file: string;
  /** Its manifest. (Default: the file's name and `.manifest.json`) */
  readonly manifest?: string;
  readonly organization: string;
  /** Code of the purpose that it is used for. */
  readonly purpose: string;
  /** Identity type by which people are named. */
  readonly identityType: string;
  /** Public keys of the organization's Habeas: `x` of what `GET /api/v1/public-keys` tells. One of them has to have signed. */
  readonly publicKeys: readonly string[];
  /** (Default: the clock of this machine) */
  readonly now?: () => Date;
}

/** Whom the data of may be used for one purpose, as one file tells. */
export interface ConsentExport {
  readonly purpose: string;
  /** By which it names people. */
  readonly identityType: string;
  /** Whom the file has: those who agreed, or those who refused. */
  readonly lists: 'granted' | 'denied';
  readonly format: 'parquet' | 'bloom';
  readonly asOf: Date;
  readonly expiresAt: Date;
  /**
   * The join of a statement of DuckDB with a Parquet file that leaves the rows of people who may be used: ` semi join …` or ` anti join …`. Throws
   * {@link ConsentExportError} once the file has expired. `column`: SQL of what names people.
   */
  join(column: string): string;
  /** Whether a person may be used, by a Bloom filter: false for everybody once it has expired. */
  mayUse(identity: string): boolean;
}

/** Why a file may not be used. Nobody may be, then. */
export class ConsentExportError extends Error {
  override readonly name = 'ConsentExportError';
}

interface Manifest {
  readonly version: number;
  readonly organization: string;
  readonly purpose: string;
  readonly identity_type: string;
  readonly lists: 'granted' | 'denied';
  readonly format: 'parquet' | 'bloom';
  readonly bloom?: BloomShape;
  readonly file: { readonly bytes: number; readonly sha256: string };
  readonly as_of: string;
  readonly issued_at: string;
  readonly expires_at: string;
}

/** Clocks of two machines differ by a little. */
const TOLERANCE_MILLISECONDS = 5 * 60_000;

/**
 * Opens an export after everything about it was checked: who signed, for whom and what, until when, and every byte of the file. Rejects with
 * {@link ConsentExportError} for one that is altered, of somebody else, or expired.
 */
export async function openConsentExport(options: ConsentExportOptions): Promise<ConsentExport> {
  const { file, manifest: path = `${file}.manifest.json`, now = () => new Date() } = options;
  const manifest = await readManifest(path, options.publicKeys);
  for (const [what, found, wanted] of [
    ['organization', manifest.organization, options.organization],
    ['purpose', manifest.purpose, options.purpose],
    ['identity type', manifest.identity_type, options.identityType],
  ] as const)
    if (found !== wanted)
      throw new ConsentExportError(`The export is of the ${what} ${found}, and not of ${wanted}.`);
  const asOf = new Date(manifest.as_of);
  const expiresAt = new Date(manifest.expires_at);
  const requireCurrent = () => {
    if (!(now() < expiresAt))
      throw new ConsentExportError(`The export expired at ${manifest.expires_at}. Make a new one.`);
  };
  requireCurrent();
  if (!(Date.parse(manifest.issued_at) <= now().getTime() + TOLERANCE_MILLISECONDS))
    throw new ConsentExportError('The export was made at a time that has not come. Set the clock.');
  const filter = await checkFile(file, manifest);
  return {
    purpose: manifest.purpose,
    identityType: manifest.identity_type,
    lists: manifest.lists,
    format: manifest.format,
    asOf,
    expiresAt,
    join(column) {
      requireCurrent();
      if (manifest.format !== 'parquet') throw new ConsentExportError('The export is no Parquet file.');
      const people = `(select identity from read_parquet('${patternOf(file)}', hive_partitioning = false)) as habeas_people`;
      return ` ${manifest.lists === 'granted' ? 'semi' : 'anti'} join ${people} on habeas_people.identity = ${column}`;
    },
    mayUse(identity) {
      const shape = manifest.bloom;
      if (filter === undefined || shape === undefined || manifest.lists !== 'denied' || !(now() < expiresAt))
        return false;
      const text = normalized(manifest.identity_type, identity);
      return !bloomPlaces(text, shape).every(
        (place) => (((filter[place >> 3] ?? 0xff) >> (place & 7)) & 1) === 1,
      );
    },
  };
}

/** The path, inside quotes, where DuckDB takes a pattern: it is to read the file that was checked, and not others that are called alike. */
function patternOf(file: string): string {
  return file.replaceAll(/[[*?]/g, '[$&]').replaceAll("'", "''");
}

async function readManifest(path: string, publicKeys: readonly string[]): Promise<Manifest> {
  let signed: { readonly manifest?: Manifest; readonly signature?: string };
  try {
    signed = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new ConsentExportError(`There is no manifest that can be read at ${path}.`, { cause });
  }
  const { manifest, signature } = signed;
  if (manifest?.version !== 1 || typeof signature !== 'string')
    throw new ConsentExportError('The manifest is none that this version knows.');
  if (publicKeys.some((key) => isSignedBy(key, { manifest, signature }))) return manifest;
  throw new ConsentExportError('The manifest was altered, or signed by somebody else.');
}

/** EdDSA (RFC 8037) over the header and the payload that was left out. */
function isSignedBy(
  x: string,
  { manifest, signature }: { readonly manifest: Manifest; readonly signature: string },
): boolean {
  const [header = '', payload, end = '', ...more] = signature.split('.');
  if (payload !== '' || more.length > 0) return false;
  try {
    const { alg, crit } = JSON.parse(Buffer.from(header, 'base64url').toString());
    if (alg !== 'EdDSA' || crit !== undefined) return false;
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const signed = `${header}.${Buffer.from(canonicalJson(manifest)).toString('base64url')}`;
    return verify(null, Buffer.from(signed), key, Buffer.from(end, 'base64url'));
  } catch {
    // Whatever is wrong with a signature or a key, it proves nothing.
    return false;
  }
}

/** RFC 8785 of what a manifest may have: objects, texts and whole numbers. */
function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const fields = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${fields.map(([name, one]) => `${JSON.stringify(name)}:${canonicalJson(one)}`).join(',')}}`;
}

/** The bytes of a filter; of a Parquet file, which may be large, none. */
async function checkFile(
  file: string,
  { file: wanted, format, bloom }: Manifest,
): Promise<Buffer | undefined> {
  const hash = createHash('sha256');
  const kept: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const piece of createReadStream(file) as AsyncIterable<Buffer>) {
      hash.update(piece);
      bytes += piece.length;
      if (format === 'bloom') kept.push(piece);
    }
  } catch (cause) {
    throw new ConsentExportError(`The file ${file} cannot be read.`, { cause });
  }
  if (bytes !== wanted.bytes || hash.digest('hex') !== wanted.sha256)
    throw new ConsentExportError('The file is not the one that its manifest is about.');
  if (format !== 'bloom') return undefined;
  if (bloom?.bits !== bytes * 8)
    throw new ConsentExportError('The filter has another size than its manifest says.');
  return Buffer.concat(kept);
}

/** As Habeas stores identities: e-mail addresses are one whatever their case and the blanks around them. */
function normalized(type: string, value: string): string {
  const composed = value.normalize('NFC');
  return type === 'email' ? composed.trim().toLowerCase() : composed;
}
