import * as api from '@habeas/contract/api';
import { define } from './define.ts';

/*
 * Every operation that the dashboard calls, with the contract's own schemas. A test compares them with the OpenAPI document.
 */

export const getSession = define('GET', '/api/v1/session', { reply: api.sessionSchema, quiet: true });
export const startSession = define('POST', '/api/v1/session', {
  body: api.startSessionSchema,
  reply: api.sessionSchema,
  quiet: true,
});
export const confirmSession = define('POST', '/api/v1/session:confirm', {
  body: api.startSessionSchema,
  reply: api.sessionSchema,
  quiet: true,
});
export const endSession = define('DELETE', '/api/v1/session', { quiet: true });
