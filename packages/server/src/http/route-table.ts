import type { api } from '@habeas/contract';
import type { HttpServer } from './operation.ts';

/** One route of the server, as it was registered. */
export interface RouteEntry {
  readonly method: string;
  /** Fastify's path: `/api/v1/requests/:id([a-z0-9_]+)::cancel`. */
  readonly url: string;
  /** Reachable without a key. */
  readonly open: boolean;
  /** What a key has to be allowed to do, unless it is open. */
  readonly scope: api.Scope | undefined;
}

const tables = new WeakMap<object, RouteEntry[]>();

/** Remembers every route that is registered from now on, so that a test can try them all. */
export function recordRoutes(app: HttpServer): void {
  const table: RouteEntry[] = [];
  tables.set(app, table);
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const { open, scope } = route.config ?? {};
      table.push({ method, url: route.url, open: open === true, scope });
    }
  });
}

/** All routes of a server that `createHttpServer` made. */
export function routesOf(app: HttpServer): readonly RouteEntry[] {
  return tables.get(app) ?? [];
}
