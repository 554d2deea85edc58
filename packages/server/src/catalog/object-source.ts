import type { ObjectKeys } from './dataset.ts';
import type { ObjectsSource } from './dataset-schema.ts';
import { fromAgeSource } from './erase-source.ts';

/** `objects` as it is written → what it means. */
export function fromObjectsSource(source: ObjectsSource): ObjectKeys {
  const { format, csv } = source;
  return {
    key: source.key,
    rows:
      format === undefined
        ? undefined
        : { format, delimiter: csv?.delimiter ?? ',', columns: csv?.columns, together: source.together },
    oldVersions: source.old_versions,
    abortUploadsAfter: fromAgeSource(source.abort_uploads_after),
  };
}
