import { signStandardWebhook, webhookPublicKey } from '../../access/index.ts';
import { HabeasError, loadConfig, systemClock } from '../../foundation/index.ts';
import { createCourier, receiversOf, sendTest } from '../../notify/index.ts';
import { type CliContext, type ConfigOptions, print } from '../context.ts';
import type { ExitName } from '../exit-code.ts';
import { testResultLines } from '../render/notify.ts';

export async function notifyTest(
  context: CliContext,
  options: ConfigOptions & { readonly team?: string },
): Promise<ExitName> {
  const { folder, environment, signal, terminal, paint } = context;
  const config = loadConfig({
    file: options.config,
    folder,
    environment,
    only: ['organization', 'networks', 'teams', 'notify', 'audit'],
  });
  const { team } = options;
  const receivers = receiversOf(config).filter((receiver) => team === undefined || receiver.team === team);
  if (team !== undefined && receivers.length === 0) {
    throw new HabeasError(
      'BAD_INPUT',
      `Nothing is told to a team ${team}: the configuration names it under teams with neither a mail nor a webhook, or not at all.`,
    );
  }
  const courier = createCourier({ config, clock: systemClock, sign: signStandardWebhook });
  try {
    const { organization: organizationId } = config;
    const items = await sendTest({ courier, receivers, organizationId, now: systemClock.now(), signal });
    const keys = receivers.flatMap((receiver) => {
      const key = receiver.kind === 'webhook' ? webhookPublicKey(receiver.secret) : undefined;
      return key === undefined ? [] : [{ receiver: receiver.name, public_key: key }];
    });
    print(context, options, {
      json: { items, keys },
      lines: () => [
        ...testResultLines(items, terminal.width, paint),
        ...keys.map(({ receiver, public_key }) => `${receiver} checks signatures with ${public_key}`),
      ],
    });
    return items.some(({ error }) => error !== null) ? 'failed' : 'done';
  } finally {
    courier.close();
  }
}
