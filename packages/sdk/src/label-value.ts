import { looksPersonal } from '@habeas/contract/declarations';

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
  const look = looksPersonal(value);
  if (look !== undefined) {
    throw new TypeError(
      `declare(): a value of ${label} of service ${service} looks like ${look}. Labels are public to everyone who reads metrics: name the kind of data, such as "ip".`,
    );
  }
}
