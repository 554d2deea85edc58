import {
  explainPolicyQuerySchema,
  listAuditQuerySchema,
  listLegalHoldsQuerySchema,
  listTicketsQuerySchema,
  requestFilterSchema,
} from '@habeas/contract/api';
import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import * as z from 'zod';
import { queryClient } from './api/query-client.ts';
import { catalogSearchSchema } from './catalog/search.ts';
import { mapQuery } from './map/queries.ts';
import { mapSearchSchema } from './map/search.ts';
import { Loading } from './parts/states.tsx';
import { tabSchema } from './requests/tab.ts';
import { PageError, PageNotFound } from './shell/page-error.tsx';
import { Shell } from './shell/shell.tsx';

const root = createRootRoute({
  component: Shell,
  errorComponent: PageError,
  notFoundComponent: PageNotFound,
});

const home = createRoute({ getParentRoute: () => root, path: '/' }).lazy(() =>
  import('./home/home-page.tsx').then(({ route }) => route),
);

const requests = createRoute({
  getParentRoute: () => root,
  path: '/requests',
  validateSearch: requestFilterSchema,
}).lazy(() => import('./requests/list-page.tsx').then(({ route }) => route));

const request = createRoute({
  getParentRoute: () => root,
  path: '/requests/$id',
  validateSearch: z.object({ tab: tabSchema.optional() }),
}).lazy(() => import('./requests/detail-page.tsx').then(({ route }) => route));

const tickets = createRoute({
  getParentRoute: () => root,
  path: '/tickets',
  validateSearch: listTicketsQuerySchema.pick({ state: true, team: true }),
}).lazy(() => import('./tickets/list-page.tsx').then(({ route }) => route));

const ticket = createRoute({ getParentRoute: () => root, path: '/tickets/$id' }).lazy(() =>
  import('./tickets/detail-page.tsx').then(({ route }) => route),
);

const holds = createRoute({
  getParentRoute: () => root,
  path: '/holds',
  validateSearch: listLegalHoldsQuerySchema.pick({ released: true }),
}).lazy(() => import('./holds/holds-page.tsx').then(({ route }) => route));

const consent = createRoute({ getParentRoute: () => root, path: '/consent' }).lazy(() =>
  import('./consent/consent-page.tsx').then(({ route }) => route),
);

const policy = createRoute({
  getParentRoute: () => root,
  path: '/policy',
  validateSearch: explainPolicyQuerySchema.partial(),
}).lazy(() => import('./policy/policy-page.tsx').then(({ route }) => route));

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: z.object({ keys: z.literal('all').optional() }),
}).lazy(() => import('./settings/settings-page.tsx').then(({ route }) => route));

const connections = createRoute({ getParentRoute: () => root, path: '/connections' }).lazy(() =>
  import('./connections/connections-page.tsx').then(({ route }) => route),
);

const map = createRoute({
  getParentRoute: () => root,
  path: '/map',
  validateSearch: mapSearchSchema,
  loaderDeps: ({ search }) => search,
  // While the page is fetched. What goes wrong the page finds again, and shows.
  loader: ({ deps }) => void queryClient.prefetchQuery(mapQuery(deps)),
}).lazy(() => import('./map/map-page.tsx').then(({ route }) => route));

const catalog = createRoute({
  getParentRoute: () => root,
  path: '/catalog',
  validateSearch: catalogSearchSchema,
}).lazy(() => import('./catalog/catalog-page.tsx').then(({ route }) => route));

const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  validateSearch: listAuditQuerySchema.pick({ subject: true }),
}).lazy(() => import('./audit/audit-page.tsx').then(({ route }) => route));

const signedIn = createRoute({ getParentRoute: () => root, path: '/signed-in' }).lazy(() =>
  import('./session/signed-in-page.tsx').then(({ route }) => route),
);

/** Addresses hold what the API's queries hold, as they hold it: `?state=running`. */
const parseSearch = (text: string) => Object.fromEntries(new URLSearchParams(text));
const stringifySearch = (search: Readonly<Record<string, unknown>>) => {
  const entries = Object.entries(search).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`;
};

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    requests,
    request,
    tickets,
    ticket,
    holds,
    map,
    catalog,
    consent,
    policy,
    connections,
    audit,
    settings,
    signedIn,
  ]),
  basepath: '/app',
  parseSearch,
  stringifySearch,
  defaultErrorComponent: PageError,
  defaultPendingComponent: Loading,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
