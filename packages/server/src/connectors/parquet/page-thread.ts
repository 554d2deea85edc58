import { parentPort } from 'node:worker_threads';
import { asBuffer, CHUNK } from './footer.ts';
import { movable } from './memory.ts';
import { damaged, Refusal } from './refusals.ts';
import { collectChunk } from './rewrite-chunk.ts';
import { RowSet } from './row-set.ts';
import { packSnappy, unpackSnappy } from './snappy.ts';
import type { ThreadAnswer, ThreadResult, ThreadTask } from './thread-task.ts';
import { readThrift, writeThrift } from './thrift.ts';

parentPort?.on('message', async ({ id, task }: { readonly id: number; readonly task: ThreadTask }) => {
  try {
    const result = await resultOf(task);
    const { parts, transfer } = movable(result.parts);
    parentPort?.postMessage({ id, result: { ...result, parts } } satisfies ThreadAnswer, transfer);
  } catch (error) {
    const isRefusal = error instanceof Refusal;
    const message = error instanceof Error ? error.message : String(error);
    parentPort?.postMessage({ id, error: { message, isRefusal } } satisfies ThreadAnswer);
  }
});

async function resultOf(task: ThreadTask): Promise<ThreadResult> {
  const bytes = asBuffer(task.bytes);
  if (task.kind !== 'cut')
    return { parts: [await (task.kind === 'pack' ? packSnappy([bytes]) : unpackSnappy(bytes))] };
  const { struct } = readThrift(asBuffer(task.struct));
  const metadata = struct.struct(CHUNK.metadata);
  if (metadata === undefined) throw damaged('a column has no description');
  const source = {
    size: bytes.length,
    read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
  const chunk = { struct, metadata, leaf: task.leaf, offset: 0, length: bytes.length };
  const { parts, changed } = await collectChunk(source, chunk, {
    rows: new RowSet(task.rows),
    mask: undefined,
  });
  const statistics = changed.statistics === undefined ? undefined : writeThrift(changed.statistics);
  return { parts, changed: { ...changed, statistics } };
}
