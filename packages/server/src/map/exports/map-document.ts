import { api } from '@habeas/contract';
import { canonicalJson } from '../../audit/index.ts';
import { HabeasError, sha256Hex } from '../../foundation/index.ts';

export interface MapDocumentOptions {
  readonly map: api.MapView;
  readonly organization: string;
  /** Name and version of what makes the export. */
  readonly product: string;
  readonly now: Date;
}

/** The JSON form: the map as it was answered, and a stamp that says what it is. All other forms are made from this one. */
export function mapDocument(options: MapDocumentOptions): api.MapExport {
  const { map, organization, product } = options;
  const stamp = {
    organization,
    generated_at: options.now.toISOString(),
    as_of: map.as_of,
    filter: filterOf(map.filter),
    counts: map.counts,
    product,
  };
  const document = { kind: 'habeas.map' as const, version: 1 as const, stamp, map };
  return { ...document, stamp: { ...stamp, sha256: sha256Hex(canonicalJson(document)) } };
}

/**
 * Reads the JSON form back. Throws BAD_INPUT for what is no export of a map, is of a version that is not known, or was changed
 * after it was made: its SHA-256 is another, or its counts are.
 */
export function readMapDocument(text: string, file: string): api.MapExport {
  const parsed = api.mapExportSchema.safeParse(parseJson(text, file));
  if (!parsed.success) {
    throw new HabeasError(
      'BAD_INPUT',
      `${file} is not a data map in JSON that this version knows. Make one with \`habeas map export --output ${file}\`.`,
      {
        details: parsed.error.issues.slice(0, 10).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
      },
    );
  }
  const { sha256, ...stamp } = parsed.data.stamp;
  const found = sha256Hex(canonicalJson({ ...parsed.data, stamp }));
  if (found !== sha256) {
    throw new HabeasError(
      'BAD_INPUT',
      `${file} was changed after it was exported: its SHA-256 is not the one that it carries. Export the map again.`,
    );
  }
  return parsed.data;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new HabeasError('BAD_INPUT', `${file} is not JSON. Export the map again.`, { cause });
  }
}

function filterOf(filter: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(filter).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
