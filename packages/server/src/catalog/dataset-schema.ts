import * as z from 'zod';
import { span } from '../foundation/index.ts';

/** `7y`, `18mo`, `4w`, `30d`: calendar units, so that seven years end on the same day of the year. */
const age = z.string().regex(/^[1-9]\d{0,3}(d|w|mo|y)$/, 'a time such as 30d, 4w, 18mo or 7y');

const until = z.union(
  [
    z.iso.date('a date such as 2031-12-31'),
    z.strictObject({
      /** A column of the same row that holds a date or a time. */
      column: z.string().min(1),
      after: age,
    }),
  ],
  'a date such as 2031-12-31, or `{ column: created_at, after: 7y }`',
);

const keep = z.strictObject({
  /** Why it is kept, in words that the person may read. */
  reason: z.string().min(1),
  legal_basis: z.string().min(1).optional(),
  until: until.optional(),
});

const mask = z.discriminatedUnion('strategy', [
  z.strictObject({ strategy: z.literal('null') }),
  z.strictObject({
    strategy: z.literal('fixed'),
    value: z.union([z.string(), z.number(), z.boolean()]).transform(String),
  }),
  z.strictObject({ strategy: z.literal('hash') }),
  z.strictObject({ strategy: z.literal('random-email') }),
]);

const onErase = z.union(
  [
    z.enum(['delete', 'detach', 'anonymize', 'mask']),
    z.strictObject({ anonymize: mask }),
    z.strictObject({ mask }),
    z.strictObject({ keep: keep.extend({ detach: z.boolean().default(false) }) }),
  ],
  '`delete`, `detach`, `anonymize`, `mask`, `{ mask: { strategy: … } }`, `{ anonymize: { strategy: … } }` or `{ keep: { reason: … } }`',
);

const share = z.enum(['owned', 'shared']);
const direction = z.enum(['from', 'to']);
const strings = z.array(z.string()).nullish();

const fidesReference = z.looseObject({
  dataset: z.string().min(1),
  field: z.string().min(3),
  direction: direction.nullish(),
});

const fieldMeta = z.looseObject({
  references: z.array(fidesReference).nullish(),
  identity: z.string().min(1).nullish(),
  primary_key: z.boolean().nullish(),
  data_type: z.string().nullish(),
  length: z.int().positive().nullish(),
  read_only: z.boolean().nullish(),
  masking_strategy_override: z
    .looseObject({
      strategy: z.string(),
      configuration: z.looseObject({ rewrite_value: z.string().optional() }).nullish(),
    })
    .nullish(),
});

const source = z.enum(['provided', 'observed', 'derived']);

/** Why rectification leaves a value as it is. */
const rectify = z.strictObject({ keep });

/** A boolean or a time; `lifted` says what a boolean is while the flag is not set. */
const flagColumn = z.union(
  [
    z.string().min(1),
    z.strictObject({ column: z.string().min(1), lifted: z.union([z.literal(false), z.null()]).optional() }),
  ],
  'the name of a column, or `{ column: restricted, lifted: false }`',
);

const flags = z.strictObject({
  restriction: flagColumn.optional(),
  opt_out_of_sale: flagColumn.optional(),
  limit_sensitive_data: flagColumn.optional(),
  /** By purpose. */
  objection: z
    .record(z.string().regex(/^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$/, 'a purpose such as marketing'), flagColumn)
    .optional(),
});

const oneOrMore = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  z.array(z.string().min(1)).min(1),
]);

const habeasField = z.strictObject({
  source: source.optional(),
  rectify: rectify.optional(),
  /** What erasing means for the rows that this field's references find. */
  on_erase: onErase.optional(),
  share: share.optional(),
  /** Fields of the found row that are about the person it is found from. */
  fields: z.array(z.string()).optional(),
  mask: mask.optional(),
  keep: keep.optional(),
  match: z.enum(['exact', 'case-insensitive', 'telephone', 'mailbox']).optional(),
  /** How a line of a log names the value, such as `user={}`; `anywhere`: by the value alone. */
  in_line: oneOrMore.optional(),
  resolves: z.boolean().optional(),
});

const habeasReference = z.strictObject({
  name: z.string().min(1),
  columns: z.array(z.string()).min(1),
  target: z.string().min(1),
  target_columns: z.array(z.string()).min(1),
  direction: z.enum(['from', 'to', 'both']).default('from'),
  on_erase: onErase.optional(),
  share: share.default('owned'),
  fields: z.array(z.string()).default([]),
});

/** Keys of Redis that name people; see docs/connect-redis.md. */
const redis = z
  .strictObject({
    key: oneOrMore,
    /** A field of a hash. */
    field: z.string().optional(),
    /** A member of a set or sorted set, or an element of a list. */
    member: z.string().optional(),
    /** An entry of a stream, by one of its fields. */
    entry: z.strictObject({ field: z.string().min(1), value: z.string() }).optional(),
  })
  .refine(
    ({ field, member, entry }) => [field, member, entry].filter((one) => one !== undefined).length <= 1,
    { error: 'has more than one of `field`, `member` and `entry`; a key has only one of them' },
  );

/** Files whose paths name people; see docs/connect-files.md. */
const files = z.strictObject({
  path: oneOrMore,
  /** Files made from such a file, such as thumbnails. */
  derived: oneOrMore.optional(),
});

/** Log files whose lines name people; see docs/connect-logs.md. */
const logs = z.strictObject({
  path: oneOrMore,
  /** Files that a process still writes to; among `path`. */
  live: oneOrMore.optional(),
  format: z.enum(['text', 'json']).default('text'),
  /** What is done to a file that is written to: lines are overwritten in place, or it is left until it is rotated and gone. */
  live_files: z.union([z.literal('overwrite'), z.strictObject({ left_for: age })]).default('overwrite'),
});

/** Objects of a bucket whose keys or rows name people; see docs/connect-s3.md. */
const objects = z.strictObject({
  key: oneOrMore,
  /** How rows lie in them. (Default: none: whole objects are somebody's, by their keys) */
  format: z.enum(['json-lines', 'csv', 'parquet']).optional(),
  csv: z
    .strictObject({
      delimiter: z
        .string()
        .regex(/^[ -~\t]$/, 'one character')
        .default(','),
      /** Where the objects have no header. */
      columns: z.array(z.string()).min(1).optional(),
    })
    .optional(),
  /** Fields that name a person only together: all of a group have to fit in one row. */
  together: z.array(z.array(z.string()).min(2)).default([]),
  /** What is done to versions that are not the latest: those that hold the person go, or they are left to the bucket's own rules. */
  old_versions: z.enum(['delete', 'expire']).default('delete'),
  /** Uploads that nobody finished for so long are aborted. */
  abort_uploads_after: age.default('7d'),
});

/** Items of DynamoDB that name people; see docs/connect-dynamodb.md. */
const dynamodb = z.strictObject({
  /** (Default: the collection's name) */
  table: z.string().min(1).optional(),
  /** Lets the whole table be read where no key and no index leads to a person's items. */
  scan: z.boolean().default(false),
  /** Fields that name a person only together: all of a group have to fit in one item. */
  together: z.array(z.array(z.string()).min(2)).default([]),
});

/** Documents of a full-text index of Sphinx that name people; see docs/connect-sphinx.md. */
const sphinx = z.strictObject({
  /** (Default: the collection's name) */
  index: z.string().min(1).optional(),
  /** The attribute of a plain index that marks documents for the command that takes them out. */
  mark: z.string().min(1).optional(),
  /** Fields that name a person only together: all of a group have to fit in one document. */
  together: z.array(z.array(z.string()).min(2)).default([]),
});

/** What ends by itself, in a store in which nobody can be looked for; see docs/connect-lifetimes.md. */
const lifetime = z.strictObject({
  /** How long the longest lives. (Default: what the store says) */
  max_age: span.optional(),
  /** Of memcached: what the keys begin with. (Default: all) */
  keys: z.string().min(1).optional(),
  /** Of RabbitMQ. (Default: the collection's name) */
  queue: z.string().min(1).optional(),
  /** Of NATS JetStream. (Default: the collection's name) */
  stream: z.string().min(1).optional(),
});

const habeasCollection = z.strictObject({
  dynamodb: dynamodb.optional(),
  objects: objects.optional(),
  redis: redis.optional(),
  files: files.optional(),
  logs: logs.optional(),
  sphinx: sphinx.optional(),
  lifetime: lifetime.optional(),
  on_erase: onErase.optional(),
  source: source.optional(),
  rectify: rectify.optional(),
  flags: flags.optional(),
  /** The column that marks a row as deleted although it is there, one of `fields`: a boolean or a time. */
  soft_delete: z.string().min(1).optional(),
  key: z.array(z.string()).min(1).optional(),
  /** Datasets or collections of other connections that this one is made from. */
  derived_from: oneOrMore.optional(),
  references: z.array(habeasReference).default([]),
});

const field = z.looseObject({
  name: z.string().min(1),
  data_categories: strings,
  fides_meta: fieldMeta.nullish(),
  fidesops_meta: fieldMeta.nullish(),
  habeas: habeasField.nullish(),
  get fields() {
    return z.array(field).nullish();
  },
});

const collectionMeta = z.looseObject({
  after: strings,
  erase_after: strings,
  skip_processing: z.boolean().nullish(),
  masking_strategy_override: z.looseObject({ strategy: z.string() }).nullish(),
});

const collection = z.looseObject({
  name: z.string().min(1),
  data_categories: strings,
  fields: z.array(field),
  fides_meta: collectionMeta.nullish(),
  fidesops_meta: collectionMeta.nullish(),
  habeas: habeasCollection.nullish(),
});

const dataset = z.looseObject({
  fides_key: z.string().min(1),
  name: z.string().nullish(),
  data_categories: strings,
  collections: z.array(collection),
  fides_meta: z
    .looseObject({ namespace: z.looseObject({ schema: z.string().optional() }).nullish() })
    .nullish(),
  fidesops_meta: z.looseObject({}).nullish(),
});

/** The file as it is written. Keys outside `habeas:` that nobody knows are let through; {@link KNOWN_KEYS} finds them. */
export const datasetFileSchema = z.looseObject({ dataset: z.array(dataset).min(1) });

export type DatasetSource = z.output<typeof dataset>;
export type CollectionSource = z.output<typeof collection>;
export type FieldSource = z.output<typeof field>;
export type OnEraseSource = z.output<typeof onErase>;
export type KeepSource = z.output<typeof keep>;
export type RedisSource = z.output<typeof redis>;
export type FilesSource = z.output<typeof files>;
export type ObjectsSource = z.output<typeof objects>;
export type LifetimeSource = z.output<typeof lifetime>;
export type LogsSource = z.output<typeof logs>;
export type FlagsSource = z.output<typeof flags>;

const DESCRIPTIVE = [
  'description',
  'data_categories',
  'data_qualifier',
  'data_uses',
  'data_purposes',
  'data_subjects',
];

/** Keys of Fideslang at each level. What is here and not read has no meaning for requests, such as descriptions. */
export const KNOWN_KEYS = {
  dataset: new Set([
    ...DESCRIPTIVE,
    ...['fides_key', 'name', 'collections', 'fides_meta', 'fidesops_meta', 'fidesctl_meta', 'meta', 'tags'],
    ...[
      'organization_fides_key',
      'retention',
      'joint_controller',
      'third_country_transfers',
      'version_added',
    ],
    ...['version_deprecated', 'replaced_by', 'is_default'],
  ]),
  datasetMeta: new Set(['resource_id', 'after', 'namespace', 'redact']),
  collection: new Set([...DESCRIPTIVE, 'name', 'fields', 'fides_meta', 'fidesops_meta', 'habeas']),
  collectionMeta: new Set([
    ...['after', 'erase_after', 'skip_processing', 'masking_strategy_override', 'partitioning', 'redact'],
  ]),
  field: new Set([...DESCRIPTIVE, 'name', 'fields', 'fides_meta', 'fidesops_meta', 'habeas']),
  fieldMeta: new Set([
    ...['references', 'identity', 'primary_key', 'data_type', 'length', 'return_all_elements', 'read_only'],
    ...['custom_request_field', 'masking_strategy_override', 'redact'],
  ]),
  reference: new Set(['dataset', 'field', 'direction']),
} as const satisfies Record<string, ReadonlySet<string>>;
