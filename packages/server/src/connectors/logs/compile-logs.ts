import {
  buildDatasetGraph,
  type Dataset,
  type Keep,
  type KeepRule,
  type LogFiles,
  planTraversal,
} from '../../catalog/index.ts';
import { type PathPattern, parsePattern } from '../files/path-pattern.ts';
import type { Compiled } from '../usable-collections.ts';

/** How a line names a person. */
export type LineForm =
  | { readonly kind: 'anywhere' }
  /** Text with `{}` in the place of the value. */
  | { readonly kind: 'template'; readonly before: string; readonly after: string }
  /** The value of this member of a JSON line; dots lead into objects. */
  | { readonly kind: 'member'; readonly path: readonly string[] };

export interface LineField {
  readonly type: string;
  readonly match: 'exact' | 'case-insensitive';
  readonly forms: readonly LineForm[];
}

/** A collection of log lines, ready to be searched. */
export interface LogCollection {
  readonly name: string;
  readonly paths: readonly PathPattern[];
  readonly live: readonly PathPattern[];
  readonly liveFiles: LogFiles['liveFiles'];
  readonly fields: readonly LineField[];
  /** `drop`: the line goes. `redact`: the values in it go. */
  readonly erase: 'drop' | 'redact';
  /** Why its lines stay; undefined: they are erased. */
  readonly keep: Keep | undefined;
}

export type CompiledLogs = Compiled<LogCollection>;

/** Values of these types are so long and of such a shape that they mean one thing wherever they stand. */
const DISTINCT: ReadonlySet<string> = new Set(['email', 'phone_number', 'ip_address', 'uuid', 'iban']);

/** Reads what the datasets say about logs and weighs the duties to keep. */
export function compileLogs(options: {
  readonly datasets: readonly Dataset[];
  readonly keepRules: readonly KeepRule[];
  readonly now: Date;
}): CompiledLogs {
  const problems: string[] = [];
  const { collections: planned } = planTraversal(buildDatasetGraph(options.datasets), options);
  const collections = [...planned.values()].flatMap(
    ({ node, actions, rootAction }): readonly LogCollection[] => {
      const { name, collection } = node;
      const { logs } = collection;
      if (logs === undefined) {
        problems.push(
          `The collection "${name}" does not say which logs it is: give it \`habeas: { logs: { path: … } }\`.`,
        );
        return [];
      }
      const fields = collection.fields.flatMap((field): readonly LineField[] => {
        if (field.identity === undefined) return [];
        const { type, match } = field.identity;
        return [{ type, match, forms: formsOf({ collection: name, logs, field, type, problems }) }];
      });
      if (fields.length === 0)
        problems.push(`No field of "${name}" has an \`identity\`, so no line of it names anybody.`);
      const action = rootAction === undefined ? undefined : actions[rootAction];
      const keep = action?.kind === 'keep' ? action.keep : undefined;
      if (keep?.until != null && 'column' in keep.until)
        problems.push(`Lines have no columns: give "${name}" a date until which they are kept.`);
      return [
        {
          name,
          paths: logs.path.flatMap((text) => read(text, problems)),
          live: logs.live.flatMap((text) => read(text, problems)),
          liveFiles: logs.liveFiles,
          fields,
          erase: action?.kind === 'delete' ? 'drop' : 'redact',
          keep,
        },
      ];
    },
  );
  if (collections.length === 0 && problems.length === 0)
    problems.push('The datasets name no collection of log lines.');
  return { collections, problems };
}

function formsOf(options: {
  readonly collection: string;
  readonly logs: LogFiles;
  readonly field: { readonly name: string; readonly inLine?: readonly string[] };
  readonly type: string;
  readonly problems: string[];
}): readonly LineForm[] {
  const { collection, logs, field, type, problems } = options;
  const where = `The field "${field.name}" of "${collection}"`;
  if (field.inLine === undefined) {
    if (logs.format === 'json') return [{ kind: 'member', path: field.name.split('.') }];
    if (!DISTINCT.has(type))
      problems.push(
        `${where} does not say how a line names a ${type}: give it \`habeas: { in_line: "user={}" }\`, or \`in_line: anywhere\` if its values mean one thing wherever they stand.`,
      );
    return [{ kind: 'anywhere' }];
  }
  return field.inLine.flatMap((text): readonly LineForm[] => {
    if (text === 'anywhere') return [{ kind: 'anywhere' }];
    const [before, after, ...more] = text.split('{}');
    if (before !== undefined && after !== undefined && more.length === 0)
      return [{ kind: 'template', before, after }];
    problems.push(`${where} has \`in_line: ${text}\`, in which {} has to stand once for the value.`);
    return [];
  });
}

function read(text: string, problems: string[]): readonly PathPattern[] {
  const pattern = parsePattern(text);
  if ('problem' in pattern) problems.push(pattern.problem);
  else if (pattern.fields.size > 0)
    problems.push(`The path "${text}" of logs has a placeholder; use * for what differs.`);
  else return [pattern];
  return [];
}
