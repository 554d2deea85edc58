import { fromZodError, HabeasError, type PlaceOf, parseYamlWithPlaces } from '../foundation/index.ts';
import { DATA_CATEGORIES, isDataCategory } from './data-categories.ts';
import type {
  Collection,
  Dataset,
  Field,
  Identification,
  Mask,
  OnErase,
  Reference,
  Spelling,
} from './dataset.ts';
import {
  type CollectionSource,
  type DatasetSource,
  datasetFileSchema,
  type FieldSource,
  KNOWN_KEYS,
} from './dataset-schema.ts';
import { fromKeepSource, fromOnEraseSource } from './erase-source.ts';
import { fromFilesSource, fromLogsSource } from './file-source.ts';
import type { Finding, FindingCode, Severity } from './finding.ts';
import { fromFlagsSource } from './flag-source.ts';
import { fromLifetimeSource } from './lifetime-source.ts';
import { fromObjectsSource } from './object-source.ts';
import { fromRedisSource } from './redis-source.ts';
import { didYouMean } from './suggest.ts';

type Path = readonly PropertyKey[];

/** Fides masks what a request targets and never deletes rows by itself; a file that says nothing keeps that meaning. */
const DEFAULT_ON_ERASE: OnErase = { kind: 'mask', mask: undefined };

/** Strategies of Fides → what does the same here. None of them can be undone, so the ones with a key or a salt become `hash`. */
const FIDES_STRATEGIES: Readonly<Record<string, Mask>> = {
  null_rewrite: { strategy: 'null' },
  hash: { strategy: 'hash' },
  hmac: { strategy: 'hash' },
  aes_encrypt: { strategy: 'hash' },
  random_string_rewrite: { strategy: 'hash' },
};

/**
 * Reads a dataset file: Fideslang YAML, with Habeas' additions under `habeas:`. Keys that nobody knows are findings;
 * what cannot be understood throws DATASET_INVALID with one line per mistake, each with its place.
 */
export function parseDatasets(text: string, file: string): readonly Dataset[] {
  const { value, placeOf } = parseYamlWithPlaces(text, file, 'DATASET_INVALID');
  const result = datasetFileSchema.safeParse(value ?? {});
  if (!result.success) throw fromZodError(result.error, { code: 'DATASET_INVALID', placeOf });
  return result.data.dataset.map((source, index) =>
    new DatasetReader(source, file, placeOf).read(['dataset', index]),
  );
}

class DatasetReader {
  readonly #source: DatasetSource;
  readonly #file: string;
  readonly #placeOf: PlaceOf;
  readonly #findings: Finding[] = [];

  constructor(source: DatasetSource, file: string, placeOf: PlaceOf) {
    this.#source = source;
    this.#file = file;
    this.#placeOf = placeOf;
  }

  read(path: Path): Dataset {
    const source = this.#source;
    this.#checkKeys(source, KNOWN_KEYS.dataset, path);
    for (const meta of ['fides_meta', 'fidesops_meta'] as const)
      this.#checkKeys(source[meta], KNOWN_KEYS.datasetMeta, [...path, meta]);
    this.#checkCategories(source.data_categories, path);
    this.#checkUnique(source.collections, [...path, 'collections'], 'collection');
    const collections = source.collections.map((collection, index) =>
      this.#collection(collection, [...path, 'collections', index]),
    );
    return {
      key: source.fides_key,
      name: source.name ?? undefined,
      file: this.#file,
      collections,
      findings: this.#findings,
      placeOf: this.#placeOf,
    };
  }

  #collection(source: CollectionSource, path: Path): Collection {
    this.#checkKeys(source, KNOWN_KEYS.collection, path);
    for (const meta of ['fides_meta', 'fidesops_meta'] as const)
      this.#checkKeys(source[meta], KNOWN_KEYS.collectionMeta, [...path, meta]);
    this.#checkCategories(source.data_categories, path);
    const meta = source.fides_meta ?? source.fidesops_meta ?? {};
    const inherited = source.data_categories ?? this.#source.data_categories ?? [];
    const fields: Field[] = [];
    const single: Reference[] = [];
    const addFields = (sources: readonly FieldSource[], prefix: string, at: Path) => {
      this.#checkUnique(sources, at, 'field');
      for (const [index, field] of sources.entries()) {
        const fieldPath = [...at, index];
        fields.push(
          this.#field(field, { name: prefix + field.name, inherited, collection: source, path: fieldPath }),
        );
        single.push(...this.#fieldReferences(field, prefix + field.name, fieldPath));
        if (field.fields) addFields(field.fields, `${prefix}${field.name}.`, [...fieldPath, 'fields']);
      }
    };
    addFields(source.fields, '', [...path, 'fields']);

    const declared = (source.habeas?.references ?? []).map((reference, index) =>
      this.#declaredReference(reference, [...path, 'habeas', 'references', index]),
    );
    const schema = this.#source.fides_meta?.namespace?.schema;
    return {
      name: source.name,
      table: qualify(source.name, schema),
      fields,
      references: [
        ...declared,
        ...single.filter((reference) => !declared.some((whole) => isPartOf(reference, whole))),
      ],
      onErase: fromOnEraseSource(source.habeas?.on_erase) ?? this.#collectionOverride(meta, path),
      key: source.habeas?.key ?? [],
      eraseAfter: meta.erase_after ?? [],
      derivedFrom: source.habeas?.derived_from ?? [],
      flags: fromFlagsSource(source.habeas?.flags, [...path, 'habeas', 'flags']),
      softDelete: this.#softDelete(source.habeas?.soft_delete, fields, path),
      skip: meta.skip_processing ?? false,
      ...(source.habeas?.redis === undefined ? {} : { redis: fromRedisSource(source.habeas.redis) }),
      ...(source.habeas?.files === undefined ? {} : { files: fromFilesSource(source.habeas.files) }),
      ...(source.habeas?.logs === undefined ? {} : { logs: fromLogsSource(source.habeas.logs) }),
      ...(source.habeas?.dynamodb === undefined ? {} : { dynamodb: source.habeas.dynamodb }),
      ...(source.habeas?.lifetime === undefined
        ? {}
        : { lifetime: fromLifetimeSource(source.habeas.lifetime) }),
      ...(source.habeas?.sphinx === undefined ? {} : { sphinx: source.habeas.sphinx }),
      ...(source.habeas?.objects === undefined ? {} : { objects: fromObjectsSource(source.habeas.objects) }),
      path,
    };
  }

  #softDelete(name: string | undefined, fields: readonly Field[], path: Path): Field | undefined {
    const field = fields.find((candidate) => candidate.name === name);
    if (name !== undefined && field === undefined)
      throw new HabeasError(
        'DATASET_INVALID',
        `\`soft_delete\` names "${name}", which is none of the fields of the collection. Name one, a boolean or a time.`,
        { place: this.#placeOf([...path, 'habeas', 'soft_delete']) },
      );
    return field;
  }

  #collectionOverride(meta: NonNullable<CollectionSource['fides_meta']>, path: Path): OnErase {
    const strategy = meta.masking_strategy_override?.strategy;
    if (strategy === undefined) return DEFAULT_ON_ERASE;
    if (strategy === 'delete') return { kind: 'delete' };
    const mask = FIDES_STRATEGIES[strategy];
    if (mask !== undefined) return { kind: 'mask', mask };
    this.#unknownStrategy(strategy, [...path, 'fides_meta', 'masking_strategy_override']);
    return DEFAULT_ON_ERASE;
  }

  #field(
    source: FieldSource,
    options: {
      name: string;
      inherited: readonly string[];
      collection: CollectionSource;
      path: Path;
    },
  ): Field {
    const { path } = options;
    const whole = options.collection.habeas;
    const unchanged = source.habeas?.rectify ?? whole?.rectify;
    this.#checkKeys(source, KNOWN_KEYS.field, path);
    for (const meta of ['fides_meta', 'fidesops_meta'] as const)
      this.#checkKeys(source[meta], KNOWN_KEYS.fieldMeta, [...path, meta]);
    this.#checkCategories(source.data_categories, path);
    const meta = source.fides_meta ?? source.fidesops_meta ?? {};
    const own = source.data_categories ?? [];
    const identity = meta.identity ?? undefined;
    return {
      name: options.name,
      dataType: meta.data_type ?? undefined,
      length: meta.length ?? undefined,
      categories: own.length > 0 ? own : options.inherited,
      identity:
        identity === undefined
          ? undefined
          : {
              type: identity,
              ...comparedBy(source.habeas?.match ?? USUAL_MATCH[identity] ?? 'exact'),
              resolves: source.habeas?.resolves ?? true,
            },
      primaryKey: meta.primary_key ?? false,
      readOnly: meta.read_only ?? false,
      mask: source.habeas?.mask ?? this.#fieldOverride(meta, path),
      keep: source.habeas?.keep === undefined ? undefined : fromKeepSource(source.habeas.keep),
      unchanged: unchanged === undefined ? undefined : fromKeepSource(unchanged.keep),
      source: source.habeas?.source ?? whole?.source ?? 'provided',
      ...(source.habeas?.in_line === undefined ? {} : { inLine: source.habeas.in_line }),
      path,
    };
  }

  #fieldOverride(meta: NonNullable<FieldSource['fides_meta']>, path: Path): Mask | undefined {
    const override = meta.masking_strategy_override;
    if (!override) return undefined;
    if (override.strategy === 'string_rewrite') {
      return { strategy: 'fixed', value: override.configuration?.rewrite_value ?? '' };
    }
    const mask = FIDES_STRATEGIES[override.strategy];
    if (mask === undefined)
      this.#unknownStrategy(override.strategy, [...path, 'fides_meta', 'masking_strategy_override']);
    return mask;
  }

  #fieldReferences(source: FieldSource, name: string, path: Path): readonly Reference[] {
    const metaName = source.fides_meta ? 'fides_meta' : 'fidesops_meta';
    const references = source[metaName]?.references ?? [];
    const onErase = fromOnEraseSource(source.habeas?.on_erase);
    if (onErase !== undefined && references.length === 0) {
      this.#find(
        'warning',
        'unsupported-key',
        [...path, 'habeas', 'on_erase'],
        `\`on_erase\` of the field "${name}" says nothing, because the field has no reference.`,
      );
    }
    return references.map((reference, index): Reference => {
      const at = [...path, metaName, 'references', index];
      this.#checkKeys(reference, KNOWN_KEYS.reference, at);
      const dot = reference.field.lastIndexOf('.');
      if (dot < 1) {
        throw new HabeasError(
          'DATASET_INVALID',
          `The reference of the field "${name}" has to name a collection and a field, such as customers.id.`,
          { place: this.#placeOf([...at, 'field']) },
        );
      }
      return {
        name: references.length === 1 ? name : `${name}_${index + 1}`,
        columns: [name],
        dataset: reference.dataset,
        target: reference.field.slice(0, dot),
        targetColumns: [reference.field.slice(dot + 1)],
        direction: reference.direction ?? 'both',
        onErase,
        share: source.habeas?.share ?? 'owned',
        fields: source.habeas?.fields ?? [],
        path: at,
      };
    });
  }

  #declaredReference(
    source: NonNullable<NonNullable<CollectionSource['habeas']>['references']>[number],
    path: Path,
  ): Reference {
    if (source.columns.length !== source.target_columns.length) {
      throw new HabeasError(
        'DATASET_INVALID',
        `The reference "${source.name}" has ${source.columns.length} columns and ${source.target_columns.length} target columns; they go together in pairs.`,
        { place: this.#placeOf(path) },
      );
    }
    return {
      name: source.name,
      columns: source.columns,
      dataset: this.#source.fides_key,
      target: source.target,
      targetColumns: source.target_columns,
      direction: source.direction,
      onErase: fromOnEraseSource(source.on_erase),
      share: source.share,
      fields: source.fields,
      path,
    };
  }

  #find(severity: Severity, code: FindingCode, path: Path, message: string): void {
    this.#findings.push({ severity, code, message, place: this.#placeOf(path) });
  }

  #unknownStrategy(strategy: string, path: Path): void {
    this.#find(
      'warning',
      'unknown-strategy',
      path,
      `Habeas has no masking strategy "${strategy}"; the value is emptied instead.`,
    );
  }

  #checkKeys(value: object | null | undefined, known: ReadonlySet<string>, path: Path): void {
    for (const key of Object.keys(value ?? {})) {
      if (known.has(key)) continue;
      this.#find(
        'warning',
        'unknown-key',
        [...path, key],
        `The key "${key}" is not known here and is ignored.${didYouMean(key, known)}`,
      );
    }
  }

  #checkCategories(categories: readonly string[] | null | undefined, path: Path): void {
    for (const [index, category] of (categories ?? []).entries()) {
      if (isDataCategory(category)) continue;
      this.#find(
        'error',
        'unknown-category',
        [...path, 'data_categories', index],
        `"${category}" is not a data category of the taxonomy.${didYouMean(category, DATA_CATEGORIES)}`,
      );
    }
  }

  #checkUnique(items: readonly { readonly name: string }[], path: Path, what: string): void {
    const seen = new Set<string>();
    for (const [index, { name }] of items.entries()) {
      if (seen.has(name)) {
        throw new HabeasError('DATASET_INVALID', `The ${what} "${name}" is there twice. Merge both.`, {
          place: this.#placeOf([...path, index]),
        });
      }
      seen.add(name);
    }
  }
}

function qualify(name: string, schema: string | undefined): string {
  return schema === undefined || schema === 'public' || name.includes('.') ? name : `${schema}.${name}`;
}

/** Whether a reference of a single field is one pair of a composite reference, and so already said by it. */
function isPartOf(single: Reference, whole: Reference): boolean {
  const index = whole.columns.indexOf(single.columns[0] ?? '');
  return (
    index >= 0 &&
    single.dataset === whole.dataset &&
    single.target === whole.target &&
    whole.targetColumns[index] === single.targetColumns[0]
  );
}

/** How values of an identity type are compared where the field does not say it. */
const USUAL_MATCH: Readonly<Record<string, 'case-insensitive' | 'telephone'>> = {
  email: 'case-insensitive',
  phone_number: 'telephone',
};

function comparedBy(
  match: 'exact' | 'case-insensitive' | Spelling,
): Omit<Identification, 'type' | 'resolves'> {
  if (match === 'telephone') return { match: 'exact', spelling: match };
  return match === 'mailbox' ? { match: 'case-insensitive', spelling: match } : { match };
}
