import { join } from 'node:path';
import { parse } from 'yaml';
import { parseDatasets } from '../../packages/server/src/catalog/index.ts';
import { parsePurposes } from '../../packages/server/src/consent/index.ts';
import { configSchema, parseConfig } from '../../packages/server/src/foundation/index.ts';
import { parseRecord } from '../../packages/server/src/map/index.ts';
import { parsePolicy, policySchema } from '../../packages/server/src/policy/index.ts';
import { markOf, placeOf, ROOT, type Snippet } from './pages.ts';

/** Which parser reads a YAML snippet. `other` is YAML of somebody else, such as a Prometheus configuration. */
export type YamlKind = 'config' | 'policy' | 'dataset' | 'record' | 'purposes' | 'other';

const KINDS: readonly string[] = [
  'config',
  'policy',
  'dataset',
  'record',
  'purposes',
  'other',
] satisfies YamlKind[];

function isKind(text: string): text is YamlKind {
  return KINDS.includes(text);
}

/** Stands for every variable that a configuration names; it fits wherever a text or an address is wanted. */
const ANY_VARIABLE = 'http://127.0.0.1:1';

/** Stands for every variable that is named as a secret that signs. */
const ANY_SECRET = `whsec_${Buffer.alloc(32).toString('base64')}`;

/** By its mark `yaml:`, or by its keys. Throws for YAML that no parser of ours knows and that has no mark. */
export function yamlKind(snippet: Snippet): YamlKind {
  const marked = markOf(snippet, 'yaml');
  if (marked !== undefined && isKind(marked)) return marked;
  if (marked !== undefined) throw new Error(`${placeOf(snippet)}: there is no parser "${marked}"`);
  const value: unknown = parse(snippet.text);
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.includes('dataset')) return 'dataset';
  const areAll = (shape: object) => keys.length > 0 && keys.every((key) => key in shape);
  if (areAll(configSchema.shape)) return 'config';
  if (areAll(policySchema.shape)) return 'policy';
  throw new Error(
    `${placeOf(snippet)}: this is neither a configuration nor a policy nor a dataset; write <!-- yaml: ${KINDS.join('|')} --> above it`,
  );
}

/** Parses it the way Habeas does. Throws what Habeas says about it. */
export function checkYaml(snippet: Snippet): void {
  const file = join(ROOT, placeOf(snippet));
  const { text } = snippet;
  switch (yamlKind(snippet)) {
    case 'config':
      parseConfig({ text, file, environment: everyVariable() });
      return;
    case 'policy':
      parsePolicy(text, file);
      return;
    case 'dataset':
      parseDatasets(text, file);
      return;
    case 'record':
      parseRecord(text, file);
      return;
    case 'purposes':
      parsePurposes(text, file);
      return;
    case 'other':
      parse(text);
  }
}

function everyVariable(): NodeJS.ProcessEnv {
  return new Proxy(
    {},
    {
      get: (_, name) => (String(name).endsWith('_HOOK_SECRET') ? ANY_SECRET : ANY_VARIABLE),
    },
  );
}
