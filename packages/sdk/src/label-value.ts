import { isIP } from 'node:net';

const EMAIL = /[^\s@]@[^\s@]+\.[^\s@]/;
const UUID = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}/i;
const IPV4 = /(^|[^\d.])(\d{1,3}\.){3}\d{1,3}([^\d.]|$)/;

/** What a label value looks like when it points at a person; undefined when it looks like a name of a thing. */
export function personalLook(value: string): 'an e-mail address' | 'an IP address' | 'a UUID' | undefined {
  if (EMAIL.test(value)) return 'an e-mail address';
  if (isIP(value.replace(/^\[|\]$/g, '')) !== 0 || IPV4.test(value)) return 'an IP address';
  if (UUID.test(value)) return 'a UUID';
  return undefined;
}

export interface LabelValue {
  /** The label that it is for; named in the error. */
  readonly label: string;
  readonly value: string;
  readonly service: string;
}

/**
 * Throws a TypeError for a value that is empty, longer than 200 characters, or looks like personal data: everyone who can read
 * metrics can read labels. The error names the label and the service, never the value.
 */
export function assertLabelValue({ label, value, service }: LabelValue): void {
  if (typeof value !== 'string' || value === '' || value.length > 200) {
    throw new TypeError(
      `declare(): ${label} of service ${service} must be a text of 1 to 200 characters. Name the kind of data, such as "email".`,
    );
  }
  const look = personalLook(value);
  if (look !== undefined) {
    throw new TypeError(
      `declare(): a value of ${label} of service ${service} looks like ${look}. Labels are public to everyone who reads metrics: name the kind of data, such as "ip".`,
    );
  }
}
