import { randomBytes } from 'node:crypto';
import type { OperationStore, StoredOperation } from './operation-store.ts';

/** Keeps operations in memory, for tests: a restart forgets them. */
export function memoryOperationStore(): OperationStore {
  const byName = new Map<string, StoredOperation>();
  const nameOfKey = new Map<string, string>();
  const isOpen = (operation: StoredOperation) =>
    operation.state === 'QUEUED' || operation.state === 'RUNNING' || operation.report !== null;
  return {
    fingerprintKey: randomBytes(32),
    begin(operation) {
      const known = byName.get(nameOfKey.get(operation.idempotencyKey) ?? '');
      if (known !== undefined) return known;
      byName.set(operation.name, operation);
      nameOfKey.set(operation.idempotencyKey, operation.name);
      return operation;
    },
    find: (name) => byName.get(name),
    findByKey: (key) => byName.get(nameOfKey.get(key) ?? ''),
    change(name, change) {
      const known = byName.get(name);
      if (known !== undefined) byName.set(name, { ...known, ...change });
    },
    open: () => [...byName.values()].filter(isOpen),
    forget(time) {
      for (const operation of byName.values()) {
        if (isOpen(operation) || operation.createdAt >= time) continue;
        byName.delete(operation.name);
        nameOfKey.delete(operation.idempotencyKey);
      }
    },
    close: () => undefined,
  };
}
