import type { DeclaredService } from '../../foundation/index.ts';
import type { MapSource } from '../map-source.ts';
import { readDeclaredServices } from './declared-services.ts';

/** The name of {@link createFileSource}. */
export const FILE_SOURCE = 'configuration';

/** The declarations that stand in the configuration itself. What is taken out of it ends at the next start. */
export function createFileSource(services: readonly DeclaredService[]): MapSource {
  const { declarations, rejections } = readDeclaredServices(services);
  return {
    name: FILE_SOURCE,
    kind: 'file',
    read: async () => ({
      state: 'read',
      source: FILE_SOURCE,
      declarations,
      rejections,
      problems: [],
      complete: rejections.length === 0,
    }),
  };
}
