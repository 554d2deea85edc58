import { resolve } from 'node:path';
import type { Config } from '../../foundation/index.ts';
import { createConfiguredMailSender } from '../courier.ts';
import { RETRY_DELAYS } from '../retry-delay.ts';
import { loadTemplates } from './load-templates.ts';
import { createPeopleTeller, type PeopleTeller, type TellPeopleOptions } from './tell-people.ts';

type Given = 'db' | 'pool' | 'organizationId' | 'feed' | 'people' | 'clock' | 'logger';

/**
 * Tells people by mail, as the configuration says; undefined where it names no mail server, or wants nobody told who has not to prove
 * anything. Throws CONFIG_INVALID for a template that cannot be used.
 */
export function peopleTellerFromConfig(
  config: Pick<Config, 'notify' | 'networks' | 'people' | 'folder' | 'intake'>,
  options: Pick<TellPeopleOptions, Given>,
): PeopleTeller | undefined {
  const sender = createConfiguredMailSender(config);
  const { people } = config;
  const nobody = config.intake === undefined && people.tell !== 'all';
  if (sender === undefined || nobody) return undefined;
  const { templates } = people;
  return createPeopleTeller({
    ...options,
    organization: people.name ?? options.organizationId,
    templates: loadTemplates(templates === undefined ? undefined : resolve(config.folder, templates)),
    sender,
    retry: RETRY_DELAYS,
    giveUpMilliseconds: config.notify.give_up_after,
  });
}
