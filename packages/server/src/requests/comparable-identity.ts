import type { Identity } from '../catalog/index.ts';

/** An identity in one form, so that another spelling of an address is still the same. Personal data: for comparing and hashing only. */
export function comparableIdentity({ type, value }: Identity): string {
  return `${type}\0${value.normalize('NFKC').trim().toLowerCase()}`;
}
