import type { Command } from 'commander';
import type { Run } from '../verb.ts';
import { requestCommandVerbs } from './request-commands.ts';
import { requestDeadlineVerbs } from './request-deadline.ts';
import { requestEraseTenantVerb } from './request-erase-tenant.ts';
import { requestImportVerb } from './request-import.ts';
import { requestMakeVerbs } from './request-make.ts';
import { requestPersonVerbs } from './request-person.ts';
import { requestReadVerbs } from './request-read.ts';

/** `habeas request`: make requests, follow them, and decide about them. */
export function requestVerb(program: Command, run: Run): void {
  const request = program
    .command('request')
    .description('make a request about one person, follow it, decide about it');
  requestMakeVerbs(request, run);
  requestEraseTenantVerb(request, run);
  requestImportVerb(request, run);
  requestReadVerbs(request, run);
  requestCommandVerbs(request, run);
  requestDeadlineVerbs(request, run);
  requestPersonVerbs(request, run);
}
