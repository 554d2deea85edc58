import { HabeasError } from '../../foundation/index.ts';
import { ObjectMoved } from './object-store.ts';

/** What the store said no to; nothing where it did not, or only had no such object. Throws what is no answer. */
export async function refusalOf(attempt: () => Promise<unknown>): Promise<readonly HabeasError[]> {
  try {
    await attempt();
    return [];
  } catch (error) {
    if (error instanceof ObjectMoved) return [];
    const known = HabeasError.from(error);
    if (known.code !== 'SYSTEM_REFUSED') throw error;
    return [known];
  }
}
