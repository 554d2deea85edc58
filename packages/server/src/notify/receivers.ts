import type { Config } from '../foundation/index.ts';
import { fitsType } from './event-types.ts';
import type { OutboxEvent, StoredEvent } from './outbox.ts';

/** Somebody or something that is told what happens. */
export type Receiver = ToldReceiver | ProgramReceiver;

/** One that the configuration names. */
export type ToldReceiver = WebhookReceiver | MailReceiver;

interface ReceiverBase {
  /** Where the configuration has it, such as `teams.shop.mail`: names it in messages and in what is stored. */
  readonly name: string;
  /** The team that it belongs to, if it belongs to one. */
  readonly team: string | undefined;
  /** Types of events that may concern it: exact ones, `map.*`, or `*`. */
  readonly types: readonly string[];
  /** Whether an event of such a type concerns it. */
  wants(event: Pick<OutboxEvent, 'type' | 'data'>): boolean;
}

export interface WebhookReceiver extends ReceiverBase {
  readonly kind: 'webhook';
  readonly url: URL;
  readonly secret: string;
  /** Sign besides, while the receiver changes from one of them to {@link secret}. */
  readonly formerSecrets: readonly string[];
}

export interface MailReceiver extends ReceiverBase {
  readonly kind: 'mail';
  readonly to: string;
}

/** A part of Habeas that tells somebody in a way of its own, such as on a stream. */
export interface ProgramReceiver extends ReceiverBase {
  readonly kind: 'program';
  /** In order; what is thrown is a failure, and all of them are told again later. */
  deliver(events: readonly StoredEvent[], signal: AbortSignal): Promise<void>;
}

/** What a team is told about its own services. */
const OF_TEAM: readonly string[] = [
  'map.sensitive-flow-appeared',
  'map.store-without-eraser',
  'map.client-address-changed',
  'request.team-deadline-near',
  'ticket.opened',
  'ticket.reassigned',
];

/** What the officer is told, and the team that answers for the request. */
const OF_OFFICER: readonly string[] = ['request.deadline-near', 'request.approval-asked', 'mail.undelivered'];

/** What operators are told whoever else is. An address of a client waits for them. */
const OF_OPERATORS: readonly string[] = [
  'map.shrunk',
  'map.client-address-changed',
  'notify.dead-letter',
  'notify.receiver-disabled',
  'consent.delivery-given-up',
];

/** The audit log published a checkpoint. */
const CHECKPOINT = 'audit.checkpoint';

/** All receivers of a configuration, each once. */
export function receiversOf({
  teams,
  notify,
  audit,
}: Pick<Config, 'teams' | 'notify' | 'audit'>): readonly ToldReceiver[] {
  const toldTeams = new Set(
    Object.entries(teams).flatMap(([team, { mail, webhook }]) => ((mail ?? webhook) ? [team] : [])),
  );
  const ofTeams = Object.entries(teams).flatMap(([team, receiver]) =>
    pairOf(`teams.${team}`, receiver, {
      team,
      types: [...OF_TEAM, ...OF_OFFICER],
      wants: ({ type, data }) =>
        (OF_TEAM.includes(type) && data.team === team) || (OF_OFFICER.includes(type) && data.owner === team),
    }),
  );
  const { officer } = notify;
  const ofOfficer = pairOf('notify.officer', officer, {
    team: undefined,
    types: OF_OFFICER,
    wants: ({ type }) => OF_OFFICER.includes(type),
  });
  const ofOperators = pairOf('notify.operators', notify.operators, {
    team: undefined,
    types: [...new Set([...OF_OPERATORS, ...OF_TEAM, ...OF_OFFICER])],
    // What no team and no officer would be told, operators are.
    wants: ({ type, data }) =>
      OF_OPERATORS.includes(type) ||
      (OF_TEAM.includes(type) && !toldTeams.has(String(data.team))) ||
      (OF_OFFICER.includes(type) && ofOfficer.length === 0),
  });
  const programs = notify.webhooks.map(
    ({ name, url, secret, former_secrets, events }): WebhookReceiver => ({
      kind: 'webhook',
      name: `notify.webhooks.${name}`,
      team: undefined,
      url: new URL(url),
      secret,
      formerSecrets: former_secrets,
      types: events,
      wants: ({ type }) => events.some((pattern) => fitsType(pattern, type)),
    }),
  );
  const ofAudit = pairOf('audit.publish', audit.publish, {
    team: undefined,
    types: [CHECKPOINT],
    wants: ({ type }) => type === CHECKPOINT,
  });
  return [...ofTeams, ...ofOfficer, ...ofOperators, ...ofAudit, ...programs].map(withoutItself);
}

function pairOf(
  name: string,
  { mail, webhook }: Config['notify']['operators'],
  rest: Omit<ReceiverBase, 'name'>,
): readonly ToldReceiver[] {
  return [
    ...(mail === undefined ? [] : [{ ...rest, kind: 'mail' as const, name: `${name}.mail`, to: mail }]),
    ...(webhook === undefined
      ? []
      : [
          {
            ...rest,
            kind: 'webhook' as const,
            name: `${name}.webhook`,
            url: new URL(webhook.url),
            secret: webhook.secret,
            formerSecrets: webhook.former_secrets,
          },
        ]),
  ];
}

/** A receiver that did not take something is not told that it did not take it. */
function withoutItself<One extends ToldReceiver>(receiver: One): One {
  return {
    ...receiver,
    wants: (event) => event.data.receiver !== receiver.name && receiver.wants(event),
  };
}
