import type { FilePaths, LogFiles } from './dataset.ts';
import type { FilesSource, LogsSource } from './dataset-schema.ts';
import { fromAgeSource } from './erase-source.ts';

/** `files` as it is written → what it means. */
export function fromFilesSource(source: FilesSource): FilePaths {
  return { path: source.path, derived: source.derived ?? [] };
}

/** `logs` as it is written → what it means. */
export function fromLogsSource(source: LogsSource): LogFiles {
  const { live_files: liveFiles } = source;
  return {
    path: source.path,
    live: source.live ?? [],
    format: source.format,
    liveFiles: liveFiles === 'overwrite' ? liveFiles : { leftFor: fromAgeSource(liveFiles.left_for) },
  };
}
