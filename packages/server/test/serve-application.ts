import type { Application } from '../src/http/index.ts';
import { createHttpServer } from '../src/http/index.ts';
import { inMemoryApplication } from './in-memory-application.ts';

/** The HTTP API on a free port of loopback over some real parts; the others live in memory. */
export async function serveApplication(
  parts: Pick<Application, 'db'> & Partial<Application>,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = await createHttpServer({ ...inMemoryApplication({ db: parts.db }), ...parts });
  const url = await app.listen({ port: 0, host: '127.0.0.1' });
  return { url, close: () => app.close() };
}
