import { deriveKey, type SecretKey } from '../foundation/index.ts';

/** The secret with which a service signs what it reports about one task. Derived, so that it is stored nowhere. */
export function callbackSecret(masterKey: SecretKey, taskId: string): string {
  return `whsec_${Buffer.from(deriveKey(masterKey, `callback of task ${taskId}`)).toString('base64')}`;
}
