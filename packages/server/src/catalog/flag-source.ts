import type { Flag, FlagColumn } from './dataset.ts';
import type { FlagsSource } from './dataset-schema.ts';

/** `flags` of a collection as they are written → what they mean. */
export function fromFlagsSource(
  source: FlagsSource | undefined,
  path: readonly PropertyKey[],
): readonly FlagColumn[] {
  const { objection = {}, ...others } = source ?? {};
  const flag = (
    kind: Flag,
    written: NonNullable<FlagsSource['restriction']>,
    purpose: string | null,
  ): FlagColumn => ({
    flag: kind,
    purpose,
    path: [...path, kind, ...(purpose === null ? [] : [purpose])],
    ...(typeof written === 'string'
      ? { column: written, lifted: undefined }
      : { column: written.column, lifted: written.lifted }),
  });
  const single = (['restriction', 'opt_out_of_sale', 'limit_sensitive_data'] as const).flatMap((kind) => {
    const written = others[kind];
    return written === undefined ? [] : [flag(kind, written, null)];
  });
  return [
    ...single,
    ...Object.entries(objection).map(([purpose, written]) => flag('objection', written, purpose)),
  ];
}
