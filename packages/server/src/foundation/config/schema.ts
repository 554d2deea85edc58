import * as z from 'zod';
import { auditSection } from './audit-section.ts';
import { clientsSection } from './clients-section.ts';
import { connectionSection } from './connections-section.ts';
import { consentSection } from './consent-section.ts';
import { intakeSection } from './intake-section.ts';
import { mapSection } from './map-section.ts';
import { notifySection, receiver } from './notify-section.ts';
import { packagesSection } from './packages-section.ts';
import { partnersSection } from './partners-section.ts';
import { peopleSection } from './people-section.ts';
import { portalSection } from './portal-section.ts';
import { requestsSection } from './requests-section.ts';
import { signInSection } from './sign-in-section.ts';
import { streamsSection } from './streams-section.ts';
import { trackersSection } from './trackers-section.ts';
import { key } from './values.ts';

/** `habeas.yaml`, as a person writes it; docs/operate.md lists exactly these keys. */
export const configSchema = z
  .strictObject({
    organization: key.default('default'),
    /** Where the embedded database, the master key and logs lie; relative to the configuration. (Default: .habeas) */
    data_dir: z.string().default('.habeas'),
    listen: z
      .strictObject({
        host: z.string().default('127.0.0.1'),
        port: z.int().min(0).max(65535).default(7311),
        /** How services reach this server, for callbacks. (Default: http://host:port) */
        public_url: z.url({ protocol: /^https?$/ }).optional(),
        /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed; limits count by the address that it gives. */
        proxies: z
          .array(z.string().regex(/^[0-9A-Fa-f.:]+(\/\d{1,3})?$/, 'an IP address or a CIDR range'))
          .default([]),
        /** Most calls with one key in a minute, per server process. */
        calls_per_key: z.int().min(1).default(12_000),
      })
      .prefault({}),
    map: mapSection.prefault({}),
    /** Data type → data category of the taxonomy, e.g. `ip: user.device.ip_address`. */
    data_types: z.record(z.string(), z.string()).default({}),
    clients: clientsSection.prefault({}),
    /** Private address ranges that Habeas may call at all. (Default: none) */
    networks: z.strictObject({ allow_private: z.array(z.string()).default([]) }).prefault({}),
    /** Team → where it is told what concerns its services. */
    teams: z.record(z.string().min(1), z.strictObject(receiver)).default({}),
    notify: notifySection.prefault({}),
    audit: auditSection.prefault({}),
    connections: z.array(connectionSection).default([]),
    requests: requestsSection.prefault({}),
    partners: partnersSection.prefault({}),
    packages: packagesSection.prefault({}),
    streams: streamsSection.prefault({}),
    /** Absent: only who has an API key can ask. */
    intake: intakeSection.optional(),
    portal: portalSection.prefault({}),
    /** Absent: an API key is the only way in. */
    sign_in: signInSection.optional(),
    people: peopleSection.prefault({}),
    trackers: trackersSection.default([]),
    /** The policy file, relative to the configuration. (Default: the built-in policy) */
    policy: z.string().optional(),
    /** What data may be used for; see docs/consent.md. */
    consent: consentSection.prefault({}),
    /** The record of processing, relative to the configuration; see docs/record-of-processing.md. */
    record: z.string().optional(),
  })
  .check(({ value: { teams, notify, audit }, issues }) => {
    if (notify.smtp !== undefined) return;
    const mails = [
      ...Object.entries(teams).map(([team, { mail }]) => ({ mail, path: ['teams', team, 'mail'] })),
      { mail: notify.operators.mail, path: ['notify', 'operators', 'mail'] },
      { mail: audit.publish.mail, path: ['audit', 'publish', 'mail'] },
      { mail: notify.officer.mail, path: ['notify', 'officer', 'mail'] },
    ];
    for (const { mail, path } of mails) {
      if (mail === undefined) continue;
      const message = 'a mail needs a mail server: name it under notify.smtp';
      issues.push({ code: 'custom', path, message, input: mail });
    }
  })
  .check(({ value: { notify, intake }, issues }) => {
    if (intake === undefined) return;
    const lacks = (path: readonly string[], message: string) =>
      issues.push({ code: 'custom', path: ['intake', ...path], message, input: intake });
    if (intake.require.includes('questions') && intake.questions === undefined)
      lacks(['require'], 'questions need a back end: name it under intake.questions');
    if (notify.smtp === undefined) lacks([], 'codes need a mail server: name it under notify.smtp');
  })
  .check(({ value: { notify }, issues }) => {
    const names = notify.webhooks.map((webhook) => webhook.name);
    for (const [index, name] of names.entries()) {
      if (names.indexOf(name) === index) continue;
      const path = ['notify', 'webhooks', index, 'name'];
      issues.push({ code: 'custom', path, message: 'another webhook has this name', input: name });
    }
  });

export type Config = Readonly<z.output<typeof configSchema>> & {
  /** The file it came from, or undefined for the defaults. */
  readonly file: string | undefined;
  /** The folder that relative paths start from. */
  readonly folder: string;
};
