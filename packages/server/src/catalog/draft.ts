import type { CollectionShape, ReferenceShape } from './collection-shape.ts';
import { guessField, holdsPeople } from './column-guess.ts';

export interface DraftOptions {
  /** The dataset's key. */
  readonly key: string;
  readonly name?: string;
}

/** A column and the table that it is the key of, so that a draft can say what a reference is for. */
interface DraftTable {
  readonly shape: CollectionShape;
  /** Rows are people: a column looks like an e-mail address or a telephone number. */
  readonly hasIdentity: boolean;
  readonly looksPersonal: boolean;
}

/**
 * A first dataset for a live schema: every table and column, types, keys, references from foreign keys, and guesses by name, each with what
 * to check. The draft is cautious: nothing is deleted. Rows stay and their personal fields are emptied (`mask`), and rows that
 * belong to another person are only detached. Whoever knows the data changes that where it is not enough.
 */
export function draftDataset(shapes: readonly CollectionShape[], options: DraftOptions): string {
  const tables = new Map(shapes.map((shape) => [shape.name, describeTable(shape)]));
  const reached = tablesReached(tables);
  const lines = [
    '# A draft from the live schema. Nothing here deletes anything yet. Check, table by table:',
    '#  1. `data_categories` were guessed from names. Correct them; a personal column without one is neither masked nor reported.',
    "#  2. `identity` is what people are found by. Remove it where the value is not the person's own.",
    '#  3. `on_erase: mask` keeps the row and empties its personal fields. Write `delete` where the row is of no use without the person,',
    '#     `anonymize` where the row is useful but must not lead to the person, `keep` where a law says so.',
    'dataset:',
    `  - fides_key: ${scalar(options.key)}`,
    `    name: ${scalar(options.name ?? options.key)}`,
    '    collections:',
  ];
  for (const shape of [...shapes].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    lines.push(...draftTable(shape, { options, tables, reached }));
  }
  return `${lines.join('\n')}\n`;
}

interface Context {
  readonly options: DraftOptions;
  readonly tables: ReadonlyMap<string, DraftTable>;
  readonly reached: ReadonlySet<string>;
}

function describeTable(shape: CollectionShape): DraftTable {
  const linked = new Set([
    ...shape.primaryKey,
    ...shape.references.flatMap((reference) => reference.columns),
  ]);
  const guesses = shape.fields.flatMap((field) =>
    linked.has(field.name) ? [] : (guessField(shape.name, field.name) ?? []),
  );
  return {
    shape,
    hasIdentity: guesses.some((guess) => guess.identity !== undefined),
    looksPersonal: guesses.length > 0,
  };
}

/** Tables that an identity leads to when every foreign key is followed from its target to the row that holds it. */
function tablesReached(tables: ReadonlyMap<string, DraftTable>): ReadonlySet<string> {
  const children = new Map<string, string[]>();
  for (const { shape, hasIdentity } of tables.values()) {
    for (const reference of shape.references) {
      // The rows of people that point at other people are only detached, and so not followed.
      if (hasIdentity && tables.get(reference.target)?.hasIdentity === true) continue;
      children.set(reference.target, [...(children.get(reference.target) ?? []), shape.name]);
    }
  }
  const reached = new Set(
    [...tables.values()].filter((table) => table.hasIdentity).map((table) => table.shape.name),
  );
  for (const name of reached) for (const child of children.get(name) ?? []) reached.add(child);
  return reached;
}

function draftTable(shape: CollectionShape, context: Context): readonly string[] {
  const table = context.tables.get(shape.name);
  const isReached = context.reached.has(shape.name);
  const lines = [`      - name: ${scalar(shape.name)}`];
  if (table?.looksPersonal !== true && !isReached) {
    lines.push('        # No column looks personal. If one is, give it its own category.');
    lines.push('        data_categories: [system.operations]');
  }
  if (table?.hasIdentity === true) {
    lines.push('        # Rows found by an identity stay, emptied; `delete` removes them.');
    lines.push('        habeas:', '          on_erase: mask');
  }
  if (shape.primaryKey.length === 0 && shape.uniqueKeys.length === 0) {
    lines.push(
      '        # This table has no key; each step has to read all of it. `habeas: { key: [column, …] }` names columns that tell rows apart.',
    );
  }
  const composite = shape.references.filter((reference) => reference.columns.length > 1);
  if (composite.length > 0) {
    if (table?.hasIdentity !== true) lines.push('        habeas:');
    lines.push('          references:');
    for (const reference of composite) lines.push(...draftComposite(reference, shape, context));
    if (composite.every((reference) => wayOf(reference, shape, context) === undefined))
      lines.push('            []');
  }
  lines.push('        fields:');
  for (const field of shape.fields) {
    const references = shape.references.filter(
      (reference) => reference.columns.length === 1 && reference.columns[0] === field.name,
    );
    const isLink = references.length > 0 || shape.primaryKey.includes(field.name);
    const guess = isLink ? undefined : guessField(shape.name, field.name);
    lines.push(`          - name: ${scalar(field.name)}`);
    if (guess !== undefined) {
      lines.push(`            data_categories: [${guess.category}] # guessed from the name`);
    } else if (isReached && shape.primaryKey.length === 1 && shape.primaryKey[0] === field.name) {
      lines.push('            data_categories: [user.unique_id]');
    } else if (isReached && (isLink || !isPersonalType(field.type) || field.generated)) {
      lines.push('            data_categories: [system.operations]');
    } else if (isReached) {
      lines.push('            # The name does not tell what it holds: give it a category.');
    }
    lines.push(
      '            fides_meta:',
      `              data_type: ${scalar(dataType(field.type))} # ${field.type}`,
    );
    if (shape.primaryKey.includes(field.name)) lines.push('              primary_key: true');
    const length = /\((\d+)\)/.exec(field.type)?.[1];
    if (length !== undefined && /char/.test(field.type)) lines.push(`              length: ${length}`);
    if (guess?.identity !== undefined && table?.hasIdentity === true && isIdentityTable(shape, context)) {
      lines.push(`              identity: ${guess.identity} # check that it is the person's own`);
    }
    if (references.length > 0) lines.push(...draftReferences(references, shape, context));
  }
  return lines;
}

/** People are found in tables of people; an e-mail address in an order is reached from there. */
function isIdentityTable(shape: CollectionShape, context: Context): boolean {
  if (holdsPeople(shape.name)) return true;
  return !shape.references.some((reference) => context.tables.get(reference.target)?.hasIdentity === true);
}

function draftReferences(
  references: readonly ReferenceShape[],
  shape: CollectionShape,
  context: Context,
): readonly string[] {
  const [first] = references;
  if (first === undefined) return [];
  const lines = ['              references:'];
  const way = wayOf(first, shape, context);
  if (way === undefined) return notFollowed(first, '              ');
  for (const reference of references) {
    lines.push(
      `                - dataset: ${scalar(context.options.key)}`,
      `                  field: ${scalar(`${reference.target}.${reference.targetColumns[0]}`)}`,
      `                  direction: ${way.direction}`,
    );
  }
  lines.push(`            habeas: # ${way.comment}`, `              on_erase: ${way.onErase}`);
  if (way.shared) lines.push('              share: shared');
  return lines;
}

function draftComposite(
  reference: ReferenceShape,
  shape: CollectionShape,
  context: Context,
): readonly string[] {
  const way = wayOf(reference, shape, context);
  if (way === undefined) return notFollowed(reference, '            ');
  const lines = [
    `            - name: ${scalar(reference.name)} # ${way.comment}`,
    `              columns: [${reference.columns.map(scalar).join(', ')}]`,
    `              target: ${scalar(reference.target)}`,
    `              target_columns: [${reference.targetColumns.map(scalar).join(', ')}]`,
    `              direction: ${way.direction}`,
    `              on_erase: ${way.onErase}`,
  ];
  if (way.shared) lines.push('              share: shared');
  return lines;
}

interface DraftWay {
  readonly direction: 'from' | 'to';
  readonly onErase: 'mask' | 'detach';
  readonly shared: boolean;
  readonly comment: string;
}

/** Undefined: the rows are somebody else's, and a reference that may not be empty cannot be detached. */
function wayOf(reference: ReferenceShape, shape: CollectionShape, context: Context): DraftWay | undefined {
  const source = context.tables.get(shape.name);
  const target = context.tables.get(reference.target);
  const isBetweenPeople = source?.hasIdentity === true && target?.hasIdentity === true;
  if (isBetweenPeople || reference.target === shape.name) {
    const isNullable = reference.columns.every(
      (column) => shape.fields.find((field) => field.name === column)?.nullable === true,
    );
    if (!isNullable) return undefined;
    return {
      direction: 'from',
      onErase: 'detach',
      shared: false,
      comment: isBetweenPeople
        ? `rows of ${shape.name} are people of their own: only the reference is emptied, the row stays theirs`
        : `rows below may be somebody else's: only the reference is emptied; \`mask\` or \`delete\` if they are the same person's`,
    };
  }
  const isReachedOnlyHere = !context.reached.has(reference.target) && context.reached.has(shape.name);
  if (target?.looksPersonal === true && isReachedOnlyHere) {
    return {
      direction: 'to',
      onErase: 'mask',
      shared: true,
      comment: `${reference.target} looks personal and is reached from here; other people may share its rows`,
    };
  }
  return {
    direction: 'from',
    onErase: 'mask',
    shared: false,
    comment: `rows of ${shape.name} stay, emptied; write \`delete\` to remove them`,
  };
}

function notFollowed(reference: ReferenceShape, indent: string): readonly string[] {
  return [
    `${indent}# ${reference.columns.join(', ')} points at ${reference.target}. Not followed: the rows may be somebody else's, and it may not be empty.`,
  ];
}

/** Free text and the like can hold anything about a person; numbers, dates and flags rarely do by themselves. */
function isPersonalType(type: string): boolean {
  return /char|text|json|xml|bytea|inet|hstore/i.test(type);
}

/** The type in Fideslang's words. */
function dataType(type: string): string {
  const base = type.replace(/\(.*\)/, '').replace(/\[\]$/, '');
  const suffix = type.endsWith('[]') ? '[]' : '';
  if (/^(smallint|integer|bigint)$/.test(base)) return `integer${suffix}`;
  if (/^(numeric|real|double precision|money)/.test(base)) return `float${suffix}`;
  if (base === 'boolean') return `boolean${suffix}`;
  if (/^json/.test(base)) return `object${suffix}`;
  return `string${suffix}`;
}

/** A YAML scalar that reads back as this very text. */
function scalar(text: string | undefined): string {
  const value = text ?? '';
  const isPlain =
    /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(value) && !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
